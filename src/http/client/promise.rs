//! One value that comes later, waited for until a deadline by a coroutine or a plain thread.
//!
//! May's own timed waits are not used: each different time it is asked to wait stays in its tables.
use crate::http::alarm;
use may::sync::SyncFlag;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub struct Promise<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: Mutex<Option<T>>,
    /// Fired by the value or by the alarm, whichever comes first.
    flag: Arc<SyncFlag>,
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Promise(self.0.clone())
    }
}

impl<T> Promise<T> {
    pub fn new() -> Self {
        Promise(Arc::new(Inner { value: Mutex::new(None), flag: Arc::new(SyncFlag::new()) }))
    }

    /// Gives the value, whether anyone still waits or not.
    pub fn keep(&self, value: T) {
        *self.0.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        self.0.flag.fire();
    }

    /// Waits once; `None` when the time was up first.
    pub fn wait(&self, until: Instant) -> Option<T> {
        if let Some(value) = self.take() {
            return Some(value);
        }
        let alarm = alarm::fire_at(until, self.0.flag.clone());
        self.0.flag.wait();
        drop(alarm);
        self.take()
    }

    pub fn is(&self, other: &Promise<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn take(&self) -> Option<T> {
        self.0.value.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::stack;
    use std::thread;
    use std::time::Duration;

    fn soon(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[test]
    fn values_come_before_during_and_after_the_wait() {
        alarm::start().unwrap();
        let kept = Promise::new();
        kept.keep(1);
        assert_eq!(kept.wait(Instant::now()), Some(1));
        let late = Promise::new();
        assert_eq!(late.wait(soon(20)), None);
        late.keep(2);
        assert_eq!(late.take(), Some(2));
        for _ in 0..100 {
            let promise = Promise::new();
            let waiting = promise.clone();
            let waiter = stack::spawn_connection(move || {
                assert_eq!(waiting.wait(soon(10_000)), Some(3));
            });
            let keeper = thread::spawn(move || promise.keep(3));
            waiter.unwrap().join().expect("kept in time");
            keeper.join().unwrap();
        }
    }

    #[test]
    fn a_deadline_that_has_passed_still_wakes() {
        alarm::start().unwrap();
        for nanoseconds in [0, 1, 1_000, 100_000] {
            let waiter = stack::spawn_connection(move || {
                let until = Instant::now() + Duration::from_nanos(nanoseconds);
                assert_eq!(Promise::<()>::new().wait(until), None);
            });
            waiter.unwrap().join().unwrap();
        }
    }
}
