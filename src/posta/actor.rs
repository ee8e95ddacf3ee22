//! What a participant says of itself: its actor doc.
//!
//! Whatever the doc says is a claim of whoever serves that address: it is shown beside the address,
//! never instead of it.
use super::content::is_web_url;
use super::json::{self, Value};
use super::model::short_text;

/// Longest name, in characters; POSTA bounds a kind to 64.
const MAX_NAME: usize = 200;
const MAX_KIND: usize = 64;

/// A participant as it describes itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Actor {
    /// May be empty.
    pub name: String,
    pub avatar: Option<String>,
    /// `person`, `room`, `agent` or anything else; empty when not said.
    pub kind: String,
}

impl Actor {
    /// Reads a doc, however little it says; `None` when that is no doc at all.
    pub fn read(doc: &Value) -> Option<Actor> {
        const MARKS: [&str; 5] = ["url", "name", "kind", "keys", "publicKeys"];
        if MARKS.iter().all(|mark| doc.get(mark).is_none()) {
            return None;
        }
        Some(Actor {
            name: short_text(doc, &["name"], MAX_NAME).replace(char::is_control, " "),
            avatar: json::text(doc, &["avatar"]).filter(|url| is_web_url(url)),
            kind: short_text(doc, &["kind"], MAX_KIND).replace(char::is_control, " "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_doc_is_read_as_far_as_it_goes() {
        let full = json!({"url": "https://bob.example", "name": "Bob\u{7}", "kind": "person",
            "avatar": "https://bob.example/a.png", "publicKeys": []});
        let bob = Actor {
            name: "Bob ".into(),
            avatar: Some("https://bob.example/a.png".into()),
            kind: "person".into(),
        };
        assert_eq!(Actor::read(&full), Some(bob));
        let odd = json!({"keys": 7, "name": ["x"], "avatar": "javascript:alert(1)", "kind": null});
        assert_eq!(Actor::read(&odd), Some(Actor::default()));
        let long = json!({"name": "n".repeat(900), "kind": "k".repeat(900)});
        let long = Actor::read(&long).unwrap();
        assert_eq!((long.name.len(), long.kind.len()), (MAX_NAME, MAX_KIND));
        for none in [json!(null), json!([]), json!("Bob"), json!({}), json!({"hello": "world"})] {
            assert_eq!(Actor::read(&none), None, "{none}");
        }
    }
}
