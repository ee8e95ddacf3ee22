//! Wakes coroutines whose time is up, on one OS thread; and buries sockets.
//!
//! May has timers of its own. They are not used: an entry may be taken off their list by any worker
//! while another walks it, and one that fires before its coroutine is asleep is lost. Here everything
//! happens under one short lock.
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// When, and which of those then.
type Key = (Instant, u64);

struct Inner {
    running: bool,
    next: u64,
    due: BTreeMap<Key, Bell>,
    graves: VecDeque<(Instant, Box<Watched>)>,
}

impl Inner {
    const fn new() -> Self {
        Inner { running: false, next: 0, due: BTreeMap::new(), graves: VecDeque::new() }
    }
}

/// Whom an alarm wakes.
enum Bell {
    Socket(Arc<Waits>),
    Flag(Arc<SyncFlag>),
}

impl Bell {
    fn ring(&self, key: Key) {
        match self {
            Bell::Socket(waits) => waits.ring(key),
            Bell::Flag(flag) => flag.fire(),
        }
    }
}

/// Rings once at its time, unless dropped before.
pub struct Alarm(Key);

/// Ends the waits of one socket in time, one after the other. Nearly all end long before, many
/// thousand times a second, so what was set is left to stand: when it rings, it looks how long the
/// wait of that moment may last, and is set anew for then.
pub struct Timer(Arc<Waits>);

struct Waits {
    waker: WaitIoWaker,
    times: Mutex<Times>,
    /// A wait is to end before its time: the one that goes on, or the next.
    stirred: AtomicBool,
}

/// Ends, from anywhere, a wait for something to read.
#[derive(Clone)]
pub struct Stir(Arc<Waits>);

impl Stir {
    pub fn stir(&self) {
        self.0.stirred.store(true, Ordering::Release);
        self.0.waker.wakeup();
    }
}

#[derive(Default)]
struct Times {
    /// When the wait that is going on is over.
    until: Option<Instant>,
    /// What is set: never later than `until`.
    set: Option<Key>,
}

impl Timer {
    /// For a socket's coroutine. The thread must have been started.
    pub fn new(waker: WaitIoWaker) -> Timer {
        Timer(Arc::new(Waits { waker, times: Mutex::default(), stirred: AtomicBool::new(false) }))
    }

    pub fn stir(&self) -> Stir {
        Stir(self.0.clone())
    }

    /// Whether somebody has stirred since this was asked last.
    pub fn was_stirred(&self) -> bool {
        self.0.stirred.swap(false, Ordering::AcqRel)
    }

    /// A wait begins.
    pub fn begin(&self, until: Instant) {
        let mut times = self.0.times();
        times.until = Some(until);
        if times.set.is_none_or(|(at, _)| at > until) {
            let late = times.set.replace(set(until, Bell::Socket(self.0.clone())));
            drop(late.map(Alarm));
        }
    }

    /// It has ended.
    pub fn end(&self) {
        self.0.times().until = None;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        drop(self.0.times().set.take().map(Alarm));
    }
}

impl Waits {
    /// Locked before the alarms, never after them.
    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(self: &Arc<Self>, key: Key) {
        let mut times = self.times();
        if times.set != Some(key) {
            return; // an earlier one has been set meanwhile, or nobody waits ever again
        }
        times.set = None;
        match times.until {
            Some(until) if until > Instant::now() => {
                times.set = Some(set(until, Bell::Socket(self.clone())));
            }
            Some(_) => {
                drop(times);
                self.waker.wakeup();
            }
            None => {}
        }
    }
}

/// Starts the thread unless it runs.
pub fn start() -> io::Result<()> {
    let mut inner = lock();
    if !inner.running {
        thread::Builder::new().name("alarms".into()).spawn(run)?;
        inner.running = true;
    }
    Ok(())
}

/// Fires a flag: for any other wait. The thread must have been started.
pub fn fire_at(time: Instant, flag: Arc<SyncFlag>) -> Alarm {
    Alarm(set(time, Bell::Flag(flag)))
}

fn set(time: Instant, bell: Bell) -> Key {
    let mut inner = lock();
    inner.next += 1;
    let key = (time, inner.next);
    let is_first = inner.due.first_key_value().is_none_or(|(first, _)| key < *first);
    inner.due.insert(key, bell);
    if is_first {
        ALARMS.earlier.notify_one();
    }
    key
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
        let rung: Vec<(Key, Bell)> = std::iter::from_fn(|| {
            let entry = inner.due.first_entry()?;
            (entry.key().0 <= now).then(|| entry.remove_entry())
        })
        .collect();
        let over = inner.graves.partition_point(|(until, _)| *until <= now);
        let closed: Vec<_> = inner.graves.drain(..over).collect();
        if !rung.is_empty() || !closed.is_empty() {
            drop(inner);
            rung.iter().for_each(|(key, bell)| bell.ring(*key));
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
