//! How fast something may go on for one user: so much at once, and so much each second after that.
//! What a posta-server sets off costs us as much as it likes to send, and must not cost others.
use super::wake::Done;
use std::time::{Duration, Instant};

/// How long a rest is: long enough for some more, so that rests are few.
const REST: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Pace {
    most: f64,
    each_second: f64,
    left: f64,
    since: Instant,
}

impl Pace {
    pub fn new(most: u32, each_second: u32, now: Instant) -> Pace {
        let most = f64::from(most);
        Pace { most, each_second: f64::from(each_second), left: most, since: now }
    }

    /// Counts one more; whether it came faster than it may.
    pub fn is_too_fast(&mut self, now: Instant) -> bool {
        let earned = (now - self.since).as_secs_f64() * self.each_second;
        // A debt would have to be paid off by rests that have been taken already.
        self.left = (self.left + earned).clamp(0.0, self.most) - 1.0;
        self.since = now;
        self.left < 0.0
    }
}

/// Waits a little.
pub fn rest() {
    Done::default().wait_until(Instant::now() + REST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_only_what_is_earned() {
        let now = Instant::now();
        let mut pace = Pace::new(10, 20, now);
        let passed = |pace: &mut Pace, at| (0..100).take_while(|_| !pace.is_too_fast(at)).count();
        assert_eq!(passed(&mut pace, now), 10);
        let soon = now + REST + REST / 100;
        assert_eq!(passed(&mut pace, soon), 1, "two, of which one went by too fast before");
        assert_eq!(passed(&mut pace, soon), 0);
        assert_eq!(passed(&mut pace, now + Duration::from_secs(3600)), 10, "no more than that");
    }
}
