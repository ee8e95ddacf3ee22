//! The connections alive in one server, so that it can be shut down: idle ones are woken at once,
//! the rest are waited for, and at last cut off.
use std::collections::HashMap;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};

#[derive(Default)]
pub struct Registry {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
pub struct Inner {
    closing: bool,
    next: u64,
    live: HashMap<u64, Entry>,
}

struct Entry {
    /// Stays open while the entry is here.
    fd: RawFd,
    idle: bool,
}

impl Registry {
    /// `None` when the server is shutting down. Keep what is given back for as long as `fd` is open,
    /// and not longer.
    pub fn enter(self: &Arc<Self>, fd: RawFd) -> Option<Entered> {
        let mut inner = self.lock();
        if inner.closing {
            return None;
        }
        inner.next += 1;
        let key = inner.next;
        inner.live.insert(key, Entry { fd, idle: true });
        Some(Entered { registry: self.clone(), key })
    }

    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Wakes every idle connection with an end of input, waits up to `grace` for all to leave, and
    /// cuts off those that have not. Blocks its thread.
    pub fn close(&self, grace: Duration) {
        let inner = self.wait(grace);
        if !inner.live.is_empty() {
            log::warn!("{} connections cut off after the grace period", inner.live.len());
        }
        for entry in inner.live.values() {
            cut(entry, Shutdown::Both);
        }
    }

    /// Connections may begin again.
    pub fn reopen(&self) {
        self.lock().closing = false;
    }

    /// The first half of [`Registry::close`]: nobody is cut off.
    #[expect(
        clippy::disallowed_methods,
        reason = "called by who stops the server, on a plain thread"
    )]
    pub fn wait(&self, grace: Duration) -> MutexGuard<'_, Inner> {
        let until = Instant::now() + grace;
        let mut inner = self.lock();
        inner.closing = true;
        for entry in inner.live.values().filter(|entry| entry.idle) {
            cut(entry, Shutdown::Read);
        }
        while !inner.live.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's entry, for as long as its socket is its own.
pub struct Entered {
    registry: Arc<Registry>,
    key: u64,
}

impl Entered {
    /// Says whether the connection waits for a request. False when the server is shutting down:
    /// then it must not begin to wait.
    pub fn set_idle(&self, idle: bool) -> bool {
        let mut inner = self.registry.lock();
        if let Some(entry) = inner.live.get_mut(&self.key) {
            entry.idle = idle;
        }
        !inner.closing
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
