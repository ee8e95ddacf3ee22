//! Why a participant does not take a message: one table for the side that says it and the side that
//! hears it.
use crate::http::Response;
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No envelope, or one that cannot be read.
    Malformed,
    UnknownKey,
    BadSignature,
    /// The recipient does not want to hear from the sender.
    Forbidden,
    NotFound,
    DuplicateId,
    TooLarge,
    WrongRecipient,
    /// The recipient's own trouble, for example that the sender's actor doc could not be had.
    Internal,
}

/// Code and status of each.
const TABLE: [(Refusal, &str, u16); 9] = [
    (Refusal::Malformed, "malformed", 400),
    (Refusal::UnknownKey, "unknown-key", 401),
    (Refusal::BadSignature, "bad-signature", 401),
    (Refusal::Forbidden, "forbidden", 403),
    (Refusal::NotFound, "not-found", 404),
    (Refusal::DuplicateId, "duplicate-id", 409),
    (Refusal::TooLarge, "too-large", 413),
    (Refusal::WrongRecipient, "wrong-recipient", 421),
    (Refusal::Internal, "internal", 500),
];

impl Refusal {
    pub fn code(self) -> &'static str {
        self.row().1
    }

    pub fn answer(self) -> Response {
        error(self.row().2, self.code(), "the message was not accepted")
    }

    fn row(self) -> &'static (Refusal, &'static str, u16) {
        TABLE.iter().find(|row| row.0 == self).expect("every refusal is in the table")
    }
}

/// An error answer in the form both APIs share.
pub fn error(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"error": code, "message": message}).to_string();
    Response::new(status)
        .bytes("application/json", body.into_bytes())
        .with("cache-control", "no-store")
}

/// What became of an attempt to deliver.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// Trying again will not help; the recipient's code.
    Refused(String),
    /// Worth another try.
    Later(String),
}

/// How a sender reads an answer: `code` is what the error body says.
pub fn judge(status: u16, code: Option<&str>) -> Verdict {
    let code = || code.filter(|c| !c.is_empty()).map_or(format!("http-{status}"), str::to_owned);
    match status {
        200..=299 => Verdict::Delivered,
        // Ids are ours and random: the recipient has it, and only its first answer was lost.
        409 if code() == Refusal::DuplicateId.code() => Verdict::Delivered,
        408 | 425 | 429 | 500.. => Verdict::Later(code()),
        _ => Verdict::Refused(code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_row() {
        for (refusal, code, status) in TABLE {
            assert_eq!(refusal.code(), code);
            assert_eq!(refusal.answer().status, status);
        }
    }

    #[test]
    fn a_sender_knows_when_to_give_up() {
        let refused = |code: &str| Verdict::Refused(code.into());
        let later = |code: &str| Verdict::Later(code.into());
        assert_eq!(judge(204, None), Verdict::Delivered);
        assert_eq!(judge(409, Some("duplicate-id")), Verdict::Delivered);
        assert_eq!(judge(409, Some("other")), refused("other"));
        assert_eq!(judge(403, Some("forbidden")), refused("forbidden"));
        assert_eq!(judge(410, None), refused("http-410"));
        assert_eq!(judge(301, None), refused("http-301"));
        assert_eq!(judge(429, Some("rate-limited")), later("rate-limited"));
        assert_eq!(judge(500, Some("")), later("http-500"));
        assert_eq!(judge(503, Some("internal")), later("internal"));
    }
}
