//! Waiting for something to be done, or for the time to be up, without holding an OS thread.
use crate::http::alarm;
use may::sync::SyncFlag;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something that happens once, and that any number of coroutines and threads may wait for.
#[derive(Clone, Default)]
pub struct Done(Arc<Mutex<Waiters>>);

#[derive(Default)]
struct Waiters {
    happened: bool,
    /// One flag a waiter, which its alarm may fire as well.
    waiting: Vec<Arc<SyncFlag>>,
}

impl Done {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn fire(&self) {
        let waiting = {
            let mut waiters = self.lock();
            waiters.happened = true;
            std::mem::take(&mut waiters.waiting)
        };
        waiting.iter().for_each(|flag| flag.fire());
    }

    pub fn is_fired(&self) -> bool {
        self.lock().happened
    }

    /// Waits; `false` when the deadline came first.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let flag = Arc::new(SyncFlag::new());
        {
            let mut waiters = self.lock();
            if waiters.happened || deadline <= Instant::now() {
                return waiters.happened;
            }
            waiters.waiting.push(Arc::clone(&flag));
        }
        let alarm = alarm::fire_at(deadline, Arc::clone(&flag));
        flag.wait();
        drop(alarm);
        let mut waiters = self.lock();
        waiters.waiting.retain(|other| !Arc::ptr_eq(other, &flag));
        waiters.happened
    }

    pub fn is(&self, other: &Done) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A wake-up for one waiter, kept until it was taken or forgotten.
#[derive(Default)]
pub struct Wake(Mutex<Done>);

impl Wake {
    fn lock(&self) -> MutexGuard<'_, Done> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake(&self) {
        let done = self.lock().clone();
        done.fire();
    }

    /// Waits; `true` when woken before the time was up.
    pub fn wait(&self, at_most: Duration) -> bool {
        let done = self.lock().clone();
        let woken = done.wait_until(Instant::now() + at_most);
        if woken {
            self.forget();
        }
        woken
    }

    /// Forgets a wake-up that nobody took.
    pub fn forget(&self) {
        *self.lock() = Done::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::on_coroutine;
    use std::thread;

    const SOON: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn a_wait_ends_when_it_is_done_or_the_time_is_up() {
        alarm::start().unwrap();
        for _ in 0..50 {
            let done = Done::default();
            let firing = done.clone();
            let thread = thread::spawn(move || {
                thread::sleep(SOON / 10);
                firing.fire();
            });
            let waiting = done.clone();
            let start = Instant::now();
            assert!(on_coroutine(move || waiting.wait_until(Instant::now() + LONG)));
            assert!(done.wait_until(Instant::now()) && start.elapsed() < LONG / 2);
            thread.join().unwrap();
        }
        // However short the time: may's own timers lose one that is up before the wait begins.
        for nanoseconds in [0, 1, 1_000, 50_000, 30_000_000] {
            let time = Duration::from_nanos(nanoseconds);
            assert!(!on_coroutine(move || Done::default().wait_until(Instant::now() + time)));
            assert!(!Done::default().wait_until(Instant::now() + time));
        }
    }

    #[test]
    fn everybody_is_woken_and_nobody_is_remembered() {
        alarm::start().unwrap();
        let done = Done::default();
        assert!(!done.wait_until(Instant::now() + SOON));
        assert!(done.lock().waiting.is_empty());
        thread::scope(|scope| {
            for _ in 0..8 {
                let done = done.clone();
                scope.spawn(|| {
                    assert!(on_coroutine(move || done.wait_until(Instant::now() + LONG)))
                });
            }
            thread::sleep(SOON);
            done.fire();
        });
    }

    #[test]
    fn a_wake_up_is_kept_until_taken() {
        alarm::start().unwrap();
        let wake = Wake::default();
        wake.wake();
        assert!(wake.wait(LONG) && !wake.wait(SOON));
        wake.wake();
        wake.forget();
        assert!(!wake.wait(SOON));
    }
}
