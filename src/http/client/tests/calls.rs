//! Calls, and which connection each is made on.
use super::*;

/// Answers with the number of the connection.
fn counting() -> Origin {
    server(|mut stream, number| {
        while request(&mut stream).is_some() {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    })
}

#[test]
fn a_request_says_what_it_must_and_no_more() {
    let (sender, heads) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let origin = server(move |mut stream, _| {
        while let Some(request) = request(&mut stream) {
            sender.lock().unwrap().send(request).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    let (client, port) = (client(), origin.port);
    let asked = origin.clone();
    on_coroutine(move || {
        let fields = [("Authorization", "Bearer t"), ("x", "\u{e6}")];
        client.call(Call { fields: &fields, ..get(&asked) }).unwrap();
        let body = CallBody::Bytes(b"{}");
        client.call(Call { method: Method::Post, body, ..get(&asked) }).unwrap();
        client.call(Call { method: Method::Put, ..get(&asked) }).unwrap();
    });
    let expected = format!(
        "GET /x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: test\r\n\
         Authorization: Bearer t\r\nx: \u{e6}\r\naccept-encoding: identity\r\n\r\n"
    );
    assert_eq!(heads.recv().unwrap(), (expected, Vec::new()));
    let (head, body) = heads.recv().unwrap();
    assert!(head.starts_with("POST ") && head.contains("\r\ncontent-length: 2\r\n"));
    assert_eq!(body, b"{}");
    assert!(heads.recv().unwrap().0.contains("\r\ncontent-length: 0\r\n"));
}

#[test]
fn nothing_can_be_smuggled_into_a_request() {
    let origin = Origin { tls: false, host: "127.0.0.1".into(), port: 1 };
    let client = client();
    on_coroutine(move || {
        for (host, target, name, value) in [
            ("h", "/a b", "a", "x"),
            ("h", "x", "a", "x"),
            ("h", "", "a", "x"),
            ("h", "*", "a", "x"),
            ("h", "/x\r\nhost: y", "a", "x"),
            ("h", "/\u{e6}", "a", "x"),
            ("h", "/x", "a", "a\r\nhost: y"),
            ("h", "/x", "a", "a\nb"),
            ("h", "/x", "a", "\0"),
            ("h", "/x", "", "x"),
            ("h", "/x", "a b", "x"),
            ("h", "/x", "a:", "x"),
            ("h", "/x", "a\r\nb", "x"),
            ("h", "/x", "Host", "x"),
            ("h", "/x", "content-length", "0"),
            ("h", "/x", "Transfer-Encoding", "chunked"),
            ("h", "/x", "connection", "close"),
            ("", "/x", "a", "x"),
            ("h/", "/x", "a", "x"),
            ("u@h", "/x", "a", "x"),
            ("h\r\n", "/x", "a", "x"),
        ] {
            let (fields, host) = ([(name, value)], host.to_owned());
            let origin = Origin { host, ..origin.clone() };
            let call = Call { target, fields: &fields, ..get(&origin) };
            let done = client.call(call).map(|answer| answer.status);
            assert!(matches!(done, Err(CallError::Unsendable(_))), "{target:?} {name:?} {value:?}");
        }
    });
}

#[test]
fn connections_are_used_again() {
    let (origin, client) = (counting(), client());
    for _ in 0..5 {
        assert_eq!(fetch(&client, &origin).unwrap(), "200 0");
    }
    // Two at once need two, and both serve afterwards.
    let (both, asked) = (client.clone(), origin.clone());
    on_coroutine(move || {
        let (first, second) = (both.call(get(&asked)).unwrap(), both.call(get(&asked)).unwrap());
        assert_eq!((text(first).unwrap(), text(second).unwrap()), ("200 0".into(), "200 1".into()));
    });
    assert_eq!(fetch(&client, &origin).unwrap(), "200 1", "the one used last");
}

#[test]
fn an_answer_nobody_reads_does_not_cost_its_connection_when_it_is_small() {
    let (origin, client) = (counting(), client());
    for _ in 0..3 {
        let (client, origin) = (client.clone(), origin.clone());
        on_coroutine(move || drop(client.call(get(&origin)).unwrap()));
    }
    assert_eq!(fetch(&client, &origin).unwrap(), "200 0");
}

#[test]
fn a_connection_that_may_not_be_used_again_is_not() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", "a"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "a"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP", "a"),
        ("HTTP/1.1 204 No Content\r\n\r\nsurprise", ""),
    ] {
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let origin = server(move |mut stream, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            while request(&mut stream).is_some() && stream.write_all(answer.as_bytes()).is_ok() {}
        });
        let client = client();
        for expected in 1..=3 {
            let got = fetch(&client, &origin).unwrap();
            assert_eq!(&got[4..], body, "{answer:?}");
            assert_eq!(connections.load(Ordering::SeqCst), expected, "{answer:?}");
        }
    }
}

#[test]
fn a_connection_closed_or_spoken_on_while_idle_is_not_used() {
    for unasked in ["", "HTTP/1.1 408 Too Slow\r\nContent-Length: 0\r\n\r\n"] {
        let origin = server(move |mut stream, number| {
            request(&mut stream);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            thread::sleep(Duration::from_millis(20));
            let _ = stream.write_all(unasked.as_bytes());
        });
        let client = client();
        for number in 0..3 {
            assert_eq!(fetch(&client, &origin).unwrap(), format!("200 {number}"));
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Each connection answers once and then takes the next request without a byte. Counts requests.
fn forgetful() -> (Origin, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = requests.clone();
    let origin = server(move |mut stream, _| {
        if request(&mut stream).is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").unwrap();
            if request(&mut stream).is_some() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (origin, requests)
}

#[test]
fn a_stale_connection_costs_one_more_try() {
    let ((origin, requests), client) = (forgetful(), client());
    for expected in [1, 3, 5] {
        assert_eq!(fetch(&client, &origin).unwrap(), "200 a");
        assert_eq!(requests.load(Ordering::SeqCst), expected);
    }
    assert_eq!(post(&client, &origin, &[("Idempotency-Key", "k")]).unwrap(), 200);
    assert_eq!(requests.load(Ordering::SeqCst), 7);
}

#[test]
fn what_may_have_been_carried_out_is_not_tried_again() {
    let ((origin, requests), client) = (forgetful(), client());
    fetch(&client, &origin).unwrap();
    assert!(matches!(post(&client, &origin, &[]), Err(CallError::Closed)));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    // Nor is what was answered in part.
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = requests.clone();
    let origin = server(move |mut stream, _| {
        for answer in ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1"] {
            if request(&mut stream).is_some() {
                seen.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    fetch(&client, &origin).unwrap();
    assert!(matches!(fetch(&client, &origin), Err(CallError::Closed)));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    // Nor more than once.
    let silent = server(|mut stream, _| drop(request(&mut stream)));
    assert!(matches!(fetch(&client, &silent), Err(CallError::Closed)));
}

#[test]
fn the_guard_refuses_private_addresses_in_names_and_literals() {
    let client = client_with(Options::default());
    for host in ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        for tls in [false, true] {
            let origin = Origin { tls, host: host.into(), port: 443 };
            assert!(matches!(fetch(&client, &origin), Err(CallError::Forbidden)), "{host}");
        }
    }
    let never = Origin { tls: false, host: "0.0.0.0".into(), port: 80 };
    assert!(matches!(fetch(&self::client(), &never), Err(CallError::Forbidden)));
}

#[test]
fn a_name_is_dialled_at_whichever_address_answers() {
    let port = counting().port;
    let origin = Origin { tls: false, host: "localhost".into(), port };
    assert_eq!(fetch(&client(), &origin).unwrap(), "200 0");
    let nobody = Origin { tls: false, host: "127.0.0.1".into(), port: nobodys() };
    assert!(matches!(fetch(&client(), &nobody), Err(CallError::Connect(_))));
    let no_http = Origin { tls: false, host: "127.0.0.1".into(), port: 22 };
    assert!(matches!(fetch(&client(), &no_http), Err(CallError::Port)));
    let unknown = Origin { tls: false, host: "nobody.invalid".into(), port: 80 };
    assert!(matches!(fetch(&client(), &unknown), Err(CallError::Resolve(_))));
}

#[test]
fn one_origin_cannot_take_more_than_its_places() {
    let peak = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let counted = peak.clone();
    let origin = server(move |mut stream, _| {
        request(&mut stream);
        let now = counted.0.fetch_add(1, Ordering::SeqCst) + 1;
        counted.1.fetch_max(now, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        counted.0.fetch_sub(1, Ordering::SeqCst);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    let client = client();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..80 {
        let (client, origin, sender) = (client.clone(), origin.clone(), sender.clone());
        stack::spawn_connection(move || {
            let done = client.call(get(&origin)).map(|a| a.status);
            sender.send(done.is_ok()).unwrap();
        })
        .unwrap();
    }
    drop(sender);
    assert_eq!(receiver.iter().filter(|ok| *ok).count(), 80);
    assert!(peak.1.load(Ordering::SeqCst) <= 32);
}
