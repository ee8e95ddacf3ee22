//! Event streams.
use super::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n";

fn open(client: &Client, origin: &Origin) -> Events {
    match client.events(get(origin)) {
        Ok(Opened::Events(events)) => events,
        Ok(Opened::Refused(answer)) => panic!("refused: {}", answer.status),
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn events_come_as_they_are_sent_and_silence_is_no_end() {
    let origin = server(|mut stream, _| {
        let (head, _) = request(&mut stream).unwrap();
        assert!(head.contains("accept: text/event-stream\r\ncache-control: no-cache\r\n"));
        write!(stream, "{HEAD}id: 1\nevent: a\ndata: x\n\ndata: y").unwrap();
        thread::sleep(Duration::from_millis(300));
        write!(stream, "z\n\n: still here\n\n").unwrap();
    });
    let client = client();
    on_coroutine(move || {
        let mut events = open(&client, &origin);
        let first = events.next(SECOND).unwrap().unwrap();
        assert_eq!((first.id.as_deref(), &*first.name, &*first.data), (Some("1"), "a", "x"));
        assert_eq!(events.next(Duration::from_millis(50)).unwrap(), None);
        let second = events.next(2 * SECOND).unwrap().unwrap();
        assert_eq!((second.id.as_deref(), &*second.data), (Some("1"), "yz"));
        for _ in 0..2 {
            assert!(matches!(events.next(2 * SECOND), Err(CallError::Closed)));
        }
    });
}

#[test]
fn whoever_never_waits_gets_on_as_well() {
    let origin = server(|mut stream, _| {
        request(&mut stream);
        write!(stream, "{HEAD}data: x\n\n").unwrap();
        thread::sleep(3 * SECOND);
    });
    let client = client();
    on_coroutine(move || {
        let mut events = open(&client, &origin);
        let until = Instant::now() + 2 * SECOND;
        while Instant::now() < until {
            if let Some(event) = events.next(Duration::ZERO).unwrap() {
                assert_eq!(event.data, "x");
                return;
            }
            may::coroutine::yield_now();
        }
        panic!("it never came");
    });
}

#[test]
fn the_caller_s_own_fields_come_first() {
    let origin = server(|mut stream, _| {
        let (head, _) = request(&mut stream).unwrap();
        assert!(head.contains("Cache-Control: no-store\r\n") && !head.contains("no-cache"));
        write!(stream, "{HEAD}data: x\n\n").unwrap();
    });
    let client = client();
    on_coroutine(move || {
        let fields = [("Cache-Control", "no-store")];
        let Ok(Opened::Events(mut events)) =
            client.events(Call { fields: &fields, ..get(&origin) })
        else {
            panic!("opens");
        };
        assert_eq!(events.next(SECOND).unwrap().unwrap().data, "x");
    });
}

#[test]
fn streams_outlive_the_call_s_deadlines_and_drip() {
    let origin = server(|mut stream, _| {
        request(&mut stream);
        stream.set_nodelay(true).unwrap();
        stream.write_all(HEAD.as_bytes()).unwrap();
        let event = format!("data: {}\n\n", "x".repeat(40));
        for byte in event.as_bytes() {
            stream.write_all(&[*byte]).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(2 * SECOND);
        let _ = stream.write_all(b"data: late\n\n");
    });
    let client = client();
    on_coroutine(move || {
        let short = Duration::from_millis(1500);
        let deadlines = Deadlines { connect: short, first_byte: short, total: short };
        let Ok(Opened::Events(mut events)) = client.events(Call { deadlines, ..get(&origin) })
        else {
            panic!("opens");
        };
        assert_eq!(events.next(10 * SECOND).unwrap().unwrap().data.len(), 40);
        assert_eq!(events.next(10 * SECOND).unwrap().unwrap().data, "late");
    });
}

#[test]
fn what_came_before_the_stream_broke_is_delivered() {
    let huge = "x".repeat(300 * 1024);
    for (body, error) in [
        (format!("data: a\n\ndata: b\n\ndata: {huge}\n\n"), "the answer is too large"),
        (format!("data: a\n\ndata: b\n\n{huge}"), "the answer is too large"),
        ("data: a\n\ndata: b\n\ndata: unfinished\n".into(), "the connection closed early"),
    ] {
        let origin = server(move |mut stream, _| {
            request(&mut stream);
            let _ = write!(stream, "{HEAD}{body}");
        });
        let client = client();
        on_coroutine(move || {
            let mut events = open(&client, &origin);
            assert_eq!(events.next(SECOND).unwrap().unwrap().data, "a");
            assert_eq!(events.next(SECOND).unwrap().unwrap().data, "b");
            assert_eq!(events.next(SECOND).unwrap_err().to_string(), error);
            assert!(matches!(events.next(SECOND), Err(CallError::Closed)));
        });
    }
}

#[test]
fn chunked_streams_end_with_their_last_chunk() {
    let chunked = HEAD.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (end, error) in
        [("0\r\n\r\n", "the connection closed early"), ("zz", "not an HTTP answer: a broken chunk")]
    {
        let start = format!("{chunked}5\r\ndata:\r\n4\r\n a\n\n\r\n");
        let origin = server(move |mut stream, _| {
            request(&mut stream);
            stream.write_all(start.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(100));
            stream.write_all(end.as_bytes()).unwrap();
            thread::sleep(2 * SECOND);
        });
        let client = client();
        on_coroutine(move || {
            let mut events = open(&client, &origin);
            assert_eq!(events.next(SECOND).unwrap().unwrap().data, "a");
            assert_eq!(events.next(SECOND).unwrap_err().to_string(), error);
        });
    }
}

#[test]
fn other_answers_are_handed_over() {
    for (answer, expected) in [
        ("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", "401 no"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", "200 hi"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi"),
        ("HTTP/1.1 204 OK\r\nContent-Type: text/event-stream\r\n\r\n", "204 "),
    ] {
        let (client, origin) = (client(), answering(answer));
        on_coroutine(move || match client.events(get(&origin)) {
            Ok(Opened::Refused(answer)) => assert_eq!(text(answer).unwrap(), expected),
            _ => panic!("a refusal"),
        });
    }
    let gone = Origin { tls: false, host: "127.0.0.1".into(), port: nobodys() };
    let client = client();
    on_coroutine(move || assert!(matches!(client.events(get(&gone)), Err(CallError::Connect(_)))));
}
