//! How often one may try, against the real binary: for each user and each address, also behind a proxy,
//! and whatever a client says of its own address.
mod support;

use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use support::chat::{Chat, Reply};
use support::posta::Posta;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123";

/// Tries until one is refused, from what `from` says of the client's address: how many passed.
fn passes(most: usize, mut attempt: impl FnMut(usize) -> Reply) -> usize {
    for number in 0..most {
        let reply = attempt(number);
        if reply.status == 429 {
            let wait: u64 =
                reply.field("retry-after").and_then(|s| s.parse().ok()).expect("seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            let time = if wait == 1 { "a second".into() } else { format!("{wait} seconds") };
            assert!(reply.body.contains(&format!("Wait {time} and")), "{}", reply.body);
            return number;
        }
        assert!(reply.status < 500 && reply.status != 403, "{}: {}", reply.status, reply.body);
    }
    most
}

/// A burst, and what may have been allowed again meanwhile on a machine that is busy.
#[track_caller]
fn is_about(passed: usize, burst: usize) {
    assert!((burst..burst + burst / 2 + 30).contains(&passed), "{passed} passed, not {burst}");
}

fn key(number: usize) -> String {
    format!("6f1c4a0e-3b2d-4c5e-8f90-{number:012x}")
}

fn post(chat: &Chat, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
    chat.try_request(minreq::Method::Post, path, fields, body.to_vec()).unwrap()
}

/// `GET /login` costs nothing; a challenge does.
fn challenge(chat: &Chat, fields: &[(&str, &str)]) -> Reply {
    post(chat, "/login/options", fields, b"{}")
}

#[test]
fn a_user_is_held_back_wherever_they_are_and_nobody_else() {
    let (chat, alice, bob) =
        (Chat::start(&[]), Posta::start("alice", &[]), Posta::start("bob", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (_, others) = chat.sign_up(&chat.invite(), &bob.pairing);
    // From somewhere else each time.
    let from = |number: usize| format!("198.51.{}.{}", number / 250, number % 250 + 1);
    let send = |cookie: &str, number: usize| {
        let form = format!("key={}&text=hello", key(number));
        let fields = [("cookie", cookie), ("x-forwarded-for", &from(number))];
        post(&chat, "/c/pen.example/messages", &fields, form.as_bytes())
    };
    is_about(passes(900, |number| send(&cookie, number)), 120);
    assert_eq!(send(&others, 1).status, 204);
    // Whatever else makes their posta-server call others counts alike.
    for path in ["/messages/1/retry", "/c/pen.example/leave", "/settings/name"] {
        let reply = post(&chat, path, &[("cookie", &cookie)], b"name=x");
        assert_eq!(reply.status, 429, "{path}");
    }
    let upload = |cookie: &str, number: usize| {
        let path = format!("/c/pen.example/images?key={}", key(10_000 + number));
        post(&chat, &path, &[("cookie", cookie), ("x-forwarded-for", &from(number))], PNG)
    };
    is_about(passes(300, |number| upload(&cookie, number)), 40);
    assert_eq!(upload(&others, 1).status, 204);
    let portrait = post(&chat, "/settings/picture", &[("cookie", &cookie)], PNG);
    assert_eq!(portrait.status, 429);
    let preview = |cookie: &str, number: usize| {
        let fields = [("cookie", cookie), ("x-forwarded-for", &from(number))];
        let path = format!("/new/preview?url=localhost:{}", 1 + number);
        chat.try_request(minreq::Method::Get, &path, &fields, Vec::new()).unwrap()
    };
    is_about(passes(300, |number| preview(&cookie, number)), 30);
    assert_eq!(preview(&others, 1).status, 200);
    // The whole page keeps what was typed.
    let page = chat.get("/new?url=nobody.example", &cookie);
    assert_eq!((page.status, page.field("retry-after").is_some()), (429, true));
    assert!(page.body.contains("value=\"nobody.example\"") && page.body.contains("Wait "));
    // Pictures of messages.
    let page = chat.get("/c/pen.example", &cookie).body;
    let media = page.split('"').find(|part| part.starts_with("/media/")).expect("a picture");
    let media = media.replace("&amp;", "&");
    let fetch = |cookie: &str| {
        let fields = [("cookie", cookie)];
        chat.try_request(minreq::Method::Get, &media, &fields, Vec::new()).unwrap()
    };
    // Several at once: one after another might be slow enough.
    let passed: usize = std::thread::scope(|scope| {
        let askers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| passes(6_000, |_| fetch(&cookie)))).collect();
        askers.into_iter().map(|asker| asker.join().unwrap()).sum()
    });
    is_about(passed, 1_000);
}

#[test]
fn a_user_s_touches_and_sign_ins_are_counted() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let ask = |number: usize| {
        let from = format!("198.51.100.{}", number + 1);
        let fields = [("cookie", cookie.as_str()), ("x-forwarded-for", &from)];
        post(&chat, "/settings/passkeys/add", &fields, b"where=here")
    };
    is_about(passes(200, ask), 30);
    // A sign-in of theirs waits as well; its answer says so only to who holds the passkey.
    let refused = chat.sign_in(&mut passkey);
    assert_eq!(refused.status, 429, "{}", refused.body);
    let begun = challenge(&chat, &[]).json();
    let (mut credential, prf) = passkey.get(&begun["publicKey"]);
    credential["response"]["signature"] = json!("MAYCAQECAQE");
    let step = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
    assert_eq!(chat.post_json("/login", &step).unwrap().status, 401);
    let pairing = |number: usize| {
        let from = format!("198.51.101.{}", number + 1);
        let fields = [("cookie", cookie.as_str()), ("x-forwarded-for", &from)];
        post(&chat, "/settings/pairing", &fields, b"uri=x")
    };
    is_about(passes(200, pairing), 10);
}

#[test]
fn an_address_is_what_trusted_proxies_saw_and_never_what_it_calls_itself() {
    let chat = Chat::start(&[]);
    let exhaust = |address: &str| {
        is_about(passes(400, |_| challenge(&chat, &[("x-forwarded-for", address)])), 60);
    };
    let status = |fields: &[(&str, &str)]| challenge(&chat, fields).status;
    let seen = |value: &str| status(&[("x-forwarded-for", value)]);
    exhaust("198.51.100.1");
    for (said, expected) in [
        ("198.51.100.2", 200),
        // Forged in front of what the proxy saw, in every form.
        ("6.6.6.6, 198.51.100.1", 429),
        ("127.0.0.1, 198.51.100.1", 429),
        ("6.6.6.7,6.6.6.8,198.51.100.1", 429),
        ("unknown, 198.51.100.1", 429),
        ("\"6.6.6.6\", 198.51.100.1", 429),
        (", , 198.51.100.1", 429),
        ("6.6.6.6\t198.51.100.9, 198.51.100.1", 429),
        // Another form of the same address, and a proxy of ours behind it.
        ("198.51.100.1:4711", 429),
        ("::ffff:198.51.100.1", 429),
        ("[::ffff:198.51.100.1]:80", 429),
        ("6.6.6.6, 198.51.100.1, 127.0.0.1", 429),
    ] {
        assert_eq!(seen(said), expected, "{said}");
    }
    // Several fields are one list: the last one is the nearest proxy's.
    let two = |first, last| status(&[("x-forwarded-for", first), ("X-Forwarded-For", last)]);
    assert_eq!(two("6.6.6.6", "198.51.100.1"), 429);
    assert_eq!(two("198.51.100.1", "198.51.100.3"), 200);
    // Fields of other proxies are nobody's word.
    for name in ["x-real-ip", "forwarded", "client-ip", "true-client-ip", "cf-connecting-ip"] {
        for value in ["6.6.6.6", "for=6.6.6.6"] {
            let fields = [("x-forwarded-for", "198.51.100.1"), (name, value)];
            assert_eq!(status(&fields), 429, "{name}");
        }
    }
    // A subscriber has a whole /64, and no more.
    exhaust("2001:db8:1:2::1");
    assert_eq!(seen("2001:db8:1:2:ffff:ffff:ffff:ffff"), 429);
    assert_eq!(seen("[2001:db8:1:2::9]:443"), 429);
    assert_eq!(seen("2001:db8:1:3::1"), 200);
    // What is no address counts for the proxy itself.
    let garbage = ["", "unknown", "_hidden", "999.1.1.1", "6.6.6.6.6", "fe80::1%eth0", "a b", "💌"];
    let tried =
        |number: usize| challenge(&chat, &[("x-forwarded-for", garbage[number % garbage.len()])]);
    is_about(passes(400, tried), 60);
    assert_eq!(status(&[]), 429);
}

#[test]
fn who_is_no_trusted_proxy_is_counted_as_who_they_are() {
    let chat = Chat::start(&["--trusted-proxies", "192.0.2.1"]);
    let tried = |number: usize| {
        let from = format!("203.0.113.{}", number % 250);
        challenge(&chat, &[("x-forwarded-for", &from), ("x-real-ip", &from)])
    };
    is_about(passes(400, tried), 60);
}

#[test]
fn guesses_of_invites_and_sign_ups_are_counted_by_address() {
    let chat = Chat::start(&[]);
    let guess = |number: usize| chat.get(&format!("/register?code=guess{number}"), "");
    is_about(passes(300, guess), 40);
    let code = chat.invite();
    assert_eq!(chat.get(&format!("/register?code={code}"), "").status, 429, "a good one as well");
    let elsewhere = [("x-forwarded-for", "198.51.100.9"), ("accept", "text/html")];
    let path = format!("/register?code={code}");
    let there = chat.try_request(minreq::Method::Get, &path, &elsewhere, Vec::new()).unwrap();
    assert_eq!(there.status, 200);
    let connect = |_| {
        let form = format!("code={code}&uri=nonsense");
        post(&chat, "/register", &[("x-forwarded-for", "198.51.100.10")], form.as_bytes())
    };
    is_about(passes(200, connect), 20);
}

/// More addresses than buckets are kept, each asking once on one connection.
#[test]
fn a_flood_of_addresses_takes_no_more_memory() {
    let chat = Chat::start(&[]);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", chat.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    let host = chat.origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut flood = |addresses: std::ops::Range<u32>| {
        for start in addresses.step_by(50) {
            let batch: String = (start..start + 50)
                .map(|number| {
                    let address = std::net::Ipv4Addr::from(0x0b00_0000 + number);
                    format!(
                        "POST /register HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\n\
                         x-forwarded-for: {address}\r\ncontent-length: 0\r\n\r\n",
                        chat.origin
                    )
                })
                .collect();
            stream.write_all(batch.as_bytes()).unwrap();
            for _ in 0..50 {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    assert!(answers.read_line(&mut line).unwrap() > 0, "the answer goes on");
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        break;
                    }
                }
                std::io::copy(&mut (&mut answers).take(length), &mut std::io::sink()).unwrap();
            }
        }
    };
    flood(0..11_000);
    let full = resident();
    flood(11_000..22_000);
    let grown = resident().saturating_sub(full);
    println!("resident {full} kB with 11,000 addresses, {grown} kB more with 22,000");
    // Two kinds are counted for each of them.
    assert!(grown < 4_096, "{grown} kB more");
}
