//! What a tab is told: that something changed and where, never what it says.
use crate::http::sse;
use crate::ops::random;
use crate::posta::PeerUrl;

/// How long a browser waits before it reopens a stream that ended, milliseconds: spread, so that
/// not everybody comes back at once after a restart.
const RETRY: std::ops::Range<u32> = 1_000..3_000;

#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// A thread changed, and with it its line in the list of conversations.
    ThreadUpdated {
        peer: PeerUrl,
        row: Option<i64>,
    },
    /// The list of conversations changed.
    ContactChanged,
    /// A conversation is off the list.
    ContactRemoved {
        peer: PeerUrl,
    },
    /// Anything may have changed.
    Resync,
    Health(&'static str),
    /// A sign of life.
    Ping,
    /// The tab's session is over.
    SignedOut,
}

impl Trigger {
    pub fn frame(&self) -> Vec<u8> {
        match self {
            Trigger::ThreadUpdated { peer, row } => {
                let data = match row {
                    Some(row) => serde_json::json!({"peer": peer.display(), "rowId": row}),
                    None => serde_json::json!({"peer": peer.display()}),
                };
                sse::frame("thread-updated", &data.to_string())
            }
            Trigger::ContactChanged => sse::frame("contact-changed", "{}"),
            Trigger::ContactRemoved { peer } => {
                let data = serde_json::json!({"peer": peer.display()});
                sse::frame("contact-removed", &data.to_string())
            }
            Trigger::Resync => sse::frame("resync", "{}"),
            Trigger::Health(state) => sse::frame("health", &format!("{{\"state\":\"{state}\"}}")),
            Trigger::Ping => sse::frame("ping", "{}"),
            Trigger::SignedOut => sse::frame("signed-out", "{}"),
        }
    }
}

/// The first thing a tab is sent. Some proxies hold the head of an answer back until bytes follow.
pub fn hello() -> Vec<u8> {
    with_retry("hello")
}

/// The last thing a tab is sent when the service stops: come back soon.
pub fn bye() -> Vec<u8> {
    with_retry("bye")
}

fn with_retry(name: &str) -> Vec<u8> {
    let retry = RETRY.start + u32::from_le_bytes(random::bytes()) % (RETRY.end - RETRY.start);
    [format!("retry: {retry}\n").into_bytes(), sse::frame(name, "{}")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_name_peers_in_display_form_and_nothing_else() {
        let peer = PeerUrl::parse("https://example.org/users/bob").unwrap();
        let text = |trigger: Trigger| String::from_utf8(trigger.frame()).unwrap();
        assert_eq!(
            text(Trigger::ThreadUpdated { peer: peer.clone(), row: Some(7) }),
            "event: thread-updated\ndata: {\"peer\":\"example.org/users/bob\",\"rowId\":7}\n\n"
        );
        assert_eq!(
            text(Trigger::ThreadUpdated { peer, row: None }),
            "event: thread-updated\ndata: {\"peer\":\"example.org/users/bob\"}\n\n"
        );
        assert_eq!(text(Trigger::Health("ok")), "event: health\ndata: {\"state\":\"ok\"}\n\n");
    }

    #[test]
    fn a_greeting_spreads_the_way_back() {
        let greeting = String::from_utf8(hello()).unwrap();
        let retry = greeting.strip_prefix("retry: ").unwrap().split_once('\n').unwrap();
        assert!(RETRY.contains(&retry.0.parse().unwrap()));
        assert_eq!(retry.1, "event: hello\ndata: {}\n\n");
    }
}
