//! Bodies both ways: framing, limits, streams, answers that come early.
use super::*;

#[test]
fn answers_come_in_every_framing_and_within_limits() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let malformed = |how: &str| Err(format!("not an HTTP answer: {how}"));
    let closed = || Err("the connection closed early".to_owned());
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\n\r\nuntil close".to_owned(), "200 until close"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(), "200 "),
        (format!("{chunked}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: u\r\n\r\n"), "200 abcde"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx".into(),
            "404 x",
        ),
        (
            format!("{}HTTP/1.1 200 OK\r\n\r\nx", "HTTP/1.1 103 Hint\r\na: b\r\n\r\n".repeat(8)),
            "200 x",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n".into(), "204 "),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n".into(), "304 "),
    ] {
        for pieces in [usize::MAX, 1] {
            let (said, bytes) = (answer.clone(), answer.clone());
            let origin = server(move |mut stream, _| {
                stream.set_nodelay(true).unwrap();
                request(&mut stream);
                bytes.as_bytes().chunks(pieces).for_each(|piece| drop(stream.write_all(piece)));
            });
            assert_eq!(fetch(&client(), &origin).unwrap(), expected, "{said:?}");
        }
    }
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".to_owned(), closed()),
        (format!("{chunked}3\r\nab"), closed()),
        (format!("{chunked}3\r\nabc\r\n0\r\n"), closed()),
        (format!("{chunked}3\r\nabc\r\nzz\r\n"), malformed("a broken chunk")),
        (format!("{chunked}3\r\nabcde\r\n0\r\n\r\n"), malformed("a broken chunk")),
        ("HTTP/1.1 101 Switch\r\n\r\n".into(), malformed("it switches protocols unasked")),
        ("HTTP/1.1 103 Hint\r\n\r\n".repeat(9), malformed("too many interim answers")),
        (String::new(), closed()),
        ("HTTP/1.1 200".into(), closed()),
        ("nonsense\r\n\r\n".into(), malformed("the head is not HTTP/1.1")),
    ] {
        let origin = server({
            let answer = answer.clone();
            move |mut stream, _| {
                request(&mut stream);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let got = fetch(&client(), &origin).map_err(|e| e.to_string());
        assert_eq!(got, expected, "{answer:?}");
    }
}

#[test]
fn an_answer_larger_than_wanted_is_refused() {
    let endless = server(|mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 1000]).is_ok() {}
    });
    let announced = answering("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n");
    let chunk = format!("{:x}\r\n{}\r\n", 60_000, "x".repeat(60_000));
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}");
    for origin in [endless, announced, answering(chunked)] {
        assert!(matches!(fetch(&client(), &origin), Err(CallError::TooLarge)));
    }
    let exact = format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}", "x".repeat(100_000));
    assert_eq!(fetch(&client(), &answering(exact)).unwrap().len(), 100_004);
}

#[test]
fn the_answer_to_head_has_no_body_and_the_connection_serves_on() {
    let origin = answering("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    let client = client();
    on_coroutine(move || {
        for _ in 0..3 {
            let answer = client.call(Call { method: Method::Head, ..get(&origin) }).unwrap();
            assert_eq!(answer.fields.get("content-length"), Some("1000000"));
            assert!(answer.collect().unwrap().is_empty());
        }
    });
}

#[test]
fn an_answer_can_be_read_as_a_stream() {
    let size = 3_000_000;
    let body = "0123456789".repeat(size / 10);
    let origin = answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{body}"));
    let cut = server(|mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    });
    let client = client();
    on_coroutine(move || {
        let mut answer = client.call(Call { max_answer: 4_000_000, ..get(&origin) }).unwrap();
        let mut first = [0; 7];
        answer.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"0123456");
        let rest = io::copy(&mut answer, &mut io::sink()).unwrap();
        assert_eq!(rest + 7, size as u64);
        assert_eq!(answer.read(&mut first).unwrap(), 0, "and again");

        let mut answer = client.call(get(&cut)).unwrap();
        let error = answer.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = answer.read(&mut first).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "and stays so");
    });
}

/// Takes whole requests, framed in either way, and answers with the body's size.
fn weighing() -> Origin {
    server(|stream, _| {
        let mut reader = BufReader::new(stream);
        while let Some((head, body)) = request(&mut reader) {
            let mut size = body.len();
            if head.contains("transfer-encoding: chunked") {
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let chunk = usize::from_str_radix(line.trim_end(), 16).unwrap();
                    let mut data = vec![0; chunk + 2];
                    reader.read_exact(&mut data).unwrap();
                    assert!(data.ends_with(b"\r\n"));
                    if chunk == 0 {
                        break;
                    }
                    size += chunk;
                }
            }
            let size = size.to_string();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{size}", size.len());
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    })
}

fn upload(
    client: &Client,
    origin: &Origin,
    length: Option<u64>,
    size: u64,
) -> Result<String, CallError> {
    let (client, origin) = (client.clone(), origin.clone());
    on_coroutine(move || {
        let mut source = io::repeat(7).take(size);
        let body = CallBody::Stream { length, source: &mut source };
        text(client.call(Call { method: Method::Post, body, ..get(&origin) })?)
    })
}

#[test]
fn bodies_stream_out() {
    let (origin, client) = (weighing(), client());
    for size in [0, 1, 16 * 1024, 3_000_000] {
        for length in [None, Some(size)] {
            assert_eq!(upload(&client, &origin, length, size).unwrap(), format!("200 {size}"));
        }
    }
    let (large, asked) = (client.clone(), origin.clone());
    on_coroutine(move || {
        let bytes = vec![7; 3_000_000];
        let body = CallBody::Bytes(&bytes);
        let answer = large.call(Call { method: Method::Put, body, ..get(&asked) }).unwrap();
        assert_eq!(text(answer).unwrap(), "200 3000000");
    });
    assert!(matches!(upload(&client, &origin, Some(500), 400), Err(CallError::Source(_))));
    assert!(matches!(upload(&client, &origin, Some(300), 400), Err(CallError::Source(_))));
}

#[test]
fn a_source_that_fails_leaves_the_request_unfinished() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => Ok(buf.len()),
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let (sender, ended) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let origin = server(move |mut stream, _| {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        sender.lock().unwrap().send(bytes.ends_with(b"0\r\n\r\n")).unwrap();
    });
    let client = client();
    on_coroutine(move || {
        let body = CallBody::Stream { length: None, source: &mut Failing(0) };
        let done = client.call(Call { method: Method::Post, body, ..get(&origin) });
        assert!(matches!(done.err(), Some(CallError::Source(_))));
    });
    assert!(!ended.recv().unwrap(), "no last chunk: the server can tell");
}

#[test]
fn an_early_refusal_is_heard() {
    // Whether the server goes on taking nothing, or closes; whether it speaks at once or later.
    for (closes, before) in [(false, 0), (true, 0), (false, 200_000), (true, 200_000)] {
        let origin = server(move |mut stream, _| {
            let mut taken = vec![0; 500];
            stream.read_exact(&mut taken[..100]).unwrap();
            let mut left = before;
            while left > 0 {
                left -= stream.read(&mut taken).unwrap().min(left);
            }
            stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").unwrap();
            if !closes {
                thread::sleep(3 * SECOND);
            }
        });
        for length in [None, Some(50_000_000)] {
            let started = Instant::now();
            let answer = upload(&client(), &origin, length, 50_000_000);
            // Where the server closes on unread bytes, the reset may overtake its answer.
            let lost = closes && matches!(answer, Err(CallError::Closed));
            assert!(lost || answer.unwrap() == "413 big");
            assert!(started.elapsed() < 2 * SECOND);
        }
    }
}

#[test]
fn a_stream_never_goes_out_on_a_connection_that_may_be_stale() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let origin = server(move |mut stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        while request(&mut stream).is_some() {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    let client = client();
    fetch(&client, &origin).unwrap();
    assert_eq!(upload(&client, &origin, Some(5), 5).unwrap(), "204 ");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[test]
fn a_coding_that_nobody_asked_for_is_refused() {
    for (coding, is_taken) in [
        ("identity", true),
        ("Identity", true),
        ("gzip", false),
        ("br", false),
        ("identity, gzip", false),
        ("", false),
    ] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 2\r\n\r\nok");
        let fetched = fetch(&client(), &answering(answer));
        assert_eq!(fetched.is_ok(), is_taken, "{coding}: {fetched:?}");
    }
}
