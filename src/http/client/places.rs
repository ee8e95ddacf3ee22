//! Places for calls: how many may be under way to one origin, and in all. Whoever finds none waits in
//! line, so that one slow server holds up its own callers only, and not for longer than they want.
use super::promise::Promise;
use super::{CallError, Origin};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Calls under way to one origin. A posta-server may serve many people; a page needs a handful.
const MAX_PER_ORIGIN: usize = 32;
/// Calls under way in all: each takes a descriptor.
const MAX_IN_ALL: usize = 2_048;
/// Calls that wait for one origin; past it a caller is told at once.
const MAX_WAITING: usize = 256;

#[derive(Default)]
pub struct Places(Mutex<Books>);

#[derive(Default)]
struct Books {
    taken: usize,
    origins: HashMap<Arc<Origin>, Line>,
}

#[derive(Default)]
struct Line {
    taken: usize,
    waiting: VecDeque<Promise<Place>>,
}

/// The right to one call; its drop lets the next one in.
pub struct Place {
    places: Arc<Places>,
    origin: Arc<Origin>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut books = self.places.lock();
            books.give_back(&self.origin);
            books.next(&self.origin)
        };
        // Outside the lock: when that caller has just given up, its place comes straight back.
        if let Some((origin, promise)) = next {
            promise.keep(Place { places: self.places.clone(), origin });
        }
    }
}

impl Places {
    /// A place for a call to `origin`, in turn.
    pub fn take(self: &Arc<Self>, origin: &Origin, until: Instant) -> Result<Place, CallError> {
        let busy = CallError::Timeout("too many calls to this server at once");
        let promise = {
            let mut books = self.lock();
            if let Some(origin) = books.enter(origin) {
                return Ok(Place { places: self.clone(), origin });
            }
            let line = books.line(origin);
            if line.waiting.len() >= MAX_WAITING {
                return Err(busy);
            }
            let promise = Promise::new();
            line.waiting.push_back(promise.clone());
            promise
        };
        promise.wait(until).ok_or_else(|| {
            let mut books = self.lock();
            books.line(origin).waiting.retain(|other| !other.is(&promise));
            books.tidy(origin);
            busy
        })
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn line(&mut self, origin: &Origin) -> &mut Line {
        if !self.origins.contains_key(origin) {
            self.origins.insert(Arc::new(origin.clone()), Line::default());
        }
        self.origins.get_mut(origin).expect("just put there")
    }

    /// Takes a place unless others wait for one already.
    fn enter(&mut self, origin: &Origin) -> Option<Arc<Origin>> {
        let all_taken = self.taken >= MAX_IN_ALL;
        let line = self.line(origin);
        if all_taken || line.taken >= MAX_PER_ORIGIN || !line.waiting.is_empty() {
            return None;
        }
        line.taken += 1;
        self.taken += 1;
        self.origins.get_key_value(origin).map(|(key, _)| key.clone())
    }

    fn give_back(&mut self, origin: &Origin) {
        self.taken -= 1;
        self.line(origin).taken -= 1;
        self.tidy(origin);
    }

    /// Whoever is next, now that a place of `freed` is: its own line first, and when all places
    /// were taken, any line that may move.
    fn next(&mut self, freed: &Origin) -> Option<(Arc<Origin>, Promise<Place>)> {
        let may_move = |line: &Line| line.taken < MAX_PER_ORIGIN && !line.waiting.is_empty();
        let own = self.origins.get_key_value(freed).filter(|(_, line)| may_move(line));
        let all_were_taken = self.taken + 1 >= MAX_IN_ALL;
        let found = own.or_else(|| {
            all_were_taken.then(|| self.origins.iter().find(|(_, line)| may_move(line)))?
        });
        let origin = found?.0.clone();
        let line = self.line(&origin);
        let promise = line.waiting.pop_front()?;
        line.taken += 1;
        self.taken += 1;
        Some((origin, promise))
    }

    /// Forgets an origin nobody calls.
    fn tidy(&mut self, origin: &Origin) {
        if self.origins.get(origin).is_some_and(|l| l.taken == 0 && l.waiting.is_empty()) {
            self.origins.remove(origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::alarm;
    use std::thread;
    use std::time::Duration;

    fn origin(port: u16) -> Origin {
        Origin { tls: false, host: "x".into(), port }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(30)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn a_full_origin_makes_wait_and_no_other() {
        alarm::start().unwrap();
        let places = Arc::new(Places::default());
        let mut taken: Vec<_> =
            (0..MAX_PER_ORIGIN).map(|_| places.take(&origin(1), soon()).unwrap()).collect();
        assert!(matches!(places.take(&origin(1), soon()), Err(CallError::Timeout(_))));
        places.take(&origin(2), soon()).expect("another origin");
        let waiting = places.clone();
        let waiter = thread::spawn(move || waiting.take(&origin(1), later()).map(drop));
        while places.lock().line(&origin(1)).waiting.is_empty() {
            thread::yield_now();
        }
        taken.pop();
        waiter.join().unwrap().expect("the place that came free");
        drop(taken);
        let books = places.lock();
        assert!(books.taken == 0 && books.origins.is_empty(), "nothing is remembered");
    }

    #[test]
    fn the_places_of_all_are_shared() {
        alarm::start().unwrap();
        let places = Arc::new(Places::default());
        let port = |n: usize| origin(u16::try_from(n / MAX_PER_ORIGIN).unwrap());
        let mut taken: Vec<_> =
            (0..MAX_IN_ALL).map(|n| places.take(&port(n), soon()).unwrap()).collect();
        let quiet = origin(9_999);
        assert!(places.take(&quiet, soon()).is_err());
        let (waiting, asked) = (places.clone(), quiet.clone());
        let waiter = thread::spawn(move || waiting.take(&asked, later()).map(drop));
        while places.lock().line(&quiet).waiting.is_empty() {
            thread::yield_now();
        }
        taken.pop();
        waiter.join().unwrap().expect("a place another origin gave back");
    }

    #[test]
    fn lines_are_bounded_and_whoever_gave_up_takes_no_place_along() {
        alarm::start().unwrap();
        let places = Arc::new(Places::default());
        let taken: Vec<_> =
            (0..MAX_PER_ORIGIN).map(|_| places.take(&origin(1), soon()).unwrap()).collect();
        // On a busy machine it takes a while until all of them wait.
        let until = Instant::now() + Duration::from_secs(4);
        let waiters: Vec<_> = (0..MAX_WAITING)
            .map(|_| {
                let places = places.clone();
                thread::spawn(move || places.take(&origin(1), until).is_err())
            })
            .collect();
        while places.lock().line(&origin(1)).waiting.len() < MAX_WAITING {
            assert!(Instant::now() < until, "they do not all come to wait");
            thread::yield_now();
        }
        let asked = Instant::now();
        assert!(places.take(&origin(1), later()).is_err());
        assert!(asked.elapsed() < Duration::from_secs(1), "told at once");
        // They give up just as places come free.
        thread::sleep(until.saturating_duration_since(Instant::now()));
        drop(taken);
        waiters.into_iter().for_each(|waiter| assert!(waiter.join().is_ok()));
        let books = places.lock();
        assert!(books.taken == 0 && books.origins.is_empty());
    }
}
