//! Clients that hold on to what they have: each kind with the deadline after which it must be gone.
use super::dial;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A byte of a head each second.
    SlowHead,
    /// A byte of a body each second.
    SlowBody,
    /// A body is promised and never sent.
    NoBody,
    /// As above, and the answer has come already.
    NoBodyLeft,
    /// Answers are asked for and never read.
    NeverReads,
    /// In the middle of a head the cable is cut.
    HalfOpen,
    /// Nothing is ever sent.
    Silent,
    /// One request, and nothing after it.
    Idle,
    /// The same, and the cable is cut after it.
    IdleHalfOpen,
}

pub const KINDS: [Kind; 9] = [
    Kind::SlowHead,
    Kind::SlowBody,
    Kind::NoBody,
    Kind::NoBodyLeft,
    Kind::NeverReads,
    Kind::HalfOpen,
    Kind::Silent,
    Kind::Idle,
    Kind::IdleHalfOpen,
];

impl Kind {
    /// When it must be gone, in seconds: the deadlines of `http/limits.rs`, and what follows a
    /// refusal for whoever goes on sending (five times two seconds at most).
    pub fn deadline(self) -> u64 {
        match self {
            Kind::HalfOpen => 15 + 2,
            Kind::SlowHead => 15 + 10,
            Kind::NoBody | Kind::NoBodyLeft => 30 + 2,
            Kind::SlowBody => 30 + 10,
            Kind::NeverReads => 30,
            Kind::Silent | Kind::Idle | Kind::IdleHalfOpen => 75,
        }
    }

    fn opening(self, page: &str) -> Vec<u8> {
        const IDLE: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
        const SIZED: &str = "Host: a\r\nOrigin: http://localhost\r\nContent-Length: 60000\r\n\r\n";
        match self {
            Kind::Silent => String::new(),
            Kind::Idle | Kind::IdleHalfOpen => IDLE.to_owned(),
            Kind::SlowHead | Kind::HalfOpen => "GET /login HTTP/1.1\r\nX".to_owned(),
            Kind::SlowBody | Kind::NoBody => format!("POST /login HTTP/1.1\r\n{SIZED}"),
            Kind::NoBodyLeft => format!("POST /nowhere HTTP/1.1\r\n{SIZED}"),
            // More than the kernel's buffers hold.
            Kind::NeverReads => format!("GET {page} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(2_000),
        }
        .into_bytes()
    }

    fn trickles(self) -> bool {
        matches!(self, Kind::SlowHead | Kind::SlowBody)
    }
}

/// Each kind comes from a network of its own, `127.<this>.0.0/16`.
pub fn second_number(kind: Kind) -> u8 {
    3 + kind as u8
}

/// Many clients of one kind.
pub struct Crowd {
    pub kind: Kind,
    pub since: Instant,
    streams: Vec<TcpStream>,
}

impl Crowd {
    /// Each from one of many addresses; `page` is something large.
    pub fn come(kind: Kind, count: usize, server: SocketAddr, page: &str) -> Crowd {
        let opening = kind.opening(page);
        let come = |number: usize| {
            // Below the cap of one address.
            let own = Ipv4Addr::new(127, second_number(kind), (number / 100) as u8, 1);
            let narrow = kind == Kind::NeverReads;
            let room = if narrow { 4_096 } else { 64 * 1024 };
            let mut stream = dial::narrow(own, server, room).unwrap();
            if narrow {
                // Whoever asks for so much without reading must not be waited for here.
                stream.set_nonblocking(true).unwrap();
                let _ = stream.write(&opening);
            } else {
                stream.write_all(&opening).unwrap();
            }
            if matches!(kind, Kind::IdleHalfOpen) {
                stream.read_exact(&mut [0; 15]).unwrap();
            }
            if matches!(kind, Kind::HalfOpen | Kind::IdleHalfOpen) {
                dial::deafen(&stream);
            }
            stream.set_nonblocking(true).unwrap();
            stream
        };
        let since = Instant::now();
        Crowd { kind, since, streams: (0..count).map(come).collect() }
    }

    pub fn count(&self) -> usize {
        self.streams.len()
    }

    /// Called once a second: sends a byte, where that is what this kind does.
    pub fn go_on(&mut self) {
        if self.kind.trickles() {
            for stream in &mut self.streams {
                let _ = stream.write(b"x");
            }
        }
    }

    /// What they were told, by status; those that hear nothing are left out.
    pub fn told(&mut self) -> Vec<u16> {
        let mut told = Vec::new();
        for stream in &mut self.streams {
            let mut all = Vec::new();
            match stream.read_to_end(&mut all) {
                Err(e) if e.kind() != io::ErrorKind::WouldBlock && all.is_empty() => continue,
                _ => {}
            }
            let text = String::from_utf8_lossy(&all);
            if let Some((_, rest)) = text.rsplit_once("HTTP/1.1 ") {
                told.push(rest[..3].parse().unwrap());
            }
        }
        told
    }
}

/// One address that opens connections as fast as it can and holds on to all it gets, until told.
pub fn flood(
    server: SocketAddr,
    stop: &std::sync::atomic::AtomicBool,
    pause: Duration,
) -> (usize, usize) {
    let own = Ipv4Addr::new(127, 99, 99, 99);
    let (mut held, mut refused) = (Vec::new(), 0);
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        std::thread::sleep(pause);
        let Ok(mut stream) = dial::from(own, server) else { continue };
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut answer = [0; 12];
        let is_refused = held.len() >= 256 && stream.read_exact(&mut answer).is_ok();
        if is_refused {
            assert_eq!(&answer, b"HTTP/1.1 503");
            refused += 1;
        } else if held.len() < 400 {
            held.push(stream);
        }
    }
    (held.len(), refused)
}
