//! SIGUSR2 while people are at it: no request fails, no connection breaks, whatever the moment.
mod support;

use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use support::chat::Chat;
use support::posta::Posta;
use support::{children, command, is_alive, until};

/// A client that believes in its connections: it tries nothing twice.
struct Client {
    address: String,
    stream: Option<TcpStream>,
    opened: u64,
}

impl Client {
    fn new(chat: &Chat) -> Client {
        Client { address: chat.address(), stream: None, opened: 0 }
    }

    /// Head and body of the answer to a GET; the error says how the connection broke.
    fn get(&mut self, path: &str, cookie: &str) -> Result<String, String> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                self.opened += 1;
                TcpStream::connect(&self.address).map_err(|e| format!("connecting: {e}"))?
            }
        };
        stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
        let host = self.address.replace("127.0.0.1", "localhost");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(request.as_bytes()).map_err(|e| format!("writing: {e}"))?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        let end = loop {
            if let Some(end) = end(&answer).filter(|end| answer.len() >= *end) {
                break end;
            }
            match stream.read(&mut piece) {
                Ok(0) => return Err(format!("the end after {} bytes", answer.len())),
                Ok(count) => answer.extend_from_slice(&piece[..count]),
                Err(e) => return Err(format!("reading: {e}")),
            }
        };
        assert_eq!(answer.len(), end, "nothing was asked twice");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if !answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn process(&mut self) -> String {
        let answer = self.get("/healthz", "").unwrap();
        let line = answer.lines().find(|line| line.starts_with("chat-posta-process: "));
        line.expect("who answers").to_owned()
    }
}

/// Where an answer ends, once its head is there.
fn end(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    Some(head + length.unwrap_or(0))
}

fn served(chat: &Chat, generation: usize) {
    until("the successor serves", || {
        (chat.log().matches("has taken over").count() == generation).then_some(())
    });
}

#[test]
fn no_request_fails_while_one_process_takes_over_from_another() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients = (0..24).map(|number| {
        let (mut client, cookie) = (Client::new(&chat), cookie.clone());
        let (stop, asked) = (stop.clone(), asked.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let (path, cookie) =
                    if number % 4 == 0 { ("/settings", &*cookie) } else { ("/healthz", "") };
                match client.get(path, cookie) {
                    Ok(answer) => assert!(answer.starts_with("HTTP/1.1 200"), "{answer}"),
                    Err(why) => panic!("{path} on connection {}: {why}", client.opened),
                }
                asked.fetch_add(1, Ordering::Relaxed);
                match number % 3 {
                    // One after the other; with a breath between; each on a connection of its own.
                    0 => {}
                    1 => thread::sleep(Duration::from_millis(number)),
                    _ => client.stream = None,
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    for generation in 1..=4 {
        let before = asked.load(Ordering::Relaxed);
        until("all are at it", || (asked.load(Ordering::Relaxed) > before + 100).then_some(()));
        support::signal(chat.pid(), Signal::USR2).unwrap();
        served(&chat, generation);
        until("the predecessor has left", || {
            let now = children(chat.pid());
            let waits = command(chat.pid()).contains("wait-for-successor");
            (waits && now.len() == 1 && children(now[0]).is_empty()).then_some(())
        });
    }
    stop.store(true, Ordering::Relaxed);
    let failed = clients.into_iter().filter_map(|client| client.join().err()).count();
    assert_eq!(failed, 0, "after {} requests", asked.load(Ordering::Relaxed));
}

#[test]
fn a_connection_that_waits_for_its_next_request_goes_on_in_the_successor() {
    let chat = Chat::start(&[]);
    let (mut early, mut fresh) = (Client::new(&chat), TcpStream::connect(chat.address()).unwrap());
    let first = early.process();
    // More than one message holds.
    let mut others: Vec<Client> = (0..250).map(|_| Client::new(&chat)).collect();
    others.iter_mut().for_each(|client| drop(client.process()));
    support::signal(chat.pid(), Signal::USR2).unwrap();
    served(&chat, 1);
    let second = early.process();
    assert!(first != second && early.opened == 1, "another process on the same connection");
    for client in &mut others {
        assert_eq!((client.process(), client.opened), (second.clone(), 1));
    }
    // One on which nothing was said yet.
    fresh.set_read_timeout(Some(support::PATIENCE)).unwrap();
    fresh
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    fresh.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
}

/// A second SIGUSR2 comes while the first process still finishes a request: there are three then, and
/// whoever was started first still stands for all.
#[test]
fn one_takeover_may_follow_another_while_the_first_process_still_works() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let mut slow = TcpStream::connect(chat.address()).unwrap();
    slow.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let head = format!(
        "POST /c/bob.example/images?key=6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f6 HTTP/1.1\r\n\
         host: {}\r\norigin: {}\r\ncookie: {cookie}\r\ncontent-length: 1000\r\n\r\n",
        chat.address().replace("127.0.0.1", "localhost"),
        chat.origin
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(b"\x89PNG\r\n\x1a\n").unwrap();
    support::signal(chat.pid(), Signal::USR2).unwrap();
    support::signal(chat.pid(), Signal::USR2).unwrap();
    served(&chat, 1);
    support::signal(chat.pid(), Signal::USR2).unwrap();
    served(&chat, 2);
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    let serving = until("the one in between has left", || match *children(chat.pid()) {
        [last] if children(last).is_empty() => Some(last),
        _ => None,
    });
    slow.write_all(&[7; 992]).unwrap();
    let mut status = [0; 12];
    slow.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 204");
    drop(slow);
    until("only a waiter is left of the first", || {
        command(chat.pid()).contains("wait-for-successor").then_some(())
    });
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    support::signal(chat.pid(), Signal::TERM).unwrap();
    assert_eq!(until("all have ended", || chat.exit_code()), 0);
    assert!(!is_alive(serving));
}
