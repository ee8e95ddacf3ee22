//! Ceremonies in progress: each challenge is answered once, within five minutes, in the ceremony it
//! was made for (WebAuthn Level 3 §13.4.3).
use super::touch::{Adding, Touch, Trying};
use crate::ops::clock::Clock;
use crate::ops::{encode, random};
use crate::posta::{Identity, Offer};
use crate::webauthn::Credential;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Time for somebody who looks for their phone.
const LIFETIME_MS: u64 = 5 * 60 * 1_000;
/// A ceremony takes a kilobyte or so: what a flood of them can take is bounded.
const MAX: usize = 10_000;

pub enum Ceremony {
    Register(Registering),
    Prove(Proving),
    Login { challenge: [u8; 32] },
    Touch(Touch),
    Add(Adding),
    Try(Trying),
}

/// The pairing is good, or the set-up link is; the passkey is to be made.
pub struct Registering {
    /// The invite's code.
    pub invite: String,
    /// Holds the token, or what it is to be had for; both are wiped with it.
    pub offer: Offer,
    /// For a set-up link: the name that its token gets when its person gives it no other.
    pub device: Option<String>,
    pub identity: Identity,
    pub challenge: [u8; 32],
    /// WebAuthn's `user.id` of the user to be.
    pub handle: [u8; 32],
}

/// The passkey is made; it is to show that it gives a PRF output.
pub struct Proving {
    pub begun: Registering,
    pub credential: Credential,
    pub challenge: [u8; 32],
}

pub struct Ceremonies {
    clock: Clock,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<String, Entry>,
    /// Ids in the order in which they were begun, which is the order in which they end.
    in_order: BTreeMap<u64, String>,
    next: u64,
}

struct Entry {
    number: u64,
    end_ms: u64,
    ceremony: Ceremony,
}

impl Table {
    fn remove(&mut self, id: &str) -> Option<Entry> {
        let entry = self.by_id.remove(id)?;
        self.in_order.remove(&entry.number);
        Some(entry)
    }

    fn oldest(&self) -> Option<(String, u64)> {
        let (_, id) = self.in_order.first_key_value()?;
        Some((id.clone(), self.by_id.get(id)?.end_ms))
    }

    /// Lets go of what has expired, and of the oldest when there are more than `most`.
    fn trim(&mut self, now_ms: u64, most: usize) {
        while let Some((id, end_ms)) = self.oldest() {
            if end_ms > now_ms && self.by_id.len() <= most {
                return;
            }
            self.remove(&id);
        }
    }
}

impl Ceremonies {
    pub fn new(clock: Clock) -> Self {
        Ceremonies { clock, table: Mutex::default() }
    }

    /// Keeps a ceremony; gives the id by which its answer finds it. When there are too many, the
    /// oldest go.
    pub fn begin(&self, ceremony: Ceremony) -> String {
        let id = encode::b64url(&random::bytes::<32>());
        let now = self.clock.now_ms();
        let mut table = self.lock();
        table.trim(now, MAX - 1);
        let number = table.next;
        table.next += 1;
        table.in_order.insert(number, id.clone());
        let entry = Entry { number, end_ms: now.saturating_add(LIFETIME_MS), ceremony };
        table.by_id.insert(id.clone(), entry);
        id
    }

    /// Takes a ceremony out: whatever comes of the answer, its challenge is never used again.
    pub fn take(&self, id: &str) -> Option<Ceremony> {
        let entry = self.lock().remove(id)?;
        (entry.end_ms > self.clock.now_ms()).then_some(entry.ceremony)
    }

    /// Lets go of expired ceremonies, and of the tokens in them.
    pub fn sweep(&self) {
        let now = self.clock.now_ms();
        self.lock().trim(now, MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No change to the table can panic half-way.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn login(byte: u8) -> Ceremony {
        Ceremony::Login { challenge: [byte; 32] }
    }

    fn left(ceremonies: &Ceremonies) -> usize {
        let table = ceremonies.lock();
        assert_eq!(table.by_id.len(), table.in_order.len());
        table.by_id.len()
    }

    #[test]
    fn a_challenge_is_used_once() {
        let ceremonies = Ceremonies::new(Clock::manual(0));
        let (a, b) = (ceremonies.begin(login(1)), ceremonies.begin(login(2)));
        assert!(matches!(ceremonies.take(&a), Some(Ceremony::Login { challenge: [1, ..] })));
        assert!(ceremonies.take(&a).is_none());
        assert!(ceremonies.take("").is_none());
        assert!(matches!(ceremonies.take(&b), Some(Ceremony::Login { challenge: [2, ..] })));
        assert_eq!(left(&ceremonies), 0);
    }

    #[test]
    fn a_challenge_expires_after_five_minutes() {
        let clock = Clock::manual(0);
        let ceremonies = Ceremonies::new(clock.clone());
        let (a, b) = (ceremonies.begin(login(1)), ceremonies.begin(login(2)));
        clock.advance(Duration::from_millis(LIFETIME_MS - 1));
        assert!(ceremonies.take(&a).is_some());
        clock.advance(Duration::from_millis(1));
        assert!(ceremonies.take(&b).is_none());
    }

    #[test]
    fn what_expires_is_let_go_without_being_asked_for() {
        let clock = Clock::manual(0);
        let ceremonies = Ceremonies::new(clock.clone());
        ceremonies.begin(login(1));
        clock.advance(Duration::from_secs(60));
        ceremonies.begin(login(2));
        clock.advance(Duration::from_secs(4 * 60));
        ceremonies.sweep();
        assert_eq!(left(&ceremonies), 1);
        clock.advance(Duration::from_secs(60));
        ceremonies.sweep();
        assert_eq!(left(&ceremonies), 0);
    }

    #[test]
    fn a_flood_drops_the_oldest_and_only_them() {
        let ceremonies = Ceremonies::new(Clock::manual(0));
        // Those that were answered leave their places to others.
        for _ in 0..100 {
            let id = ceremonies.begin(login(0));
            ceremonies.take(&id);
        }
        let first = ceremonies.begin(login(1));
        let rest: Vec<String> = (1..MAX).map(|_| ceremonies.begin(login(2))).collect();
        assert_eq!(left(&ceremonies), MAX);
        ceremonies.begin(login(3));
        assert_eq!(left(&ceremonies), MAX);
        assert!(ceremonies.take(&first).is_none());
        assert!(ceremonies.take(&rest[0]).is_some());
    }
}
