//! What a participant says of itself: its actor doc, which anybody may GET.
//!
//! This is the one call that goes to a peer rather than to the person's own posta-server, so that
//! they see whom they are about to write to. The address guard, no redirects, short deadlines and a
//! small answer hold here as for every upstream call. Whatever the doc says is a claim of whoever
//! serves that address: it is shown beside the address, never instead of it.
use super::content::is_web_url;
use super::json::{self, Value};
use super::model::short_text;
use super::url::PeerUrl;
use crate::http::Method;
use crate::http::client::{Call, CallBody, Client, Deadlines};
use crate::http::deep::Lane;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A doc may be kept this long (POSTA); a failure only so that a page which is loaded again does not
/// wait for it again.
const FRESH: Duration = Duration::from_secs(5 * 60);
const FAILED: Duration = Duration::from_secs(20);
/// Docs kept for everybody together, about 1 KB each.
const MAX_KEPT: usize = 1_000;
/// Largest doc read, in bytes, and longest name, in characters; POSTA bounds a kind to 64.
const MAX_DOC: u64 = 64 << 10;
const MAX_NAME: usize = 200;
const MAX_KIND: usize = 64;
/// Somebody waits for it with an address half typed.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(3),
    first_byte: Duration::from_secs(4),
    total: Duration::from_secs(6),
};

/// A participant as it describes itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Actor {
    /// May be empty.
    pub name: String,
    pub avatar: Option<String>,
    /// `person`, `room`, `agent` or anything else; empty when not said.
    pub kind: String,
}

/// Why there is none; the text is for a developer.
#[derive(Debug, Clone, PartialEq)]
pub enum NoActor {
    Unreachable(String),
    /// Something answers there that is no participant.
    NotOne(String),
}

impl fmt::Display for NoActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoActor::Unreachable(why) => write!(f, "the peer can't be reached: {why}"),
            NoActor::NotOne(why) => write!(f, "no participant is there: {why}"),
        }
    }
}

impl Actor {
    /// Reads a doc, however little it says; `None` when that is no doc at all.
    fn read(doc: &Value) -> Option<Actor> {
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

struct Kept {
    at: Instant,
    found: Result<Actor, NoActor>,
}

/// Asks for actor docs, and keeps what they said for a while.
pub struct Actors {
    client: Client,
    kept: Mutex<HashMap<PeerUrl, Kept>>,
}

impl Actors {
    pub fn new(client: Client) -> Actors {
        Actors { client, kept: Mutex::default() }
    }

    /// The actor at `peer`. A failure is tried again at once: somebody asked.
    pub fn look(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        self.find(peer, false)
    }

    /// The same for a page that could do without: a failure is believed for a moment.
    pub fn glance(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        self.find(peer, true)
    }

    /// What is kept of `peer`, without asking anybody.
    pub fn kept(&self, peer: &PeerUrl) -> Option<Actor> {
        let kept = self.lock();
        let kept = kept.get(peer).filter(|kept| kept.at.elapsed() < FRESH)?;
        kept.found.clone().ok()
    }

    fn find(&self, peer: &PeerUrl, failures_too: bool) -> Result<Actor, NoActor> {
        if let Some(kept) = self.lock().get(peer) {
            let (good, age) = (kept.found.is_ok(), kept.at.elapsed());
            if (good && age < FRESH) || (!good && failures_too && age < FAILED) {
                return kept.found.clone();
            }
        }
        let found = self.ask(peer);
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT && !kept.contains_key(peer) {
            kept.retain(|_, kept| kept.at.elapsed() < FRESH);
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
        }
        kept.insert(peer.clone(), Kept { at: Instant::now(), found: found.clone() });
        found
    }

    fn ask(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        let (origin, path) = peer.place();
        let answer = self
            .client
            .call(Call {
                method: Method::Get,
                origin: &origin,
                target: path,
                fields: &[("accept", "application/posta+json")],
                body: CallBody::Empty,
                deadlines: DEADLINES,
                max_answer: MAX_DOC,
            })
            .map_err(|e| NoActor::Unreachable(e.to_string()))?;
        if answer.status != 200 {
            return Err(NoActor::Unreachable(format!("answered {}", answer.status)));
        }
        let body = answer.collect().map_err(|e| NoActor::Unreachable(e.to_string()))?;
        json::read(&Lane::default(), body, Actor::read)
            .flatten()
            .ok_or_else(|| NoActor::NotOne("its answer is no actor doc".into()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerUrl, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
