//! How often one address, or one user, may try what could be guessed, or what costs us or others something.
//!
//! A token bucket in one number (GCRA): the time at which the bucket would be full again. A bucket
//! whose time has passed is the same as none, so it need not be kept.
use crate::store::UserId;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Each makes a challenge, and may make us verify a signature.
    SignIn,
    /// Each calls a server of the visitor's choice.
    SignUp,
    /// Each asks the database for a code.
    Invite,
    /// Each calls a server of the person's choice.
    Preview,
    /// Each makes their posta-server call others, now and again later.
    Send,
    /// Each carries up to 10 MiB through us, and stays on their posta-server.
    Upload,
    /// Each calls a server of a sender's choice, and carries up to 10 MiB.
    Media,
}

struct Rate {
    burst: u64,
    /// Milliseconds until one more is allowed.
    every_ms: u64,
}

/// Of one address: a whole household or office can share it. Of one user, wherever they are: more
/// than anybody does by hand.
struct Rates {
    address: Rate,
    user: Rate,
}

const fn rate(burst: u64, every_ms: u64) -> Rate {
    Rate { burst, every_ms }
}

impl Kind {
    fn rates(self) -> Rates {
        let (address, user) = match self {
            Kind::SignIn => (rate(60, 2_000), rate(30, 4_000)),
            Kind::SignUp => (rate(20, 6_000), rate(10, 12_000)),
            Kind::Invite => (rate(40, 3_000), rate(40, 3_000)),
            Kind::Preview => (rate(120, 500), rate(30, 2_000)),
            // What waited while one was offline goes out in one burst.
            Kind::Send => (rate(600, 100), rate(120, 500)),
            Kind::Upload => (rate(160, 1_500), rate(40, 6_000)),
            // A list of 300 people has 300 pictures, and a thread as many again.
            Kind::Media => (rate(4_000, 25), rate(1_000, 100)),
        };
        Rates { address, user }
    }
}

/// Whom a bucket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    User(UserId),
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    seconds: u64,
}

impl RetryAfter {
    /// For the `Retry-After` field (RFC 9110 §10.2.3); at least 1.
    pub fn seconds(self) -> u64 {
        self.seconds
    }
}

/// Buckets kept, about 2 MB. Whoever has so many addresses is not stopped by limits per address.
const MAX: usize = 20_000;

#[derive(Default)]
pub struct Limits {
    /// When each bucket will be full again, in Unix milliseconds.
    full_at: Mutex<HashMap<(Kind, Who), u64>>,
}

impl Limits {
    pub fn new() -> Self {
        Limits::default()
    }

    /// Counts one try of somebody whom only their address tells, or says when there may be one. A
    /// refused try is not counted.
    pub fn check(&self, kind: Kind, address: IpAddr, now_ms: u64) -> Result<(), RetryAfter> {
        self.count(kind, &[(Who::Address(household(address)), kind.rates().address)], now_ms)
    }

    /// The same of a user: for them, wherever they are, and for where they are, whoever is there.
    pub fn check_user(
        &self,
        kind: Kind,
        user: UserId,
        address: IpAddr,
        now_ms: u64,
    ) -> Result<(), RetryAfter> {
        let Rates { address: of_address, user: of_user } = kind.rates();
        let both = [(Who::User(user), of_user), (Who::Address(household(address)), of_address)];
        self.count(kind, &both, now_ms)
    }

    /// The same of a user whose address has been counted already.
    pub fn check_anywhere(&self, kind: Kind, user: UserId, now_ms: u64) -> Result<(), RetryAfter> {
        self.count(kind, &[(Who::User(user), kind.rates().user)], now_ms)
    }

    /// Counts in all buckets or in none.
    fn count(&self, kind: Kind, of: &[(Who, Rate)], now_ms: u64) -> Result<(), RetryAfter> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counted = Vec::with_capacity(of.len());
        let mut wait_ms = 0;
        for (who, Rate { burst, every_ms }) in of {
            // A clock that was set back must not lock anybody out for longer than an empty bucket.
            let longest = now_ms.saturating_add(burst * every_ms);
            let known = full_at.get(&(kind, *who)).copied().unwrap_or(now_ms);
            let full = known.clamp(now_ms, longest).saturating_add(*every_ms);
            wait_ms = wait_ms.max(full.saturating_sub(longest));
            counted.push(((kind, *who), full));
        }
        if wait_ms > 0 {
            return Err(RetryAfter { seconds: wait_ms.div_ceil(1_000) });
        }
        for (key, full) in counted {
            if full_at.len() >= MAX && !full_at.contains_key(&key) {
                make_room(&mut full_at, now_ms);
            }
            full_at.insert(key, full);
        }
        Ok(())
    }
}

/// Forgets full buckets; where that is not enough, the fuller half: those who are being held back
/// stay so.
fn make_room(full_at: &mut HashMap<(Kind, Who), u64>, now_ms: u64) {
    full_at.retain(|_, full| *full > now_ms);
    if full_at.len() < MAX {
        return;
    }
    let mut times: Vec<u64> = full_at.values().copied().collect();
    let (_, median, emptier) = times.select_nth_unstable(MAX / 2);
    let median = *median;
    // Many may stand exactly at the median: some of them stay.
    let mut places = MAX / 2 - emptier.iter().filter(|full| **full > median).count();
    full_at.retain(|_, full| {
        let stays = *full > median || (*full == median && places > 0);
        places -= usize::from(stays && *full == median);
        stays
    });
}

/// One subscriber has a whole /64 (RFC 6177 §2): its addresses count as one.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn empty(limits: &Limits, kind: Kind, address: &str, now_ms: u64) -> u64 {
        (0..1_000).take_while(|_| limits.check(kind, ip(address), now_ms).is_ok()).count() as u64
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limits = Limits::new();
        let now = 1_000_000;
        assert_eq!(empty(&limits, Kind::SignUp, "192.0.2.1", now), 20);
        let check = |now_ms| limits.check(Kind::SignUp, ip("192.0.2.1"), now_ms);
        assert_eq!(check(now), Err(RetryAfter { seconds: 6 }));
        assert_eq!(check(now + 5_001), Err(RetryAfter { seconds: 1 }));
        assert_eq!(check(now + 5_999), Err(RetryAfter { seconds: 1 }));
        assert_eq!(check(now + 6_000), Ok(()), "refused tries were not counted");
        assert!(check(now + 6_000).is_err());
        assert_eq!(empty(&limits, Kind::SignUp, "192.0.2.1", now + 3_600_000), 20, "full again");
    }

    #[test]
    fn addresses_and_kinds_have_buckets_of_their_own() {
        let limits = Limits::new();
        empty(&limits, Kind::SignUp, "192.0.2.1", 0);
        assert_eq!(empty(&limits, Kind::SignUp, "192.0.2.2", 0), 20);
        assert_eq!(empty(&limits, Kind::SignIn, "192.0.2.1", 0), 60);
        assert_eq!(empty(&limits, Kind::SignUp, "::ffff:192.0.2.1", 0), 0, "the same address");
    }

    const KINDS: [Kind; 7] = [
        Kind::SignIn,
        Kind::SignUp,
        Kind::Invite,
        Kind::Preview,
        Kind::Send,
        Kind::Upload,
        Kind::Media,
    ];

    fn tries(limits: &Limits, kind: Kind, user: i64, address: &str) -> u64 {
        let check = |_: &u64| limits.check_user(kind, UserId(user), ip(address), 0).is_ok();
        (0..10_000).take_while(check).count() as u64
    }

    #[test]
    fn a_user_has_one_bucket_wherever_they_are() {
        for kind in KINDS {
            let (limits, burst) = (Limits::new(), kind.rates().user.burst);
            assert_eq!(tries(&limits, kind, 1, "192.0.2.1"), burst, "{kind:?}");
            assert_eq!(tries(&limits, kind, 1, "192.0.2.2"), 0, "{kind:?}");
            assert_eq!(tries(&limits, kind, 2, "192.0.2.3"), burst, "{kind:?}");
        }
    }

    #[test]
    fn an_address_has_one_bucket_whoever_is_there() {
        for kind in KINDS {
            let (limits, Rates { address, user }) = (Limits::new(), kind.rates());
            assert!(address.burst >= user.burst, "one person alone meets their own limit first");
            let users = (1..).map(|user| tries(&limits, kind, user, "192.0.2.1"));
            let passed: u64 = users.take_while(|passed| *passed > 0).sum();
            assert_eq!(passed, address.burst, "{kind:?}");
            // Whom the address holds back has lost nothing of their own.
            assert_eq!(tries(&limits, kind, 9_999, "192.0.2.1"), 0);
            assert_eq!(tries(&limits, kind, 9_999, "192.0.2.2"), user.burst, "{kind:?}");
        }
    }

    #[test]
    fn a_subscriber_s_ipv6_addresses_are_one() {
        let limits = Limits::new();
        empty(&limits, Kind::Invite, "2001:db8::1", 0);
        assert_eq!(empty(&limits, Kind::Invite, "2001:db8::ffff:1", 0), 0);
        assert_eq!(empty(&limits, Kind::Invite, "2001:db8:0:1::1", 0), 40);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = Limits::new();
        empty(&limits, Kind::SignIn, "192.0.2.1", 1_000_000_000);
        let wait = limits.check(Kind::SignIn, ip("192.0.2.1"), 1_000).unwrap_err();
        assert_eq!(wait.seconds(), 2);
    }

    #[test]
    fn memory_is_bounded_and_the_held_back_stay_held_back() {
        let limits = Limits::new();
        empty(&limits, Kind::SignUp, "192.0.2.1", 0);
        for n in 0..(MAX as u32 * 2) {
            let _ = limits.check(Kind::Invite, IpAddr::V4((0x0a00_0000 + n).into()), 0);
        }
        assert!(limits.full_at.lock().unwrap().len() <= MAX);
        assert!(limits.check(Kind::SignUp, ip("192.0.2.1"), 0).is_err());
        // An hour later all of these buckets are full, and go.
        for n in 0..(MAX as u32) {
            let _ = limits.check(Kind::Invite, IpAddr::V4((0x0b00_0000 + n).into()), 3_600_000);
        }
        assert!(limits.full_at.lock().unwrap().len() <= MAX);
    }
}
