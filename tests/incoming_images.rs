//! Pictures that others link to, fetched through the real binary from a host that does whatever it
//! likes: only real images come through, within their limits, for the person they were sent to.
mod support;

use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand whatever follows";
const MIB: usize = 1 << 20;
/// Of one picture (`posta::MAX_PICTURE`).
const MAX: usize = 10 * MIB;

/// A web host that answers each path in its own way, and writes down what was asked of it.
struct Host {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn start() -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                std::thread::spawn(move || serve(&connection, &log));
            }
        });
        Host { url, asked }
    }

    fn asked(&self, what: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|head| head.contains(what))
    }
}

fn serve(mut connection: &TcpStream, log: &Mutex<Vec<String>>) {
    let lines = BufReader::new(connection).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("").to_owned();
    log.lock().unwrap().push(head.join("\n"));
    let whole = |kind: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}");
        [format!("{head}\r\nset-cookie: a=b\r\nconnection: close\r\n\r\n").as_bytes(), body]
            .concat()
    };
    let answer = match path.as_str() {
        "/good.png" => whole("image/png", PNG),
        // What it says of itself does not count, in either direction.
        "/mislabelled.png" => whole("text/html", PNG),
        "/drawing.png" => whole("image/png", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        "/page.png" => whole("image/png", b"<!doctype html><script>alert(1)</script>"),
        "/words.png" => whole("image/png", b"%PDF-1.7 and so on"),
        "/nothing.png" => whole("image/png", b""),
        "/missing.png" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        "/moved.png" => {
            b"HTTP/1.1 302 Found\r\nlocation: /elsewhere.png\r\ncontent-length: 0\r\n\r\n".to_vec()
        }
        "/huge.png" => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX + 1).into_bytes()
        }
        "/endless.png" => {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let _ = connection.write_all(PNG);
            // Until whoever asked has had enough.
            while connection.write_all(&[7; 64 * 1024]).is_ok() {}
            return;
        }
        "/silent.png" => {
            let _ = connection.set_read_timeout(Some(Duration::from_secs(60)));
            let _ = connection.read(&mut [0]); // until the other side hangs up
            return;
        }
        _ => whole("image/png", PNG),
    };
    let _ = connection.write_all(&answer);
}

/// Alice, who was sent a link to each of these; the paths under which her page shows them.
fn sent(chat: &Chat, host: &Host, names: &[&str]) -> (Posta, String, Vec<String>) {
    let alice = Posta::start("alice", &[]);
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let links = names.iter().map(|name| {
        let url = format!("{}/{name}", host.url);
        let payload = json!({"kind": "posta.link/v1", "url": url, "mediaType": "image/png"});
        json!({"peer": "https://eve.example", "payload": payload})
    });
    alice.tell(json!({ "inject": links.collect::<Vec<_>>() }));
    let page = chat.get("/c/eve.example", &cookie).body;
    let shown = page.split("src=\"").filter(|part| part.starts_with("/media/"));
    let shown = shown.map(|part| part.split('"').next().unwrap().replace("&amp;", "&"));
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown.len(), names.len(), "{page}");
    assert!(!page.contains(&format!("src=\"{}", host.url)), "{page}");
    (alice, cookie, shown)
}

fn fetch(chat: &Chat, cookie: &str, path: &str) -> minreq::Request {
    minreq::get(format!("{}{path}", chat.origin))
        .with_header("cookie", cookie)
        .with_header("user-agent", "Alice's own browser")
        .with_follow_redirects(false)
        .with_timeout(60)
}

#[test]
fn only_real_images_come_through_whatever_they_say_they_are() {
    let (chat, host) = (Chat::start(&[]), Host::start());
    let names = [
        "good.png",
        "mislabelled.png",
        "drawing.png",
        "page.png",
        "words.png",
        "nothing.png",
        "missing.png",
        "moved.png",
    ];
    let (_alice, cookie, shown) = sent(&chat, &host, &names);
    for (name, path) in names.iter().zip(&shown) {
        let answer = fetch(&chat, &cookie, path).send().unwrap();
        let field = |wanted: &str| {
            let found = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map_or("", |(_, value)| value.as_str())
        };
        if ["good.png", "mislabelled.png"].contains(name) {
            assert_eq!((answer.status_code, answer.as_bytes()), (200, PNG), "{name}");
            assert_eq!(field("content-type"), "image/png");
            assert_eq!(field("x-content-type-options"), "nosniff");
            assert_eq!(field("cross-origin-resource-policy"), "same-origin");
            let policy = field("content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("sandbox"),
                "{policy}"
            );
            assert_eq!(field("set-cookie"), "", "nothing of the host's own");
        } else {
            assert_eq!(answer.status_code, 404, "{name}");
            assert!(!answer.as_str().unwrap_or("").contains("<svg"), "{name}");
        }
    }
    assert!(host.asked("/moved.png") && !host.asked("/elsewhere.png"), "redirects lead nowhere");
    // The host learns nothing of who looks.
    for told in ["Alice's own browser", "cookie", "Cookie", "referer", "Referer", "forwarded"] {
        assert!(!host.asked(told), "{told}");
    }
}

#[test]
fn only_what_was_sent_to_a_person_is_fetched_and_only_for_them() {
    let (chat, host) = (Chat::start(&[]), Host::start());
    let (_alice, cookie, shown) = sent(&chat, &host, &["good.png"]);
    let path = &shown[0];
    let other = path.replace("good.png", "other.png");
    let nobody =
        path.split_once("?u=").map(|(_, url)| format!("/media/AAAAAAAAAAAAAAAAAAAAAA?u={url}"));
    for forged in [other.as_str(), &nobody.unwrap(), "/media/?u=x", "/media/AAAA"] {
        assert_eq!(fetch(&chat, &cookie, forged).send().unwrap().status_code, 404, "{forged}");
    }
    let bob = Posta::start("bob", &[]);
    let (_, stranger) = chat.sign_up(&chat.invite(), &bob.pairing);
    assert_eq!(fetch(&chat, &stranger, path).send().unwrap().status_code, 404);
    assert_ne!(fetch(&chat, "", path).send().unwrap().status_code, 200);
    assert!(host.asked.lock().unwrap().is_empty(), "and nobody was asked for any of it");
    assert_eq!(fetch(&chat, &cookie, path).send().unwrap().status_code, 200);
}

#[test]
fn what_is_too_large_or_takes_too_long_is_given_up() {
    let (chat, host) = (Chat::start(&[]), Host::start());
    let (_alice, cookie, shown) = sent(&chat, &host, &["huge.png", "endless.png", "silent.png"]);
    assert_eq!(fetch(&chat, &cookie, &shown[0]).send().unwrap().status_code, 404);
    // Of what does not say its size no more than the limit comes, and it does not end as if whole.
    let authority = chat.origin.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(authority).unwrap();
    let head = format!("host: {authority}\r\ncookie: {cookie}\r\nconnection: close");
    write!(socket, "GET {} HTTP/1.1\r\n{head}\r\n\r\n", shown[1]).unwrap();
    let mut got = Vec::new();
    let _ = socket.read_to_end(&mut got);
    assert!(got.starts_with(b"HTTP/1.1 200 OK\r\n") && got.len() > MIB, "{} bytes", got.len());
    assert!(got.len() < MAX + MIB, "{} bytes", got.len());
    assert!(!got.ends_with(b"\r\n0\r\n\r\n"), "the last chunk says that it was whole");
    let began = Instant::now();
    assert_eq!(fetch(&chat, &cookie, &shown[2]).send().unwrap().status_code, 404);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
