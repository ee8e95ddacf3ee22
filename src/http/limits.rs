//! Every limit of the public server: name, unit, reason. Nothing is allocated for a request beyond
//! them, and tests shorten only the times (`Deadlines`).
use std::time::Duration;

/// Bytes of one request head, its last empty line included. Browsers behind proxies send 2 to 6 KiB.
pub const MAX_HEAD: usize = 16 * 1024;
/// Field lines of one head. Chrome behind Caddy sends a little over twenty.
pub const MAX_FIELDS: usize = 100;
/// Bytes of the request target: search words and peers fit many times over.
pub const MAX_TARGET: usize = 8 * 1024;
/// Bytes a head's buffer starts with: most heads fit, and it is gone while a connection idles.
pub const FIRST_BUFFER: usize = 2 * 1024;
/// Bytes of an answer's body that are copied behind its head, to be written as one piece.
pub const COPIED: usize = 2 * 1024;
/// Bytes of chunk extensions in one body. Nobody sends any; an attacker may send nothing else.
pub const MAX_CHUNK_EXTENSIONS: usize = 4 * 1024;
/// Bytes of trailer lines after the last chunk; they are checked and dropped.
pub const MAX_TRAILERS: usize = 4 * 1024;
/// Bytes of a body the handler did not want that are read and dropped to keep the connection.
pub const MAX_DRAIN: u64 = 64 * 1024;
/// Bytes of a response collected before they are written: small answers are one write.
pub const WRITE_BUFFER: usize = 16 * 1024;
/// Connections served at once, each by a coroutine. May's `spawn` panics near 32,700 coroutines, since each stack takes two of
/// the 65,530 memory maps a Linux process may have; half of that leaves room for all else.
pub const MAX_CONNECTIONS: usize = 12_000;
/// Connections that are open, parked ones too: those cost a few hundred bytes here, and some
/// kilobytes of the kernel's.
pub const MAX_OPEN: usize = 100_000;
/// Descriptors that connections leave to upstreams, files and connections turned away: a quarter, at
/// most one for each event stream there can be and some more.
pub const MAX_SPARE: usize = 8_512;
/// Connections of one address. A household behind one address opens six per browser.
pub const MAX_PER_ADDRESS: usize = 256;
/// Refused connections kept open for a moment, so that their 503 is read before the reset.
pub const MAX_TURNED_AWAY: usize = 64;
/// How long at most.
pub const TURNED_AWAY: Duration = Duration::from_secs(1);
/// Bytes per second a body must come in with, or an answer be read with, to be waited for without
/// end: a slow phone makes ten times that, a hostile peer dribbles less.
pub const MIN_RATE: u64 = 2 * 1024;

/// How long a peer may take. Only time spent waiting for the peer counts, never a handler's own.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// From a request's first byte to the end of its head, however the bytes trickle in.
    pub head: Duration,
    /// The body's `Budget`.
    pub body: Duration,
    /// Between requests, and before the first one. Longer than most proxies keep theirs.
    pub idle: Duration,
    /// How long an idle connection keeps its coroutine and buffers: who loads a page asks again at
    /// once.
    pub rest: Duration,
    /// The answer's `Budget`.
    pub write: Duration,
    /// After our last byte, for the peer to read it and close: a reset would eat the answer.
    pub linger: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines {
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            rest: Duration::from_secs(1),
            write: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}

/// Time a peer may keep us waiting: used up by waiting, earned back by bytes that move, never more
/// than at the start. One that stands still is given up after the base, one that dribbles soon
/// after, and one that is merely slow never.
#[derive(Debug)]
pub struct Budget {
    base: Duration,
    left: Duration,
}

impl Budget {
    pub fn new(base: Duration) -> Self {
        Budget { base, left: base }
    }

    /// How long the next wait may last; zero when the budget is used up.
    pub fn left(&self) -> Duration {
        self.left
    }

    pub fn spend(&mut self, waited: Duration, moved: usize) {
        let earned = Duration::from_millis((moved as u64).saturating_mul(1000) / MIN_RATE);
        self.left = self.left.saturating_sub(waited).saturating_add(earned).min(self.base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_earned_back_by_what_moves() {
        let second = Duration::from_secs(1);
        let mut budget = Budget::new(10 * second);
        budget.spend(9 * second, 0);
        assert_eq!(budget.left(), second);
        budget.spend(second, MIN_RATE as usize * 3);
        assert_eq!(budget.left(), 3 * second);
        budget.spend(Duration::ZERO, 100_000_000);
        assert_eq!(budget.left(), 10 * second, "a burst earns no more than the base");
        for _ in 0..11 {
            budget.spend(second, 1);
        }
        assert_eq!(budget.left(), Duration::ZERO, "dribbling is not moving");
        for _ in 0..1000 {
            budget.spend(second, MIN_RATE as usize);
        }
    }
}
