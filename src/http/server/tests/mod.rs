//! The engine on loopback, over raw sockets, with a small service of its own.
mod answers;
mod lifetimes;
mod requests;

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
        self.records.lock().unwrap().push(*record);
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
            rest: Duration::from_millis(100),
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
