//! The list of contacts and how far each was read.
use super::{Call, Failure, json, peer_in};
use crate::demo::Participant;
use crate::demo::address::Address;
use crate::demo::db::contacts;
use crate::demo::view::Cause;
use crate::http::Response;
use serde_json::Value;

pub fn list(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let contacts = call.participant.db.run(|t| contacts::list(t))?;
    let manner = call.participant.manner;
    Ok(json(200, &contacts.iter().map(|contact| manner.contact(contact)).collect()))
}

/// 201 for a new contact, 200 for one that was there.
pub fn add(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let peer = peer_in(&call.body()?, "url")?;
    if peer == call.participant.me {
        return Err(Failure::Bad("that is yourself"));
    }
    let (added, now) = (peer.clone(), call.participant.now());
    let (new, contact) = call.participant.db.run(move |t| {
        let new = contacts::add(t, &added, now)?;
        Ok((new, contacts::find(t, &added)?))
    })?;
    if new {
        call.participant.contact_changed(&peer, Cause::Call);
        call.participant.describe_later(&peer, Cause::Call);
    }
    let contact = contact.ok_or(Failure::NotFound)?;
    Ok(json(if new { 201 } else { 200 }, &call.participant.manner.contact(&contact)))
}

pub fn remove(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let peer = call.query_peer("url")?;
    let gone = peer.clone();
    if !call.participant.db.run(move |t| contacts::remove(t, &gone))? {
        return Err(Failure::NotFound);
    }
    let data = call.participant.manner.about(&peer, Cause::Call);
    call.participant.events.publish("contact-removed", data.to_string());
    Ok(Response::new(204))
}

/// Moves the watermark. That it does not move backwards is no error: another device was faster.
pub fn read(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let body = call.body()?;
    let peer = peer_in(&body, "url")?;
    let row = body.get("rowId").and_then(Value::as_i64).filter(|row| *row >= 0);
    let row = row.ok_or(Failure::Bad("rowId is not a row"))?;
    let marked = peer.clone();
    let (known, moved) = call.participant.db.run(move |t| {
        let known = contacts::find(t, &marked)?.is_some();
        Ok((known, contacts::mark_read(t, &marked, row)?))
    })?;
    if !known {
        return Err(Failure::NotFound);
    }
    if let Some(row) = moved {
        let data = call.participant.manner.watermark(&peer, row);
        call.participant.events.publish("read-watermark-changed", data.to_string());
    }
    Ok(Response::new(204))
}

impl Participant {
    pub fn contact_changed(&self, peer: &Address, cause: Cause) {
        self.events.publish("contact-changed", self.manner.about(peer, cause).to_string());
    }
}
