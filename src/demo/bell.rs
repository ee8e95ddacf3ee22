//! Waiting on a coroutine, for a time or until rung.
//!
//! May's own timed waits are not used: they resume a coroutine on the timer thread, and cancel their
//! timers from any worker. One OS thread here rings bells whose time has come, under one short lock.
use may::coroutine::{Coroutine, current, park};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Wakes one coroutine. Ringing twice is ringing once, and ringing before it waits is not lost.
#[derive(Clone)]
pub struct Bell(Coroutine);

impl Bell {
    /// The calling coroutine's own.
    pub fn here() -> Bell {
        Bell(current())
    }

    pub fn ring(&self) {
        self.0.unpark();
    }

    /// Waits until rung, at most `limit`; may return early. Only for the coroutine it belongs to.
    pub fn wait(&self, limit: Duration) {
        let key = ALARMS.set(Instant::now() + limit, self.clone());
        park();
        ALARMS.lock().due.remove(&key);
    }
}

/// Waits `time` without blocking the OS thread.
pub fn rest(time: Duration) {
    let (bell, until) = (Bell::here(), Instant::now() + time);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        bell.wait(left);
    }
}

static ALARMS: Alarms = Alarms {
    inner: Mutex::new(Inner { next: 0, due: BTreeMap::new() }),
    earlier: Condvar::new(),
    thread: Once::new(),
};

type Key = (Instant, u64);

struct Alarms {
    inner: Mutex<Inner>,
    /// Something is due before what the thread waits for.
    earlier: Condvar,
    thread: Once,
}

struct Inner {
    next: u64,
    due: BTreeMap<Key, Bell>,
}

impl Alarms {
    fn set(&'static self, at: Instant, bell: Bell) -> Key {
        self.thread.call_once(|| {
            let thread = thread::Builder::new().name("demo-alarms".into());
            thread.spawn(|| self.run()).expect("a thread can be started");
        });
        let mut inner = self.lock();
        inner.next += 1;
        let key = (at, inner.next);
        inner.due.insert(key, bell);
        self.earlier.notify_one();
        key
    }

    #[expect(clippy::disallowed_methods, reason = "the bells' own thread")]
    fn run(&self) {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            while let Some(entry) = inner.due.first_entry() {
                if entry.key().0 > now {
                    break;
                }
                // Only puts the coroutine in a queue.
                entry.remove().ring();
            }
            let next = inner.due.first_key_value().map(|((at, _), _)| *at);
            inner = match next {
                Some(at) => {
                    let waited = self.earlier.wait_timeout(inner, at.duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.earlier.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_lasts_and_a_ring_cuts_a_wait_short() {
        let resting = may::go!(|| {
            let since = Instant::now();
            rest(Duration::from_millis(30));
            assert!(since.elapsed() >= Duration::from_millis(30));
        });
        let (tell, told) = may::sync::mpsc::channel();
        let waiting = may::go!(move || {
            let bell = Bell::here();
            tell.send(bell.clone()).unwrap();
            let since = Instant::now();
            bell.wait(Duration::from_secs(60));
            assert!(since.elapsed() < Duration::from_secs(30));
        });
        told.recv().unwrap().ring();
        resting.join().unwrap();
        waiting.join().unwrap();
    }
}
