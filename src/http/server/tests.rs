//! The engine on loopback, over raw sockets, with a small service of its own.
use super::CloseReason;
use super::{Options, Record, Server, Service};
use crate::http::limits::Deadlines;
use crate::http::{Body, Parked, Request, Response};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Testing {
    records: Mutex<Vec<Record>>,
    parked: Arc<Mutex<Vec<Parked>>>,
}

impl Service for Testing {
    fn call(&self, request: &mut Request<'_>) -> Response {
        match request.path.as_str() {
            "/hello" => Response::new(200).bytes("text/plain", &b"hello"[..]),
            "/echo" => match request.body.collect(100_000) {
                Ok(body) => Response::new(200).bytes("text/plain", body),
                Err(e) => Response::new(e.status()),
            },
            "/ignore" => Response::new(200).bytes("text/plain", &b"ignored"[..]),
            "/who" => {
                let who = format!("{} {}", request.client_ip, request.https);
                Response::new(200).bytes("text/plain", who.into_bytes())
            }
            "/host" => {
                let host = request.fields.get("host").unwrap_or("none").to_owned();
                let whole = format!("{host} {} {:?}", request.path, request.query);
                Response::new(200).bytes("text/plain", whole.into_bytes())
            }
            "/stream" => stream(None, |out| {
                for piece in ["one ", "two ", "three"] {
                    out.write_all(piece.as_bytes())?;
                    out.flush()?;
                }
                Ok(())
            }),
            "/sized" => stream(Some(5), |out| out.write_all(b"sized")),
            "/short" => stream(Some(9), |out| {
                out.write_all(b"short")?;
                out.flush()
            }),
            "/early-failure" => stream(None, |_| Err(io::Error::other("no"))),
            "/big" => {
                stream(None, |out| (0..10_000).try_for_each(|_| out.write_all(&[b'x'; 4096])))
            }
            "/panic" => panic!("as asked"),
            "/split" => Response::new(200).with("x-evil", "a\r\nset-cookie: b"),
            "/slow" => {
                may::coroutine::sleep(Duration::from_millis(300));
                Response::new(200).bytes("text/plain", &b"slow"[..])
            }
            "/park" => {
                let parked = self.parked.clone();
                let mut response = Response::new(200).with("content-type", "text/event-stream");
                response.body = Body::Park(Box::new(move |p| parked.lock().unwrap().push(p)));
                response
            }
            "/cached" => Response::new(304).with("etag", "\"x\""),
            _ => Response::new(404),
        }
    }

    fn refuse(&self, status: u16, reason: &str) -> Response {
        Response::new(status).bytes("text/plain", reason.as_bytes().to_vec())
    }

    fn finished(&self, record: &Record) {
        self.records.lock().unwrap().push(record.clone());
    }
}

fn stream(
    length: Option<u64>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Response {
    let mut response = Response::new(200);
    response.body = Body::Stream { length, write: Box::new(write) };
    response
}

struct Engine {
    server: Server,
    service: Arc<Testing>,
}

fn engine() -> Engine {
    engine_with(|_| {})
}

fn engine_with(change: impl FnOnce(&mut Options)) -> Engine {
    let mut options = Options {
        deadlines: Deadlines {
            head: Duration::from_millis(400),
            body: Duration::from_millis(400),
            idle: Duration::from_millis(600),
            write: Duration::from_millis(400),
            linger: Duration::from_millis(300),
        },
        ..Options::default()
    };
    change(&mut options);
    let service = Arc::new(Testing::default());
    let server = Server::start("127.0.0.1:0".parse().unwrap(), options, service.clone()).unwrap();
    Engine { server, service }
}

impl Engine {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.local_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Sends `bytes`, ends our side, and gives all that comes back.
    fn ask(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&mut stream)
    }

    fn last_record(&self) -> Record {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if let Some(record) = self.service.records.lock().unwrap().pop() {
                return record;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no record");
    }
}

fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}

fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    let mut byte = [0];
    while !all.ends_with(end.as_bytes()) {
        assert_eq!(
            stream.read(&mut byte).unwrap(),
            1,
            "ended early: {:?}",
            String::from_utf8_lossy(&all)
        );
        all.push(byte[0]);
    }
    String::from_utf8(all).unwrap()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

#[test]
fn answers_and_keeps_the_connection() {
    let engine = engine();
    let mut stream = engine.connect();
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let answer = read_until(&mut stream, "\r\n\r\nhello");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\ndate: "), "{answer}");
        assert!(answer.contains("content-length: 5\r\n"), "{answer}");
        assert!(!answer.contains("connection:"), "{answer}");
    }
    assert_eq!(engine.last_record().close, None);
}

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
fn heads_have_one_deadline_however_they_trickle() {
    let engine = engine();
    let mut stream = engine.connect();
    let since = Instant::now();
    let mut trickle = stream.try_clone().unwrap();
    let feeder = std::thread::spawn(move || {
        for byte in b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaa" {
            if trickle.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    let answer = read_until(&mut stream, "in time");
    assert_eq!(status(&answer), 408);
    assert!((300..1500).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    drop(stream);
    feeder.join().unwrap();
    assert_eq!(engine.last_record().close, Some(CloseReason::HeadTimeout));
}

#[test]
fn idle_connections_close_without_a_word() {
    let engine = engine();
    for opening in [&b""[..], b"\r\n", b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut stream = engine.connect();
        stream.write_all(opening).unwrap();
        let since = Instant::now();
        let all = rest(&mut stream);
        assert!(all.is_empty() || all.ends_with("hello"), "{all}");
        assert!((500..3000).contains(&since.elapsed().as_millis()), "{:?}", since.elapsed());
    }
}

#[test]
fn bodies_have_a_deadline() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab").unwrap();
    let answer = rest(&mut stream);
    assert_eq!(status(&answer), 408);
    assert_eq!(engine.last_record().close, Some(CloseReason::BodyTimeout));
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
fn whoever_does_not_read_is_dropped() {
    let engine = engine();
    let mut stream = engine.connect();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(engine.last_record().close, Some(CloseReason::WriteTimeout));
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

#[test]
fn the_caps_hold_and_proxies_are_exempt_from_their_own() {
    let engine = engine_with(|o| o.max_per_address = 2);
    let _held = [engine.connect(), engine.connect()];
    std::thread::sleep(Duration::from_millis(100));
    let answer = rest(&mut engine.connect());
    assert_eq!(status(&answer), 503);
    assert_eq!(engine.last_record().close, Some(CloseReason::TooMany));
    let loopback = super::Network { address: [127, 0, 0, 0].into(), prefix: 8 };
    let behind = engine_with(|o| {
        o.max_per_address = 2;
        o.max_connections = 5;
        o.trusted_proxies = vec![loopback];
    });
    let mut held: Vec<_> = (0..5).map(|_| behind.connect()).collect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(status(&rest(&mut behind.connect())), 503, "the cap overall");
    held[4].write_all(b"GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n").unwrap();
    read_until(&mut held[4], "192.0.2.7 true");
    drop(held);
    std::thread::sleep(Duration::from_millis(100));
    let answer = behind.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(status(&answer), 200, "places come back");
}

#[test]
fn shutdown_finishes_what_runs_and_ends_what_idles() {
    let engine = engine_with(|o| o.deadlines.idle = Duration::from_secs(60));
    let mut idle = engine.connect();
    let mut kept = engine.connect();
    kept.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    read_until(&mut kept, "hello");
    let mut running = engine.connect();
    running.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let address = engine.server.local_addr();
    let since = Instant::now();
    engine.server.shutdown(Duration::from_secs(20));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    let answer = rest(&mut running);
    assert!(answer.contains("connection: close") && answer.ends_with("slow"), "{answer}");
    assert_eq!((rest(&mut idle).as_str(), rest(&mut kept).as_str()), ("", ""));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn shutdown_cuts_off_what_outstays_its_grace() {
    let engine = engine_with(|o| o.deadlines.write = Duration::from_secs(60));
    let mut stuck = engine.connect();
    stuck.write_all(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let since = Instant::now();
    engine.server.shutdown(Duration::from_millis(200));
    assert!(since.elapsed() < Duration::from_secs(2));
    assert_eq!(engine.last_record().close, Some(CloseReason::Broken));
}

#[test]
fn a_second_server_on_the_port_is_an_error() {
    let engine = engine();
    let again =
        Server::start(engine.server.local_addr(), Options::default(), engine.service.clone());
    assert_eq!(again.err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
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

#[test]
fn many_come_and_go_and_leave_nothing_behind() {
    let engine = engine_with(|o| {
        o.deadlines.head = Duration::from_millis(20);
        o.deadlines.idle = Duration::from_millis(20);
    });
    std::thread::scope(|scope| {
        for seed in 0..8u64 {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..60 {
                    let mut stream = engine.connect();
                    let get = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
                    match (seed + round) % 6 {
                        0 => {}
                        1 => stream.write_all(&get[..9]).unwrap(),
                        2 => drop(rest(&mut stream)),
                        3 => {
                            stream.write_all(&get[..9]).unwrap();
                            assert_eq!(status(&read_until(&mut stream, "in time")), 408);
                        }
                        _ => {
                            // May lose against the idle deadline; then nothing comes.
                            let _ = stream.write_all(get);
                            let answer = rest(&mut stream);
                            assert!(answer.is_empty() || answer.ends_with("hello"), "{answer}");
                        }
                    }
                }
            });
        }
    });
    let until = Instant::now() + Duration::from_secs(5);
    while engine.server.connections() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(engine.server.connections(), 0);
}
