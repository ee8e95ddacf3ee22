//! How often one address may try what could be guessed or would be costly: a token bucket for each
//! (kind, address), in bounded memory.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    SignIn,
    SignUp,
    Invite,
}

impl Kind {
    /// How many at once, and how many a minute after that. Many people can share one address.
    fn rate(self) -> (f64, f64) {
        match self {
            Kind::SignIn => (60.0, 30.0),
            Kind::SignUp => (20.0, 10.0),
            Kind::Invite => (40.0, 20.0),
        }
    }
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter(u64);

impl RetryAfter {
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// Buckets kept; a full bucket is the same as none, so those go first.
const MAX: usize = 20_000;

#[derive(Default)]
pub struct Limits(Mutex<HashMap<(Kind, IpAddr), Bucket>>);

struct Bucket {
    tokens: f64,
    at_ms: u64,
}

impl Limits {
    pub fn new() -> Self {
        Limits::default()
    }

    /// Counts one try.
    pub fn check(&self, kind: Kind, address: IpAddr, now_ms: u64) -> Result<(), RetryAfter> {
        let (burst, per_minute) = kind.rate();
        let per_ms = per_minute / 60_000.0;
        let mut buckets = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if buckets.len() >= MAX {
            buckets.retain(|(kind, _), bucket| {
                let (burst, per_minute) = kind.rate();
                bucket.filled(now_ms, burst, per_minute / 60_000.0) < burst
            });
            if buckets.len() >= MAX {
                buckets.clear();
            }
        }
        let key = (kind, network(address));
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: burst, at_ms: now_ms });
        bucket.tokens = bucket.filled(now_ms, burst, per_ms);
        bucket.at_ms = now_ms;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            let wait_ms = (1.0 - bucket.tokens) / per_ms;
            Err(RetryAfter((wait_ms / 1000.0).ceil() as u64))
        }
    }
}

impl Bucket {
    fn filled(&self, now_ms: u64, burst: f64, per_ms: f64) -> f64 {
        let since = now_ms.saturating_sub(self.at_ms) as f64;
        (self.tokens + since * per_ms).min(burst)
    }
}

/// One subscriber has a whole /64 (RFC 6177 §2): its addresses count as one.
fn network(address: IpAddr) -> IpAddr {
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

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limits = Limits::new();
        for _ in 0..20 {
            assert!(limits.check(Kind::SignUp, ip("192.0.2.1"), 0).is_ok());
        }
        let wait = limits.check(Kind::SignUp, ip("192.0.2.1"), 0).unwrap_err();
        assert_eq!(wait.seconds(), 6);
        assert!(limits.check(Kind::SignUp, ip("192.0.2.2"), 0).is_ok(), "another address");
        assert!(limits.check(Kind::SignIn, ip("192.0.2.1"), 0).is_ok(), "another kind");
        assert!(limits.check(Kind::SignUp, ip("192.0.2.1"), 5_900).is_err());
        assert!(limits.check(Kind::SignUp, ip("192.0.2.1"), 6_000).is_ok());
        assert!(limits.check(Kind::SignUp, ip("192.0.2.1"), 6_000).is_err());
    }

    #[test]
    fn a_subscriber_s_ipv6_addresses_are_one() {
        let limits = Limits::new();
        for host in 0..20 {
            assert!(limits.check(Kind::SignUp, ip(&format!("2001:db8::{host:x}")), 0).is_ok());
        }
        assert!(limits.check(Kind::SignUp, ip("2001:db8::ffff"), 0).is_err());
        assert!(limits.check(Kind::SignUp, ip("2001:db8:0:1::1"), 0).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::new();
        for n in 0..(MAX as u32 * 2) {
            let _ = limits.check(Kind::Invite, IpAddr::V4(n.into()), 0);
        }
        assert!(limits.0.lock().unwrap().len() <= MAX);
    }
}
