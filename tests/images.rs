//! Pictures against the real binary and real demo posta-servers, without a browser: they are passed
//! on as they come, and nothing is sent of one that did not arrive whole.
mod support;

use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use support::chat::{Chat, Reply};
use support::posta::Posta;
use support::until;

const MIB: usize = 1 << 20;
const KEY: &str = "6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f6";

/// Looks like a PNG from its first bytes, which is all that anybody on the way looks at.
fn picture(length: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut word: u32 = 7;
    while bytes.len() < length {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((word >> 24) as u8);
    }
    bytes
}

fn send(chat: &Chat, cookie: &str, query: &str, kind: &str, body: Vec<u8>) -> Reply {
    let fields = [("cookie", cookie), ("content-type", kind)];
    let path = format!("/c/bob.example/images?{query}");
    chat.try_request(minreq::Method::Post, &path, &fields, body).unwrap()
}

fn resident(chat: &Chat, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", chat.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_picture_is_uploaded_and_sent_once_however_often_it_is_tried() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let body = picture(200_000);
    let query = format!("key={KEY}&name=Harbour.png&alt=Boats%0D%0Aat+rest");
    for _ in 0..2 {
        let reply = send(&chat, &cookie, &query, "image/png", body.clone());
        assert_eq!(reply.status, 204, "{}", reply.body);
    }
    let messages = alice.messages("bob.example");
    assert_eq!(messages.len(), 1, "{messages:?}");
    let image = &messages[0]["payload"]["image"];
    assert_eq!(image["name"], "Harbour.png");
    assert_eq!(image["alt"], "Boats  at rest");
    assert_eq!((&image["size"], &image["mediaType"]), (&json!(200_000), &json!("image/png")));
    let stored = minreq::get(image["url"].as_str().unwrap()).send().unwrap();
    assert_eq!(stored.as_bytes(), body);
    // On the page it comes, and opens, through this service alone.
    let page = chat.get("/c/bob.example", &cookie).body;
    assert!(page.contains("src=\"/media/") && page.contains("href=\"/media/"), "{page}");
    assert!(!page.contains("src=\"http") && !page.contains("/upload-\""), "{page}");
    let path = page.split("src=\"").find(|part| part.starts_with("/media/")).unwrap();
    let path = path.split('"').next().unwrap().replace("&amp;", "&");
    let request = minreq::get(format!("{}{path}", chat.origin));
    let shown = request.clone().with_header("cookie", &cookie).send().unwrap();
    assert_eq!((shown.status_code, shown.as_bytes()), (200, body.as_slice()));
    let kind = shown.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    assert_eq!(kind.unwrap().1, "image/png");
    assert_ne!(request.with_follow_redirects(false).send().unwrap().status_code, 200);
    // Somebody else's session does not open it.
    let bob = Posta::start("bob", &[]);
    let (_, other) = chat.sign_up(&chat.invite(), &bob.pairing);
    assert_eq!(chat.get(&path, &other).status, 404);
}

#[test]
fn ten_mebibytes_pass_through_without_being_held() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    // Whatever is allocated once is there after a first one.
    let first = send(&chat, &cookie, &format!("key={KEY}"), "image/png", picture(MIB));
    assert_eq!(first.status, 204, "{}", first.body);
    let before = resident(&chat, "VmRSS");
    std::fs::write(format!("/proc/{}/clear_refs", chat.pid()), "5").expect("resets the peak");
    let key = KEY.replace('6', "7");
    let reply = send(&chat, &cookie, &format!("key={key}"), "image/png", picture(10 * MIB));
    assert_eq!(reply.status, 204, "{}", reply.body);
    let peak = resident(&chat, "VmHWM");
    let grown = peak.saturating_sub(before);
    println!("resident before {before}, at most {peak}: {grown} bytes more");
    assert!(grown < MIB, "{grown} bytes more than the {before} before");
    assert_eq!(alice.messages("bob.example").len(), 2);
}

#[test]
fn what_a_posta_server_does_not_take_is_refused_before_it_is_asked() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let good = format!("key={KEY}");
    for (query, kind, body, status) in [
        (good.as_str(), "image/png", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), 400),
        (&good, "image/gif", b"GIF89a".to_vec(), 400),
        (&good, "image/png", Vec::new(), 400),
        ("key=nonsense", "image/png", picture(100), 400),
        ("", "image/png", picture(100), 400),
        (&format!("{good}&account=somebody-else"), "image/png", picture(100), 401),
    ] {
        assert_eq!(send(&chat, &cookie, query, kind, body).status, status, "{query} {kind}");
    }
    assert_ne!(send(&chat, "", &good, "image/png", picture(100)).status, 204, "signed in only");
    // By its announced length, before a byte of it is read.
    let mut socket = TcpStream::connect(chat.origin.strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let host = chat.origin.strip_prefix("http://").unwrap();
    write!(
        socket,
        "POST /c/bob.example/images?{good} HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\n\
         cookie: {cookie}\r\ncontent-length: {}\r\n\r\n",
        chat.origin,
        10 * MIB + 1
    )
    .unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 413");
    assert!(alice.messages("bob.example").is_empty(), "nothing was sent");
}

#[test]
fn an_upload_that_breaks_off_sends_nothing_and_says_nothing_of_the_server() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let tab = chat.tab(&cookie, "first", "", true);
    tab.until("resync");
    let host = chat.origin.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(host).unwrap();
    write!(
        socket,
        "POST /c/bob.example/images?key={KEY} HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\n\
         cookie: {cookie}\r\ncontent-length: 500000\r\n\r\n",
        chat.origin
    )
    .unwrap();
    socket.write_all(&picture(100_000)).unwrap();
    drop(socket);
    until("the request has ended", || {
        chat.log().lines().any(|line| line.contains("route=/c/{}/images")).then_some(())
    });
    assert!(alice.messages("bob.example").is_empty());
    assert!(!chat.log().contains("posta-server is unreachable"), "{}", chat.log());
    // The same picture again, whole.
    let reply = send(&chat, &cookie, &format!("key={KEY}"), "image/png", picture(500_000));
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert_eq!(alice.messages("bob.example").len(), 1);
}

#[test]
fn a_posta_server_that_refuses_is_quoted_and_nothing_is_sent() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    alice.tell(json!({"failures": [{"path": "POST /api/v1/uploads", "status": 413}]}));
    let reply = send(&chat, &cookie, &format!("key={KEY}"), "image/png", picture(3 * MIB));
    assert_eq!(reply.status, 422, "{}", reply.body);
    assert!(reply.body.contains("Your posta-server refused"), "{}", reply.body);
    assert!(alice.messages("bob.example").is_empty());
}
