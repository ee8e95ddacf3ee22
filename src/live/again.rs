//! Looking again, by itself: when a posta-server's answer made no sense or was a refusal that may
//! pass, and when it has no events. Nobody has to reload a page for that.
use super::account::Account;
use super::backoff::Backoff;
use crate::posta::PostaError;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why the list of conversations is not as it should be although somebody answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    NotUnderstood,
    /// In the posta-server's words, or at least its status.
    Refused(String),
}

impl Trouble {
    /// `None` for what the health says already: away, or the token refused.
    pub(super) fn of(error: &PostaError) -> Option<Trouble> {
        match error {
            PostaError::NotUnderstood(_) => Some(Trouble::NotUnderstood),
            PostaError::Refused { status, .. } if *status < 500 => {
                Some(Trouble::Refused(error.words()))
            }
            _ => None,
        }
    }
}

/// When to look again.
#[derive(Debug)]
pub struct Again {
    due: Option<Instant>,
    backoff: Backoff,
}

impl Again {
    pub fn new((first, longest): (Duration, Duration)) -> Again {
        Again { due: None, backoff: Backoff::new(first, longest) }
    }

    /// What was read was no good.
    pub fn failed(&mut self, now: Instant) {
        if self.due.is_none() {
            self.due = Some(now + self.backoff.next());
        }
    }

    /// Something was read well, and nothing since was not.
    pub fn went_well(&mut self) {
        if self.due.is_none() {
            self.backoff.reset();
        }
    }

    /// How long it is until then; for ever when nothing is due.
    pub fn due_in(&self, now: Instant) -> Duration {
        self.due.map_or(Duration::MAX, |due| due.saturating_duration_since(now))
    }

    /// Whether the time has come; says so once.
    pub fn is_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }
}

impl Account {
    /// Reads anew what tabs show, and tells them when it is another than before.
    pub(super) fn look_again(self: &Arc<Self>) {
        {
            let mut state = self.state();
            state.gap();
            state.want_contacts();
            state.hasty = true;
            for peer in self.hub.shown() {
                state.want_newest(&peer);
                state.overdue.insert(peer);
            }
        }
        self.start_workers();
    }

    /// The same, if it is time.
    pub(super) fn look_again_if_due(self: &Arc<Self>) {
        let due = self.state().again.is_due(Instant::now());
        if due && self.hub.count() > 0 {
            self.look_again();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_looked_at_again_once_and_ever_later() {
        let (mut again, now) =
            (Again::new((Duration::from_secs(1), Duration::from_secs(60))), Instant::now());
        assert!(!again.is_due(now + Duration::from_secs(100)));
        again.failed(now);
        again.failed(now + Duration::from_secs(50));
        assert!(!again.is_due(now));
        assert!(again.is_due(now + Duration::from_secs(2)));
        assert!(!again.is_due(now + Duration::from_secs(100)), "once");
        again.failed(now);
        assert!(!again.is_due(now + Duration::from_millis(1_900)), "twice as long");
        assert!(again.is_due(now + Duration::from_secs(3)));
        again.went_well();
        again.failed(now);
        assert!(again.is_due(now + Duration::from_millis(1_600)), "from the start");
    }

    #[test]
    fn only_answers_are_trouble() {
        let refused = |status, message: &str| PostaError::Refused {
            status,
            code: "slow-down".into(),
            message: message.into(),
        };
        for (error, trouble) in [
            (PostaError::Unreachable("gone".into()), None),
            (PostaError::TokenRefused, None),
            (refused(500, "x"), None),
            (PostaError::NotUnderstood("x".into()), Some(Trouble::NotUnderstood)),
            (refused(429, "later"), Some(Trouble::Refused("later".into()))),
            (refused(429, ""), Some(Trouble::Refused("slow-down".into()))),
        ] {
            assert_eq!(Trouble::of(&error), trouble, "{error}");
        }
    }
}
