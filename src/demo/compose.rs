//! Puts messages of ours into the outbox.
use super::Participant;
use super::address::Address;
use super::db::messages::{self, Message, New, PENDING};
use super::db::{DbError, contacts};
use super::envelope::MAX_ENVELOPE;
use super::view::{Cause, time};
use crate::ops::random;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Where a message stands after it was taken.
#[derive(Debug, PartialEq)]
pub struct Queued {
    pub row_id: i64,
    pub id: String,
    pub state: String,
}

#[derive(Debug)]
pub enum NotQueued {
    /// Its envelope would be larger than the wire allows.
    TooLarge,
    /// The idempotency key was used for another request.
    KeyReused,
    Db(DbError),
}

/// A UUID v4 (RFC 9562 §5.4).
pub fn uuid() -> String {
    let mut bytes = random::bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

impl Participant {
    /// Queues a message. With a key, the same request again gives the same answer and queues nothing.
    pub fn queue(
        self: &Arc<Self>,
        peer: &Address,
        payload: Value,
        key: Option<&str>,
        cause: Cause,
    ) -> Result<Queued, NotQueued> {
        let request: [u8; 32] = Sha256::digest(format!("{peer}\n{payload}")).into();
        let (id, now) = (uuid(), self.now());
        let sealed = self.seal(&id, peer, time(now), payload.clone());
        if sealed.bytes.len() > MAX_ENVELOPE {
            return Err(NotQueued::TooLarge);
        }
        let new = New {
            id,
            peer: peer.clone(),
            outbound: true,
            payload,
            state: Some(PENDING),
            error: None,
            created_at: now,
            next_at: Some(now),
            attempts: 0,
            sealed: Some(sealed),
        };
        let key = key.map(str::to_owned);
        let outcome = self.db.run(move |t| {
            if let Some(key) = &key {
                match messages::repeated(t, key, &request)? {
                    Some(Ok(row_id)) => return Ok(Outcome::Known(messages::find(t, row_id)?)),
                    Some(Err(())) => return Ok(Outcome::KeyReused),
                    None => {}
                }
            }
            let new_contact = contacts::add(t, &new.peer, now)?;
            let row_id = messages::insert(t, &new)?;
            if let Some(key) = &key {
                messages::remember(t, key, &request, row_id)?;
            }
            Ok(Outcome::New { message: new.stored(row_id), new_contact })
        });
        match outcome.map_err(NotQueued::Db)? {
            Outcome::KeyReused => Err(NotQueued::KeyReused),
            // What was asked is answered as it was then: a client that asks again knows no more.
            Outcome::Known(Some(message)) => {
                Ok(Queued { row_id: message.row_id, id: message.id, state: PENDING.to_owned() })
            }
            Outcome::Known(None) => Err(NotQueued::Db(DbError::Gone)),
            Outcome::New { message, new_contact } => {
                // From what was stored: by now it may already be on its way.
                self.announce_state(&message, cause);
                if new_contact {
                    self.contact_changed(peer, cause);
                    self.describe_later(peer, cause);
                }
                self.delivery.wake();
                let Message { row_id, id, .. } = message;
                Ok(Queued { row_id, id, state: PENDING.to_owned() })
            }
        }
    }
}

enum Outcome {
    New { message: Message, new_contact: bool },
    Known(Option<Message>),
    KeyReused,
}

#[cfg(test)]
mod tests {
    #[test]
    fn uuids_are_version_4() {
        let uuid = super::uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
        assert_ne!(uuid, super::uuid());
    }
}
