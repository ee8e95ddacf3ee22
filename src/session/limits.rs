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
}

/// A whole household or office can share one address, so a burst is generous.
struct Rate {
    burst: u64,
    /// Milliseconds until one more is allowed.
    every_ms: u64,
}

impl Kind {
    fn rate(self) -> Rate {
        match self {
            Kind::SignIn => Rate { burst: 60, every_ms: 2_000 },
            Kind::SignUp => Rate { burst: 20, every_ms: 6_000 },
            Kind::Invite => Rate { burst: 40, every_ms: 3_000 },
            Kind::Preview => Rate { burst: 30, every_ms: 2_000 },
        }
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

    /// Counts one try, or says when there may be one. A refused try is not counted.
    pub fn check(&self, kind: Kind, address: IpAddr, now_ms: u64) -> Result<(), RetryAfter> {
        self.count(kind, Who::Address(household(address)), now_ms)
    }

    /// The same where one has to be signed in: for each user, wherever they are.
    pub fn check_user(&self, kind: Kind, user: UserId, now_ms: u64) -> Result<(), RetryAfter> {
        self.count(kind, Who::User(user), now_ms)
    }

    fn count(&self, kind: Kind, who: Who, now_ms: u64) -> Result<(), RetryAfter> {
        let Rate { burst, every_ms } = kind.rate();
        let key = (kind, who);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not lock anybody out for longer than an empty bucket.
        let longest = now_ms.saturating_add(burst * every_ms);
        let known = full_at.get(&key).copied();
        let full = known.unwrap_or(now_ms).clamp(now_ms, longest).saturating_add(every_ms);
        if full > longest {
            return Err(RetryAfter { seconds: (full - longest).div_ceil(1_000) });
        }
        if known.is_none() && full_at.len() >= MAX {
            make_room(&mut full_at, now_ms);
        }
        full_at.insert(key, full);
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

    #[test]
    fn a_user_has_one_bucket_wherever_they_are() {
        let limits = Limits::new();
        let tries = |user| {
            let check = |_: &u32| limits.check_user(Kind::Preview, UserId(user), 0).is_ok();
            (0..100).take_while(check).count()
        };
        assert_eq!((tries(1), tries(1), tries(2)), (30, 0, 30));
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
