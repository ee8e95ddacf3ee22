//! A browser's tab, as far as its event stream goes.
use crate::http::Parked;
use crate::live::{Account, View};
use crate::posta::PeerUrl;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct TestTab {
    pub socket: TcpStream,
    text: String,
}

/// Both ends of a connection; the second is as the server parks it.
pub fn pair() -> (TcpStream, Parked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = listener.accept().unwrap().0;
    socket.set_nonblocking(true).unwrap();
    (client, Parked { socket, _place: Box::new(()) })
}

pub fn view(peer: Option<&PeerUrl>, visible: bool) -> View {
    View { peer: peer.cloned(), visible }
}

impl TestTab {
    pub fn open(account: &Arc<Account>, session: u8, name: &str, view: View) -> TestTab {
        let (socket, parked) = pair();
        account.park(parked, [session; 32], name.into(), view);
        TestTab::over(socket)
    }

    pub fn over(socket: TcpStream) -> TestTab {
        TestTab { socket, text: String::new() }
    }

    /// One that shows the list of conversations.
    pub fn plain(account: &Arc<Account>, name: &str) -> TestTab {
        TestTab::open(account, 1, name, view(None, true))
    }

    /// The next trigger but pings and greetings, as `name data`; `None` when none came in time or
    /// the stream ended.
    pub fn next(&mut self, within: Duration) -> Option<String> {
        self.next_of_all(within, &["ping", "hello"])
    }

    pub fn next_of_all(&mut self, within: Duration, but: &[&str]) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").to_owned()
                };
                let (name, data) = (field("event: "), field("data: "));
                self.text = rest.to_owned();
                // The health a stream opens with is part of its greeting.
                let greeting = name == "health" && data.contains("ok") && but.contains(&"hello");
                if !but.contains(&name.as_str()) && !greeting {
                    return Some(format!("{name} {data}"));
                }
            }
            if !self.fill(deadline) {
                return None;
            }
        }
    }

    /// Skips triggers until one that is wanted.
    pub fn skip_to(&mut self, wanted: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Some(trigger) = self.next_of_all(left(), &[]) {
            if trigger.starts_with(wanted) {
                return;
            }
        }
        panic!("no {wanted} came");
    }

    /// All triggers but pings and greetings that come within a time.
    pub fn all(&mut self, within: Duration) -> Vec<String> {
        let deadline = Instant::now() + within;
        let left = || deadline.saturating_duration_since(Instant::now());
        std::iter::from_fn(|| self.next(left())).collect()
    }

    /// Whether the stream ends within a time.
    pub fn ends(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while self.fill(deadline) {}
        Instant::now() < deadline
    }

    /// Reads more; `false` at the end or the deadline.
    fn fill(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        self.socket.set_read_timeout(Some(left)).unwrap();
        let mut buffer = [0; 4096];
        match self.socket.read(&mut buffer) {
            Ok(0) => false,
            Ok(n) => {
                self.text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
                true
            }
            Err(e) => matches!(e.kind(), ErrorKind::Interrupted),
        }
    }
}
