//! Actor docs: our own for whoever asks, and those of others, fetched and kept for a while.
use super::Participant;
use super::address::Address;
use super::db::DbError;
use super::db::contacts::{self, Profile};
use super::db::meta;
use super::envelope::{MEDIA_TYPE, PublicKey};
use super::view::Cause;
use crate::http::client::{Call, CallBody, CallError, Deadlines};
use crate::http::{Method, Response, deep, stack};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a fetched actor doc is believed.
const FRESH: Duration = Duration::from_secs(300);
/// Actor docs kept at most.
const MAX_KEPT: usize = 1000;
/// Largest actor doc read, in bytes.
const MAX_DOC: u64 = 64 * 1024;
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(3),
    first_byte: Duration::from_secs(5),
    total: Duration::from_secs(8),
};

/// Another participant, as their actor doc has it.
#[derive(Debug)]
pub struct Actor {
    pub profile: Profile,
    pub keys: Vec<PublicKey>,
}

impl Actor {
    fn read(value: &Value) -> Actor {
        let text = |name| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let keys = value.get("publicKeys").and_then(Value::as_array);
        Actor {
            profile: Profile { name: text("name"), avatar: text("avatar"), kind: text("kind") },
            keys: keys.into_iter().flatten().filter_map(PublicKey::read).collect(),
        }
    }
}

#[derive(Default)]
pub struct Actors(Mutex<HashMap<Address, (Instant, Arc<Actor>)>>);

impl Actors {
    fn kept(&self, peer: &Address) -> Option<Arc<Actor>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(peer).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, actor)| actor.clone())
    }

    fn keep(&self, peer: &Address, actor: Arc<Actor>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        if kept.len() < MAX_KEPT {
            kept.insert(peer.clone(), (Instant::now(), actor));
        }
    }
}

impl Participant {
    /// The peer's actor doc: kept, or fetched anew when it is old or `anew` is asked for.
    pub fn actor(&self, peer: &Address, anew: bool) -> Result<Arc<Actor>, CallError> {
        if let Some(actor) = self.actors.kept(peer).filter(|_| !anew) {
            return Ok(actor);
        }
        let answer = self.client.call(Call {
            method: Method::Get,
            origin: &peer.origin(),
            target: peer.target(),
            fields: &[("accept", MEDIA_TYPE)],
            body: CallBody::Empty,
            deadlines: DEADLINES,
            max_answer: MAX_DOC,
        })?;
        let found = answer.status == 200;
        let doc = answer.collect()?;
        let actor = deep::run(move || serde_json::from_slice(&doc).ok().map(|v| Actor::read(&v)))
            .filter(|_| found)
            .ok_or(CallError::Malformed("no actor doc"))?;
        let actor = Arc::new(actor);
        self.actors.keep(peer, actor.clone());
        Ok(actor)
    }

    /// Brings a contact's name, avatar and kind up to date, in the background.
    pub fn describe_later(self: &Arc<Self>, peer: &Address, cause: Cause) {
        let (participant, peer) = (self.clone(), peer.clone());
        let describe = move || {
            let Ok(actor) = participant.actor(&peer, false) else { return };
            let (contact, profile) = (peer.clone(), actor.profile.clone());
            match participant.db.run(move |t| contacts::describe(t, &contact, &profile)) {
                Ok(true) => participant.contact_changed(&peer, cause),
                Ok(false) => {}
                Err(e) => log::error!("a contact could not be described: {e}"),
            }
        };
        // When there are too many, this contact waits for the next occasion.
        let _ = stack::spawn_connection(describe);
    }

    /// Our own actor doc: JSON for participants, a card for people.
    pub fn own_actor(&self, accept: Option<&str>) -> Result<Response, DbError> {
        let (name, avatar, bio) = self.db.run(|t| {
            Ok((meta::text(t, "name")?, meta::text(t, "avatar")?, meta::text(t, "bio")?))
        })?;
        let answer = Response::new(200).with("vary", "accept");
        if wants_html(accept) {
            let card = card(&name, self.me.display(), self.kind.name(), &bio);
            return Ok(answer
                .bytes("text/html; charset=utf-8", card.into_bytes())
                .with("content-security-policy", "default-src 'none'"));
        }
        let doc = json!({
            "url": self.me.canonical(), "name": name, "avatar": avatar, "bio": bio,
            "kind": self.kind.name(), "publicKeys": [self.key.public()],
        });
        Ok(answer
            .bytes(MEDIA_TYPE, doc.to_string().into_bytes())
            .with("cache-control", "max-age=300"))
    }
}

/// Browsers name `text/html`; participants name our type, anything, or nothing.
fn wants_html(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| {
        let accept = accept.to_ascii_lowercase();
        accept.contains("text/html") && !accept.contains(MEDIA_TYPE)
    })
}

fn card(name: &str, address: &str, kind: &str, bio: &str) -> String {
    let [name, address, kind, bio] = [name, address, kind, bio].map(escape);
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n\
         <h1>{name}</h1>\n<p>{bio}</p>\n<p>A {kind} of the Posta demo. Write to <code>{address}</code>.</p>\n"
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::envelope::Key;

    #[test]
    fn people_get_a_card_and_participants_a_doc() {
        for (accept, html) in [
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), true),
            (Some("application/posta+json"), false),
            (Some("application/posta+json, text/html"), false),
            (Some("*/*"), false),
            (None, false),
        ] {
            assert_eq!(wants_html(accept), html, "{accept:?}");
        }
        assert!(card("<b>", "a.example", "person", "").contains("<h1>&lt;b&gt;</h1>"));
    }

    #[test]
    fn a_doc_is_read_as_far_as_it_can_be() {
        let key = Key::from_secret(&[1; 32]);
        let doc = json!({"name": "Bob", "kind": 7, "publicKeys": [key.public(), {"id": "x"}, 1]});
        let actor = Actor::read(&doc);
        assert_eq!((actor.profile.name.as_str(), actor.profile.kind.as_str()), ("Bob", ""));
        assert_eq!(actor.keys.iter().map(|k| &k.id).collect::<Vec<_>>(), [&key.id]);
        assert!(Actor::read(&json!([])).keys.is_empty());
    }
}
