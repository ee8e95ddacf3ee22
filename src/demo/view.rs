//! What the client API and its events show, in either of two manners.
//!
//! The *known* manner is that of the real posta-server, oddities included: contacts, and events that
//! a call caused, name peers in display form; messages, and events that the inbox or the outbox
//! caused, in canonical form; images come in the short form; nothing counts unread messages; an
//! `inbound` event has its peer inside the message only. The *plain* manner has none of that.
use super::address::Address;
use super::db::contacts::Contact;
use super::db::messages::Message;
use super::payload;
use crate::ops::time::Timestamp;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Known,
    Plain,
}

/// Who caused an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A call of the client API.
    Call,
    /// What came in or went out.
    Daemon,
}

/// RFC 3339 in UTC.
pub fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map(|t| t.to_string()).unwrap_or_default()
}

impl Manner {
    fn peer(self, peer: &Address, cause: Cause) -> &str {
        match (self, cause) {
            (Manner::Known, Cause::Call) => peer.display(),
            _ => peer.canonical(),
        }
    }

    pub fn contact(self, contact: &Contact) -> Value {
        let mut value = json!({
            "url": self.peer(&contact.peer, Cause::Call),
            "name": contact.name,
            "avatar": contact.avatar,
            "kind": contact.kind,
            "lastMessageAt": contact.last_message_at.map(time).unwrap_or_default(),
            "lastReadRowId": contact.last_read,
        });
        if self == Manner::Plain {
            value["unread"] = json!(contact.unread);
        }
        value
    }

    pub fn message(self, message: Message) -> Value {
        let mut value = json!({
            "rowId": message.row_id,
            "id": message.id,
            "peer": self.peer(&message.peer, Cause::Daemon),
            "direction": if message.outbound { "outbound" } else { "inbound" },
            "payload": payload::to_client(message.payload, self == Manner::Known),
            "createdAt": time(message.created_at),
        });
        if message.outbound {
            value["state"] = json!(message.state);
            value["lastErrorCode"] = json!(message.error);
        }
        value
    }

    pub fn inbound(self, message: Message) -> Value {
        let (peer, row_id) = (message.peer.clone(), message.row_id);
        let message = self.message(message);
        match self {
            Manner::Known => json!({"message": message}),
            Manner::Plain => {
                json!({"peer": peer.canonical(), "rowId": row_id, "message": message})
            }
        }
    }

    pub fn outbound_state(self, message: &Message, cause: Cause) -> Value {
        json!({
            "peer": self.peer(&message.peer, cause),
            "rowId": message.row_id,
            "id": message.id,
            "state": message.state,
            "lastErrorCode": message.error,
        })
    }

    /// For `contact-changed` and `contact-removed`.
    pub fn about(self, peer: &Address, cause: Cause) -> Value {
        json!({"url": self.peer(peer, cause)})
    }

    pub fn watermark(self, peer: &Address, row_id: i64) -> Value {
        json!({"url": self.peer(peer, Cause::Call), "lastReadRowId": row_id})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            row_id: 7,
            id: "m7".into(),
            peer: Address::parse("bob.example").unwrap(),
            outbound: false,
            payload: json!({"kind": payload::LINK, "url": "https://b.example/a.png"}),
            state: None,
            error: None,
            created_at: 1_700_000_000_000,
        }
    }

    #[test]
    fn the_known_manner_is_odd_and_the_plain_one_is_not() {
        let known = Manner::Known.inbound(message());
        assert!(known.get("peer").is_none() && known.get("rowId").is_none());
        assert_eq!(known["message"]["peer"], "https://bob.example");
        assert_eq!(known["message"]["payload"]["image"]["url"], "https://b.example/a.png");
        let plain = Manner::Plain.inbound(message());
        assert_eq!((&plain["peer"], &plain["rowId"]), (&json!("https://bob.example"), &json!(7)));
        assert_eq!(plain["message"]["payload"]["kind"], payload::LINK);

        let bob = message().peer;
        let url = |manner: Manner, cause| manner.about(&bob, cause)["url"].clone();
        assert_eq!(url(Manner::Known, Cause::Call), "bob.example");
        assert_eq!(url(Manner::Known, Cause::Daemon), "https://bob.example");
        assert_eq!(url(Manner::Plain, Cause::Call), "https://bob.example");
    }

    #[test]
    fn only_outbound_messages_have_a_state() {
        let known = Manner::Known.message(message());
        assert!(known.get("state").is_none() && known["createdAt"] == "2023-11-14T22:13:20Z");
        let failed = Message {
            outbound: true,
            state: Some("failed-permanent".into()),
            error: Some("forbidden".into()),
            ..message()
        };
        assert_eq!(Manner::Known.message(failed)["lastErrorCode"], "forbidden");
    }
}
