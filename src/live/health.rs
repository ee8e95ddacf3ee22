//! How it stands with the user's posta-server, judged by every call and by the stream.
use crate::posta::PostaError;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Ok,
    /// With the time of the last answer, unix milliseconds.
    Unreachable {
        last_contact_ms: Option<u64>,
    },
    /// The token is no longer accepted.
    TokenRefused,
}

impl Health {
    pub fn name(&self) -> &'static str {
        match self {
            Health::Ok => "ok",
            Health::Unreachable { .. } => "unreachable",
            Health::TokenRefused => "refused",
        }
    }
}

#[derive(Debug)]
pub struct Pulse {
    health: Health,
    last_contact_ms: Option<u64>,
}

impl Pulse {
    pub fn new() -> Pulse {
        Pulse { health: Health::Ok, last_contact_ms: None }
    }

    pub fn health(&self) -> &Health {
        &self.health
    }

    pub fn is_ok(&self) -> bool {
        self.health == Health::Ok
    }

    /// Takes the outcome of a call. Gives the new state's name when things turned.
    pub fn hear(&mut self, error: Option<&PostaError>) -> Option<&'static str> {
        let health = match error {
            Some(PostaError::Unreachable(_)) => self.away(),
            Some(PostaError::Refused { status: 500.., .. }) => self.away(),
            Some(PostaError::TokenRefused) => {
                self.last_contact_ms = Some(now_ms());
                Health::TokenRefused
            }
            // Somebody answered, though not as they should: no reason to cry, none to cheer.
            Some(PostaError::NotUnderstood(_) | PostaError::SourceBroke) => return None,
            Some(PostaError::Refused { .. }) | None => {
                self.last_contact_ms = Some(now_ms());
                Health::Ok
            }
        };
        let turned = health.name() != self.health.name();
        self.health = health;
        turned.then(|| self.health.name())
    }

    fn away(&self) -> Health {
        Health::Unreachable { last_contact_ms: self.last_contact_ms }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> PostaError {
        PostaError::Refused { status, code: String::new(), message: String::new() }
    }

    #[test]
    fn only_turns_are_told() {
        let mut pulse = Pulse::new();
        let away = PostaError::Unreachable("gone".into());
        assert_eq!(pulse.hear(None), None);
        assert_eq!(pulse.hear(Some(&away)), Some("unreachable"));
        assert!(matches!(pulse.health(), Health::Unreachable { last_contact_ms: Some(1..) }));
        assert_eq!(pulse.hear(Some(&refused(500))), None);
        assert_eq!(pulse.hear(Some(&PostaError::NotUnderstood("?".into()))), None);
        assert!(!pulse.is_ok());
        assert_eq!(pulse.hear(Some(&refused(404))), Some("ok"));
        assert_eq!(pulse.hear(Some(&PostaError::TokenRefused)), Some("refused"));
        assert_eq!(pulse.hear(None), Some("ok"));
    }

    #[test]
    fn who_was_never_reached_has_no_last_contact() {
        let mut pulse = Pulse::new();
        pulse.hear(Some(&PostaError::Unreachable("gone".into())));
        assert_eq!(*pulse.health(), Health::Unreachable { last_contact_ms: None });
    }
}
