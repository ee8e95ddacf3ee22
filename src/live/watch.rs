//! One OS thread that looks after all parked sockets: it notices when one hangs up, and sends the
//! heartbeats.
//!
//! Nobody reads a parked socket, so without it a closed tab would be noticed only by the next write.
//! It has an epoll of its own, since may's belongs to coroutines.
use super::hub::Hub;
use super::trigger::Trigger;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::collections::HashMap;
use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

pub struct Watch {
    epoll: Arc<OwnedFd>,
    hubs: Mutex<Hubs>,
}

#[derive(Default)]
struct Hubs {
    by_number: HashMap<u32, Weak<Hub>>,
    next: u32,
}

impl Watch {
    pub fn start(heartbeat: Duration) -> io::Result<Arc<Watch>> {
        let epoll = Arc::new(epoll::create(CreateFlags::CLOEXEC)?);
        let watch = Arc::new(Watch { epoll: Arc::clone(&epoll), hubs: Mutex::default() });
        let weak = Arc::downgrade(&watch);
        thread::Builder::new()
            .name("tabs".into())
            .stack_size(128 * 1024) // it only loops over sockets
            .spawn(move || run(&weak, &epoll, heartbeat))?;
        Ok(watch)
    }

    fn lock(&self) -> MutexGuard<'_, Hubs> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a new hub its number.
    pub fn register(&self, hub: impl FnOnce(u32) -> Hub) -> Arc<Hub> {
        let mut hubs = self.lock();
        let number = hubs.next;
        hubs.next += 1;
        let hub = Arc::new(hub(number));
        hubs.by_number.insert(number, Arc::downgrade(&hub));
        hub
    }

    pub fn unregister(&self, number: u32) {
        self.lock().by_number.remove(&number);
    }

    /// Watches a tab's socket.
    pub fn add(&self, socket: &TcpStream, hub: u32, tab: u32) -> bool {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        let data = EventData::new_u64(u64::from(hub) << 32 | u64::from(tab));
        epoll::add(&self.epoll, socket, data, flags).is_ok()
    }

    /// Closing a socket would do, were this its only descriptor; that is not ours to know.
    pub fn remove(&self, socket: &TcpStream) {
        let _ = epoll::delete(&self.epoll, socket);
    }

    fn woken(&self, event: &epoll::Event) {
        let data = event.data.u64();
        let hub = self.lock().by_number.get(&((data >> 32) as u32)).and_then(Weak::upgrade);
        if let Some(hub) = hub {
            hub.woken(data as u32, event.flags);
        }
    }

    fn beat(&self) {
        let hubs: Vec<_> = self.lock().by_number.values().filter_map(Weak::upgrade).collect();
        let ping = Trigger::Ping.frame();
        for hub in hubs {
            hub.tell(&ping, None);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the watch's own thread")]
fn run(watch: &Weak<Watch>, epoll: &OwnedFd, heartbeat: Duration) {
    let mut events = Vec::with_capacity(64);
    let mut next_beat = Instant::now() + heartbeat;
    loop {
        let wait = next_beat.saturating_duration_since(Instant::now());
        // Rounded up: waking a moment early would only mean waking twice.
        let wait = wait + Duration::from_millis(1);
        let wait = Timespec { tv_sec: wait.as_secs() as _, tv_nsec: wait.subsec_nanos() as _ };
        events.clear();
        let waited = epoll::wait(epoll, rustix::buffer::spare_capacity(&mut events), Some(&wait));
        let Some(watch) = watch.upgrade() else { return };
        if let Err(e) = waited {
            if e != rustix::io::Errno::INTR {
                log::error!("the watcher of open tabs cannot wait: {e}");
                thread::sleep(Duration::from_secs(1)); // an OS thread of its own may
            }
            continue;
        }
        for event in &events {
            watch.woken(event);
        }
        if Instant::now() >= next_beat {
            watch.beat();
            next_beat = Instant::now() + heartbeat;
        }
    }
}
