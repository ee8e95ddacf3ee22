//! Threads: read by page, written to, searched.
use super::{Call, Failure, json, peer_in};
use crate::demo::address::Address;
use crate::demo::compose::NotQueued;
use crate::demo::db::{messages, outbox};
use crate::demo::payload;
use crate::demo::view::Cause;
use crate::http::Response;
use serde_json::{Value, json};

/// Longest idempotency key, in bytes: a UUID needs 36.
const MAX_KEY: usize = 64;

/// Newest first, before a row where one is named.
pub fn page(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let (peer, limit) = (call.query_peer("peer")?, call.limit()?);
    let before = match call.query("before") {
        None => None,
        Some(row) => Some(row.parse().map_err(|_| Failure::Bad("before is not a row"))?),
    };
    let page = call.participant.db.run(move |t| messages::page(t, &peer, before, limit))?;
    Ok(list(call, page))
}

pub fn search(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let words = call.query("q").ok_or(Failure::Bad("q is missing"))?;
    let limit = call.limit()?;
    let peer = match call.query("peer").filter(|peer| !peer.is_empty()) {
        None => None,
        Some(_) => Some(call.query_peer("peer")?),
    };
    let found =
        call.participant.db.run(move |t| messages::search(t, &words, peer.as_ref(), limit))?;
    Ok(list(call, found))
}

fn list(call: &Call<'_, '_>, messages: Vec<messages::Message>) -> Response {
    let manner = call.participant.manner;
    json(200, &messages.into_iter().map(|message| manner.message(message)).collect())
}

/// 202: it is in the outbox.
pub fn send(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let key = call.request.fields.get("idempotency-key").map(str::to_owned);
    if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
        return Err(Failure::Bad("the idempotency key is not a UUID"));
    }
    let mut body = call.body()?;
    let peer: Address = peer_in(&body, "peer")?;
    let payload = body.get_mut("payload").map(Value::take).and_then(payload::from_client);
    let payload = payload.ok_or(Failure::Bad("that is no payload"))?;
    if peer == call.participant.me {
        return Err(Failure::Bad("that is yourself"));
    }
    let queued = call.participant.queue(&peer, payload, key.as_deref(), Cause::Call);
    let queued = queued.map_err(|e| match e {
        NotQueued::TooLarge => {
            Failure::Refused(413, "too-large", "the message is larger than 64 KiB")
        }
        NotQueued::KeyReused => {
            let words = "this idempotency key was used for another message";
            Failure::Refused(422, "idempotency-key-reused", words)
        }
        NotQueued::Db(e) => Failure::Db(e),
    })?;
    let answer = json!({"rowId": queued.row_id, "id": queued.id, "state": queued.state});
    Ok(json(202, &answer))
}

/// Queues a failed message again.
pub fn retry(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let row_id: i64 = call.part.parse().map_err(|_| Failure::NotFound)?;
    let now = call.participant.now();
    match call.participant.db.run(move |t| outbox::retry(t, row_id, now))? {
        None => Err(Failure::NotFound),
        Some(false) => Err(Failure::Refused(409, "not-failed", "the message has not failed")),
        Some(true) => {
            call.participant.state_changed(row_id, Cause::Call);
            call.participant.delivery.wake();
            Ok(json(202, &json!({"rowId": row_id, "state": messages::PENDING})))
        }
    }
}
