//! How many of something may be under way at once; who comes above that waits in line. For coroutines
//! and plain threads.
use super::client::Promise;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Cheap to clone; clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    most: usize,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    inside: usize,
    waiting: VecDeque<Promise<Pass>>,
}

/// The right to be inside; its drop lets the next one in.
pub struct Pass(Gate);

impl Gate {
    pub fn new(most: usize) -> Gate {
        Gate(Arc::new(Inner { most, books: Mutex::default() }))
    }

    /// Waits for its turn; `None` when the time was up first.
    pub fn enter(&self, until: Instant) -> Option<Pass> {
        let promise = {
            let mut books = self.lock();
            if books.inside < self.0.most && books.waiting.is_empty() {
                books.inside += 1;
                return Some(Pass(self.clone()));
            }
            let promise = Promise::new();
            books.waiting.push_back(promise.clone());
            promise
        };
        let pass = promise.wait(until);
        if pass.is_none() {
            // One that comes all the same goes back as the last owner of the promise lets go of it.
            self.lock().waiting.retain(|other| !other.is(&promise));
        }
        pass
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let next = {
            let mut books = self.0.lock();
            let next = books.waiting.pop_front();
            if next.is_none() {
                books.inside -= 1;
            }
            next
        };
        // Outside the lock: when that one has just given up, the pass comes straight back.
        if let Some(promise) = next {
            promise.keep(Pass(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::alarm;
    use std::thread;
    use std::time::Duration;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(30)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn only_so_many_are_inside_and_the_others_come_in_turn() {
        alarm::start().unwrap();
        let gate = Gate::new(2);
        let (first, second) = (gate.enter(later()).unwrap(), gate.enter(later()).unwrap());
        assert!(gate.enter(soon()).is_none(), "full");
        assert!(gate.lock().waiting.is_empty(), "who gave up is forgotten");
        let waiting = gate.clone();
        let waiter = thread::spawn(move || waiting.enter(later()).is_some());
        while gate.lock().waiting.is_empty() {
            thread::yield_now();
        }
        drop(first);
        assert!(waiter.join().unwrap());
        drop(second);
        assert_eq!(gate.lock().inside, 0);
    }

    /// Passes come back just as those they are for give up.
    #[test]
    fn no_pass_is_lost() {
        alarm::start().unwrap();
        let gate = Gate::new(3);
        let crowd: Vec<_> = (0..24)
            .map(|n| {
                let gate = gate.clone();
                thread::spawn(move || {
                    for round in 0..40 {
                        let wait = Duration::from_micros(200 * ((n + round) % 9));
                        let pass = gate.enter(Instant::now() + wait);
                        assert!(gate.lock().inside <= 3);
                        thread::sleep(Duration::from_micros(300));
                        drop(pass);
                    }
                })
            })
            .collect();
        crowd.into_iter().for_each(|one| one.join().unwrap());
        let books = gate.lock();
        assert!(books.inside == 0 && books.waiting.is_empty());
    }
}
