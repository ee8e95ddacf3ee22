//! Live updates, and what is known of each user's conversations.
//!
//! One [`Account`] stands for a user while any session of theirs is alive. It follows the event
//! stream of their posta-server once for all their tabs, keeps what was read right by those events,
//! and tells tabs *that* something changed: they re-read it through the same pages as at first.
//!
//! ```text
//!  posta-server ──events──▶ Follower ──▶ State (Known, Pages)  ◀── inbox(), thread(): pages
//!       ▲                      │            ▲
//!       └────── calls ──── workers ─────────┘
//!                              └─triggers─▶ Hub ──▶ parked sockets ──▶ tabs
//!                                            ▲
//!                                          Watch: hang-ups, heartbeats
//! ```
//!
//! Locks are short and taken in one order: the account's state, then the hub, then the watch; no
//! call and no wait happens under any of them.
mod account;
mod again;
mod backoff;
mod follow;
mod gather;
mod health;
mod history;
mod hub;
mod known;
mod newer;
mod pace;
mod pages;
mod reads;
mod state;
mod trigger;
mod wake;
mod watch;
mod work;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use again::Trouble;
pub use health::Health;
pub use history::MAX_FOUND;
pub use hub::View;
pub use known::Row;
pub use state::{Inbox, Range, Thread};

use crate::http::alarm;
use crate::posta::Server;
use crate::store::UserId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use watch::Watch;

/// Every interval of the room. Tests shorten them.
#[derive(Debug, Clone)]
pub struct Options {
    /// Between signs of life to tabs. Proxies drop connections that are silent for a minute, and
    /// pages take a stream for dead after 40 s.
    pub heartbeat: Duration,
    /// How long the upstream stream outlives the last tab: loading a page closes one and opens one.
    pub grace: Duration,
    /// How long changes are gathered before tabs are told.
    pub window: Duration,
    /// The first and the longest delay before a broken upstream stream is tried again.
    pub backoff: (Duration, Duration),
    /// How long a stream must have lasted for the next delay to be the first again.
    pub healthy: Duration,
    /// Between tries of a token that was refused: only a person can change that.
    pub refused: Duration,
    /// The first and the longest time until a read that was refused or made no sense is made again.
    pub again: (Duration, Duration),
    /// A replay is over with `ready`, or when it pauses this long, or lasts this long.
    pub replay: (Duration, Duration),
    /// Between looks at whether the stream is still wanted.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            heartbeat: Duration::from_secs(15),
            grace: Duration::from_secs(10),
            window: Duration::from_millis(30),
            backoff: (Duration::from_millis(250), Duration::from_secs(30)),
            healthy: Duration::from_secs(10),
            refused: Duration::from_secs(60),
            again: (Duration::from_secs(2), Duration::from_secs(60)),
            replay: (Duration::from_secs(1), Duration::from_secs(5)),
            poll: Duration::from_secs(2),
        }
    }
}

/// The accounts of all users with a session.
pub struct Live {
    options: Arc<Options>,
    watch: Arc<Watch>,
    accounts: Mutex<HashMap<UserId, Arc<Account>>>,
}

impl Live {
    /// Starts the thread that watches tabs; call it while starting up.
    pub fn new() -> Live {
        Live::with(Options::default())
    }

    pub fn with(options: Options) -> Live {
        alarm::start().expect("a thread can be started while starting up");
        let watch = Watch::start(options.heartbeat)
            .expect("a thread and an epoll can be had while starting up");
        Live { options: Arc::new(options), watch, accounts: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of a user who has a session; made when there is none yet.
    pub fn account(&self, user: UserId, server: &Server) -> Arc<Account> {
        let make = || Account::new(user, server.clone(), &self.options, &self.watch);
        Arc::clone(self.lock().entry(user).or_insert_with(make))
    }

    pub fn find(&self, user: UserId) -> Option<Arc<Account>> {
        self.lock().get(&user).cloned()
    }

    /// After a user's last session: tells their tabs, and forgets all that is known.
    pub fn forget(&self, user: UserId) {
        let account = self.lock().remove(&user);
        if let Some(account) = account {
            account.close();
        }
    }

    /// The sessions that have a visible tab, each once. A person is there: that is activity.
    pub fn visible_sessions(&self) -> Vec<[u8; 32]> {
        let mut sessions = Vec::new();
        for account in self.all() {
            account.hub.visible_sessions(&mut sessions);
        }
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Open tabs of all users.
    pub fn tabs(&self) -> usize {
        self.all().iter().map(|account| account.hub.count()).sum()
    }

    /// Users of whom something is kept, with an upstream stream or without.
    pub fn users(&self) -> usize {
        self.lock().len()
    }

    /// The service stops: tabs are told to come back soon and are closed.
    pub fn shutdown(&self) {
        for account in self.all() {
            account.hub.close(&trigger::bye(), None);
        }
    }

    fn all(&self) -> Vec<Arc<Account>> {
        self.lock().values().cloned().collect()
    }
}
