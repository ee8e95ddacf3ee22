//! Messages, contacts, identities and answers to a send, however a posta-server spells them: bounded,
//! addressed, and nothing that a browser could be led astray with.
use crate::posta::json::{self, Value};
use crate::posta::{Contact, Content, Direction, Identity, Message, PeerUrl, Sent};

pub fn check(bytes: &[u8]) {
    let Some(value) = json::parse_nested(bytes) else { return };
    let bob = PeerUrl::parse("bob.example").expect("a peer");
    for peer in [None, Some(&bob)] {
        let messages = Message::read_list(&value, peer).unwrap_or_default();
        assert!(messages.len() <= 200);
        assert!(messages.is_sorted_by(|a, b| a.row_id > b.row_id), "newest first, each once");
        messages.iter().for_each(|message| judge(message, peer));
        if let Some(message) = Message::read(&value, peer) {
            judge(&message, peer);
        }
    }
    let contacts = Contact::read_list(&value).unwrap_or_default();
    for (at, contact) in contacts.iter().enumerate() {
        super::peer::holds(&contact.peer);
        assert!(contacts[..at].iter().all(|other| other.peer != contact.peer));
        assert!(contact.name.chars().count() <= 200 && contact.kind.chars().count() <= 64);
        assert!(contact.last_read_row >= 0);
        assert!(contact.avatar.as_deref().is_none_or(is_web_url));
    }
    if let Some(identity) = Identity::read(&value) {
        super::peer::holds(&identity.url);
        assert!(identity.name.chars().count() <= 200);
        assert!(identity.avatar.as_deref().is_none_or(is_web_url));
    }
    Sent::read(&value);
    content(&Content::read(&value), 2);
}

fn judge(message: &Message, peer: Option<&PeerUrl>) {
    super::peer::holds(&message.peer);
    assert!(peer.is_none_or(|peer| *peer == message.peer), "the thread it was asked for");
    assert!(message.id.chars().count() <= 200);
    assert!(message.last_error_code.as_ref().is_none_or(|code| code.chars().count() <= 200));
    assert!(message.direction == Direction::Outbound || message.state.is_none());
    content(&message.content, 2);
}

/// What every content must be; at most so many broadcasts wrap it.
fn content(read: &Content, broadcasts: usize) {
    match read {
        Content::Text(text) => {
            assert_eq!(Content::read(&Content::text_payload(text)), *read);
        }
        Content::Image(image) => {
            assert!(is_web_url(&image.url), "{:?}", image.url);
            for text in [&image.name, &image.media_type].into_iter().flatten() {
                assert!((1..=300).contains(&text.chars().count()));
            }
            // Sent on, it is the same image; unless only the form it came in made it one.
            let again = Content::read(&Content::image_payload(image));
            assert!(matches!(&again, Content::Image(_) | Content::Link { .. }));
            if matches!(again, Content::Image(_)) {
                assert_eq!(again, *read);
            }
        }
        Content::Link { url, name } => {
            assert!(is_web_url(url), "{url:?}");
            assert!(name.as_ref().is_none_or(|name| (1..=300).contains(&name.chars().count())));
        }
        Content::Broadcast { author, content: inner } => {
            super::peer::holds(author);
            content(inner, broadcasts.checked_sub(1).expect("not deeper than allowed"));
        }
        Content::Leave => assert_eq!(Content::read(&Content::leave_payload()), Content::Leave),
        Content::Unsupported { kind } => assert!(kind.chars().count() <= 64),
    }
}

/// Whether a browser may be pointed at it, said independently of the code under test.
pub fn is_web_url(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let scheme = lower.starts_with("http://") || lower.starts_with("https://");
    scheme && url.len() <= 2048 && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}
