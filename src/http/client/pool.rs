//! Idle connections, kept for the next call to the same origin.
use super::Origin;
use super::wire::Wire;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Idle connections kept of one origin, and of all. A connection with TLS costs some 12 KiB.
const MAX_PER_ORIGIN: usize = 8;
const MAX_IN_ALL: usize = 1_024;
/// How long an idle connection is kept. Servers commonly close theirs after 60 s or more.
const IDLE: Duration = Duration::from_secs(50);
/// How often connections are looked through for those idle too long.
const SWEEP: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct Pool(Mutex<Books>);

#[derive(Default)]
struct Books {
    count: usize,
    /// The one that came last stands last, and no origin has none.
    idle: HashMap<Origin, Vec<(Wire, Instant)>>,
}

impl Pool {
    /// A pool whose idle connections one thread closes in time.
    pub fn start() -> Arc<Pool> {
        let pool = Arc::new(Pool::default());
        let weak = Arc::downgrade(&pool);
        let sweeper = thread::Builder::new().name("pool".into()).spawn(move || sweep(&weak));
        sweeper.expect("a thread can be started while starting up");
        pool
    }

    /// The connection used last, which is the likeliest to live.
    pub fn take(&self, origin: &Origin) -> Option<Wire> {
        let mut books = self.lock();
        let wires = books.idle.get_mut(origin)?;
        let (wire, since) = wires.pop()?;
        if wires.is_empty() {
            books.idle.remove(origin);
        }
        books.count -= 1;
        drop(books);
        (since.elapsed() < IDLE).then_some(wire)
    }

    pub fn give(&self, origin: &Origin, mut wire: Wire) {
        wire.shrink();
        let mut books = self.lock();
        if books.count >= MAX_IN_ALL {
            return;
        }
        let wires = books.idle.entry(origin.clone()).or_default();
        wires.push((wire, Instant::now()));
        // The one unused longest makes room.
        let oldest = (wires.len() > MAX_PER_ORIGIN).then(|| wires.remove(0));
        books.count += usize::from(oldest.is_none());
        drop(books);
        drop(oldest);
    }

    pub fn idle(&self) -> usize {
        self.lock().count
    }

    /// Takes out what has been idle for too long.
    fn expire(&self, now: Instant) -> Vec<Wire> {
        let mut books = self.lock();
        let mut old = Vec::new();
        books.idle.retain(|_, wires| {
            let first_kept = wires.partition_point(|(_, since)| now - *since >= IDLE);
            old.extend(wires.drain(..first_kept).map(|(wire, _)| wire));
            !wires.is_empty()
        });
        books.count -= old.len();
        old
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "the pool's own thread")]
fn sweep(pool: &Weak<Pool>) {
    loop {
        thread::sleep(SWEEP);
        let Some(pool) = pool.upgrade() else { return };
        // Closed outside the lock.
        drop(pool.expire(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::socket::Socket;
    use std::net::{TcpListener, TcpStream};

    /// A connection whose other end the caller holds.
    fn wire(listener: &TcpListener) -> (Wire, TcpStream) {
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.set_nonblocking(true).unwrap();
        (Wire::plain(Socket::new(ours).unwrap()), listener.accept().unwrap().0)
    }

    #[test]
    fn the_newest_is_taken_and_the_oldest_goes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = |port| Origin { tls: false, host: "x".into(), port };
        let pool = Pool::default();
        let mut peers = Vec::new();
        for _ in 0..MAX_PER_ORIGIN + 2 {
            let (wire, peer) = wire(&listener);
            pool.give(&origin(1), wire);
            peers.push(peer);
        }
        assert_eq!(pool.lock().count, MAX_PER_ORIGIN);
        let mut byte = [0];
        for closed in &mut peers[..2] {
            assert_eq!(std::io::Read::read(closed, &mut byte).unwrap(), 0, "the oldest");
        }
        assert!(pool.take(&origin(2)).is_none(), "another port is another origin");
        let newest = pool.take(&origin(1)).unwrap();
        drop(newest);
        assert_eq!(std::io::Read::read(peers.last_mut().unwrap(), &mut byte).unwrap(), 0);
        assert_eq!(pool.lock().count, MAX_PER_ORIGIN - 1);
    }

    #[test]
    fn idle_connections_are_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = Origin { tls: false, host: "x".into(), port: 1 };
        let pool = Pool::default();
        pool.give(&origin, wire(&listener).0);
        pool.give(&origin, wire(&listener).0);
        assert!(pool.expire(Instant::now()).is_empty());
        assert_eq!(pool.expire(Instant::now() + IDLE).len(), 2);
        assert!(pool.take(&origin).is_none());
        let books = pool.lock();
        assert!(books.count == 0 && books.idle.is_empty());
    }
}
