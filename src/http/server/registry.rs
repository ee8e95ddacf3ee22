//! The connections alive in one server, so that it can be shut down or handed over: idle ones are
//! woken or taken at once, the rest are waited for, and at last cut off.
use std::collections::HashMap;
use std::io;
use std::net::TcpStream;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};

/// While waiting for connections at work: how often those are looked for that idle by now.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What becomes of a connection that waits for a request.
const OPEN: u8 = 0;
const ENDS: u8 = 1;
const IS_TAKEN: u8 = 2;

/// What a connection does.
const WORKS: u8 = 0;
const IDLES: u8 = 1;
/// Somebody else has its socket.
const TAKEN: u8 = 2;
/// It has said its last word, and waits for the client to hear it.
const LINGERS: u8 = 3;

#[derive(Default)]
pub struct Registry {
    way: AtomicU8,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    next: u64,
    live: HashMap<u64, Arc<Entry>>,
}

struct Entry {
    /// Stays open while the entry is in the registry.
    fd: RawFd,
    state: AtomicU8,
}

impl Registry {
    /// `None` when the server is shutting down. Keep what is given back for as long as `fd` is open,
    /// and not longer.
    pub fn enter(self: &Arc<Self>, fd: RawFd) -> Option<Entered> {
        let mut inner = self.lock();
        if self.way() == ENDS {
            return None;
        }
        inner.next += 1;
        let key = inner.next;
        let entry = Arc::new(Entry { fd, state: AtomicU8::new(WORKS) });
        inner.live.insert(key, entry.clone());
        Some(Entered { registry: self.clone(), key, entry })
    }

    /// Whether answers are the last ones of their connections.
    pub fn is_closing(&self) -> bool {
        self.way() != OPEN
    }

    /// Wakes every idle connection with an end of input, waits up to `grace` for all to leave, and
    /// cuts off those that have not. Blocks its thread.
    pub fn close(&self, grace: Duration) {
        let until = Instant::now() + grace;
        let mut inner = self.lock();
        self.way.store(ENDS, Ordering::SeqCst);
        for entry in inner.live.values().filter(|entry| entry.is(IDLES)) {
            cut(entry, Shutdown::Read);
        }
        while !inner.live.is_empty() && Instant::now() < until {
            inner = self.wait(inner, until.saturating_duration_since(Instant::now()));
        }
        if !inner.live.is_empty() {
            log::warn!("{} connections cut off after the grace period", inner.live.len());
        }
        for entry in inner.live.values() {
            cut(entry, Shutdown::Both);
        }
    }

    /// Takes the sockets of all connections that idle, and of those that come to do so within
    /// `patience`; those at work then go on. Blocks its thread.
    pub fn take(&self, patience: Duration) -> Vec<TcpStream> {
        let until = Instant::now() + patience;
        let mut taken = Vec::new();
        let mut inner = self.lock();
        self.way.store(IS_TAKEN, Ordering::SeqCst);
        loop {
            inner.live.retain(|_, entry| match entry.take() {
                None => true,
                Some(Ok(stream)) => {
                    taken.push(stream);
                    false
                }
                Some(Err(e)) => {
                    log::warn!("a connection can't be handed over: {e}");
                    cut(entry, Shutdown::Both);
                    false
                }
            });
            let is_over = inner.live.values().all(|entry| entry.is(LINGERS));
            let left = until.saturating_duration_since(Instant::now());
            if is_over || left.is_zero() {
                return taken;
            }
            inner = self.wait(inner, left.min(LOOK_AGAIN));
        }
    }

    /// Connections may begin again.
    pub fn reopen(&self) {
        self.way.store(OPEN, Ordering::SeqCst);
    }

    fn way(&self) -> u8 {
        self.way.load(Ordering::SeqCst)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "called by who stops the server, on a plain thread"
    )]
    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>, time: Duration) -> MutexGuard<'a, Inner> {
        self.changed.wait_timeout(inner, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is(&self, state: u8) -> bool {
        self.state.load(Ordering::SeqCst) == state
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// A descriptor of its own, if the connection idles: nothing of the next request is read yet, and
    /// the connection will not touch the socket any more.
    fn take(&self) -> Option<io::Result<TcpStream>> {
        self.turn(IDLES, TAKEN).then(|| {
            // SAFETY: the descriptor is open as long as the entry is here, and the lock is held.
            let fd = unsafe { BorrowedFd::borrow_raw(self.fd) };
            fd.try_clone_to_owned().map(TcpStream::from)
        })
    }
}

/// One connection's entry, for as long as its socket is its own.
pub struct Entered {
    registry: Arc<Registry>,
    key: u64,
    entry: Arc<Entry>,
}

impl Entered {
    /// Says that the connection waits for a request. False when it must not begin to wait.
    pub fn idles(&self) -> bool {
        self.entry.turn(WORKS, IDLES);
        self.registry.way() != ENDS
    }

    /// Says, before each look at what has come, that the connection works again. False when its
    /// socket is somebody else's by now.
    pub fn works(&self) -> bool {
        self.entry.turn(IDLES, WORKS) || self.entry.is(WORKS)
    }

    /// Says that an answer was the last one.
    pub fn lingers(&self) {
        self.entry.turn(WORKS, LINGERS);
        self.registry.changed.notify_all();
    }

    pub fn is_taken(&self) -> bool {
        self.entry.is(TAKEN)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.registry.lock().live.remove(&self.key);
        self.registry.changed.notify_all();
    }
}

fn cut(entry: &Entry, how: Shutdown) {
    // SAFETY: the descriptor is open as long as its entry is here, and the lock is held.
    let fd = unsafe { BorrowedFd::borrow_raw(entry.fd) };
    // A peer that is gone already needs no telling.
    let _ = shutdown(fd, how);
}
