//! The open tabs of one user: parked sockets, which get small triggers without anybody waiting.
//!
//! Everything here happens under one short lock, and under it only non-blocking calls: a tab whose
//! socket would block is too slow and is dropped; its browser reconnects and catches up.
use super::watch::Watch;
use crate::http::Parked;
use crate::http::alarm::Stir;
use crate::posta::PeerUrl;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, sockopt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Open tabs of one user; the oldest gives way. Far above what people have, below what hurts.
const MAX_TABS: usize = 2_000;
/// How long what was written may stay unacknowledged before the kernel gives a connection up
/// (`TCP_USER_TIMEOUT`): a phone that left the network says nothing. Two heartbeats.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// What a parked client may send, in bytes; it has nothing to say, and whoever talks on is dropped.
const MAX_SPILL: u32 = 64 * 1024;

/// What a tab shows.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The open thread.
    pub peer: Option<PeerUrl>,
    /// Whether a person can see it.
    pub visible: bool,
}

struct Tab {
    session: [u8; 32],
    name: Box<str>,
    view: View,
    parked: Parked,
    /// Bytes it sent although nobody listens.
    spilt: u32,
}

pub struct Hub {
    /// This hub's name in [`Watch`].
    number: u32,
    watch: Arc<Watch>,
    tabs: Mutex<Tabs>,
}

struct Tabs {
    open: BTreeMap<u32, Tab>,
    /// The number of the next tab; never used twice, so that a late wake-up never hits another.
    next: u32,
    /// Since when there is no tab.
    empty_since: Option<Instant>,
    /// Who listens for these tabs, to be told of what it must look at.
    listener: Option<Stir>,
}

impl Hub {
    pub fn new(watch: &Arc<Watch>) -> Arc<Hub> {
        let empty_since = Some(Instant::now());
        let tabs = Tabs { open: BTreeMap::new(), next: 0, empty_since, listener: None };
        let watch = Arc::clone(watch);
        let hub = |number| Hub { number, watch: Arc::clone(&watch), tabs: Mutex::new(tabs) };
        watch.register(hub)
    }

    fn lock(&self) -> MutexGuard<'_, Tabs> {
        self.tabs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a tab in, greets it, and has its socket watched. A tab of the same session and name is
    /// the same tab come back: its old socket is closed.
    pub fn add(
        &self,
        parked: Parked,
        greeting: &[u8],
        session: [u8; 32],
        name: String,
        view: View,
    ) {
        let _ = sockopt::set_tcp_nodelay(&parked.socket, true);
        let _ = sockopt::set_tcp_user_timeout(&parked.socket, UNACKNOWLEDGED.as_millis() as u32);
        let tab = Tab { session, name: name.into(), view, parked, spilt: 0 };
        let mut tabs = self.lock();
        let old = tabs.open.iter().find(|(_, t)| t.session == session && t.name == tab.name);
        let old = old.map(|(&number, _)| number);
        let number = tabs.next;
        tabs.next += 1;
        let watched = self.watch.add(&tab.parked.socket, self.number, number);
        let kept = watched && tab.write(greeting);
        let mut gone = Vec::new();
        gone.extend(old.and_then(|old| tabs.open.remove(&old)));
        if kept {
            tabs.open.insert(number, tab);
            tabs.empty_since = None;
        } else {
            gone.push(tab);
        }
        if tabs.open.len() > MAX_TABS {
            gone.extend(tabs.open.pop_first().map(|(_, oldest)| oldest));
        }
        self.release(tabs, gone);
    }

    /// Writes a frame to every tab, or to those of one session. Tabs that do not take it at once
    /// are dropped.
    pub fn tell(&self, frame: &[u8], session: Option<&[u8; 32]>) {
        self.sift(|tab| tab.is_of(session) && !tab.write(frame));
    }

    /// Says a last word to every tab, or to those of one session, and closes them.
    pub fn close(&self, frame: &[u8], session: Option<&[u8; 32]>) {
        self.sift(|tab| {
            if tab.is_of(session) {
                tab.write(frame);
            }
            tab.is_of(session)
        });
    }

    /// Closes the tabs that `goes` says are to go.
    fn sift(&self, mut goes: impl FnMut(&mut Tab) -> bool) {
        let mut tabs = self.lock();
        let mut gone: Vec<u32> = Vec::new();
        for (&number, tab) in &mut tabs.open {
            if goes(tab) {
                gone.push(number);
            }
        }
        let gone: Vec<Tab> = gone.iter().filter_map(|number| tabs.open.remove(number)).collect();
        self.release(tabs, gone);
    }

    /// Closes tabs that were taken out, after the lock: closing calls back into the server.
    fn release(&self, mut tabs: MutexGuard<'_, Tabs>, gone: Vec<Tab>) {
        tabs.note_empty();
        drop(tabs);
        for tab in gone {
            self.watch.remove(&tab.parked.socket);
        }
    }

    /// A tab went to another thread, or was hidden or shown.
    pub fn set_view(&self, session: &[u8; 32], name: &str, view: View) {
        let mut tabs = self.lock();
        let tab = tabs.open.values_mut().find(|t| t.session == *session && *t.name == *name);
        if let Some(tab) = tab {
            tab.view = view;
        }
    }

    /// Whether a person is looking at this thread.
    pub fn shows(&self, peer: &PeerUrl) -> bool {
        let shown = |tab: &Tab| tab.view.visible && tab.view.peer.as_ref() == Some(peer);
        self.lock().open.values().any(shown)
    }

    /// The threads that people are looking at, each once.
    pub fn shown(&self) -> Vec<PeerUrl> {
        let tabs = self.lock();
        let visible = tabs.open.values().filter(|tab| tab.view.visible);
        let mut peers: Vec<_> = visible.filter_map(|tab| tab.view.peer.clone()).collect();
        peers.sort();
        peers.dedup();
        peers
    }

    /// The sessions that have a visible tab.
    pub fn visible_sessions(&self, into: &mut Vec<[u8; 32]>) {
        into.extend(self.lock().open.values().filter(|t| t.view.visible).map(|t| t.session));
    }

    /// Somebody listens for these tabs, or nobody any more.
    pub fn listen(&self, listener: Option<Stir>) {
        self.lock().listener = listener;
    }

    /// Has who listens look whether that is still wanted.
    pub fn stir(&self) {
        if let Some(listener) = &self.lock().listener {
            listener.stir();
        }
    }

    /// How long there has been no tab; `None` while there is one.
    pub fn empty_for(&self) -> Option<Duration> {
        self.lock().empty_since.map(|since| since.elapsed())
    }

    pub fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// What the watcher saw on a tab's socket.
    pub fn woken(&self, number: u32, flags: EventFlags) {
        let mut tabs = self.lock();
        let Some(tab) = tabs.open.get_mut(&number) else { return };
        let hung_up = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        if hung_up || !tab.discard() {
            let gone = tabs.open.remove(&number).into_iter().collect();
            self.release(tabs, gone);
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.watch.unregister(self.number);
    }
}

impl Tabs {
    fn note_empty(&mut self) {
        if self.open.is_empty() && self.empty_since.is_none() {
            self.empty_since = Some(Instant::now());
            if let Some(listener) = &self.listener {
                listener.stir();
            }
        }
    }
}

impl Tab {
    fn is_of(&self, session: Option<&[u8; 32]>) -> bool {
        session.is_none_or(|session| self.session == *session)
    }

    /// All of it at once, or not at all: half an event would garble the stream.
    fn write(&self, frame: &[u8]) -> bool {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            match rustix::net::send(&self.parked.socket, frame, flags) {
                Err(Errno::INTR) => continue,
                sent => return sent == Ok(frame.len()),
            }
        }
    }

    /// Reads what came and forgets it; `false` at the end of the stream or when it is too much.
    fn discard(&mut self) -> bool {
        let mut buffer = [0u8; 4096];
        loop {
            match rustix::net::recv(&self.parked.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return false,
                Ok((_, n)) => {
                    self.spilt = self.spilt.saturating_add(n as u32);
                    if self.spilt > MAX_SPILL {
                        return false;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
    }
}
