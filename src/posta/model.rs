//! What a posta-server says, as we read it. Every reading that POSTA leaves open is decided here and
//! in [`super::content`].
//!
//! Any field may be missing or mistyped; then it is empty, and only an entry that cannot be
//! addressed at all (a contact without a URL, a message without a row id) is left out.
use super::PeerUrl;
use super::content::Content;
use super::json::{self, Value};
use jiff::Timestamp;
use std::collections::HashSet;

/// Contacts taken from one answer.
pub const MAX_CONTACTS: usize = 5_000;
/// Messages taken from one answer, and the largest page asked for.
pub const MAX_MESSAGES: usize = 200;
/// Longest name and kind kept, in characters; POSTA bounds a kind to 64.
const MAX_NAME: usize = 200;
const MAX_KIND: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub url: PeerUrl,
    /// May be empty.
    pub name: String,
    pub avatar: Option<String>,
}

impl Identity {
    pub fn read(value: &Value) -> Option<Identity> {
        let value = json::field(value, &["identity"]).filter(|v| v.is_object()).unwrap_or(value);
        Some(Identity {
            url: json::peer(value, &["url"])?,
            name: short_text(value, &["name"], MAX_NAME),
            avatar: avatar(value),
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub peer: PeerUrl,
    /// May be empty: then the host is shown.
    pub name: String,
    pub avatar: Option<String>,
    /// `person`, `room`, `agent` or anything else; empty when not said.
    pub kind: String,
    pub last_message_at: Option<Timestamp>,
    pub last_read_row: i64,
    /// Only when the posta-server counts them itself.
    pub unread: Option<u64>,
}

impl Contact {
    pub fn read(value: &Value) -> Option<Contact> {
        Some(Contact {
            peer: json::peer(value, &["url", "peer"])?,
            name: short_text(value, &["name"], MAX_NAME),
            avatar: avatar(value),
            kind: short_text(value, &["kind"], MAX_KIND),
            last_message_at: json::time(value, &["lastMessageAt"]),
            last_read_row: json::integer(value, &["lastReadRowId"]).unwrap_or(0).max(0),
            unread: json::integer(value, &["unread", "unreadCount"])
                .and_then(|n| u64::try_from(n).ok()),
        })
    }

    /// The contacts of an answer, one per peer (the list may name one in both URL forms).
    pub fn read_list(value: &Value) -> Option<Vec<Contact>> {
        let mut seen = HashSet::new();
        let contacts = json::list(value, "contacts")?.iter().filter_map(Contact::read);
        Some(contacts.filter(|c| seen.insert(c.peer.clone())).take(MAX_CONTACTS).collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Delivery state of an outbound message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Sending,
    Delivered,
    FailedPermanent,
    FailedPendingUser,
}

impl State {
    pub fn read(value: &Value) -> Option<State> {
        Some(match json::field(value, &["state"])?.as_str()? {
            "pending" => State::Pending,
            "sending" => State::Sending,
            "delivered" => State::Delivered,
            "failed-permanent" => State::FailedPermanent,
            "failed-pending-user" => State::FailedPendingUser,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub row_id: i64,
    pub id: String,
    pub peer: PeerUrl,
    pub direction: Direction,
    pub content: Content,
    /// `None` for inbound, or when unknown.
    pub state: Option<State>,
    pub last_error_code: Option<String>,
    pub created_at: Option<Timestamp>,
}

impl Message {
    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Message>() + self.id.len() + self.peer.canonical().len() + self.content.bytes()
    }

    /// Whether a room gives back what `me` said in it: the thread has that as one's own already.
    pub fn is_echo(&self, me: Option<&PeerUrl>) -> bool {
        let (mut author, mut content) = (None, &self.content);
        while let Content::Broadcast { author: next, content: inner } = content {
            (author, content) = (Some(next), inner);
        }
        self.direction == Direction::Inbound && author.is_some() && author == me
    }

    /// `peer` is the thread the message was asked for, for when it does not say its own.
    pub fn read(value: &Value, peer: Option<&PeerUrl>) -> Option<Message> {
        let state = State::read(value);
        let direction = match json::field(value, &["direction"]).and_then(Value::as_str) {
            Some("outbound") => Direction::Outbound,
            Some("inbound") => Direction::Inbound,
            // Only what we send has a delivery state.
            _ if state.is_some() => Direction::Outbound,
            _ => Direction::Inbound,
        };
        Some(Message {
            row_id: json::integer(value, &["rowId"])?,
            id: short_text(value, &["id"], MAX_NAME),
            peer: peer.cloned().or_else(|| json::peer(value, &["peer", "url"]))?,
            direction,
            content: Content::read(json::field(value, &["payload"]).unwrap_or(value)),
            state: state.filter(|_| direction == Direction::Outbound),
            last_error_code: json::text(value, &["lastErrorCode"]).map(|c| cut(&c, MAX_NAME)),
            created_at: json::time(value, &["createdAt"]),
        })
    }

    /// The messages of an answer, newest first whatever order they came in, each row once.
    pub fn read_list(value: &Value, peer: Option<&PeerUrl>) -> Option<Vec<Message>> {
        let list = json::list(value, "messages")?;
        let mut messages: Vec<_> =
            list.iter().filter_map(|m| Message::read(m, peer)).take(MAX_MESSAGES).collect();
        messages.sort_by_key(|message| std::cmp::Reverse(message.row_id));
        messages.dedup_by_key(|message| message.row_id);
        Some(messages)
    }
}

/// What a posta-server says to a message it has taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// `None` when the answer did not tell.
    pub row_id: Option<i64>,
    pub state: Option<State>,
}

impl Sent {
    pub fn read(value: &Value) -> Sent {
        Sent { row_id: json::integer(value, &["rowId"]), state: State::read(value) }
    }
}

/// At most `limit` characters of `text`.
pub fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

pub(super) fn short_text(value: &Value, names: &[&str], limit: usize) -> String {
    json::text(value, names).map(|text| cut(&text, limit)).unwrap_or_default()
}

fn avatar(value: &Value) -> Option<String> {
    json::text(value, &["avatar"]).filter(|url| super::content::is_web_url(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn contacts_come_bare_or_wrapped_and_odd_ones_do_no_harm() {
        let entries = json!([
            {"url": "bob.example", "name": "Bob", "avatar": "https://bob.example/a.png",
             "kind": "person", "lastMessageAt": "2025-05-12T10:00:00Z", "lastReadRowId": 41},
            {"url": "https://bob.example/", "name": "Bob again"},
            {"url": "room.example", "name": null, "kind": 7, "lastMessageAt": "",
             "lastReadRowId": "12", "unreadCount": 3, "avatar": "javascript:alert(1)"},
            {"url": 9}, {"name": "nobody"}, null, "x", [],
        ]);
        for value in [json!({"contacts": entries}), entries] {
            let contacts = Contact::read_list(&value).unwrap();
            assert_eq!(contacts.len(), 2);
            assert_eq!(contacts[0].peer.canonical(), "https://bob.example");
            assert_eq!((contacts[0].name.as_str(), contacts[0].last_read_row), ("Bob", 41));
            assert!(contacts[0].last_message_at.is_some() && contacts[0].unread.is_none());
            assert_eq!((contacts[1].name.as_str(), contacts[1].last_read_row), ("", 12));
            assert_eq!((contacts[1].unread, contacts[1].last_message_at), (Some(3), None));
            assert_eq!((contacts[1].kind.as_str(), &contacts[1].avatar), ("", &None));
        }
        assert_eq!(Contact::read_list(&json!({"contact": []})), None);
        assert_eq!(Contact::read_list(&json!({"contacts": null})), None);
    }

    #[test]
    fn messages_are_ordered_and_complete_themselves() {
        let bob = PeerUrl::parse("bob.example").unwrap();
        let value = json!({"messages": [
            {"rowId": 5, "direction": "inbound", "payload": {"kind": "posta.text/v1", "body": "a"},
             "state": "delivered", "createdAt": ""},
            {"rowId": "7", "id": "m7", "state": "failed-pending-user", "lastErrorCode": "gone",
             "payload": {"text": "b"}, "createdAt": "2025-05-12T10:00:00.123+02:00"},
            {"rowId": 5, "payload": {"text": "a again"}},
            {"payload": {"text": "no row"}},
            {"rowId": 6, "direction": "outbound", "state": "dreaming"},
        ]});
        let messages = Message::read_list(&value, Some(&bob)).unwrap();
        assert_eq!(messages.iter().map(|m| m.row_id).collect::<Vec<_>>(), [7, 6, 5]);
        assert_eq!(messages[0].direction, Direction::Outbound);
        assert_eq!(messages[0].state, Some(State::FailedPendingUser));
        assert_eq!(messages[0].last_error_code.as_deref(), Some("gone"));
        assert!(messages[0].created_at.is_some());
        assert_eq!(messages[1].state, None);
        assert!(matches!(messages[1].content, Content::Unsupported { .. }));
        assert_eq!((messages[2].state, messages[2].created_at), (None, None));
        assert_eq!(messages[2].content, Content::Text("a".into()));
        // Without a thread to belong to, a message must name its peer.
        assert_eq!(Message::read_list(&value, None), Some(Vec::new()));
    }

    #[test]
    fn lists_are_bounded() {
        let contacts: Vec<_> =
            (0..MAX_CONTACTS + 9).map(|n| json!({"url": format!("p{n}.example")})).collect();
        assert_eq!(Contact::read_list(&json!(contacts)).unwrap().len(), MAX_CONTACTS);
        let messages: Vec<_> = (0..MAX_MESSAGES + 9).map(|n| json!({"rowId": n})).collect();
        let bob = PeerUrl::parse("bob.example").unwrap();
        assert_eq!(Message::read_list(&json!(messages), Some(&bob)).unwrap().len(), MAX_MESSAGES);
    }

    #[test]
    fn an_identity_needs_only_its_url() {
        let me = Identity::read(&json!({"url": "https://Alice.example/", "avatar": ""})).unwrap();
        assert_eq!((me.url.display(), me.name.as_str()), ("alice.example", ""));
        assert_eq!(me.avatar, None);
        assert!(Identity::read(&json!({"identity": {"url": "a.example"}})).is_some());
        assert_eq!(Identity::read(&json!({"name": "Alice"})), None);
    }
}
