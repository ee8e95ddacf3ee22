//! How long to wait before the upstream stream is tried again.
use crate::ops::random;
use std::time::Duration;

/// Doubles from the first delay to the longest, each one spread over its upper third downwards, so
/// that the users of one posta-server that went away do not return in step.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest, failures: 0 }
    }

    /// The next delay: `[d, 1.5 d)` with d doubling, and `[2/3 longest, longest)` in the end.
    pub fn next(&mut self) -> Duration {
        // Past 2^20 any first delay has long met the cap.
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let least = doubled.min(self.longest * 2 / 3);
        let share = f64::from(u32::from_le_bytes(random::bytes())) / (f64::from(u32::MAX) + 1.0);
        least + (least / 2).mul_f64(share)
    }

    /// After a healthy time.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_with_jitter_up_to_the_longest() {
        let (first, longest) = (Duration::from_millis(250), Duration::from_secs(30));
        let mut backoff = Backoff::new(first, longest);
        let mut least = first;
        for _ in 0..40 {
            let delay = backoff.next();
            assert!(delay >= least && delay <= least * 3 / 2, "{delay:?} from {least:?}");
            assert!(delay <= longest);
            least = (least * 2).min(longest * 2 / 3);
        }
        backoff.reset();
        assert!(backoff.next() <= first * 3 / 2);
    }

    #[test]
    fn delays_differ() {
        let delays: std::collections::HashSet<_> = (0..20)
            .map(|_| Backoff::new(Duration::from_millis(250), Duration::from_secs(30)).next())
            .collect();
        assert!(delays.len() > 10);
    }
}
