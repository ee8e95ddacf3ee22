//! Requests on keep-alive connections from one thread: each answered by the next, or so many a second.
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub struct Load<'a> {
    pub address: SocketAddr,
    /// Asked in turn.
    pub requests: &'a [Vec<u8>],
    pub connections: usize,
    pub time: Duration,
    /// Requests a second; as many as go without.
    pub rate: Option<f64>,
}

pub struct Loaded {
    pub answers: usize,
    pub seconds: f64,
    /// Sorted, in seconds: from the request's sending to the answer's last byte.
    pub latencies: Vec<f64>,
}

impl Loaded {
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.seconds
    }
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    /// Bytes of the answer still to come; its head is not there while `None`.
    left: Option<usize>,
    head: Vec<u8>,
}

const BUFFER: usize = 256 * 1024;

/// Until the time is up; every answer must be a 200.
pub fn run(load: &Load<'_>) -> Loaded {
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll can be had");
    let connect = |number: usize| {
        let stream = TcpStream::connect(load.address).expect("it accepts");
        stream.set_nodelay(true).expect("it is a TCP socket");
        stream.set_nonblocking(true).expect("it is a socket");
        let data = EventData::new_u64(number as u64);
        epoll::add(&epoll, &stream, data, EventFlags::IN).expect("it can be watched");
        Connection { stream, sent: Instant::now(), left: None, head: Vec::new() }
    };
    let mut connections: Vec<Connection> = (0..load.connections).map(connect).collect();
    let mut idle: VecDeque<usize> = (0..load.connections).collect();
    let mut requests = load.requests.iter().cycle();
    let mut buffer = vec![0; BUFFER];
    let mut events = Vec::with_capacity(256);
    let mut latencies = Vec::new();
    let (mut asked, since) = (0usize, Instant::now());
    loop {
        let passed = since.elapsed();
        let over = passed >= load.time;
        if over && idle.len() == connections.len() || passed > load.time + Duration::from_secs(10) {
            break;
        }
        let due = load.rate.map_or(usize::MAX, |rate| (passed.as_secs_f64() * rate) as usize);
        while !over && asked < due {
            let Some(number) = idle.pop_front() else { break };
            connections[number].ask(requests.next().expect("there is one"));
            asked += 1;
        }
        let wait = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        events.clear();
        let _ = epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait));
        for event in &events {
            let number = event.data.u64() as usize;
            let connection = &mut connections[number];
            if connection.read(&mut buffer) {
                latencies.push(connection.sent.elapsed().as_secs_f64());
                if load.rate.is_none() && since.elapsed() < load.time {
                    connection.ask(requests.next().expect("there is one"));
                    asked += 1;
                } else {
                    idle.push_back(number);
                }
            }
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    Loaded { answers: latencies.len(), seconds, latencies }
}

impl Connection {
    fn ask(&mut self, request: &[u8]) {
        self.sent = Instant::now();
        self.left = None;
        self.head.clear();
        let written = self.stream.write(request).expect("a small request goes at once");
        assert_eq!(written, request.len(), "a small request goes whole");
    }

    /// Whether the answer is whole now.
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        let count = match self.stream.read(buffer) {
            Ok(0) => panic!("the server closed: {}", String::from_utf8_lossy(&self.head)),
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return false,
            Err(e) => panic!("{e}"),
        };
        let left = match self.left {
            Some(left) => left,
            None => {
                self.head.extend_from_slice(&buffer[..count]);
                let Some((end, length)) = lengths(&self.head) else { return false };
                assert_eq!(&self.head[9..12], b"200", "{}", String::from_utf8_lossy(&self.head));
                (end + length + count).checked_sub(self.head.len()).expect("one answer a request")
            }
        };
        let left = left.checked_sub(count).expect("no more than the answer");
        self.left = Some(left);
        left == 0
    }
}

/// Bytes of the head and of the body.
fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    let mut start = 0;
    loop {
        let end = start + bytes[start..].iter().position(|b| *b == b'\n')? + 1;
        let line = &bytes[start..end];
        if line.len() == 2 {
            return Some((end, length));
        }
        const NAME: &[u8] = b"content-length: ";
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let digits = std::str::from_utf8(&line[NAME.len()..]).ok()?;
            length = digits.trim().parse().ok()?;
        }
        start = end;
    }
}
