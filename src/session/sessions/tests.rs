//! A session's life: found by its cookie, kept alive by activity, ended by time, sign-out or others.
use super::*;
use crate::http::client::{Client, Options, Origin};
use zeroize::Zeroizing;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

struct People {
    clock: Clock,
    sessions: Sessions,
    client: Client,
}

fn people() -> People {
    let clock = Clock::manual(1_000_000);
    let sessions = Sessions::new(clock.clone(), 30 * MINUTE, 24 * HOUR);
    let client = Client::new(Options { agent: "test".into(), ..Options::default() });
    People { clock, sessions, client }
}

impl People {
    fn sign_in(&self, user: i64) -> String {
        let origin = Origin { tls: true, host: "alice.example".into(), port: 443 };
        let server = Server::new(self.client.clone(), origin, Zeroizing::new("mst_test".into()));
        let (name, agent) = ("Alice".into(), "Firefox on Linux".into());
        self.sessions.create(Account {
            user: UserId(user),
            tag: String::new(),
            name,
            agent,
            server,
        })
    }

    fn lives(&self, cookie: &str) -> bool {
        self.sessions.find(cookie).is_some()
    }

    /// What a request does.
    fn act(&self, cookie: &str) -> bool {
        self.sessions.find(cookie).inspect(|session| self.sessions.touch(session)).is_some()
    }
}

#[test]
fn a_cookie_finds_its_session_and_no_other_value_does() {
    let people = people();
    let cookie = people.sign_in(1);
    assert_eq!(cookie.len(), 43);
    let session = people.sessions.find(&cookie).unwrap();
    assert_eq!((session.user, session.name.as_str()), (UserId(1), "Alice"));
    let key = encode::b64url(&session.key);
    let padded = format!("{cookie}=");
    for wrong in ["", "x", &cookie[1..], &padded, &"A".repeat(43), &"A".repeat(9_000), &key] {
        assert!(!people.lives(wrong), "{wrong:?}");
    }
    assert_ne!(people.sign_in(1), cookie);
    assert_eq!(people.sessions.count(), 2);
}

#[test]
fn an_idle_session_ends_and_activity_keeps_it() {
    let people = people();
    let cookie = people.sign_in(1);
    people.clock.advance(29 * MINUTE);
    assert!(people.act(&cookie));
    people.clock.advance(29 * MINUTE);
    assert!(people.lives(&cookie), "looking is not activity, and none was needed yet");
    people.clock.advance(MINUTE);
    assert!(!people.lives(&cookie));
    assert_eq!(people.sessions.sweep().len(), 1);
    assert_eq!(people.sessions.sweep().len(), 0);
    assert_eq!(people.sessions.count(), 0);
}

#[test]
fn no_activity_keeps_a_session_past_its_maximum() {
    let people = people();
    let cookie = people.sign_in(1);
    for _ in 1..24 * 60 {
        people.clock.advance(MINUTE);
        assert!(people.act(&cookie));
    }
    people.clock.advance(MINUTE);
    assert!(!people.act(&cookie), "a day is the most");
}

#[test]
fn a_session_that_is_over_is_not_brought_back() {
    let people = people();
    let cookie = people.sign_in(1);
    let session = people.sessions.find(&cookie).unwrap();
    people.clock.advance(31 * MINUTE);
    people.sessions.touch(&session);
    people.sessions.touch_key(&session.key);
    assert!(!people.lives(&cookie));
    people.sessions.sweep();
    people.sessions.touch_key(&session.key);
    assert!(!people.lives(&cookie));
}

#[test]
fn a_visible_tab_counts_by_its_session_s_key() {
    let people = people();
    let cookie = people.sign_in(1);
    let key = people.sessions.find(&cookie).unwrap().key;
    people.clock.advance(29 * MINUTE);
    people.sessions.touch_key(&key);
    people.sessions.touch_key(&[0; 32]);
    people.clock.advance(29 * MINUTE);
    assert!(people.lives(&cookie));
}

#[test]
fn the_end_is_announced_two_minutes_before() {
    let people = people();
    let soon = || people.sessions.ending_soon(2 * MINUTE);
    let cookie = people.sign_in(1);
    people.clock.advance(28 * MINUTE - SECOND);
    assert!(soon().is_empty());
    people.clock.advance(SECOND);
    assert_eq!(soon().iter().map(|(_, left)| *left).collect::<Vec<_>>(), [2 * MINUTE]);
    assert!(people.act(&cookie));
    assert!(soon().is_empty());
    people.clock.advance(30 * MINUTE);
    assert!(soon().is_empty(), "what is over does not end soon");
}

#[test]
fn ending_a_user_ends_all_their_sessions_and_nobody_else_s() {
    let people = people();
    let (a, b, other) = (people.sign_in(1), people.sign_in(1), people.sign_in(2));
    people.sessions.end_user(UserId(1));
    assert!(!people.lives(&a) && !people.lives(&b) && people.lives(&other));
    assert_eq!(people.sessions.users(), [UserId(2)]);
    assert!(people.sessions.has_user(UserId(2)) && !people.sessions.has_user(UserId(1)));
    people.sessions.end(&people.sessions.find(&other).unwrap());
    assert!(people.sessions.users().is_empty() && !people.lives(&other));
    assert!(people.sessions.sweep().is_empty(), "whoever ended them knows");
}

#[test]
fn the_longest_unused_of_too_many_sign_ins_makes_room() {
    let people = people();
    let other = people.sign_in(2);
    let first = people.sign_in(1);
    let mut cookies = Vec::new();
    for _ in 1..MAX_PER_USER {
        people.clock.advance(SECOND);
        cookies.push(people.sign_in(1));
    }
    assert!(people.act(&first), "the oldest, but in use");
    people.clock.advance(SECOND);
    people.sign_in(1);
    assert!(people.lives(&first) && people.lives(&other));
    assert!(!people.lives(&cookies[0]));
    assert!(cookies[1..].iter().all(|cookie| people.lives(cookie)));
    assert_eq!(people.sessions.sweep().len(), 1, "its tabs are to be told");
}

#[test]
fn all_sessions_together_are_bounded() {
    let people = people();
    let mut table = people.sessions.lock();
    for n in 1..=3 {
        let server = Server::new(
            people.client.clone(),
            Origin { tls: true, host: "a.example".into(), port: 443 },
            Zeroizing::new("mst_test".into()),
        );
        let session = Session {
            tag: String::new(),
            key: [n; 32],
            user: UserId(n.into()),
            name: String::new(),
            id: String::new(),
            agent: String::new(),
            server,
            created_ms: 0,
            active_ms: AtomicU64::new(n.into()),
        };
        table.by_key.insert(session.key, Arc::new(session));
    }
    table.make_room(4, |_| true);
    assert_eq!((table.by_key.len(), table.displaced.len()), (3, 0));
    table.make_room(3, |_| true);
    assert!(!table.by_key.contains_key(&[1; 32]) && table.displaced[0].user == UserId(1));
}

#[test]
fn a_clock_that_is_set_back_ends_nobody_s_session() {
    let people = people();
    let cookie = people.sign_in(1);
    let session = people.sessions.find(&cookie).unwrap();
    session.active_ms.store(u64::MAX, Ordering::Relaxed);
    assert!(people.lives(&cookie));
    people.clock.advance(24 * HOUR);
    assert!(!people.lives(&cookie), "the maximum still holds");
}
