//! Sessions: who is signed in, and until when. The token lives here and nowhere else in the clear.
use crate::ops::clock::{Clock, millis};
use crate::ops::{encode, random};
use crate::posta::Server;
use crate::store::UserId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A person with more sign-ins than this loses the one longest unused.
const MAX_PER_USER: usize = 50;
/// As many as there can be open connections, several times over; a few kilobytes each.
const MAX: usize = 20_000;

/// Bytes of a cookie's value before encoding.
const SECRET: usize = 32;
/// Bytes of its name on pages: nobody guesses another's, and nothing comes of it.
const NAME: usize = 12;

/// Who signs in.
pub struct Account {
    pub user: UserId,
    /// Names the account to its owner's browser, always the same; tells nothing else.
    pub tag: String,
    pub name: String,
    /// Browser and system, in words.
    pub agent: String,
    /// Holds the token.
    pub server: Server,
}

/// A sign-in as its owner sees it.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Names it on a page; opens nothing.
    pub id: String,
    pub agent: String,
    pub created_ms: u64,
    pub active_ms: u64,
}

pub struct Session {
    /// SHA-256 of the cookie's bytes: what a look at the table gives away opens nothing.
    pub key: [u8; 32],
    /// Names it on its owner's pages; opens nothing.
    pub id: String,
    pub user: UserId,
    /// Names the account to its owner's browser, always the same; tells nothing else.
    pub tag: String,
    pub name: String,
    pub agent: String,
    pub server: Server,
    created_ms: u64,
    active_ms: AtomicU64,
}

/// All sessions of this process.
pub struct Sessions {
    clock: Clock,
    idle_ms: u64,
    max_ms: u64,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_key: HashMap<[u8; 32], Arc<Session>>,
    /// Sessions that made room for others; the next sweep tells of them.
    displaced: Vec<Arc<Session>>,
}

impl Table {
    /// Ends the longest unused session of those, when there are as many as there may be.
    fn make_room(&mut self, most: usize, of: impl Fn(&Session) -> bool) {
        let those = || self.by_key.values().filter(|session| of(session));
        if those().count() < most {
            return;
        }
        let unused = those().min_by_key(|session| session.active()).map(|session| session.key);
        self.displaced.extend(unused.and_then(|key| self.by_key.remove(&key)));
    }
}

impl Sessions {
    pub fn new(clock: Clock, idle: Duration, max: Duration) -> Self {
        let (idle_ms, max_ms) = (millis(idle), millis(max));
        Sessions { clock, idle_ms, max_ms, table: Mutex::default() }
    }

    /// Begins a session; gives the cookie's value.
    pub fn create(&self, account: Account) -> String {
        let secret = random::bytes::<SECRET>();
        let now = self.clock.now_ms();
        let session = Session {
            key: Sha256::digest(secret).into(),
            id: encode::b64url(&random::bytes::<NAME>()),
            user: account.user,
            tag: account.tag,
            name: account.name,
            agent: account.agent,
            server: account.server,
            created_ms: now,
            active_ms: AtomicU64::new(now),
        };
        let mut table = self.lock();
        table.make_room(MAX_PER_USER, |other| other.user == session.user);
        table.make_room(MAX, |_| true);
        table.by_key.insert(session.key, Arc::new(session));
        encode::b64url(&secret)
    }

    /// A session that began in another process.
    pub(super) fn restore(
        &self,
        key: [u8; 32],
        id: String,
        account: Account,
        created_ms: u64,
        active_ms: u64,
    ) {
        let Account { user, tag, name, agent, server } = account;
        let active_ms = AtomicU64::new(active_ms);
        let session = Session { key, id, user, tag, name, agent, server, created_ms, active_ms };
        self.lock().by_key.insert(key, Arc::new(session));
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().by_key.values().cloned().collect()
    }

    /// The session of a cookie's value, unless its time is over.
    pub fn find(&self, cookie: &str) -> Option<Arc<Session>> {
        let secret = encode::b64url_decode(cookie).filter(|secret| secret.len() == SECRET)?;
        let key: [u8; 32] = Sha256::digest(secret).into();
        let session = self.lock().by_key.get(&key).cloned()?;
        (self.remaining(&session) > 0).then_some(session)
    }

    /// Starts the idle time anew. A session whose time is over stays over.
    pub fn touch(&self, session: &Session) {
        if self.remaining(session) > 0 {
            session.active_ms.store(self.clock.now_ms(), Ordering::Relaxed);
        }
    }

    /// As [`Sessions::touch`], by key.
    pub fn touch_key(&self, key: &[u8; 32]) {
        if let Some(session) = self.lock().by_key.get(key) {
            self.touch(session);
        }
    }

    pub fn end(&self, session: &Session) {
        self.lock().by_key.remove(&session.key);
    }

    pub fn end_user(&self, user: UserId) {
        self.lock().by_key.retain(|_, session| session.user != user);
    }

    /// Removes and gives the sessions whose time is over, and those that made room for others.
    pub fn sweep(&self) -> Vec<Arc<Session>> {
        let mut table = self.lock();
        let mut over = std::mem::take(&mut table.displaced);
        let expired = table.by_key.extract_if(|_, session| self.remaining(session) == 0);
        over.extend(expired.map(|(_, session)| session));
        over
    }

    /// Sessions that will end within `window`, and how long they have.
    pub fn ending_soon(&self, window: Duration) -> Vec<(Arc<Session>, Duration)> {
        let window = millis(window);
        let table = self.lock();
        let with_time = table.by_key.values().map(|session| (session, self.remaining(session)));
        let soon = with_time.filter(|(_, remaining)| (1..=window).contains(remaining));
        soon.map(|(session, ms)| (session.clone(), Duration::from_millis(ms))).collect()
    }

    /// Users with at least one session.
    pub fn users(&self) -> Vec<UserId> {
        let mut users: Vec<UserId> = self.lock().by_key.values().map(|s| s.user).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    pub fn has_user(&self, user: UserId) -> bool {
        self.lock().by_key.values().any(|session| session.user == user)
    }

    /// A user's sessions whose time is not over, the one used last first.
    pub fn of_user(&self, user: UserId) -> Vec<Arc<Session>> {
        let table = self.lock();
        let theirs = table.by_key.values().filter(|s| s.user == user && self.remaining(s) > 0);
        let mut theirs: Vec<_> = theirs.cloned().collect();
        drop(table);
        theirs.sort_by(|a, b| (b.active(), &b.id).cmp(&(a.active(), &a.id)));
        theirs
    }

    pub fn count(&self) -> usize {
        self.lock().by_key.len()
    }

    fn remaining(&self, session: &Session) -> u64 {
        let idle_end = session.active().saturating_add(self.idle_ms);
        let end = idle_end.min(session.created_ms.saturating_add(self.max_ms));
        end.saturating_sub(self.clock.now_ms())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in here can panic half-way through a change; a poisoned table is a whole one.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// As its owner sees it.
    pub fn sign_in(&self) -> SignIn {
        let (id, agent) = (self.id.clone(), self.agent.clone());
        SignIn { id, agent, created_ms: self.created_ms, active_ms: self.active() }
    }

    fn active(&self) -> u64 {
        self.active_ms.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
