//! One's own profile.
use super::{Call, Failure, json, uploads};
use crate::demo::Participant;
use crate::demo::db::{DbError, meta};
use crate::http::Response;
use serde_json::{Value, json};

/// Longest name and bio, in characters.
const MAX_NAME: usize = 200;
const MAX_BIO: usize = 2000;

pub fn show(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    Ok(json(200, &identity(call.participant)?))
}

/// Changes `name` and `bio` where the body has them.
pub fn change(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let body = call.body()?;
    let mut changes = Vec::new();
    for (name, limit) in [("name", MAX_NAME), ("bio", MAX_BIO)] {
        match body.get(name) {
            None => {}
            Some(Value::String(text)) if text.chars().count() <= limit => {
                changes.push((name, text.clone()));
            }
            Some(_) => return Err(Failure::Bad("name and bio are texts of a bounded length")),
        }
    }
    call.participant.db.run(move |t| {
        changes.iter().try_for_each(|(name, text)| meta::set(t, name, text.as_bytes()))
    })?;
    changed(call)
}

pub fn set_avatar(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let name = uploads::store(call)?.name;
    let url = call.participant.url_of(&name);
    call.participant.db.run(move |t| meta::set(t, "avatar", url.as_bytes()))?;
    changed(call)
}

pub fn remove_avatar(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    call.participant.db.run(|t| meta::set(t, "avatar", b""))?;
    changed(call)
}

fn changed(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let identity = identity(call.participant)?;
    call.participant.events.publish("identity-changed", identity.to_string());
    Ok(json(200, &identity))
}

fn identity(participant: &Participant) -> Result<Value, DbError> {
    let url = participant.me.canonical().to_owned();
    participant.db.run(move |t| {
        Ok(json!({
            "url": url,
            "name": meta::text(t, "name")?,
            "avatar": meta::text(t, "avatar")?,
            "bio": meta::text(t, "bio")?,
        }))
    })
}
