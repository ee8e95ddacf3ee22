//! How answers are sent: framed, streamed, parked, or replaced when they fail.
use super::*;

#[test]
fn head_answers_like_get_without_the_body() {
    let engine = engine();
    for (path, field) in [
        ("/hello", "content-length: 5"),
        ("/sized", "content-length: 5"),
        ("/stream", "transfer-encoding: chunked"),
        ("/park", "content-type: text/event-stream"),
    ] {
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answers = engine.ask(format!("{request}{request}").as_bytes());
        assert!(answers.contains(field), "{answers}");
        assert!(answers.ends_with("\r\n\r\n"), "{answers}");
        assert_eq!(answers.matches("\r\n\r\n").count(), 2, "{answers}");
    }
    let cached = engine.ask(b"GET /cached HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(cached.ends_with("\r\n\r\n") && !cached.contains("content-length"), "{cached}");
}

#[test]
fn streams_are_chunked_sized_or_end_with_the_connection() {
    let engine = engine();
    let chunked = engine.ask(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(chunked.contains("transfer-encoding: chunked\r\n"), "{chunked}");
    assert!(
        chunked.ends_with("\r\n\r\n4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"),
        "{chunked}"
    );
    let sized = engine.ask(b"GET /sized HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(sized.ends_with("content-length: 5\r\n\r\nsized"), "{sized}");
    let old = engine.ask(b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(
        old.contains("connection: close\r\n") && old.ends_with("\r\n\r\none two three"),
        "{old}"
    );
}

#[test]
fn http10_closes_unless_asked_to_stay() {
    let engine = engine();
    let once = engine.ask(b"GET /hello HTTP/1.0\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(once.matches("HTTP/1.1 200").count(), 1, "{once}");
    assert!(once.contains("connection: close"), "{once}");
    let stays = "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    let twice = engine.ask(format!("{stays}{stays}").as_bytes());
    assert_eq!(twice.matches("connection: keep-alive").count(), 2, "{twice}");
    let asked = engine.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: x, CLOSE\r\n\r\n");
    assert!(asked.contains("connection: close"), "{asked}");
    assert_eq!(engine.last_record().close, Some(CloseReason::ClientAsked));
}

#[test]
fn a_body_that_fails_is_never_mistaken_for_a_whole_one() {
    let engine = engine();
    let untouched = engine.ask(b"GET /early-failure HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status(&untouched), 500);
    let short =
        engine.ask(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(short.ends_with("content-length: 9\r\n\r\nshort"), "{short}");
    assert_eq!(engine.last_record().close, Some(CloseReason::Aborted));
}

#[test]
fn a_panic_is_a_500_and_nothing_more() {
    let engine = engine();
    let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let answers = engine.ask(format!("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n{get}").as_bytes());
    assert!(answers.starts_with("HTTP/1.1 500 ") && answers.ends_with("hello"), "{answers}");
    assert_eq!(engine.server.panics(), 1);
    let split = engine.ask(b"GET /split HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(split.starts_with("HTTP/1.1 500 ") && !split.contains("cookie"), "{split}");
}

#[test]
fn parked_sockets_live_on_and_keep_their_place() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"GET /park HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\n\r\n").unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.contains("connection: close") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(engine.last_record().close, Some(CloseReason::Parked));
    let until = Instant::now() + Duration::from_secs(5);
    while engine.service.parked.lock().unwrap().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut parked = engine.service.parked.lock().unwrap().pop().expect("a parked socket");
    assert!(parked.socket.nodelay().unwrap());
    std::thread::sleep(Duration::from_millis(300)); // past the engine's own last look at it
    parked.socket.write_all(b"event: hello\n\n").unwrap();
    read_until(&mut stream, "event: hello\n\n");
    assert_eq!(parked.socket.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(engine.server.connections(), 1);
    drop(parked);
    assert_eq!(engine.server.connections(), 0);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}
