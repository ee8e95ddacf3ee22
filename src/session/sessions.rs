//! Sessions: who is signed in, and until when. The token lives here and nowhere else in the clear.
use crate::ops::clock::Clock;
use crate::ops::{encode, random};
use crate::posta::Server;
use crate::store::UserId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A person with more sign-ins than this loses the one longest unused.
const MAX_PER_USER: usize = 50;

/// Who signs in.
pub struct Account {
    pub user: UserId,
    pub name: String,
    /// Holds the token.
    pub server: Server,
}

pub struct Session {
    /// SHA-256 of the cookie's bytes: what a look at the table gives away opens nothing.
    pub key: [u8; 32],
    pub user: UserId,
    pub name: String,
    pub server: Server,
    created_ms: u64,
    active_ms: AtomicU64,
}

/// All sessions of this process.
pub struct Sessions {
    clock: Clock,
    idle_ms: u64,
    max_ms: u64,
    table: Mutex<HashMap<[u8; 32], Arc<Session>>>,
}

impl Sessions {
    pub fn new(clock: Clock, idle: Duration, max: Duration) -> Self {
        let ms = |duration: Duration| duration.as_millis() as u64;
        let table = Mutex::new(HashMap::new());
        Sessions { clock, idle_ms: ms(idle), max_ms: ms(max), table }
    }

    /// Begins a session; gives the cookie's value.
    pub fn create(&self, account: Account) -> String {
        let secret = random::bytes::<32>();
        let now = self.clock.now_ms();
        let session = Arc::new(Session {
            key: Sha256::digest(secret).into(),
            user: account.user,
            name: account.name,
            server: account.server,
            created_ms: now,
            active_ms: AtomicU64::new(now),
        });
        let mut table = self.lock();
        let of_user = |session: &&Arc<Session>| session.user == account.user;
        if table.values().filter(of_user).count() >= MAX_PER_USER {
            let unused = table.values().filter(of_user).min_by_key(|s| s.active()).map(|s| s.key);
            unused.and_then(|key| table.remove(&key));
        }
        table.insert(session.key, session);
        encode::b64url(&secret)
    }

    /// The session of a cookie's value, unless its time is over.
    pub fn find(&self, cookie: &str) -> Option<Arc<Session>> {
        let key: [u8; 32] = Sha256::digest(encode::b64url_decode(cookie)?).into();
        let session = self.lock().get(&key).cloned()?;
        (self.remaining(&session) > 0).then_some(session)
    }

    /// Starts the idle time anew.
    pub fn touch(&self, session: &Session) {
        session.active_ms.store(self.clock.now_ms(), Ordering::Relaxed);
    }

    /// As [`Sessions::touch`], by key.
    pub fn touch_key(&self, key: &[u8; 32]) {
        if let Some(session) = self.lock().get(key) {
            self.touch(session);
        }
    }

    pub fn end(&self, session: &Session) {
        self.lock().remove(&session.key);
    }

    pub fn end_user(&self, user: UserId) {
        self.lock().retain(|_, session| session.user != user);
    }

    /// Removes and gives the sessions whose time is over.
    pub fn sweep(&self) -> Vec<Arc<Session>> {
        let mut over = Vec::new();
        self.lock().retain(|_, session| {
            let lives = self.remaining(session) > 0;
            if !lives {
                over.push(session.clone());
            }
            lives
        });
        over
    }

    /// Sessions that will end within `window`, and how long they have.
    pub fn ending_soon(&self, window: Duration) -> Vec<(Arc<Session>, Duration)> {
        let window = window.as_millis() as u64;
        let table = self.lock();
        let with_time = table.values().map(|session| (session, self.remaining(session)));
        let soon = with_time.filter(|(_, remaining)| (1..=window).contains(remaining));
        soon.map(|(session, ms)| (session.clone(), Duration::from_millis(ms))).collect()
    }

    /// Users with at least one session.
    pub fn users(&self) -> Vec<UserId> {
        let mut users: Vec<UserId> = self.lock().values().map(|session| session.user).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    pub fn has_user(&self, user: UserId) -> bool {
        self.lock().values().any(|session| session.user == user)
    }

    fn remaining(&self, session: &Session) -> u64 {
        let idle_end = session.active().saturating_add(self.idle_ms);
        let end = idle_end.min(session.created_ms.saturating_add(self.max_ms));
        end.saturating_sub(self.clock.now_ms())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Arc<Session>>> {
        // Nothing in here can panic half-way through a change; a poisoned table is a whole one.
        self.table.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Session {
    fn active(&self) -> u64 {
        self.active_ms.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::{Client, Options, Origin};
    use zeroize::Zeroizing;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    fn account(user: i64) -> Account {
        let client = Client::new(Options {
            allow_private: false,
            agent: "test".into(),
            ..Default::default()
        });
        let origin = Origin { tls: true, host: "alice.example".into(), port: 443 };
        let server = Server::new(client, origin, Zeroizing::new("mst_test".into()));
        Account { user: UserId(user), name: "Alice".into(), server }
    }

    fn sessions() -> (Clock, Sessions) {
        let clock = Clock::manual(1_000_000);
        (clock.clone(), Sessions::new(clock, 30 * MINUTE, 24 * HOUR))
    }

    #[test]
    fn a_cookie_finds_its_session_and_only_its_own() {
        let (_, sessions) = sessions();
        let cookie = sessions.create(account(1));
        assert_eq!(cookie.len(), 43);
        assert_eq!(sessions.find(&cookie).map(|s| s.user), Some(UserId(1)));
        for wrong in ["", "x", &cookie[1..], &format!("{cookie}="), &"A".repeat(43)] {
            assert!(sessions.find(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn idle_sessions_end_and_active_ones_go_on_until_the_maximum() {
        let (clock, sessions) = sessions();
        let cookie = sessions.create(account(1));
        clock.advance(29 * MINUTE);
        let session = sessions.find(&cookie).expect("29 minutes are not 30");
        sessions.touch(&session);
        clock.advance(29 * MINUTE);
        assert!(sessions.find(&cookie).is_some(), "it was active 29 minutes ago");
        clock.advance(MINUTE);
        assert!(sessions.find(&cookie).is_none(), "30 minutes without activity");
        assert_eq!(sessions.sweep().len(), 1);
        assert_eq!(sessions.sweep().len(), 0);

        let cookie = sessions.create(account(1));
        for _ in 0..(24 * 60 - 1) {
            clock.advance(MINUTE);
            let session = sessions.find(&cookie).expect("active every minute");
            sessions.touch(&session);
        }
        clock.advance(MINUTE);
        assert!(sessions.find(&cookie).is_none(), "a day is the most");
    }

    #[test]
    fn the_end_is_announced_two_minutes_before() {
        let (clock, sessions) = sessions();
        let cookie = sessions.create(account(1));
        clock.advance(28 * MINUTE - Duration::from_secs(1));
        assert!(sessions.ending_soon(2 * MINUTE).is_empty());
        clock.advance(Duration::from_secs(1));
        let ending = sessions.ending_soon(2 * MINUTE);
        assert_eq!(ending.len(), 1);
        assert_eq!(ending[0].1, 2 * MINUTE);
        sessions.touch(&sessions.find(&cookie).unwrap());
        assert!(sessions.ending_soon(2 * MINUTE).is_empty());
    }

    #[test]
    fn ending_a_user_ends_all_their_sessions_and_no_other() {
        let (_, sessions) = sessions();
        let (a, b, c) =
            (sessions.create(account(1)), sessions.create(account(1)), sessions.create(account(2)));
        sessions.end_user(UserId(1));
        assert!(sessions.find(&a).is_none() && sessions.find(&b).is_none());
        assert!(sessions.find(&c).is_some());
        assert_eq!(sessions.users(), [UserId(2)]);
        sessions.end(&sessions.find(&c).unwrap());
        assert!(!sessions.has_user(UserId(2)));
    }

    #[test]
    fn sign_ins_of_one_person_are_bounded() {
        let (clock, sessions) = sessions();
        let first = sessions.create(account(1));
        let cookies: Vec<String> = (0..MAX_PER_USER)
            .map(|_| {
                clock.advance(Duration::from_secs(1));
                sessions.create(account(1))
            })
            .collect();
        assert!(sessions.find(&first).is_none(), "the longest unused one went");
        assert!(cookies.iter().all(|cookie| sessions.find(cookie).is_some()));
    }
}
