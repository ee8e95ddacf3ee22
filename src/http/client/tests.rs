//! The client against scripted servers on threads.
use super::*;
use crate::http::stack;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

const QUICK: Deadlines = Deadlines {
    connect: Duration::from_millis(500),
    first_byte: Duration::from_millis(500),
    total: Duration::from_millis(1500),
};

/// A server whose connections are each handled by `serve`, with its number.
fn server(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream, number));
        }
    });
    Origin { tls: false, host: "127.0.0.1".into(), port }
}

/// Reads one request: its head, and a body of the length it says.
fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |n| n.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn client() -> Client {
    Client::new(Options { allow_private: true, agent: "test".into(), roots: Vec::new() })
}

/// Runs `work` on a coroutine as connections have them.
fn on_coroutine<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    stack::spawn_connection(move || sender.send(work()).unwrap()).unwrap();
    receiver.recv_timeout(Duration::from_secs(20)).expect("the coroutine ends")
}

fn get<'a>(origin: &'a Origin) -> Call<'a> {
    Call {
        method: Method::Get,
        origin,
        target: "/x?y=1",
        fields: &[],
        body: CallBody::Empty,
        deadlines: QUICK,
        max_answer: 1000,
    }
}

fn fetch(client: &Client, origin: &Origin) -> Result<String, CallError> {
    let (client, origin) = (client.clone(), origin.clone());
    on_coroutine(move || {
        let answer = client.call(get(&origin))?;
        let status = answer.status;
        answer.collect().map(|body| format!("{status} {}", String::from_utf8_lossy(&body)))
    })
}

#[test]
fn connections_are_used_again() {
    let origin = server(|mut stream, number| {
        while let Some((head, _)) = request(&mut stream) {
            assert!(head.starts_with("GET /x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:"), "{head}");
            let body = number.to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                .unwrap();
        }
    });
    let client = client();
    for _ in 0..5 {
        assert_eq!(fetch(&client, &origin).unwrap(), "200 0");
    }
}

#[test]
fn a_stale_connection_costs_one_more_try_but_only_for_what_may_be_repeated() {
    // Each connection answers once and then breaks the next request without a byte.
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = requests.clone();
    let origin = server(move |mut stream, _| {
        if request(&mut stream).is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").unwrap();
            if request(&mut stream).is_some() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let client = client();
    for expected in [1, 3, 5] {
        assert_eq!(fetch(&client, &origin).unwrap(), "200 a");
        assert_eq!(requests.load(Ordering::SeqCst), expected);
    }
    let post = |fields: &'static [(&'static str, &'static str)]| {
        let (client, origin) = (client.clone(), origin.clone());
        on_coroutine(move || {
            let body = CallBody::Bytes(b"{}");
            client
                .call(Call { method: Method::Post, fields, body, ..get(&origin) })
                .map(|a| a.status)
        })
    };
    assert!(matches!(post(&[]), Err(CallError::Closed)), "it may have been carried out");
    assert_eq!(requests.load(Ordering::SeqCst), 6);
    fetch(&client, &origin).unwrap();
    assert_eq!(post(&[("idempotency-key", "k")]).unwrap(), 200);
}

#[test]
fn a_connection_closed_while_idle_is_not_used() {
    let origin = server(|mut stream, _| {
        request(&mut stream);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").unwrap();
    });
    let client = client();
    for _ in 0..3 {
        assert_eq!(fetch(&client, &origin).unwrap(), "200 a");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_deadline_holds() {
    let silent = server(|mut stream, _| {
        request(&mut stream);
        thread::sleep(Duration::from_secs(5));
    });
    let started = Instant::now();
    assert!(matches!(fetch(&client(), &silent), Err(CallError::Timeout("answer"))));
    assert!(started.elapsed() < Duration::from_secs(2));
    // A byte now and then does not prolong it.
    let drip = server(|mut stream, _| {
        request(&mut stream);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        for _ in 0..100 {
            let _ = stream.write_all(b"x");
            thread::sleep(Duration::from_millis(100));
        }
    });
    let started = Instant::now();
    assert!(matches!(fetch(&client(), &drip), Err(CallError::Timeout("body"))));
    assert!(started.elapsed() < Duration::from_secs(3));
    let nobody = Origin { tls: false, host: "127.0.0.1".into(), port: 1 };
    assert!(matches!(fetch(&client(), &nobody), Err(CallError::Connect(_))));
}

#[test]
fn answers_come_in_every_framing_and_within_limits() {
    let answers: &[(&str, Result<&str, &str>)] = &[
        ("HTTP/1.1 200 OK\r\n\r\nuntil close", Ok("200 until close")),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            Ok("200 abcde"),
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx", Ok("404 x")),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok("204 ")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", Err("the connection closed early")),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            Err("the connection closed early"),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            Err("not an HTTP answer: a broken chunk"),
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", Err("the answer is too large")),
        ("HTTP/1.1 101 Switch\r\n\r\n", Err("not an HTTP answer: it switches protocols unasked")),
        ("", Err("the connection closed early")),
        ("nonsense\r\n\r\n", Err("not an HTTP answer: the head is not HTTP/1.1")),
    ];
    for (answer, expected) in answers {
        let origin = server(move |mut stream, _| {
            request(&mut stream);
            let _ = stream.write_all(answer.as_bytes());
        });
        let got = fetch(&client(), &origin).map_err(|e| e.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), *expected, "{answer:?}");
    }
    let endless = server(|mut stream, _| {
        request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 1000]).is_ok() {}
    });
    assert!(matches!(fetch(&client(), &endless), Err(CallError::TooLarge)));
}

#[test]
fn bodies_stream_and_an_early_refusal_is_heard() {
    let origin = server(|mut stream, _| {
        let (head, _) = request(&mut stream).unwrap();
        if head.contains("chunked") {
            let mut all = Vec::new();
            let mut buf = [0; 4096];
            while !all.ends_with(b"0\r\n\r\n") {
                let got = stream.read(&mut buf).unwrap();
                all.extend_from_slice(&buf[..got]);
            }
            let size = all.len().to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{size}", size.len())
                .unwrap();
        } else {
            // The answer comes at once, and the rest of the body is never read.
            write!(stream, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").unwrap();
            thread::sleep(Duration::from_millis(500));
        }
    });
    let client = client();
    let send = |length: Option<u64>, size: u64| {
        let (client, origin) = (client.clone(), origin.clone());
        on_coroutine(move || {
            let mut source = io::repeat(7).take(size);
            let body = CallBody::Stream { length, source: &mut source };
            let answer = client.call(Call { method: Method::Post, body, ..get(&origin) })?;
            Ok::<_, CallError>((answer.status, answer.collect()?))
        })
    };
    let (status, size) = send(None, 40_000).unwrap();
    assert_eq!(status, 200);
    assert!(String::from_utf8(size).unwrap().parse::<usize>().unwrap() > 40_000);
    let (status, _) = send(Some(400), 400).unwrap();
    assert_eq!(status, 413);
    assert!(matches!(send(Some(500), 400), Err(CallError::Source(_))));
    assert!(matches!(send(Some(300), 400), Err(CallError::Source(_))));
}

#[test]
fn the_guard_refuses_private_addresses_in_names_and_literals() {
    let client = Client::new(Options { agent: "test".into(), ..Options::default() });
    for host in ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let origin = Origin { tls: true, host: host.into(), port: 443 };
        assert!(matches!(fetch(&client, &origin), Err(CallError::Forbidden)), "{host}");
    }
    let mixed = ["1.1.1.1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    assert!(matches!(dial::allowed(&mixed, false), Err(CallError::Forbidden)));
}

#[test]
fn nothing_can_be_smuggled_into_a_request() {
    let origin = Origin { tls: false, host: "127.0.0.1".into(), port: 1 };
    let client = client();
    on_coroutine(move || {
        for (target, value) in [
            ("/a b", "x"),
            ("x", "x"),
            ("/x\r\nhost: y", "x"),
            ("/x", "a\r\nhost: y"),
            ("/x", "\0"),
        ] {
            let fields = [("a", value)];
            let call = Call { target, fields: &fields, ..get(&origin) };
            assert!(matches!(client.call(call), Err(CallError::Malformed(_))), "{target:?}");
        }
    });
}

#[test]
fn event_streams_are_read_and_wait_without_ending() {
    let origin = server(|mut stream, _| {
        request(&mut stream);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").unwrap();
        write!(stream, "id: 1\nevent: a\ndata: x\n\ndata: y").unwrap();
        thread::sleep(Duration::from_millis(300));
        write!(stream, "z\n\n").unwrap();
    });
    let client = client();
    on_coroutine(move || {
        let Ok(Opened::Events(mut events)) = client.events(get(&origin)) else { panic!("opens") };
        let first = events.next(Duration::from_secs(1)).unwrap().unwrap();
        assert_eq!((first.id.as_deref(), &*first.name, &*first.data), (Some("1"), "a", "x"));
        assert_eq!(events.next(Duration::from_millis(50)).unwrap(), None);
        let second = events.next(Duration::from_secs(2)).unwrap().unwrap();
        assert_eq!((second.id.as_deref(), &*second.data), (Some("1"), "yz"));
        assert!(matches!(events.next(Duration::from_secs(2)), Err(CallError::Closed)));
    });
}

#[test]
fn other_answers_to_an_event_stream_are_handed_over() {
    let origin = server(|mut stream, _| {
        request(&mut stream);
        write!(stream, "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno").unwrap();
    });
    let client = client();
    on_coroutine(move || match client.events(get(&origin)) {
        Ok(Opened::Refused(answer)) => {
            assert_eq!(answer.status, 401);
            assert_eq!(answer.collect().unwrap(), b"no");
        }
        _ => panic!("a refusal"),
    });
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
