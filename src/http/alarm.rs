//! Wakes coroutines whose time is up, on one OS thread; and buries sockets.
//!
//! May has timers of its own. They are not used: an entry may be taken off their list by any worker
//! while another walks it, and one that fires before its coroutine is asleep is lost. Here everything
//! happens under one short lock.
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::socket::Watched;
use may::io::WaitIoWaker;
use may::sync::SyncFlag;

/// A worker that has just put a coroutine to sleep on a socket still looks at the socket for some
/// instructions, while the coroutine may already run, and end, on another worker. So a socket's
/// memory and descriptor outlive it by this much: ages for a worker, little for a descriptor.
const MOURNING: Duration = Duration::from_millis(200);

static ALARMS: Alarms = Alarms { inner: Mutex::new(Inner::new()), earlier: Condvar::new() };

struct Alarms {
    inner: Mutex<Inner>,
    /// Something is due before what the thread waits for.
    earlier: Condvar,
}

struct Inner {
    running: bool,
    next: u64,
    due: BTreeMap<(Instant, u64), Bell>,
    graves: VecDeque<(Instant, Box<Watched>)>,
}

impl Inner {
    const fn new() -> Self {
        Inner { running: false, next: 0, due: BTreeMap::new(), graves: VecDeque::new() }
    }
}

/// Whom an alarm wakes.
enum Bell {
    Socket(WaitIoWaker),
    Flag(Arc<SyncFlag>),
}

impl Bell {
    fn ring(&self) {
        match self {
            Bell::Socket(waker) => waker.wakeup(),
            Bell::Flag(flag) => flag.fire(),
        }
    }
}

/// Rings once at its time, unless dropped before.
pub struct Alarm((Instant, u64));

/// Starts the thread unless it runs.
pub fn start() -> io::Result<()> {
    let mut inner = lock();
    if !inner.running {
        thread::Builder::new().name("alarms".into()).spawn(run)?;
        inner.running = true;
    }
    Ok(())
}

/// Wakes a coroutine that waits on a socket.
pub fn at(time: Instant, waker: WaitIoWaker) -> Alarm {
    set(time, Bell::Socket(waker))
}

/// Fires a flag: for any other wait. The thread must have been started.
pub fn fire_at(time: Instant, flag: Arc<SyncFlag>) -> Alarm {
    set(time, Bell::Flag(flag))
}

fn set(time: Instant, bell: Bell) -> Alarm {
    let mut inner = lock();
    inner.next += 1;
    let key = (time, inner.next);
    let is_first = inner.due.first_key_value().is_none_or(|(first, _)| key < *first);
    inner.due.insert(key, bell);
    if is_first {
        ALARMS.earlier.notify_one();
    }
    Alarm(key)
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock().due.remove(&self.0);
    }
}

/// Closes a socket nobody waits on, when nobody can look at it any more.
pub fn bury(socket: Box<Watched>) {
    let mut inner = lock();
    inner.graves.push_back((Instant::now() + MOURNING, socket));
    if inner.graves.len() == 1 {
        ALARMS.earlier.notify_one();
    }
}

#[expect(clippy::disallowed_methods, reason = "the alarms' own thread")]
fn run() {
    let mut inner = lock();
    loop {
        let now = Instant::now();
        let rung: Vec<Bell> = std::iter::from_fn(|| {
            let entry = inner.due.first_entry()?;
            (entry.key().0 <= now).then(|| entry.remove())
        })
        .collect();
        let over = inner.graves.partition_point(|(until, _)| *until <= now);
        let closed: Vec<_> = inner.graves.drain(..over).collect();
        if !rung.is_empty() || !closed.is_empty() {
            drop(inner);
            rung.iter().for_each(Bell::ring);
            drop(closed);
            inner = lock();
            continue;
        }
        let next_due = inner.due.first_key_value().map(|((time, _), _)| *time);
        let next_grave = inner.graves.front().map(|(until, _)| *until);
        inner = match [next_due, next_grave].into_iter().flatten().min() {
            Some(next) => {
                let waited =
                    ALARMS.earlier.wait_timeout(inner, next.saturating_duration_since(now));
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => ALARMS.earlier.wait(inner).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

fn lock() -> MutexGuard<'static, Inner> {
    ALARMS.inner.lock().unwrap_or_else(PoisonError::into_inner)
}
