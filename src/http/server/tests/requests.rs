//! How requests are read: in order, strictly, and refused aloud.
use super::*;

#[test]
fn pipelined_requests_are_answered_in_order() {
    let engine = engine();
    let post = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    let chunked =
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n";
    let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    let ignored = "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET ";
    let answers = engine.ask(format!("{post}{chunked}{get}{ignored}{get}").as_bytes());
    let bodies: Vec<&str> =
        answers.split("\r\n\r\n").skip(1).map(|b| b.split("HTTP/").next().unwrap()).collect();
    assert_eq!(bodies, ["abc", "de", "hello", "ignored", "hello"]);
}

#[test]
fn broken_requests_are_refused_and_the_connection_closed() {
    let engine = engine();
    for (request, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: x\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: x", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", 417),
    ] {
        // What follows a broken head must never be taken for a request.
        let answer =
            engine.ask(format!("{request}GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(status(&answer), expected, "{request:?}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert_eq!(answer.matches("\ndate: ").count(), 1, "{answer}");
        let record = engine.last_record();
        assert_eq!((record.status, record.method), (expected, None));
        assert!(matches!(record.close, Some(CloseReason::BadHead(_))), "{record:?}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(20_000));
    assert_eq!(status(&engine.ask(long.as_bytes())), 414);
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(20_000));
    assert_eq!(status(&engine.ask(large.as_bytes())), 431);
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(100));
    assert_eq!(status(&engine.ask(many.as_bytes())), 431);
}

#[test]
fn a_refused_client_still_sending_gets_its_answer() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n").unwrap();
    stream.write_all(&vec![b'x'; 3_000_000]).unwrap();
    let answer = rest(&mut stream);
    assert_eq!(status(&answer), 413);
    assert_eq!(engine.last_record().close, Some(CloseReason::BodyUnread));
}

#[test]
fn broken_chunks_are_told() {
    let engine = engine();
    let post = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = engine.ask(format!("{post}5\r\nhello!0\r\n\r\n").as_bytes());
    assert_eq!(status(&answer), 400);
    assert_eq!(answer.matches("\ndate: ").count(), 1, "{answer}");
    assert_eq!(engine.last_record().close, Some(CloseReason::BadBody));
}

#[test]
fn continue_is_said_when_the_body_is_wanted() {
    let engine = engine();
    let mut stream = engine.connect();
    let head = "Expect: 100-continue\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(format!("POST /echo HTTP/1.1\r\n{head}").as_bytes()).unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").unwrap();
    assert!(read_until(&mut stream, "\r\n\r\nok").starts_with("HTTP/1.1 200"));
    // The same connection, a handler that wants no body: no 100, and the connection ends, since
    // nobody knows whether the body will come.
    stream.write_all(format!("POST /ignore HTTP/1.1\r\n{head}").as_bytes()).unwrap();
    let answer = rest(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("connection: close"));
    assert_eq!(engine.last_record().close, Some(CloseReason::ContinueUnsent));
    // Too large: refused before it is sent.
    let large =
        "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    assert_eq!(status(&engine.ask(large.as_bytes())), 413);
    // A client that begins without waiting is not told to.
    let early = engine.ask(format!("POST /echo HTTP/1.1\r\n{head}ok").as_bytes());
    assert!(early.starts_with("HTTP/1.1 200"), "{early}");
}

#[test]
fn bytes_may_come_one_by_one() {
    let engine = engine_with(|o| o.deadlines = Deadlines::default());
    let mut stream = engine.connect();
    stream.set_nodelay(true).unwrap();
    let requests = "\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                    3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
    for byte in requests.bytes() {
        stream.write_all(&[byte]).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
    read_until(&mut stream, "\r\n\r\nabc");
    read_until(&mut stream, "\r\n\r\nhello");
}
