//! How deep stacks get: the deepest paths there are, driven through the real binary with painted
//! stacks. None may use more than half of what it has: an overflow ends the process.
#[path = "support/host.rs"]
#[allow(dead_code)]
mod host;
mod support;

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use support::chat::Chat;
use support::posta::Posta;
use support::process::Directory;
use support::until;

const KEY: &str = "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77";

fn picture(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(length, 7);
    bytes
}

/// Nested as deep as is read at all.
fn nested() -> Value {
    (0..25).fold(json!("x"), |inner, _| json!([inner]))
}

/// Threads as large as they come, with all that may stand in them.
fn fill(alice: &Posta) {
    let text = |n: usize| match n % 4 {
        0 => format!("{n} {}", "and so on ".repeat(4_000)),
        1 => format!("https://a.example/{n}?q=(x) ").repeat(500),
        2 => "<&\"'> ".repeat(5_000),
        _ => format!("letter {n}"),
    };
    let payload = |n: usize| match n % 9 {
        7 => json!({"kind": "posta.link/v1", "url": format!("https://a.example/{n}.png"),
                    "mediaType": "image/png", "name": "a", "alt": text(n)}),
        8 => json!({"kind": "what.is/this", "deep": nested()}),
        _ => json!({"kind": "posta.text/v1", "body": text(n)}),
    };
    for piece in 0..15 {
        let messages: Vec<_> = (piece * 20..piece * 20 + 20)
            .map(|n| json!({"peer": "bob.example", "payload": payload(n)}))
            .collect();
        alice.tell(json!({"inject": messages}));
    }
    let contacts = (0..200).map(|n| json!({"peer": format!("p{n}.example"), "payload": payload(3)}));
    alice.tell(json!({"inject": contacts.collect::<Vec<_>>()}));
}

#[test]
fn no_path_uses_more_than_half_of_its_stack() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ops = format!("127.0.0.1:{port}");
    let paint = "export CHAT_POSTA_PAINT=1";
    let chat = Chat::start_in(Directory::new(), paint, &["--ops-listen", &ops]);
    let (alice, other) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
    fill(&alice);
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    chat.add_passkey(&cookie, &mut passkey);
    let tab = chat.tab(&cookie, "a", "bob.example", true);
    tab.until("resync");
    let image = {
        let fields = [("cookie", cookie.as_str()), ("content-type", "image/png")];
        let path = format!("/c/carol.example/images?key={KEY}&name=a.png&alt=a");
        let body = picture(3 << 20);
        let sent = chat.try_request(minreq::Method::Post, &path, &fields, body).unwrap();
        assert_eq!(sent.status, 204, "{}", sent.body);
        let page = until("the picture is in its thread", || {
            let page = chat.get("/c/carol.example", &cookie).body;
            page.contains("src=\"/media/").then_some(page)
        });
        let path = page.split("src=\"").find(|part| part.starts_with("/media/")).unwrap();
        path.split('"').next().unwrap().replace("&amp;", "&")
    };
    for path in [
        "/",
        "/c/bob.example",
        "/c/bob.example/messages?from=1",
        "/c/bob.example/messages?before=200",
        "/c/bob.example/messages?after=20",
        "/c/bob.example?at=150",
        "/sidebar?open=bob.example",
        "/search?q=letter",
        "/search?q=and&peer=bob.example",
        "/settings",
        &format!("/new?url={}", other.url),
        &format!("/new/preview?url={}", other.url),
        "/address.svg",
        &image,
    ] {
        let answer = chat.get(path, &cookie);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert_eq!(chat.get("/nowhere", &cookie).status, 404);
    let long = "x".repeat(40_000);
    let path = "/c/bob.example/messages";
    let sent = chat.post_form(path, &cookie, &[("text", &long), ("key", KEY)]);
    assert!(matches!(sent.status, 204 | 422), "{}", sent.body);
    // Events with much in them, which the follower reads.
    for n in 0..20 {
        let data = json!({"peer": "bob.example", "rowId": n, "message": nested()});
        alice.tell(json!({"event": {"name": "inbound", "data": data}}));
    }
    alice.revoke();
    tab.until("health");
    assert_eq!(chat.sign_in(&mut passkey).status, 200);
    assert_eq!(chat.post_form("/logout", &cookie, &[]).status, 303);
    tab.end();

    // A stack is looked at when its coroutine ends, a connection's a moment after its last answer.
    let address: SocketAddr = ops.parse().unwrap();
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    for kind in ["connection", "stream", "deep"] {
        let (used, size) = until(&format!("{kind} is measured"), || {
            let shown = host::get(address, "/metrics");
            let number = |name: &str| -> Option<usize> {
                let line = format!("{name}{{kind=\"{kind}\"}} ");
                shown.lines().find_map(|l| l.strip_prefix(&line)?.parse().ok())
            };
            let used = number("chat_posta_stack_used_bytes").filter(|used| *used > 0)?;
            Some((used, number("chat_posta_stack_bytes")?))
        });
        println!("{build} {kind}: {used} of {size} bytes of stack");
        assert!(used * 2 <= size, "{kind}: {used} of {size} bytes");
    }
}
