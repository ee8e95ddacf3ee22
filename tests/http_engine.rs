//! The engine's limits and framing, shown on the real binary over raw sockets.
#[path = "support/server.rs"]
mod server;

use server::{Server, answer, field, rest, status};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A whole head for `line`, with a Host.
fn head(line: &str, fields: &str) -> String {
    format!("{line}\r\nHost: localhost\r\n{fields}\r\n")
}

/// A POST from our own pages.
fn post(path: &str, fields: &str) -> String {
    head(
        &format!("POST {path} HTTP/1.1"),
        &format!("Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n{fields}"),
    )
}

#[test]
fn broken_requests_get_their_status_and_the_end() {
    let server = Server::start(&[]);
    let get = "GET /healthz HTTP/1.1";
    let long = format!("GET /{} HTTP/1.1", "a".repeat(9_000));
    let large = format!("X: {}\r\n", "a".repeat(17_000));
    let many = "a: b\r\n".repeat(100);
    for (request, expected) in [
        ("GET /healthz HTTP/1.1\r\n\r\n".to_owned(), 400),
        (head(get, "Host: localhost\r\n"), 400),
        ("GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400),
        ("GET /healthz HTTP/1.1\nHost: localhost\n\n".to_owned(), 400),
        ("GET /healthz HTTP/1.1\rHost: localhost\r\r".to_owned(), 400),
        (head(get, "A : b\r\n"), 400),
        (head(get, "A: b\r\n c\r\n"), 400),
        (head(get, "A: \0\r\n"), 400),
        (head("GET  /healthz HTTP/1.1", ""), 400),
        (head("GET healthz HTTP/1.1", ""), 400),
        (head("GET /healthz#x HTTP/1.1", ""), 400),
        (post("/login", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400),
        (post("/login", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (post("/login", "Content-Length: +1\r\n"), 400),
        (post("/login", "Content-Length: 1,1\r\n"), 400),
        (post("/login", "Content-Length: 99999999999999999999\r\n"), 400),
        (post("/login", "Transfer-Encoding: gzip, chunked\r\n"), 400),
        (post("/login", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400),
        ("POST /login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), 400),
        (head(&long, ""), 414),
        (head(get, &large), 431),
        (head(get, &many), 431),
        (head(get, "Expect: tea\r\n"), 417),
        (head("GET /healthz HTTP/1.2", ""), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
        (head("BREW /healthz HTTP/1.1", ""), 501),
        (head("CONNECT localhost:443 HTTP/1.1", ""), 501),
        (head("OPTIONS * HTTP/1.1", ""), 501),
    ] {
        // What follows must never be taken for a request.
        let all = server.ask(format!("{request}{HEALTH}").as_bytes());
        let shown = &request[..request.len().min(120)];
        assert_eq!(status(&all), expected, "{shown:?}");
        assert_eq!(all.matches("\ndate: ").count(), 1, "{shown:?}: {all}");
        assert_eq!(field(&all, "connection"), Some("close"), "{shown:?}");
        // Refusals carry what every answer carries.
        assert_eq!(field(&all, "x-content-type-options"), Some("nosniff"), "{shown:?}");
        assert!(field(&all, "content-security-policy").is_some(), "{shown:?}");
    }
    assert_eq!(status(&server.ask(HEALTH.as_bytes())), 200, "none the worse for it");
}

#[test]
fn pipelined_requests_in_any_pieces() {
    let server = Server::start(&[]);
    let lines = format!(
        "{HEALTH}\r\n{}{}a=b{}3;x\r\na=b\r\n0\r\nT: u\r\n\r\n{HEALTH}",
        head("HEAD /healthz HTTP/1.1", ""),
        post("/nowhere", "Content-Length: 3\r\n"),
        post("/nowhere", "Transfer-Encoding: chunked\r\n"),
    );
    for size in [1, 2, 7, 64, lines.len()] {
        let mut stream = server.connect();
        stream.set_nodelay(true).unwrap();
        for piece in lines.as_bytes().chunks(size) {
            stream.write_all(piece).unwrap();
        }
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let all = rest(&mut stream);
        let statuses: Vec<u16> =
            all.split("HTTP/1.1 ").skip(1).map(|a| a[..3].parse().unwrap()).collect();
        assert_eq!(statuses, [200, 200, 404, 404, 200], "in pieces of {size}: {all}");
        assert!(all.ends_with("\r\n\r\nok\n"), "a half-closed client gets its answer: {all}");
    }
}

#[test]
fn head_says_what_get_would() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    for path in ["/healthz", "/login", "/nowhere"] {
        stream.write_all(head(&format!("GET {path} HTTP/1.1"), "").as_bytes()).unwrap();
        let whole = answer(&mut stream);
        stream.write_all(head(&format!("HEAD {path} HTTP/1.1"), "").as_bytes()).unwrap();
        let mut bare = Vec::new();
        let mut byte = [0];
        while !bare.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            bare.push(byte[0]);
        }
        let bare = String::from_utf8(bare).unwrap();
        assert_eq!(status(&bare), status(&whole), "{path}");
        assert_eq!(field(&bare, "content-length"), field(&whole, "content-length"), "{path}");
        assert_eq!(field(&bare, "content-type"), field(&whole, "content-type"), "{path}");
    }
    let wrong = server.ask(post("/healthz", "").as_bytes());
    assert_eq!((status(&wrong), field(&wrong, "allow")), (405, Some("GET, HEAD")));
}

#[test]
fn bodies_are_bounded_and_asked_for() {
    let server = Server::start(&[]);
    let huge = "Content-Type: application/json\r\nContent-Length: 100000000\r\n";
    let refused = server.ask(post("/login", huge).as_bytes());
    assert_eq!(status(&refused), 413);
    // Nothing was read, and the client is told before it sends.
    let waiting = server.ask(post("/login", &format!("{huge}Expect: 100-continue\r\n")).as_bytes());
    assert_eq!(status(&waiting), 413);
    // A client in the middle of sending gets its answer, not a reset.
    let mut stream = server.connect();
    stream.write_all(post("/login", "Content-Length: 4000000\r\n").as_bytes()).unwrap();
    stream.write_all(&vec![b' '; 4_000_000]).unwrap();
    assert_eq!(status(&rest(&mut stream)), 413);
    // One that waits is told to go on when the body is wanted.
    let mut stream = server.connect();
    let expecting =
        "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
    stream.write_all(post("/login", expecting).as_bytes()).unwrap();
    assert_eq!(answer(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    assert!((400..500).contains(&status(&answer(&mut stream))));
    // Broken chunks.
    let chunked = post("/login", "Transfer-Encoding: chunked\r\n");
    let broken = server.ask(format!("{chunked}2 \r\n{{}}\r\n0\r\n\r\n{HEALTH}").as_bytes());
    assert_eq!(status(&broken), 400);
    assert_eq!(broken.matches("\ndate: ").count(), 1, "{broken}");
}

#[test]
fn assets_are_fresh_for_a_year_and_come_compressed() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(head("GET /login HTTP/1.1", "").as_bytes()).unwrap();
    let page = answer(&mut stream);
    let path = page
        .split('"')
        .find(|text| text.starts_with("/static/") && text.ends_with(".css"))
        .expect("a page has a sheet");
    let get = format!("GET {path} HTTP/1.1");
    let plain = server.ask(head(&get, "").as_bytes());
    assert_eq!((status(&plain), field(&plain, "content-encoding")), (200, None));
    let caching = field(&plain, "cache-control").unwrap();
    assert!(caching.contains("immutable"), "{caching}");
    for coding in ["br", "gzip"] {
        let fields = format!("Accept-Encoding: {coding}\r\n");
        let all = server.ask(head(&get, &fields).as_bytes());
        assert_eq!((status(&all), field(&all, "content-encoding")), (200, Some(coding)));
        assert!(field(&all, "vary").is_some_and(|v| v.eq_ignore_ascii_case("accept-encoding")));
    }
    if let Some(etag) = field(&plain, "etag") {
        let all = server.ask(head(&get, &format!("If-None-Match: {etag}\r\n")).as_bytes());
        assert_eq!(status(&all), 304);
        assert!(all.ends_with("\r\n\r\n"), "{all}");
    }
}

#[test]
fn a_head_has_fifteen_seconds() {
    let server = Server::start(&[]);
    let mut trickling = server.connect();
    let mut silent = server.connect();
    let since = Instant::now();
    let mut feeding = trickling.try_clone().unwrap();
    let feeder = std::thread::spawn(move || {
        for byte in HEALTH.bytes().take(20) {
            if feeding.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    assert_eq!(status(&rest(&mut trickling)), 408);
    let took = since.elapsed().as_secs();
    assert!((14..20).contains(&took), "{took} s");
    drop(trickling);
    feeder.join().unwrap();
    silent.write_all(HEALTH.as_bytes()).unwrap();
    assert_eq!(status(&answer(&mut silent)), 200, "idling is no offence");
}

#[test]
fn above_the_caps_the_answer_is_503_until_there_is_room() {
    // A quarter of the descriptors is kept for other things.
    let server = Server::start_with_files(200, &[]);
    let mut held: Vec<TcpStream> = (0..150).map(|_| server.connect()).collect();
    for stream in &mut held {
        stream.write_all(HEALTH.as_bytes()).unwrap();
        assert_eq!(status(&answer(stream)), 200);
    }
    for _ in 0..100 {
        let refused = rest(&mut server.connect());
        assert_eq!(status(&refused), 503);
        assert!(field(&refused, "content-security-policy").is_some());
    }
    held.truncate(140);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(status(&server.ask(HEALTH.as_bytes())), 200);
    held[0].write_all(HEALTH.as_bytes()).unwrap();
    assert_eq!(status(&answer(&mut held[0])), 200, "those inside noticed nothing");
}

#[test]
fn one_address_cannot_take_every_place() {
    let server = Server::start(&["--trusted-proxies", "192.0.2.1"]);
    let held: Vec<TcpStream> = (0..256).map(|_| server.connect()).collect();
    let refused = rest(&mut server.connect());
    assert_eq!(status(&refused), 503);
    drop(held);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(status(&server.ask(HEALTH.as_bytes())), 200);
}

#[test]
fn terminated_it_lets_go_and_ends_well() {
    let mut server = Server::start(&[]);
    let mut idle = server.connect();
    idle.write_all(HEALTH.as_bytes()).unwrap();
    assert_eq!(status(&answer(&mut idle)), 200);
    let mut half = server.connect();
    half.write_all(&HEALTH.as_bytes()[..20]).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    server.terminate();
    assert_eq!(rest(&mut idle), "", "an idle connection just ends");
    half.write_all(&HEALTH.as_bytes()[20..]).unwrap();
    let last = rest(&mut half);
    assert_eq!((status(&last), field(&last, "connection")), (200, Some("close")));
    assert_eq!(server.ended(Duration::from_secs(10)), Some(0));
    assert!(TcpStream::connect(server.address).is_err(), "nobody listens any more");
}

#[test]
fn a_second_one_on_the_port_says_so() {
    let server = Server::start(&[]);
    let out = std::process::Command::new(server::program())
        .args(["serve", "--config", "/dev/null", "--db"])
        .arg(server.directory.join("second.db"))
        .args(["--listen", &server.address.to_string()])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(words.contains(&server.address.to_string()), "{words}");
}
