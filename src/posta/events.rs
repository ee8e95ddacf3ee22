//! The live events of a posta-server, typed.
//!
//! Names come from POSTA; what an event carries is only partly published, so the peer and the row
//! are looked for wherever they have been seen or may sit. An event whose peer cannot be found has
//! `peer: None`, and whoever reads it must take it as "everything may have changed".
use super::PeerUrl;
use super::json::{self, Value};
use crate::http::sse;

/// Longest id kept, in bytes.
const MAX_ID: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    Inbound,
    OutboundState,
    ContactChanged,
    ContactRemoved,
    ReadWatermarkChanged,
    IdentityChanged,
    /// The replay after connecting is over.
    Ready,
    /// The server cannot say what was missed.
    Resync,
    /// To be ignored.
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What to resume from once this event has been dealt with; fit to be sent back in a field.
    pub id: Option<String>,
    pub kind: EventKind,
    pub peer: Option<PeerUrl>,
    pub row_id: Option<i64>,
}

impl Event {
    /// Reads an event; data that is no JSON object leaves peer and row unknown.
    pub fn read(event: sse::Event) -> Event {
        let kind = EventKind::read(&event.name);
        let (peer, row_id) = match kind {
            EventKind::Ready | EventKind::Resync | EventKind::Unknown => (None, None),
            _ => json::read(event.data.into_bytes(), subject).unwrap_or_default(),
        };
        // What cannot be sent back is none: resuming from the one before repeats a little.
        let fits = |id: &String| id.len() <= MAX_ID && !id.contains(char::is_control);
        Event { id: event.id.filter(fits), kind, peer, row_id }
    }
}

impl EventKind {
    fn read(name: &str) -> EventKind {
        match name {
            "inbound" => EventKind::Inbound,
            "outbound-state" => EventKind::OutboundState,
            "contact-changed" => EventKind::ContactChanged,
            "contact-removed" => EventKind::ContactRemoved,
            "read-watermark-changed" => EventKind::ReadWatermarkChanged,
            "identity-changed" => EventKind::IdentityChanged,
            "ready" => EventKind::Ready,
            "resync" => EventKind::Resync,
            _ => EventKind::Unknown,
        }
    }
}

/// The peer and the row an event is about: at the top, or in a nested object.
fn subject(data: &Value) -> (Option<PeerUrl>, Option<i64>) {
    let nested = ["message", "contact", "data"].iter().filter_map(|name| data.get(name));
    let places: Vec<&Value> = std::iter::once(data).chain(nested).collect();
    let peer = places.iter().find_map(|place| {
        // One by one: a mistyped `peer` must not hide a good `url`.
        ["peer", "url", "from"].iter().find_map(|name| json::peer(place, &[name]))
    });
    (peer, places.iter().find_map(|place| json::integer(place, &["rowId"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event::read(sse::Event { id: Some("9".into()), name: name.into(), data: data.into() })
    }

    #[test]
    fn the_peer_is_found_wherever_it_sits() {
        for data in [
            r#"{"peer":"bob.example","rowId":7}"#,
            r#"{"url":"https://Bob.example/","rowId":"7"}"#,
            r#"{"from":"https://bob.example","rowId":7}"#,
            r#"{"peer":null,"url":"bob.example","rowId":7}"#,
            r#"{"peer":17,"message":{"peer":"https://bob.example","rowId":7,"payload":{"image":{"url":"x"}}}}"#,
            r#"{"message":{"from":{"url":"bob.example"}},"rowId":7}"#,
            r#"{"contact":{"url":"bob.example"},"data":{"rowId":7}}"#,
        ] {
            let event = event("inbound", data);
            assert_eq!(event.peer.as_ref().map(PeerUrl::display), Some("bob.example"), "{data}");
            assert_eq!(event.row_id, Some(7), "{data}");
            assert_eq!(event.id.as_deref(), Some("9"));
        }
    }

    #[test]
    fn without_a_peer_there_is_none() {
        for data in ["", "null", "[]", "\"bob.example\"", "{", "{}", r#"{"peer":"not a url"}"#] {
            let event = event("inbound", data);
            assert_eq!((event.kind, event.peer, event.row_id), (EventKind::Inbound, None, None));
        }
    }

    #[test]
    fn an_id_that_cannot_be_sent_back_is_none() {
        let read = |id: &str| {
            let (id, name, data) = (Some(id.to_owned()), "ready".into(), "{}".into());
            Event::read(sse::Event { id, name, data }).id
        };
        assert_eq!(read("ø 7").as_deref(), Some("ø 7"));
        let long = "7".repeat(MAX_ID);
        assert_eq!(read(&long).as_deref(), Some(&*long));
        for bad in ["\t", "7\u{1}", "\u{85}", &(long + "7")] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_are_posta_s_own_and_others_are_unknown() {
        for (name, kind) in [
            ("outbound-state", EventKind::OutboundState),
            ("contact-changed", EventKind::ContactChanged),
            ("contact-removed", EventKind::ContactRemoved),
            ("read-watermark-changed", EventKind::ReadWatermarkChanged),
            ("identity-changed", EventKind::IdentityChanged),
            ("ready", EventKind::Ready),
            ("resync", EventKind::Resync),
            ("message", EventKind::Unknown),
            ("Inbound", EventKind::Unknown),
        ] {
            assert_eq!(event(name, "{}").kind, kind);
        }
    }
}
