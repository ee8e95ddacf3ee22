//! Every wait ends.
use super::*;

const QUICK: Deadlines = Deadlines {
    connect: Duration::from_millis(300),
    first_byte: Duration::from_millis(300),
    total: Duration::from_millis(900),
};

/// Does `work`, which must end with a timeout of this name, not before `least` and not much later.
fn ends(least: Duration, name: &str, work: impl FnOnce() -> Result<String, CallError>) {
    let started = Instant::now();
    match work() {
        Err(CallError::Timeout(what)) => assert_eq!(what, name),
        other => panic!("{name}: {other:?}"),
    }
    let took = started.elapsed();
    assert!(took >= least && took < least + 2 * SECOND, "{name}: {took:?}");
}

/// Sends `start`, and then `drop` every 50 ms for ever.
fn dripping(start: &'static str, drop: &'static str) -> Origin {
    server(move |mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(start.as_bytes());
        while stream.write_all(drop.as_bytes()).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    })
}

#[test]
fn a_silent_or_dripping_server_is_given_up() {
    let silent = server(|mut stream, _| {
        request(&mut stream);
        thread::sleep(5 * SECOND);
    });
    let waiting = "waiting for the answer";
    ends(QUICK.first_byte, waiting, || fetch_within(&client(), &silent, QUICK));
    let head = dripping("HTTP/1.1 200 OK\r\nx: ", "y");
    ends(QUICK.first_byte, waiting, || fetch_within(&client(), &head, QUICK));
    let interim = dripping("", "HTTP/1.1 103 Early Hints\r\n\r\n");
    let interim = fetch_within(&client(), &interim, QUICK);
    assert!(matches!(interim, Err(CallError::Timeout(_) | CallError::Malformed(_))));
    for start in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
    ] {
        let body = dripping(start, "x");
        ends(QUICK.total, "reading the answer", || fetch_within(&client(), &body, QUICK));
    }
}

#[test]
fn a_server_that_takes_nothing_is_given_up() {
    let deaf = server(|stream, _| {
        thread::sleep(10 * SECOND);
        drop(stream);
    });
    for length in [None, Some(100_000_000)] {
        ends(QUICK.total, "sending", || {
            let (client, origin) = (client(), deaf.clone());
            on_coroutine(move || {
                let mut source = io::repeat(7).take(100_000_000);
                let body = CallBody::Stream { length, source: &mut source };
                let call = Call { method: Method::Post, body, deadlines: QUICK, ..get(&origin) };
                text(client.call(call)?)
            })
        });
    }
}

#[test]
fn a_connection_that_does_not_come_about_is_given_up() {
    // A listener whose queue is full answers no more SYNs.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address = listener.local_addr().unwrap();
    let _full: Vec<_> = (0..4)
        .filter_map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(50)).ok())
        .collect();
    let origin = Origin { tls: false, host: "127.0.0.1".into(), port: address.port() };
    ends(QUICK.connect, "connecting", || fetch_within(&client(), &origin, QUICK));
}

#[test]
fn a_full_origin_is_given_up() {
    let silent = server(|mut stream, _| {
        request(&mut stream);
        thread::sleep(5 * SECOND);
    });
    let client = client();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..40 {
        let (client, origin, sender) = (client.clone(), silent.clone(), sender.clone());
        stack::spawn_connection(move || {
            let call =
                Call { deadlines: Deadlines { first_byte: 2 * SECOND, ..PATIENT }, ..get(&origin) };
            sender.send(client.call(call).map(drop)).unwrap();
        })
        .unwrap();
    }
    thread::sleep(Duration::from_millis(200));
    let busy = "too many calls to this server at once";
    ends(QUICK.first_byte, busy, || fetch_within(&client, &silent, QUICK));
    // Another origin is not concerned.
    assert_eq!(fetch(&client, &answering("HTTP/1.1 204 x\r\n\r\n")).unwrap(), "204 ");
    drop(sender);
    assert!(receiver.iter().all(|done| matches!(done, Err(CallError::Timeout(_)))));
}
