//! Answers that never end, lie about their length, are bombs or have no measure: each is cut off within
//! time and memory, whichever call it answers, and nobody else notices.
mod support;

use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;

const MIB: usize = 1 << 20;
/// The longest that a person waits for any of these, and what a busy machine adds.
const LONGEST: Duration = Duration::from_secs(12 + 15);

type Attack = fn(&mut TcpStream) -> std::io::Result<()>;

/// A server that answers every request in its own way, or plays a posta-server until it is told to turn.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
    behaves: Arc<AtomicBool>,
}

impl Server {
    fn start(attack: Attack) -> Server {
        Server::behaving(false, attack)
    }

    /// One with which somebody can pair first.
    fn posta(attack: Attack) -> Server {
        Server::behaving(true, attack)
    }

    fn behaving(behaves: bool, attack: Attack) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let behaves = Arc::new(AtomicBool::new(behaves));
        let (counted, good) = (asked.clone(), behaves.clone());
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (counted, good) = (counted.clone(), good.clone());
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    let first = lines.next().and_then(Result::ok).unwrap_or_default();
                    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {
                    }
                    stream.set_write_timeout(Some(Duration::from_secs(90))).unwrap();
                    if good.load(Ordering::SeqCst) {
                        let _ = as_posta(&mut stream, &first, port);
                    } else {
                        counted.fetch_add(1, Ordering::SeqCst);
                        let _ = attack(&mut stream);
                    }
                });
            }
        });
        Server { port, asked, behaves }
    }

    fn turn(&self) {
        self.behaves.store(false, Ordering::SeqCst);
    }

    fn pairing(&self) -> String {
        format!("posta+v1://localhost:{}#token=mst_canary", self.port)
    }
}

/// What a posta-server of somebody without contacts says, on connections for one request.
fn as_posta(stream: &mut TcpStream, request: &str, port: u16) -> std::io::Result<()> {
    let body = match request.contains("/identity ") {
        true => format!("{{\"url\":\"http://localhost:{port}\",\"name\":\"Mallory\"}}"),
        false => "[]".to_owned(),
    };
    head(stream, &format!("connection: close\r\ncontent-length: {}\r\n", body.len()))?;
    stream.write_all(body.as_bytes())
}

fn head(stream: &mut TcpStream, fields: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{fields}\r\n")
}

/// The same bytes without end, or until nobody takes them any more.
fn forever(stream: &mut TcpStream, piece: &[u8], pause: Duration) -> std::io::Result<()> {
    loop {
        stream.write_all(piece)?;
        thread::sleep(pause);
    }
}

const AT_ONCE: Duration = Duration::ZERO;
const SLOWLY: Duration = Duration::from_millis(300);

const ATTACKS: &[(&str, Attack)] = &[
    ("a body without end", |s| {
        head(s, "")?;
        forever(s, &[b' '; 16 << 10], AT_ONCE)
    }),
    ("a body that drips", |s| {
        head(s, "content-length: 50000\r\n")?;
        forever(s, b" ", SLOWLY)
    }),
    ("chunks without end", |s| {
        head(s, "transfer-encoding: chunked\r\n")?;
        let chunk = [b"4000\r\n".as_slice(), &[b' '; 16 << 10], b"\r\n"].concat();
        forever(s, &chunk, AT_ONCE)
    }),
    ("chunks of one byte", |s| {
        head(s, "transfer-encoding: chunked\r\n")?;
        forever(s, b"1\r\n \r\n", SLOWLY)
    }),
    ("a chunk size without end", |s| {
        head(s, "transfer-encoding: chunked\r\n")?;
        forever(s, b"0000000000000000", AT_ONCE)
    }),
    ("a chunk extension without end", |s| {
        head(s, "transfer-encoding: chunked\r\n\r\n1;")?;
        forever(s, b"extension-extension-extension-", AT_ONCE)
    }),
    ("trailers without end", |s| {
        head(s, "transfer-encoding: chunked\r\n")?;
        s.write_all(b"0\r\n")?;
        forever(s, b"x-trailer: y\r\n", AT_ONCE)
    }),
    ("a head without end", |s| {
        s.write_all(b"HTTP/1.1 200 OK\r\n")?;
        forever(s, b"x-field: y\r\n", AT_ONCE)
    }),
    ("10,000 fields", |s| {
        let fields: String = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect();
        head(s, &fields)?;
        s.write_all(b"{}")
    }),
    ("a field without end", |s| {
        s.write_all(b"HTTP/1.1 200 OK\r\nx-field: ")?;
        forever(s, &[b'y'; 16 << 10], AT_ONCE)
    }),
    ("a status line without end", |s| {
        s.write_all(b"HTTP/1.1 200 ")?;
        forever(s, &[b'O'; 16 << 10], AT_ONCE)
    }),
    ("a head that drips", |s| {
        s.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
        forever(s, b"y", SLOWLY)
    }),
    ("interim answers without end", |s| forever(s, b"HTTP/1.1 103 Early\r\n\r\n", AT_ONCE)),
    ("no answer at all", |s| s.read(&mut [0]).map(drop)),
    ("less than announced", |s| {
        head(s, "content-length: 5000\r\n")?;
        s.write_all(b"{\"url\":\"https://a.example\"")
    }),
    ("less than announced, and held open", |s| {
        head(s, "content-length: 5000\r\n")?;
        s.write_all(b"{\"url\":\"https://a.example\"")?;
        s.flush()?;
        s.read(&mut [0]).map(drop)
    }),
    ("more than announced", |s| {
        head(s, "content-length: 2\r\n")?;
        s.write_all(
            b"{}HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n{\"url\":\"https://evil.test\"}",
        )
    }),
    ("an announcement of exabytes", |s| {
        head(s, "content-length: 9223372036854775807\r\n")?;
        forever(s, &[b' '; 16 << 10], AT_ONCE)
    }),
    ("an announcement past all numbers", |s| {
        head(s, "content-length: 99999999999999999999999\r\n")?;
        forever(s, &[b' '; 16 << 10], AT_ONCE)
    }),
    ("two announcements", |s| {
        head(s, "content-length: 2\r\ncontent-length: 3\r\n")?;
        s.write_all(b"{}")
    }),
    ("a compressed answer", |s| {
        head(s, "content-encoding: gzip\r\ncontent-length: 20\r\n")?;
        s.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }),
    ("a compressed transfer", |s| {
        head(s, "transfer-encoding: gzip, chunked\r\n")?;
        s.write_all(b"0\r\n\r\n")
    }),
    ("brackets as deep as it gets", |s| {
        head(s, "content-length: 60000\r\n")?;
        s.write_all(&[b'['; 60_000])
    }),
    ("an answer in another protocol", |s| s.write_all(b"SSH-2.0-OpenSSH_9.2\r\n")),
    ("a page of HTML", |s| {
        head(s, "content-type: text/html\r\ncontent-length: 13\r\n")?;
        s.write_all(b"<h1>Hello</h1")
    }),
];

/// What the process has in RAM, and the most it ever had, in bytes.
fn resident(chat: &Chat, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", chat.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Every attack on the call that pairing begins with, and on the preview of a peer, all at once; others
/// are served meanwhile.
#[test]
fn every_answer_has_an_end_a_size_and_a_time() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let code = chat.invite();
    let before = resident(&chat, "VmRSS");
    let slowest = thread::scope(|scope| {
        let attacks: Vec<_> = ATTACKS
            .iter()
            .enumerate()
            .map(|(number, (what, attack))| {
                let (chat, code, cookie) = (&chat, &code, &cookie);
                scope.spawn(move || {
                    let server = Server::start(*attack);
                    let from = format!("198.51.100.{}", number + 1);
                    let uri = format!(
                        "code={code}&uri={}",
                        server.pairing().replace('+', "%2B").replace('#', "%23")
                    );
                    let fields = [("x-forwarded-for", from.as_str())];
                    let since = Instant::now();
                    let post = minreq::Method::Post;
                    let reply = chat.try_request(post, "/register", &fields, uri.into_bytes());
                    let reply = reply.unwrap_or_else(|e| panic!("{what}: {e}"));
                    let took = since.elapsed();
                    assert_eq!(reply.status, 422, "{what}: {}", reply.body);
                    assert!(took < LONGEST, "{what}: {took:?}");
                    let asked = server.asked.load(Ordering::SeqCst);
                    assert_eq!(asked, 1, "{what}: asked once");
                    let since = Instant::now();
                    let path = format!("/new/preview?url=localhost:{}", server.port);
                    let get = minreq::Method::Get;
                    let fields = [("cookie", cookie.as_str()), ("x-forwarded-for", &from)];
                    let reply = chat.try_request(get, &path, &fields, Vec::new()).unwrap();
                    assert_eq!(reply.status, 200, "{what}: {}", reply.body);
                    assert!(reply.body.contains("reach this peer"), "{what}: {}", reply.body);
                    assert!(since.elapsed() < LONGEST, "{what}: {:?}", since.elapsed());
                    took
                })
            })
            .collect();
        // Somebody else, meanwhile.
        let mut pages = 0;
        while !attacks.iter().all(|attack| attack.is_finished()) {
            let since = Instant::now();
            assert_eq!(chat.get("/", &cookie).status, 200);
            assert!(since.elapsed() < Duration::from_secs(5), "a page took {:?}", since.elapsed());
            pages += 1;
            thread::sleep(Duration::from_millis(100));
        }
        assert!(pages > 3);
        attacks.into_iter().map(|attack| attack.join().unwrap()).max().unwrap()
    });
    let grown = resident(&chat, "VmHWM").saturating_sub(before);
    println!("{} attacks: the slowest took {slowest:?}, {grown} bytes more at most", ATTACKS.len());
    assert!(grown < 24 * MIB, "{grown} bytes more");
}

/// Redirects are not followed: whoever answers with one is no posta-server, no participant, no picture.
#[test]
fn redirects_lead_nowhere() {
    let chat = Chat::start(&[]);
    let alice = Posta::start("alice", &[]);
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let target = Server::start(|s| {
        head(s, "content-length: 26\r\n")?;
        s.write_all(b"{\"url\":\"https://evil.test\"}")
    });
    static TARGET: AtomicUsize = AtomicUsize::new(0);
    TARGET.store(usize::from(target.port), Ordering::SeqCst);
    let redirecting: [Attack; 5] = [
        |s| redirect(s, 301),
        |s| redirect(s, 302),
        |s| redirect(s, 303),
        |s| redirect(s, 307),
        |s| redirect(s, 308),
    ];
    fn redirect(stream: &mut TcpStream, status: u16) -> std::io::Result<()> {
        let port = TARGET.load(Ordering::SeqCst);
        let location = format!("http://localhost:{port}/api/v1/identity");
        write!(
            stream,
            "HTTP/1.1 {status} Go\r\nlocation: {location}\r\nrefresh: 0;url={location}\r\ncontent-length: 0\r\n\r\n"
        )
    }
    let code = chat.invite();
    for attack in redirecting {
        let server = Server::start(attack);
        let reply = chat.post_form("/register", "", &[("code", &code), ("uri", &server.pairing())]);
        assert_eq!(reply.status, 422, "{}", reply.body);
        let reply = chat.get(&format!("/new/preview?url=localhost:{}", server.port), &cookie);
        assert!(reply.body.contains("reach this peer"), "{}", reply.body);
        let url = format!("http://localhost:{}/x.png", server.port);
        assert_eq!(chat.get(&media(&chat, &alice, &cookie, &url), &cookie).status, 404);
        assert_eq!(server.asked.load(Ordering::SeqCst), 3);
    }
    assert_eq!(target.asked.load(Ordering::SeqCst), 0, "nobody went where they were sent");
}

/// Where a page of Alice's shows the picture at `url`.
fn media(chat: &Chat, alice: &Posta, cookie: &str, url: &str) -> String {
    let payload = json!({"kind": "posta.link/v1", "url": url, "mediaType": "image/png"});
    alice.tell(json!({"inject": [{"peer": "https://pen.example", "payload": payload}]}));
    let page = chat.get("/c/pen.example", cookie).body;
    let path = page.split('"').rfind(|part| part.starts_with("/media/"));
    path.expect("a picture").replace("&amp;", "&")
}

/// Pictures are passed on as they come, and cut off at their largest size.
#[test]
fn a_picture_without_end_is_cut_off() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let before = resident(&chat, "VmRSS");
    for (what, attack, most) in [
        (
            "without end",
            (|s: &mut TcpStream| {
                s.write_all(b"HTTP/1.1 200 OK\r\n\r\n\x89PNG\r\n\x1a\n")?;
                forever(s, &[7; 16 << 10], AT_ONCE)
            }) as Attack,
            10 * MIB,
        ),
        (
            "in chunks without end",
            |s| {
                s.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n\x89PNG\r\n\x1a\n\r\n")?;
                let chunk = [b"4000\r\n".as_slice(), &[7; 16 << 10], b"\r\n"].concat();
                forever(s, &chunk, AT_ONCE)
            },
            10 * MIB,
        ),
        (
            "too large by its own word",
            |s| {
                s.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 10485761\r\n\r\n\x89PNG\r\n\x1a\n",
                )?;
                forever(s, &[7; 16 << 10], AT_ONCE)
            },
            0,
        ),
        (
            "a compressed one",
            |s| {
                s.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 12\r\n\r\n\x89PNG\r\n\x1a\n1234")
            },
            0,
        ),
        (
            "a page that calls itself a picture",
            |s| {
                s.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 25\r\n\r\n<script>alert(1)</script>")
            },
            0,
        ),
    ] {
        let server = Server::start(attack);
        let url = format!("http://localhost:{}/x.png", server.port);
        let path = media(&chat, &alice, &cookie, &url);
        // Read by hand, since it does not come to its end.
        let host = chat.origin.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let is_shown = answer.starts_with(b"HTTP/1.1 200");
        assert_eq!(
            is_shown,
            most > 0,
            "{what}: {}",
            String::from_utf8_lossy(&answer[..200.min(answer.len())])
        );
        assert!(answer.len() < most + MIB, "{what}: {} bytes", answer.len());
        assert!(!is_shown || answer.len() > most / 2, "{what}: {} bytes", answer.len());
    }
    let grown = resident(&chat, "VmHWM").saturating_sub(before);
    println!("{grown} bytes more at most");
    assert!(grown < 8 * MIB, "{grown} bytes more");
}

/// Somebody's own posta-server that turns on them: whatever it sends, however often they ask, takes a
/// bounded part of the memory, and others go on.
#[test]
fn a_posta_server_s_largest_answers_are_bounded_together() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let hostile = Server::posta(|s| {
        static BODY: OnceLock<Vec<u8>> = OnceLock::new();
        let body = BODY.get_or_init(|| [b"[0".as_slice(), &b",0".repeat(9 * MIB), b"]"].concat());
        head(s, &format!("content-length: {}\r\n", body.len()))?;
        s.write_all(body)
    });
    let (_, theirs) = chat.sign_up(&chat.invite(), &hostile.pairing());
    let before = resident(&chat, "VmRSS");
    hostile.turn();
    thread::scope(|scope| {
        let askers: Vec<_> = (0..48)
            .map(|number| {
                let (chat, theirs) = (&chat, &theirs);
                scope.spawn(move || {
                    for again in 0..3 {
                        chat.get(&format!("/c/p{number}-{again}.example"), theirs);
                        chat.get("/search?q=x", theirs);
                    }
                })
            })
            .collect();
        while !askers.iter().all(|asker| asker.is_finished()) {
            let since = Instant::now();
            assert_eq!(chat.get("/", &cookie).status, 200);
            assert!(since.elapsed() < Duration::from_secs(8), "a page took {:?}", since.elapsed());
            thread::sleep(Duration::from_millis(100));
        }
    });
    let grown = resident(&chat, "VmHWM").saturating_sub(before);
    println!(
        "{} answers of 18 MiB, {} asked: {} MiB more at most",
        hostile.asked.load(Ordering::SeqCst),
        48 * 6,
        grown / MIB
    );
    assert!(hostile.asked.load(Ordering::SeqCst) > 10, "it was asked");
    // 32 MiB of one server's answers are held, whatever their number; an allocator keeps several times
    // that of what was freed.
    assert!(grown < 240 * MIB, "{} MiB more", grown / MIB);
}

/// An event stream that is no measure: a line without end, an event without end, events without end.
#[test]
fn an_event_stream_without_measure_takes_no_memory() {
    let floods: [(&str, Attack); 3] = [
        ("a line without end", |s| {
            s.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: ")?;
            forever(s, &[b'x'; 16 << 10], AT_ONCE)
        }),
        ("an event without end", |s| {
            s.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")?;
            forever(
                s,
                &b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(300),
                AT_ONCE,
            )
        }),
        ("events without end", |s| {
            s.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")?;
            let event = b"id: 1\nevent: inbound\ndata: {\"peer\":\"pen.example\",\"rowId\":7}\n\n";
            forever(s, &event.repeat(100), Duration::from_millis(1))
        }),
    ];
    for (what, flood) in floods {
        let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
        let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
        let hostile = Server::posta(flood);
        let (_, theirs) = chat.sign_up(&chat.invite(), &hostile.pairing());
        let before = resident(&chat, "VmRSS");
        hostile.turn();
        let tab = chat.tab(&theirs, "tab", "", true);
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(2) {
            let asked = Instant::now();
            assert_eq!(chat.get("/", &cookie).status, 200, "{what}");
            assert!(
                asked.elapsed() < Duration::from_secs(5),
                "{what}: a page took {:?}",
                asked.elapsed()
            );
            thread::sleep(Duration::from_millis(100));
        }
        drop(tab);
        let grown = resident(&chat, "VmHWM").saturating_sub(before);
        println!("{what}: {} kB more at most", grown / 1024);
        assert!(hostile.asked.load(Ordering::SeqCst) > 0, "{what}: it was asked");
        assert!(grown < 24 * MIB, "{what}: {grown} bytes more");
    }
}
