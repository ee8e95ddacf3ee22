//! Ceremonies in progress: each challenge is used once, within five minutes, for what it was made
//! for (WebAuthn Level 3 §13.4.3).
use crate::ops::clock::Clock;
use crate::ops::{encode, random};
use crate::posta::{Identity, Pairing};
use crate::webauthn::Credential;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

/// Long enough for a person who looks for their phone.
const LIFETIME_MS: u64 = 5 * 60 * 1000;
/// A ceremony is a kilobyte or so: this bounds what a flood of them can take.
const MAX: usize = 10_000;

pub enum Ceremony {
    Register(Registering),
    Prove(Proving),
    Login { challenge: [u8; 32] },
}

/// The pairing is good; the passkey is to be made.
pub struct Registering {
    /// The invite's code.
    pub invite: String,
    pub pairing: Pairing,
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
    by_id: HashMap<String, (u64, Ceremony)>,
    /// Ids in the order they were begun, with their end; some may be taken already.
    order: VecDeque<(u64, String)>,
}

impl Ceremonies {
    pub fn new(clock: Clock) -> Self {
        Ceremonies { clock, table: Mutex::default() }
    }

    /// Keeps a ceremony; gives the id by which its answer finds it. When there are too many the
    /// oldest go.
    pub fn begin(&self, ceremony: Ceremony) -> String {
        let id = encode::b64url(&random::bytes::<32>());
        let now = self.clock.now_ms();
        let end = now + LIFETIME_MS;
        let mut table = self.table.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while table.order.front().is_some_and(|(end, _)| *end <= now) || table.order.len() >= MAX {
            if let Some((_, old)) = table.order.pop_front() {
                table.by_id.remove(&old);
            }
        }
        table.order.push_back((end, id.clone()));
        table.by_id.insert(id.clone(), (end, ceremony));
        id
    }

    /// Takes a ceremony out, so that its challenge can be answered once.
    pub fn take(&self, id: &str) -> Option<Ceremony> {
        let mut table = self.table.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (end, ceremony) = table.by_id.remove(id)?;
        (end > self.clock.now_ms()).then_some(ceremony)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn login(byte: u8) -> Ceremony {
        Ceremony::Login { challenge: [byte; 32] }
    }

    #[test]
    fn a_challenge_is_used_once() {
        let ceremonies = Ceremonies::new(Clock::manual(0));
        let (a, b) = (ceremonies.begin(login(1)), ceremonies.begin(login(2)));
        assert!(matches!(ceremonies.take(&a), Some(Ceremony::Login { challenge: [1, ..] })));
        assert!(ceremonies.take(&a).is_none());
        assert!(matches!(ceremonies.take(&b), Some(Ceremony::Login { challenge: [2, ..] })));
        assert!(ceremonies.take("").is_none());
    }

    #[test]
    fn a_challenge_expires_after_five_minutes() {
        let clock = Clock::manual(0);
        let ceremonies = Ceremonies::new(clock.clone());
        let (a, b) = (ceremonies.begin(login(1)), ceremonies.begin(login(2)));
        clock.advance(Duration::from_secs(299));
        assert!(ceremonies.take(&a).is_some());
        clock.advance(Duration::from_secs(1));
        assert!(ceremonies.take(&b).is_none());
    }

    #[test]
    fn a_flood_drops_the_oldest_and_is_bounded() {
        let ceremonies = Ceremonies::new(Clock::manual(0));
        let first = ceremonies.begin(login(1));
        let rest: Vec<String> = (0..MAX).map(|_| ceremonies.begin(login(2))).collect();
        assert!(ceremonies.take(&first).is_none());
        assert!(ceremonies.take(&rest[0]).is_some());
        assert!(ceremonies.table.lock().unwrap().order.len() <= MAX);
    }
}
