//! What a participant does with a message once it has it: a person reads it, a room passes it on, an
//! agent answers.
use super::address::Address;
use super::compose::NotQueued;
use super::db::contacts;
use super::envelope::{self, Envelope, Sealed};
use super::view::Cause;
use super::{Participant, agent, payload};
use crate::http::stack;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Person,
    Room,
    Agent,
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Person, "person"), (Kind::Room, "room"), (Kind::Agent, "agent")];

impl Kind {
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    pub fn parse(name: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// Acts on a message in the background; its sender has been answered, or is about to be.
pub fn react(participant: &Arc<Participant>, envelope: Envelope, sealed: Sealed) {
    let acting = participant.clone();
    let act = move || match acting.kind {
        Kind::Person => {}
        Kind::Room => pass_on(&acting, &envelope, &sealed),
        Kind::Agent => agent::answer(&acting, &envelope),
    };
    if participant.kind != Kind::Person && stack::spawn_connection(act).is_err() {
        log::warn!("{}: too busy to act on a message", participant.me);
    }
}

/// Whoever writes to a room joins it; its members get what the others write, in the writer's own
/// signed envelope.
fn pass_on(room: &Arc<Participant>, envelope: &Envelope, sealed: &Sealed) {
    let from = envelope.from.clone();
    let text = |name| envelope.payload.get(name).and_then(Value::as_str);
    let leaves = text("kind") == Some(payload::ROOM) && text("action") == Some("leave");
    let members = room.db.run(move |t| {
        contacts::set_member(t, &from, !leaves)?;
        contacts::members(t)
    });
    let members = members.unwrap_or_else(|e| {
        log::error!("{}: {e}", room.me);
        Vec::new()
    });
    if leaves {
        return;
    }
    let mut too_large = false;
    for member in members.iter().filter(|member| **member != envelope.from) {
        too_large |= !say(room, member, envelope::broadcast(sealed));
    }
    if too_large {
        say(room, &envelope.from, payload::text("That was too long to pass on."));
    }
}

/// Sends something by itself, where nobody waits to hear of a failure; false when it is too large.
pub(super) fn say(participant: &Arc<Participant>, peer: &Address, payload: Value) -> bool {
    match participant.queue(peer, payload, None, Cause::Daemon) {
        Err(NotQueued::TooLarge) => return false,
        Err(e) => log::error!("{}: a message could not be queued: {e:?}", participant.me),
        Ok(_) => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names() {
        for (kind, name) in KINDS {
            assert_eq!((Kind::parse(name), kind.name()), (Some(kind), name));
        }
        assert_eq!(Kind::parse("robot"), None);
    }
}
