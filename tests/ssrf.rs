//! Whatever address somebody makes the service call, it reaches no network that is not everybody's:
//! the real binary in a network where every address answers, with a resolver that lies.
mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use support::chat::{Chat, Reply};
use support::namespace::inside;
use support::posta::Posta;
use support::process::Directory;
use support::until;
use support::world::World;

/// Where something listens, at every address.
const PORTS: [u16; 10] = [22, 25, 53, 80, 443, 6000, 6379, 8443, 9999, 11211];
const PUBLIC: [&str; 2] = ["1.2.3.4", "2606:4700::1111"];

/// Hosts that are somewhere they must not be, each another way to write it.
const HOSTS: &[&str] = &[
    // Loopback.
    "127.0.0.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7F.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "017700000001",
    "127.0.0.1.",
    "127.0.0.1..",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "any.localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::1%25lo]",
    "[::1%lo]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    // Unspecified, which leads to loopback as well.
    "0",
    "0.0.0.0",
    "0x0",
    "[::]",
    "[::ffff:0.0.0.0]",
    // Link-local, and the metadata of clouds.
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::a9fe:a9fe%25eth0]",
    "metadata.test",
    // Private, shared, and for other purposes.
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "255.255.255.255",
    "224.0.0.1",
    "[ff02::1]",
    "[fc00::1]",
    "[fdff::1]",
    "[fec0::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[4000::1]",
    // Names that lead there, alone or beside a good address, by an alias, or by too many addresses.
    "ten.test",
    "loopback6.test",
    "mapped.test",
    "mixed.test",
    "mixed6.test",
    "alias-of-ten.test",
    "alias-of-loopback6.test",
    "many.test",
    // Parsers that disagree on where the host ends.
    "1.2.3.4@127.0.0.1",
    "1.2.3.4:443@127.0.0.1",
    "127.0.0.1\\@1.2.3.4",
    "127.0.0.1\\.test",
    "127.0.0.1%00.test",
    "127.0.0.1 .test",
    "127.0.0.1,1.2.3.4",
    "[1.2.3.4]",
    "[127.0.0.1]",
    "[::1].test",
    "::1",
];

fn names(name: &str, asked: usize) -> Vec<IpAddr> {
    let addresses: Vec<&str> = match name {
        "public.test" => vec!["1.2.3.4"],
        "public6.test" => vec!["2606:4700::1111"],
        "metadata.test" => vec!["169.254.169.254"],
        "ten.test" => vec!["10.0.0.1"],
        "loopback6.test" => vec!["::1"],
        "mapped.test" => vec!["::ffff:10.0.0.1"],
        "mixed.test" => vec!["1.2.3.4", "10.0.0.1"],
        "mixed6.test" => vec!["1.2.3.4", "::1"],
        "many.test" => return (1..=40).map(|last| IpAddr::from([1, 2, 3, last])).collect(),
        // First a good one, then another; and the other way round.
        "rebinds.test" => vec![if asked == 0 { "1.2.3.4" } else { "127.0.0.1" }],
        "returns.test" => vec![if asked == 0 { "127.0.0.1" } else { "1.2.3.4" }],
        _ => vec![],
    };
    addresses.into_iter().map(|address| address.parse().unwrap()).collect()
}

/// Pairs with each of the three forms that name a host.
fn pair(chat: &Chat, code: &str, host: &str) -> Vec<Reply> {
    let encoded: String = host.bytes().map(|b| format!("%{b:02X}")).collect();
    let forms = [
        format!("posta+v1://{host}#token=mst_canary"),
        format!("posta://pair?token=mst_canary&url=https://{host}"),
        format!("posta://pair?token=mst_canary&url=https%3A%2F%2F{encoded}"),
        format!("https://{host}/setup#invite=pinv_canary"),
    ];
    forms.iter().map(|form| paste(chat, code, form)).collect()
}

/// Pastes something, from a new address each time: limits are for each.
fn paste(chat: &Chat, code: &str, pasted: &str) -> Reply {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(0x0b00_0000);
    let from = std::net::Ipv4Addr::from(NEXT.fetch_add(1, Relaxed)).to_string();
    let encode = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let form = format!("code={code}&uri={}", encode(pasted));
    let fields = [("x-forwarded-for", from.as_str())];
    let reply = chat.try_request(minreq::Method::Post, "/register", &fields, form.into_bytes());
    let reply = reply.unwrap();
    assert_eq!(reply.status, 422, "{pasted}: {}", reply.body);
    reply
}

fn public(port: u16) -> Vec<SocketAddr> {
    PUBLIC.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect()
}

#[test]
fn pairing_reaches_what_is_public_and_nothing_else() {
    if !inside("pairing_reaches_what_is_public_and_nothing_else") {
        return;
    }
    let directory = Directory::new();
    let world = World::begin(&directory.file(""), &PORTS, names);
    let chat = Chat::start_guarded(&["--config", &directory.config("")]);
    let code = chat.invite();
    // What must be dialled is, so that what is not would have been seen.
    for host in
        ["1.2.3.4", "[2606:4700::1111]", "public.test", "public6.test", "alias-of-public.test"]
    {
        for reply in pair(&chat, &code, host) {
            assert!(reply.body.contains("reach your posta-server"), "{host}: {}", reply.body);
        }
        let dialled = world.dialled();
        assert!(dialled.len() == 1 && public(443).contains(&dialled[0]), "{host}: {dialled:?}");
    }
    for host in HOSTS {
        for place in [
            (*host).to_owned(),
            format!("{host}:443"),
            format!("{host}:80"),
            format!("{host}:9999"),
        ] {
            pair(&chat, &code, &place);
        }
        assert_eq!(world.dialled(), [], "{host}");
    }
    // Ports of other protocols are not dialled, wherever they are.
    for (port, is_dialled) in [
        (443, true),
        (8443, true),
        (9999, true),
        (22, false),
        (25, false),
        (53, false),
        (6000, false),
        (6379, false),
        (11211, false),
    ] {
        pair(&chat, &code, &format!("1.2.3.4:{port}"));
        assert_eq!(world.dialled().len(), usize::from(is_dialled), "{port}");
    }
    // Nor are other schemes spoken, or http without TLS.
    for scheme in ["http", "ftp", "gopher", "dict", "file", "ldap", "ws", "ssh", "unix", "jar:http"]
    {
        paste(&chat, &code, &format!("{scheme}://1.2.3.4/setup#invite=pinv_canary"));
        paste(&chat, &code, &format!("posta://pair?token=mst_canary&url={scheme}://1.2.3.4:9999"));
        assert_eq!(world.dialled(), [], "{scheme}");
    }
}

#[test]
fn an_address_is_judged_and_that_one_is_dialled() {
    if !inside("an_address_is_judged_and_that_one_is_dialled") {
        return;
    }
    let directory = Directory::new();
    let world = World::begin(&directory.file(""), &PORTS, names);
    let chat = Chat::start_guarded(&["--config", &directory.config("")]);
    let code = chat.invite();
    let uri = |host: &str| format!("posta+v1://{host}#token=mst_canary");
    for _ in 0..3 {
        paste(&chat, &code, &uri("rebinds.test"));
        assert_eq!(world.dialled(), [SocketAddr::new(PUBLIC[0].parse().unwrap(), 443)]);
        paste(&chat, &code, &uri("returns.test"));
        assert_eq!(world.dialled(), []);
    }
    // One question, one answer, which was judged and dialled.
    assert_eq!((world.asked("rebinds.test"), world.asked("returns.test")), (1, 1));
}

#[test]
fn what_an_operator_opens_is_their_own_network_and_no_more() {
    if !inside("what_an_operator_opens_is_their_own_network_and_no_more") {
        return;
    }
    let directory = Directory::new();
    let world = World::begin(&directory.file(""), &PORTS, names);
    let chat = Chat::start(&["--config", &directory.config("")]);
    let code = chat.invite();
    for (host, is_dialled) in [
        ("10.0.0.1", true),
        ("192.168.0.1", true),
        ("[fd00::1]", true),
        ("ten.test", true),
        ("mixed.test", true),
        ("[64:ff9b::a00:1]", true),
        ("169.254.169.254", false),
        ("metadata.test", false),
        ("[::ffff:169.254.169.254]", false),
        ("[64:ff9b::a9fe:a9fe]", false),
        ("[fe80::1]", false),
        ("0.0.0.0", false),
        ("240.0.0.1", false),
        ("198.18.0.1", false),
        ("[2001:db8::1]", false),
        ("10.0.0.1:22", false),
        ("127.0.0.1:6379", false),
    ] {
        paste(&chat, &code, &format!("posta+v1://{host}#token=mst_canary"));
        assert_eq!(!world.dialled().is_empty(), is_dialled, "{host}");
    }
}

/// Accounts are made while private addresses are open, as a home network's are; then they are closed.
#[test]
fn previews_and_pictures_reach_nothing_private() {
    if !inside("previews_and_pictures_reach_nothing_private") {
        return;
    }
    let directory = Directory::new();
    let world = World::begin(&directory.file(""), &PORTS, names);
    let config = directory.config("allow_private_upstreams = true\n");
    let chat = Chat::start_guarded(&["--config", &config]);
    let people: Vec<_> = ["alice", "bob", "carol"].map(|name| Posta::start(name, &[])).into();
    let signed: Vec<_> =
        people.iter().map(|posta| chat.sign_up(&chat.invite(), &posta.pairing).1).collect();
    // Every host as the place of a picture: what can be shown at all has an address of ours.
    let picture = |url: String| json!({"peer": "https://pen.example", "payload": {"kind": "posta.link/v1", "url": url, "mediaType": "image/png"}});
    let mut media = Vec::new();
    for hosts in HOSTS.chunks(12) {
        let each = |host: &&str| {
            ["https", "http"]
                .into_iter()
                .flat_map(|scheme| {
                    [format!("{scheme}://{host}/x.png"), format!("{scheme}://{host}:9999/x.png")]
                })
                .collect::<Vec<_>>()
        };
        let inject: Vec<_> = hosts.iter().flat_map(each).map(picture).collect();
        people[0].tell(json!({"inject": inject}));
        let page = chat.get("/c/pen.example", &signed[0]).body;
        let found = page.split('"').filter(|part| part.starts_with("/media/"));
        media.extend(found.map(|path| path.replace("&amp;", "&")));
    }
    let good = picture("https://1.2.3.4/x.png".into());
    people[0].tell(json!({"inject": [good]}));
    let page = chat.get("/c/pen.example", &signed[0]).body;
    let good = page.split('"').rfind(|part| part.starts_with("/media/")).unwrap();
    media.sort();
    media.dedup();
    assert!(media.len() > 60, "{}", media.len());
    // Closed again, with everybody signed in and every page still good.
    std::fs::write(&config, "allow_private_upstreams = false\n").unwrap();
    kill_process(Pid::from_raw(chat.pid() as i32).unwrap(), Signal::USR2).unwrap();
    until("the successor serves", || chat.log().contains("has taken over").then_some(()));
    assert!(chat.log().contains("key=allow_private_upstreams value=\"false\""), "{}", chat.log());
    world.dialled();
    assert_eq!(chat.get(&good.replace("&amp;", "&"), &signed[0]).status, 404);
    assert_eq!(world.dialled(), public(443)[..1], "a public one is asked");
    for path in &media {
        assert_eq!(chat.get(path, &signed[0]).status, 404, "{path}");
        assert_eq!(world.dialled(), [], "{path}");
    }
    let preview = |host: &str, who: usize| {
        let encoded: String = host.bytes().map(|b| format!("%{b:02X}")).collect();
        chat.get(&format!("/new/preview?url={encoded}"), &signed[who])
    };
    preview("public.test", 0);
    assert_eq!(world.dialled(), public(443)[..1], "a public one is asked");
    for (number, host) in HOSTS.iter().enumerate() {
        // Each of them may ask for so many at once.
        let reply = preview(host, number * signed.len() / HOSTS.len());
        assert_eq!(reply.status, 200, "{host}: {}", reply.body);
        assert_eq!(world.dialled(), [], "{host}");
    }
}
