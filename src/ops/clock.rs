//! The time of day, injected wherever something expires, so that tests need not wait.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Cheap to clone; the clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Unix milliseconds of a clock that only moves when told; `None` is the host's clock.
    manual: Option<Arc<AtomicU64>>,
}

impl Clock {
    pub fn system() -> Clock {
        Clock { manual: None }
    }

    /// Stands at `unix_ms` until it is advanced.
    #[cfg(test)]
    pub fn manual(unix_ms: u64) -> Clock {
        Clock { manual: Some(Arc::new(AtomicU64::new(unix_ms))) }
    }

    /// Unix time in milliseconds.
    pub fn now_ms(&self) -> u64 {
        match &self.manual {
            Some(now) => now.load(Ordering::Relaxed),
            // A host that believes it is before 1970 gets 1970.
            None => millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        }
    }

    /// Moves a manual clock on; the host's clock goes by itself.
    #[cfg(test)]
    pub fn advance(&self, by: Duration) {
        if let Some(now) = &self.manual {
            now.fetch_add(millis(by), Ordering::Relaxed);
        }
    }
}

/// A duration as the milliseconds that clocks and databases count in.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(5);
        let clone = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(clone.now_ms(), 2_005);
    }

    #[test]
    fn the_system_s_clock_is_in_this_age() {
        let clock = Clock::system();
        assert!(clock.now_ms() > 1_700_000_000_000);
        let before = clock.now_ms();
        clock.advance(Duration::from_secs(3_600));
        assert!(clock.now_ms() < before + 3_600_000, "nobody moves the host's clock");
    }

    #[test]
    fn a_duration_for_ever_does_not_wrap() {
        assert_eq!(millis(Duration::MAX), u64::MAX);
    }
}
