//! Thousands of open event streams, watched from one thread.
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// Streams being opened at once: as many as a busy minute brings.
const AT_ONCE: usize = 32;
/// Connections from one address: ports of one run out near 28,000.
const PER_ADDRESS: usize = 20_000;

pub struct Tabs {
    epoll: OwnedFd,
    tabs: Vec<Tab>,
}

struct Tab {
    stream: TcpStream,
    /// Of an event that has not ended.
    begun: Vec<u8>,
    greeted: bool,
}

/// An event named `thread-updated`.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    pub tab: usize,
    pub row: usize,
    pub at: Instant,
}

/// What opens the stream of a tab of chat-posta.
pub fn request(cookie: &str, tab: usize, peer: &str, visible: bool) -> Vec<u8> {
    let visible = u8::from(visible);
    let path = format!("/events?tab=bench-{tab}&peer={peer}&visible={visible}");
    crate::http::request("GET", &path, &[("cookie", cookie), ("accept", "text/event-stream")], b"")
}

impl Tabs {
    pub fn new() -> Tabs {
        let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll can be had");
        Tabs { epoll, tabs: Vec::new() }
    }

    /// Opens one stream for each request, and waits until all have been greeted.
    pub fn open(&mut self, address: SocketAddr, requests: impl IntoIterator<Item = Vec<u8>>) {
        let mut waiting = 0;
        for request in requests {
            let number = self.tabs.len();
            let stream = connect(address, number / PER_ADDRESS).unwrap_or_else(|e| {
                panic!("tab {number}: {e}");
            });
            let tab = Tab { stream, begun: Vec::new(), greeted: false };
            (&tab.stream).write_all(&request).expect("a small request goes at once");
            tab.stream.set_nonblocking(true).expect("it is a socket");
            let data = EventData::new_u64(number as u64);
            epoll::add(&self.epoll, &tab.stream, data, EventFlags::IN).expect("it can be watched");
            self.tabs.push(tab);
            waiting += 1;
            if waiting >= AT_ONCE {
                self.greet();
                waiting = 0;
            }
        }
        self.greet();
    }

    fn greet(&mut self) {
        let since = Instant::now();
        let recent = self.tabs.len().saturating_sub(2 * AT_ONCE);
        while self.tabs[recent..].iter().any(|tab| !tab.greeted) {
            assert!(since.elapsed() < PATIENCE, "an event stream did not begin");
            self.listen(Duration::from_millis(20), &mut |_| ());
        }
    }

    /// What comes within `wait`; returns after the first that came.
    pub fn listen(&mut self, wait: Duration, heard: &mut dyn FnMut(Heard)) {
        let mut events = Vec::with_capacity(512);
        let wait = Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
        let buffer = rustix::buffer::spare_capacity(&mut events);
        let _ = epoll::wait(&self.epoll, buffer, Some(&wait));
        let mut piece = [0; 16 * 1024];
        for event in &events {
            let number = event.data.u64() as usize;
            let tab = &mut self.tabs[number];
            let bytes = match tab.stream.read(&mut piece) {
                Ok(0) => panic!("tab {number} was closed after {:?}", tab.text()),
                Ok(count) => &piece[..count],
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(e) => panic!("tab {number}: {e}"),
            };
            let at = Instant::now();
            tab.begun.extend_from_slice(bytes);
            for row in tab.take() {
                heard(Heard { tab: number, row, at });
            }
        }
    }

    /// Reads what comes until the time is up.
    pub fn drain(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.listen(left.min(Duration::from_millis(50)), &mut |_| ());
        }
    }

    /// Until each tab has heard of `row`; the moments, sorted.
    pub fn all_hear(&mut self, row: usize) -> Vec<Instant> {
        let (since, count) = (Instant::now(), self.tabs.len());
        let mut moments = Vec::with_capacity(count);
        let mut has_heard = vec![false; count];
        while moments.len() < count {
            assert!(since.elapsed() < PATIENCE, "{} of {count} tabs heard", moments.len());
            self.listen(Duration::from_millis(20), &mut |heard| {
                if heard.row == row && !std::mem::replace(&mut has_heard[heard.tab], true) {
                    moments.push(heard.at);
                }
            });
        }
        moments.sort();
        moments
    }
}

impl Tab {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.begun).into_owned()
    }

    /// The rows of whole events, which are taken out.
    fn take(&mut self) -> Vec<usize> {
        let text = self.text();
        let Some(end) = text.rfind("\n\n") else { return Vec::new() };
        self.begun.drain(..end + 2);
        if !self.greeted {
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            self.greeted = text.contains("event: hello");
        }
        let rows = text[..end].split("\"rowId\":").skip(1);
        rows.filter_map(|rest| rest.split('}').next()?.parse().ok()).collect()
    }
}

/// From one of several addresses of this machine.
fn connect(to: SocketAddr, from: usize) -> std::io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    if from > 0 {
        let address = Ipv4Addr::new(127, 0, 0, 1 + from as u8);
        rustix::net::bind(&fd, &SocketAddrV4::new(address, 0))?;
    }
    rustix::net::connect(&fd, &to)?;
    Ok(TcpStream::from(fd))
}
