//! Connections that idle: who has loaded a page keeps its connection open for a minute or more, and
//! a coroutine for each of them would cost a stack. So one OS thread watches them, in an epoll of its
//! own since may's belongs to coroutines; a connection that stirs gets a coroutine again.
use super::Shared;
use super::conn;
use super::places::Place;
use super::registry::Entered;
use crate::http::stack;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

/// How long the thread waits at most: a deadline that is set meanwhile is seen by then.
const LOOK: Duration = Duration::from_secs(1);

/// A connection that goes to rest has two descriptors for so long (`http/socket.rs`).
const CHANGING: Duration = Duration::from_millis(250);

pub struct Rest {
    /// How many may go to rest within `CHANGING`: as many as there are descriptors to spare.
    most: usize,
    going: Mutex<(Instant, usize)>,
    epoll: Arc<OwnedFd>,
    resting: Mutex<Resting>,
}

#[derive(Default)]
struct Resting {
    by_number: HashMap<u64, Connection>,
    /// Numbers by the time at which they have idled too long.
    due: BTreeMap<(Instant, u64), ()>,
    next: u64,
}

/// What is left of a connection between two requests.
pub struct Connection {
    /// First, so that it is off the books before it closes.
    entered: Entered,
    stream: TcpStream,
    peer: IpAddr,
    place: Place,
    until: Instant,
}

impl Rest {
    /// `spare`: descriptors that are not for connections.
    pub fn new(spare: usize) -> io::Result<Rest> {
        let epoll = Arc::new(epoll::create(CreateFlags::CLOEXEC)?);
        let going = Mutex::new((Instant::now(), 0));
        Ok(Rest { most: spare / 4, going, epoll, resting: Mutex::default() })
    }

    /// Whether one more may go to rest now. One that may not asks again a little later.
    pub fn admits(&self) -> bool {
        let mut going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
        if going.0.elapsed() > CHANGING {
            *going = (Instant::now(), 0);
        }
        going.1 += 1;
        going.1 <= self.most
    }

    /// Starts the thread, which ends with what all connections share.
    pub fn start(shared: &Arc<Shared>) -> io::Result<()> {
        let (epoll, shared) = (shared.rest.epoll.clone(), Arc::downgrade(shared));
        thread::Builder::new()
            .name("resting".into())
            .stack_size(128 * 1024) // it only loops over connections
            .spawn(move || run(&shared, &epoll))?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection rest until its client says something, or until it has done so for too long.
    /// What cannot be watched is closed.
    pub fn add(
        &self,
        shared: &Shared,
        stream: TcpStream,
        (peer, place): (IpAddr, Place),
        until: Instant,
    ) {
        let Some(entered) = shared.registry.enter(stream.as_raw_fd()) else { return };
        if !entered.idles() {
            return;
        }
        let mut resting = self.lock();
        resting.next += 1;
        let number = resting.next;
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ONESHOT;
        if let Err(e) = epoll::add(&self.epoll, &stream, EventData::new_u64(number), flags) {
            return log::warn!("an idle connection could not be watched: {e}");
        }
        resting.due.insert((until, number), ());
        resting.by_number.insert(number, Connection { entered, stream, peer, place, until });
    }

    fn take(&self, number: u64) -> Option<Connection> {
        let mut resting = self.lock();
        let connection = resting.by_number.remove(&number)?;
        resting.due.remove(&(connection.until, number));
        // Somebody else may go on watching it.
        let _ = epoll::delete(&self.epoll, &connection.stream);
        Some(connection)
    }

    /// Those that have idled too long.
    fn overdue(&self, now: Instant) -> Vec<u64> {
        let resting = self.lock();
        resting.due.range(..=(now, u64::MAX)).map(|((_, number), ())| *number).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread of resting connections")]
fn run(shared: &Weak<Shared>, epoll: &OwnedFd) {
    let mut events = Vec::with_capacity(64);
    let wait = Timespec { tv_sec: LOOK.as_secs() as _, tv_nsec: LOOK.subsec_nanos() as _ };
    loop {
        events.clear();
        let waited = epoll::wait(epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait));
        let Some(shared) = shared.upgrade() else { return };
        if let Err(e) = waited
            && e != rustix::io::Errno::INTR
        {
            log::error!("idle connections cannot be watched: {e}");
            thread::sleep(LOOK);
        }
        for event in &events {
            if let Some(connection) = shared.rest.take(event.data.u64()) {
                wake(&shared, connection);
            }
        }
        let overdue = shared.rest.overdue(Instant::now());
        overdue.into_iter().for_each(|number| drop(shared.rest.take(number)));
    }
}

/// Gives a connection a coroutine again; without one it is closed, as an idle one may be at any time.
fn wake(shared: &Arc<Shared>, connection: Connection) {
    let Connection { entered, stream, peer, place, .. } = connection;
    if !entered.works() {
        return; // somebody else has its socket, and goes on with it
    }
    drop(entered);
    let own = shared.clone();
    if let Err(e) = stack::spawn_connection(move || conn::run(own, stream, peer, place)) {
        log::warn!("an idle connection could not be served again: {e}");
    }
}
