//! Turns for those who never wait.
//!
//! Coroutines are not interrupted, and may looks for news from the kernel only when no coroutine is
//! left to run. A peer that always has more to say and takes all it is told, such as a client that
//! pipelines without end, would keep its worker for itself, and every other connection there would
//! stand still. So a socket that was used a while without once having to wait has to rest, and all
//! rests stand in one queue: those who never wait share half of one core.
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Reads and writes in a row that found the kernel ready. Whoever waits for a peer's next word
/// between two answers, as browsers and proxies do, never comes near it.
const USES: u32 = 32;
/// What a turn counts as, at least and at most: clocks are coarse, and machines stop.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(100);

/// When the next one may have its turn.
static FREE: Mutex<Option<Instant>> = Mutex::new(None);

/// How long one socket has been used without waiting.
#[derive(Debug, Default)]
pub struct Turn {
    uses: u32,
    /// Noted in the middle, so that those who do wait need no clock.
    halfway: Option<Instant>,
}

impl Turn {
    pub fn count(&mut self) {
        self.uses += 1;
        if self.uses == USES / 2 {
            self.halfway = Some(Instant::now());
        }
    }

    pub fn is_over(&self) -> bool {
        self.uses >= USES
    }

    /// Ends a turn; tells when the next one may begin.
    pub fn end(&mut self) -> Instant {
        let now = Instant::now();
        let half = self.halfway.map_or(SHORTEST, |halfway| now.duration_since(halfway));
        *self = Turn::default();
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, then) = after(now, *free, 2 * half);
        *free = Some(then);
        next
    }
}

/// When the turn after one that took `length` begins, and when the place is free for the next one's:
/// each is followed by as long a time for everybody else.
fn after(now: Instant, free: Option<Instant>, length: Duration) -> (Instant, Instant) {
    let length = length.clamp(SHORTEST, LONGEST);
    let next = free.map_or(now, |free| free.max(now)) + length;
    (next, next + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_never_take_more_than_half_of_the_time() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        assert_eq!(after(now, None, ms(5)), (now + ms(5), now + ms(10)));
        assert_eq!(after(now, Some(now + ms(10)), ms(5)), (now + ms(15), now + ms(20)), "queued");
        assert_eq!(after(now + ms(50), Some(now), ms(5)).0, now + ms(55), "the past is past");
        assert_eq!(after(now, None, ms(0)).0, now + SHORTEST);
        assert_eq!(after(now, None, ms(9999)).0, now + LONGEST);
    }

    #[test]
    fn a_turn_is_over_after_so_many_uses() {
        let mut turn = Turn::default();
        for _ in 0..USES {
            assert!(!turn.is_over());
            turn.count();
        }
        assert!(turn.is_over());
        assert!(turn.end() > Instant::now());
        assert!(!turn.is_over());
    }
}
