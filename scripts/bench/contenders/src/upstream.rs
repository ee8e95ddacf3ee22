//! A light posta-server for many people: enough of the client API for pages, and event streams that
//! this program writes to itself, so that it knows to the microsecond when it did. Each person has an
//! address of their own, as each person's posta-server has.
use crate::http::end_of_head;
use crate::people;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Between two signs of life of one stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub struct Upstream {
    port: u16,
    shared: Arc<Shared>,
    /// The certificate of the authority that vouches for it, where it speaks TLS.
    pub authority: Option<PathBuf>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

struct Shared {
    over: AtomicBool,
    epoll: OwnedFd,
    /// Each person's event stream.
    streams: Vec<Mutex<Option<Connection>>>,
    newest: Vec<AtomicUsize>,
    calls: AtomicUsize,
}

impl Upstream {
    pub fn start(users: usize) -> Upstream {
        Upstream::with(users, None)
    }

    /// With TLS; its authority's certificate is written to `directory`.
    pub fn secure(users: usize, directory: &Path) -> Upstream {
        std::fs::create_dir_all(directory).expect("the directory can be made");
        Upstream::with(users, Some(directory))
    }

    fn with(users: usize, secure: Option<&Path>) -> Upstream {
        let first = TcpListener::bind((address(0), 0)).expect("loopback can be listened on");
        let port = first.local_addr().expect("it has an address").port();
        let more = (1..users).map(|user| TcpListener::bind((address(user), port)));
        let listeners: Vec<TcpListener> = std::iter::once(Ok(first))
            .chain(more)
            .map(|listener| listener.expect("the port is free on the other addresses too"))
            .collect();
        let (authority, configs) = match secure {
            Some(directory) => {
                let (file, configs) = certificates(users, directory);
                (Some(file), configs)
            }
            None => (None, Vec::new()),
        };
        let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll can be had");
        for (user, listener) in listeners.iter().enumerate() {
            listener.set_nonblocking(true).expect("it is a socket");
            let data = EventData::new_u64(user as u64);
            epoll::add(&epoll, listener, data, EventFlags::IN).expect("it can be watched");
        }
        let shared = Arc::new(Shared {
            over: AtomicBool::new(false),
            epoll,
            streams: (0..users).map(|_| Mutex::new(None)).collect(),
            newest: (0..users).map(|_| AtomicUsize::new(people::PAST)).collect(),
            calls: AtomicUsize::new(0),
        });
        let serving = shared.clone();
        thread::spawn(move || Serving { shared: serving, listeners, configs }.run());
        Upstream { port, shared, authority }
    }

    /// What lets this person in.
    pub fn pairing(&self, user: usize) -> String {
        // The deep link says the scheme; without one, loopback is plain where private upstreams may be.
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("posta://pair?token=mst_{user}&url={scheme}://{}:{}", address(user), self.port)
    }

    /// People whose events are followed.
    pub fn followed(&self) -> usize {
        self.shared.streams.iter().filter(|stream| stream.lock().unwrap().is_some()).count()
    }

    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// A message comes in for each of `users`: its row, the same for all of them when they are even,
    /// and the moment just before the first was told.
    pub fn receive(&self, users: std::ops::Range<usize>) -> (usize, Instant) {
        let mut row = 0;
        let since = Instant::now();
        for user in users {
            row = people::row(0, self.shared.newest[user].fetch_add(1, Ordering::Relaxed) + 1);
            let event = format!(
                "id: {row}\nevent: inbound\ndata: {{\"peer\":\"{}\",\"rowId\":{row}}}\n\n",
                people::peer(0)
            );
            if let Some(stream) = &mut *self.shared.streams[user].lock().unwrap() {
                // One that has gone is noticed where it is watched.
                let _ = stream.write(&chunk(event.as_bytes()));
            }
        }
        (row, since)
    }

    /// Where one can be asked directly, plain.
    pub fn socket(&self, user: usize) -> std::net::SocketAddr {
        (address(user), self.port).into()
    }
}

fn address(user: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, (user / 200) as u8, (user % 200 + 1) as u8)
}

struct Connection {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    received: Vec<u8>,
}

impl Connection {
    /// What has come, behind what is there; false at the end.
    fn read(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            let mut piece = [0; 8192];
            return match self.stream.read(&mut piece) {
                Ok(0) => Ok(false),
                Ok(count) => {
                    self.received.extend_from_slice(&piece[..count]);
                    Ok(true)
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(true),
                Err(e) => Err(e),
            };
        };
        let open = match tls.read_tls(&mut self.stream) {
            Ok(count) => count > 0,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => true,
            Err(e) => return Err(e),
        };
        tls.process_new_packets().map_err(io::Error::other)?;
        let mut piece = [0; 8192];
        while let Ok(count @ 1..) = tls.reader().read(&mut piece) {
            self.received.extend_from_slice(&piece[..count]);
        }
        self.flush()?;
        Ok(open)
    }

    /// What does not go at once waits for the next time, or, without TLS, is an error.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            None => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    match self.stream.write(rest) {
                        Ok(count) => rest = &rest[count..],
                        Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                        Err(e) => return Err(e),
                    }
                }
                Ok(())
            }
            Some(tls) => {
                tls.writer().write_all(bytes)?;
                self.flush()
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

struct Serving {
    shared: Arc<Shared>,
    listeners: Vec<TcpListener>,
    configs: Vec<Arc<ServerConfig>>,
}

/// A whole request.
struct Asked {
    method: String,
    path: String,
    query: String,
    user: usize,
}

impl Serving {
    fn run(self) {
        let mut connections: HashMap<u64, Connection> = HashMap::new();
        // Whose stream a number is, once it is one.
        let mut streams: HashMap<u64, usize> = HashMap::new();
        let mut next = self.listeners.len() as u64;
        let mut events = Vec::with_capacity(256);
        let (mut beaten, mut last_beat) = (0, Instant::now());
        while !self.shared.over.load(Ordering::Relaxed) {
            let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            events.clear();
            let buffer = rustix::buffer::spare_capacity(&mut events);
            let _ = epoll::wait(&self.shared.epoll, buffer, Some(&wait));
            for event in &events {
                let number = event.data.u64();
                if let Some(listener) = self.listeners.get(number as usize) {
                    while let Ok((stream, _)) = listener.accept() {
                        connections.insert(next, self.accepted(stream, number as usize, next));
                        next += 1;
                    }
                } else if let Some(&user) = streams.get(&number) {
                    let mut stream = self.shared.streams[user].lock().unwrap();
                    let is_open = stream.as_mut().is_some_and(|s| s.read().is_ok_and(|open| open));
                    if !is_open {
                        streams.remove(&number);
                        *stream = None;
                    }
                } else if let Some(mut connection) = connections.remove(&number) {
                    match self.serve(&mut connection) {
                        Ok(Turn::Stays) => drop(connections.insert(number, connection)),
                        Ok(Turn::Follows(user)) => {
                            // An older stream of the same person goes.
                            streams.retain(|_, of| *of != user);
                            streams.insert(number, user);
                            *self.shared.streams[user].lock().unwrap() = Some(connection);
                        }
                        Ok(Turn::Gone) | Err(_) => {}
                    }
                }
            }
            // A part of the streams at a time: people's servers do not beat as one.
            let due = last_beat.elapsed().as_secs_f64() / HEARTBEAT.as_secs_f64();
            let due = (due * self.shared.streams.len() as f64) as usize;
            if due > 0 {
                last_beat = Instant::now();
            }
            for _ in 0..due.min(self.shared.streams.len()) {
                beaten = (beaten + 1) % self.shared.streams.len();
                if let Some(stream) = &mut *self.shared.streams[beaten].lock().unwrap() {
                    let _ = stream.write(&chunk(b":\n\n"));
                }
            }
        }
    }

    fn accepted(&self, stream: TcpStream, user: usize, number: u64) -> Connection {
        stream.set_nonblocking(true).expect("it is a socket");
        stream.set_nodelay(true).expect("it is a TCP socket");
        let data = EventData::new_u64(number);
        epoll::add(&self.shared.epoll, &stream, data, EventFlags::IN).expect("it can be watched");
        let tls = self.configs.get(user).map(|config| {
            let session = ServerConnection::new(config.clone());
            Box::new(session.expect("the configuration is whole"))
        });
        Connection { stream, tls, received: Vec::new() }
    }

    fn serve(&self, connection: &mut Connection) -> io::Result<Turn> {
        let open = connection.read()?;
        while let Some(asked) = take_request(&mut connection.received) {
            self.shared.calls.fetch_add(1, Ordering::Relaxed);
            if asked.path == "/api/v1/events" {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                            transfer-encoding: chunked\r\n\r\n";
                let ready = chunk(b"event: ready\ndata: {}\n\n");
                connection.write(&[head.as_bytes(), &ready].concat())?;
                return Ok(Turn::Follows(asked.user));
            }
            let (status, body) = self.answer(&asked);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            connection.write(&[head.as_bytes(), body.as_bytes()].concat())?;
        }
        Ok(if open { Turn::Stays } else { Turn::Gone })
    }

    fn answer(&self, asked: &Asked) -> (&'static str, String) {
        let newest = &self.shared.newest[asked.user];
        let query = |name: &str| {
            let pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(found, _)| *found == name).map(|(_, value)| value).next()
        };
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v1/identity") => ("200 OK", people::identity(asked.user)),
            ("GET", "/api/v1/contacts") => {
                ("200 OK", people::contacts(newest.load(Ordering::Relaxed)))
            }
            ("GET", "/api/v1/messages") => {
                let number = |name| query(name).and_then(|value| value.parse().ok());
                let peer = query("peer").and_then(people::number).unwrap_or(0);
                let limit = number("limit").unwrap_or(50);
                let newest = newest.load(Ordering::Relaxed);
                ("200 OK", people::messages(peer, newest, number("before"), limit))
            }
            ("POST", "/api/v1/messages") => {
                let row = people::row(0, newest.fetch_add(1, Ordering::Relaxed) + 1);
                (
                    "202 Accepted",
                    format!("{{\"rowId\":{row},\"id\":\"m{row}\",\"state\":\"pending\"}}"),
                )
            }
            ("POST", "/api/v1/contacts/read") => ("200 OK", "{}".to_owned()),
            _ => ("404 Not Found", "{\"error\":\"not-found\",\"message\":\"\"}".to_owned()),
        }
    }
}

enum Turn {
    Stays,
    /// It is this person's event stream now.
    Follows(usize),
    Gone,
}

fn take_request(received: &mut Vec<u8>) -> Option<Asked> {
    let head_end = end_of_head(received)?;
    let head = String::from_utf8_lossy(&received[..head_end]).into_owned();
    let field = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    };
    let length = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if received.len() < head_end + length {
        return None;
    }
    let mut line = head.split(' ');
    let method = line.next()?.to_owned();
    let target = line.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let token = field("authorization").and_then(|bearer| bearer.strip_prefix("Bearer mst_"));
    let user = token.and_then(|user| user.parse().ok()).unwrap_or(0);
    let (path, query) = (path.to_owned(), query.to_owned());
    received.drain(..head_end + length);
    Some(Asked { method, path, query, user })
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// An authority, and a certificate of it for each person's address.
fn certificates(users: usize, directory: &Path) -> (PathBuf, Vec<Arc<ServerConfig>>) {
    let key = KeyPair::generate().expect("keys can be made");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("it can be signed");
    let file = directory.join("authority.pem");
    std::fs::write(&file, root.pem()).expect("the file can be written");
    let issuer = Issuer::new(params, key);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = |user| {
        let key = KeyPair::generate().expect("keys can be made");
        let params = CertificateParams::new([address(user).to_string()]).expect("it is an address");
        let leaf = params.signed_by(&key, &issuer).expect("it can be signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring speaks them")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key);
        Arc::new(config.expect("key and certificate belong together"))
    };
    (file, (0..users).map(config).collect())
}
