//! Idle connections, kept for the next call; and places, so that one origin can't take all.
use super::Origin;
use super::wire::Wire;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Idle connections kept of one origin, and of all.
const IDLE_PER_ORIGIN: usize = 8;
const IDLE_IN_ALL: usize = 1_024;
/// How long an idle connection is kept. Servers commonly close theirs after 60 s or more.
const IDLE: Duration = Duration::from_secs(45);
/// Calls under way to one origin: a page of a large inbox needs a handful.
const BUSY_PER_ORIGIN: usize = 32;
const SWEEP: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Of {
    idle: Vec<(Wire, Instant)>,
    busy: usize,
}

#[derive(Default)]
pub struct Pool(Mutex<HashMap<Origin, Of>>);

/// The right to one call; its drop lets the next one in.
pub struct Place {
    pool: Arc<Pool>,
    origin: Origin,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pool = self.pool.lock();
        if let Some(of) = pool.get_mut(&self.origin) {
            of.busy -= 1;
            if of.busy == 0 && of.idle.is_empty() {
                pool.remove(&self.origin);
            }
        }
    }
}

impl Pool {
    /// A pool whose idle connections a thread of its own closes in time.
    pub fn start() -> Arc<Pool> {
        let pool = Arc::new(Pool::default());
        let weak = Arc::downgrade(&pool);
        thread::Builder::new()
            .name("pool".into())
            .spawn(move || sweep(&weak))
            .expect("a thread can be started");
        pool
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Of>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A place for a call, unless too many are under way.
    pub fn place(self: &Arc<Self>, origin: &Origin) -> Option<Place> {
        let mut pool = self.lock();
        let of = pool.entry(origin.clone()).or_default();
        if of.busy >= BUSY_PER_ORIGIN {
            return None;
        }
        of.busy += 1;
        Some(Place { pool: self.clone(), origin: origin.clone() })
    }

    /// The connection used last, which is the likeliest to live.
    pub fn take(&self, origin: &Origin) -> Option<Wire> {
        let mut pool = self.lock();
        let (wire, since) = pool.get_mut(origin)?.idle.pop()?;
        (since.elapsed() < IDLE).then_some(wire)
    }

    pub fn give(&self, origin: &Origin, mut wire: Wire) {
        wire.shrink();
        let mut pool = self.lock();
        let all: usize = pool.values().map(|of| of.idle.len()).sum();
        let of = pool.entry(origin.clone()).or_default();
        if of.idle.len() < IDLE_PER_ORIGIN && all < IDLE_IN_ALL {
            of.idle.push((wire, Instant::now()));
        }
    }
}

fn sweep(pool: &Weak<Pool>) {
    loop {
        thread::sleep(SWEEP);
        let Some(pool) = pool.upgrade() else { return };
        let mut old = Vec::new();
        pool.lock().retain(|_, of| {
            let (keep, go) = of.idle.drain(..).partition(|(_, since)| since.elapsed() < IDLE);
            of.idle = keep;
            old.extend::<Vec<_>>(go);
            of.busy > 0 || !of.idle.is_empty()
        });
        // Closed outside the lock.
        drop(old);
    }
}
