//! Accepts connections on a thread of its own, and never stops for an error: a full table of
//! descriptors, a peer that has already gone or a lack of memory are waited out.
use super::Shared;
use super::answer::{self, Terms};
use super::close::CloseReason;
use super::conn;
use super::places::Place;
use super::proxy::is_trusted;
use super::reply::Asked;
use crate::http::limits::{MAX_OPEN, MAX_SPARE, MAX_TURNED_AWAY, TURNED_AWAY};
use crate::http::{Body, stack};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::process::{Resource, getrlimit};

/// How long to wait when the kernel has nothing to give: connections queue meanwhile.
const BACK_OFF: Duration = Duration::from_millis(100);

pub fn stop_signal() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)
}

pub fn signal(stop: &OwnedFd) {
    // Fails only when it was signalled 2^64 times.
    let _ = rustix::io::write(stop, &1u64.to_ne_bytes());
}

pub fn unsignal(stop: &OwnedFd) {
    // Fails when it was not signalled.
    let _ = rustix::io::read(stop, &mut [0; 8]);
}

pub fn start(
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: Arc<OwnedFd>,
) -> io::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    // Longer than std's: a burst should wait rather than be dropped.
    rustix::net::listen(&listener, 1024)?;
    let acceptor =
        Acceptor { listener, shared, stop, turned_away: VecDeque::new(), spare: spare() };
    thread::Builder::new().name("accept".into()).spawn(move || acceptor.run())
}

/// How many open connections this process has descriptors for.
pub fn room_for_connections() -> usize {
    room_within(getrlimit(Resource::Nofile).current)
}

/// How many descriptors connections leave.
pub fn spare_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|n| usize::try_from(n).ok());
    limit.map_or(MAX_SPARE, |n| (n / 4).min(MAX_SPARE))
}

/// The room within a limit of descriptors; no limit at all is `None`.
pub fn room_within(limit: Option<u64>) -> usize {
    let descriptors = limit.and_then(|n| usize::try_from(n).ok());
    descriptors.map_or(MAX_OPEN, |n| MAX_OPEN.min(n - (n / 4).min(MAX_SPARE)))
}

struct Acceptor {
    listener: TcpListener,
    shared: Arc<Shared>,
    stop: Arc<OwnedFd>,
    /// Connections that got a 503 and are given a moment to read it.
    turned_away: VecDeque<(Instant, TcpStream)>,
    /// A descriptor to give up when there are none left, so that a caller can still be told.
    spare: Option<File>,
}

#[expect(clippy::disallowed_methods, reason = "the accepting thread")]
fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

impl Acceptor {
    #[expect(clippy::disallowed_methods, reason = "the accepting thread")]
    fn run(mut self) {
        let mut complained: Option<Instant> = None;
        while self.wait() {
            match self.listener.accept() {
                Ok((stream, peer)) => self.admit(stream, peer.ip().to_canonical()),
                Err(e) if is_passing(&e) => {}
                Err(e) => {
                    if complained.is_none_or(|since| since.elapsed() > Duration::from_secs(10)) {
                        log::error!("connections cannot be accepted: {e}");
                        complained = Some(Instant::now());
                    }
                    self.turn_away_with_spare();
                    thread::sleep(BACK_OFF);
                }
            }
        }
    }

    /// Until a connection waits; false when it is time to stop.
    #[expect(clippy::disallowed_methods, reason = "the accepting thread")]
    fn wait(&mut self) -> bool {
        let now = Instant::now();
        while self.turned_away.front().is_some_and(|(since, _)| now - *since > TURNED_AWAY) {
            self.let_go();
        }
        let mut fds =
            [PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&*self.stop, PollFlags::IN)];
        let soon = Timespec { tv_sec: 1, tv_nsec: 0 };
        let timeout = (!self.turned_away.is_empty()).then_some(&soon);
        if let Err(e) = poll(&mut fds, timeout)
            && e != rustix::io::Errno::INTR
        {
            log::error!("the listener cannot be watched: {e}");
            thread::sleep(BACK_OFF);
        }
        !fds[1].revents().contains(PollFlags::IN)
    }

    fn admit(&mut self, stream: TcpStream, peer: IpAddr) {
        if let Err((Some(stream), why)) = admit(&self.shared, stream, peer) {
            self.turn_away(stream, peer, why);
        }
    }

    /// Answers 503 without waiting for anything, and lets go of the connection a little later.
    fn turn_away(&mut self, mut stream: TcpStream, peer: IpAddr, why: &str) {
        let mut asked = Asked::unknown(peer);
        asked.close = Some(CloseReason::TooMany);
        let response = self.shared.refusal(503, why);
        let terms = Terms { http11: true, close: true };
        let framing = answer::framing(&response, true);
        let Ok(mut bytes) = answer::head(Vec::new(), &response, framing, terms) else {
            return;
        };
        if let Body::Bytes(body) = &response.body {
            bytes.extend_from_slice(body);
        }
        // A new socket's buffer takes an answer of this size at once, or the client must do without.
        let written = stream.write(&bytes).unwrap_or(0) as u64;
        let _ = stream.shutdown(Shutdown::Write);
        self.turned_away.push_back((Instant::now(), stream));
        if self.turned_away.len() > MAX_TURNED_AWAY {
            self.let_go();
        }
        self.shared.finished(&asked.record(503, written));
    }

    /// Closes the connection turned away longest ago. Reading what it sent avoids a reset, which
    /// could overtake the answer.
    fn let_go(&mut self) {
        let Some((_, mut stream)) = self.turned_away.pop_front() else { return };
        let _ = stream.read(&mut [0; 4096]);
    }

    /// With no descriptors left, gives up the spare one to tell one caller.
    #[expect(clippy::disallowed_methods, reason = "the accepting thread")]
    fn turn_away_with_spare(&mut self) {
        if self.spare.take().is_none() {
            self.spare = spare();
            return;
        }
        self.turned_away.clear();
        if let Ok((stream, peer)) = self.listener.accept()
            && stream.set_nonblocking(true).is_ok()
        {
            self.turn_away(stream, peer.ip().to_canonical(), "no descriptors left");
            self.let_go();
        }
        self.spare = spare();
    }
}

/// Serves a connection from a coroutine of its own. Where there is no place, the stream comes back to
/// be told, unless its client has gone already.
pub fn admit(
    shared: &Arc<Shared>,
    stream: TcpStream,
    peer: IpAddr,
) -> Result<(), (Option<TcpStream>, &'static str)> {
    // Answers are written whole; waiting for more to send would only delay them.
    if stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).is_err() {
        return Err((None, "the client has gone"));
    }
    let trusted = is_trusted(&shared.options.trusted_proxies, peer);
    let Some(place) = shared.places.take((!trusted).then_some(peer)) else {
        return Err((Some(stream), "too many connections"));
    };
    // Shared for a moment: when no coroutine can be had, the stream is still here to be told.
    let seat = Arc::new(Mutex::new(Some((stream, place))));
    let (theirs, books) = (seat.clone(), shared.clone());
    let spawned = stack::spawn_connection(move || {
        if let Some((stream, place)) = take(&theirs) {
            conn::run(books, stream, peer, place);
        }
    });
    spawned.map(drop).map_err(|e| {
        log::error!("a connection could not be served: {e}");
        (take(&seat).map(|(stream, _place)| stream), "no room for another connection")
    })
}

type Seat = Mutex<Option<(TcpStream, Place)>>;

fn take(seat: &Seat) -> Option<(TcpStream, Place)> {
    seat.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Errors of the connection that was waiting, not ours: the next one is fine.
fn is_passing(e: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        e.kind(),
        WouldBlock
            | Interrupted
            | ConnectionAborted
            | ConnectionReset
            | NetworkDown
            | HostUnreachable
            | NetworkUnreachable
            | TimedOut
            | PermissionDenied
    )
}
