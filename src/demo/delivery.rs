//! Sends what is in the outbox, and tries again on a schedule.
//!
//! One coroutine looks what is due; each delivery runs on a short-lived one of its own, one at a
//! time for a peer and a few at a time for all, so that a peer that hangs holds up only itself.
use super::Participant;
use super::address::Address;
use super::bell::Bell;
use super::db::DbError;
use super::db::messages::{self, Message};
use super::db::outbox::{self, Due};
use super::envelope::{MEDIA_TYPE, Sealed};
use super::refusal::{Verdict, judge};
use super::view::{Cause, time};
use crate::http::client::{Bytes, Call, CallBody, CallError, Deadlines};
use crate::http::{Method, deep, stack};
use serde_json::Value;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// When a failed attempt is followed by the next; after the last one the sender must ask.
pub const SCHEDULE: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
];
/// Deliveries at once.
const MAX_UNDER_WAY: usize = 8;
/// Longest sleep between two looks, in case the clock was set.
const LONGEST_NAP: Duration = Duration::from_secs(60);
/// Pause after the state file failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Largest error body read, in bytes.
const MAX_ANSWER: u64 = 16 * 1024;
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(10),
    total: Duration::from_secs(15),
};

#[derive(Default)]
pub struct Delivery {
    bell: OnceLock<Bell>,
    /// Peers that a delivery is under way to.
    busy: Mutex<Vec<Address>>,
}

impl Delivery {
    /// Says that something may be due.
    pub fn wake(&self) {
        // Before the coroutine runs there is nothing to wake: its first look is still to come.
        if let Some(bell) = self.bell.get() {
            bell.ring();
        }
    }

    fn busy(&self) -> Vec<Address> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, peer: &Address) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).push(peer.clone());
    }

    fn end(&self, peer: &Address) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).retain(|busy| busy != peer);
        self.wake();
    }
}

/// A peer that a delivery is under way to; no longer when this is dropped, by a panic too.
struct Busy(Arc<Participant>, Address);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.delivery.end(&self.1);
    }
}

/// Runs until the participant stops.
pub fn run(participant: &Arc<Participant>) {
    let bell = Bell::here();
    let _ = participant.delivery.bell.set(bell.clone());
    while !participant.is_stopping() {
        let nap = look(participant).unwrap_or_else(|e| {
            log::error!("{}: the outbox: {e}", participant.me);
            AFTER_FAILURE
        });
        bell.wait(nap);
    }
}

/// Starts what is due; how long nothing else will be.
fn look(participant: &Arc<Participant>) -> Result<Duration, DbError> {
    let now = participant.now();
    let busy = participant.delivery.busy();
    let room = MAX_UNDER_WAY.saturating_sub(busy.len());
    let (due, next) = participant.db.run(move |t| {
        let due = outbox::take_due(t, now, &busy, room)?;
        let mut busy = busy;
        busy.extend(due.iter().map(|d| d.peer.clone()));
        let next = if busy.len() < MAX_UNDER_WAY { outbox::next_due(t, &busy)? } else { None };
        Ok((due, next))
    })?;
    for due in due {
        start(participant, due);
    }
    let nap = next.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
    Ok(nap.map_or(LONGEST_NAP, |nap| nap.min(LONGEST_NAP)))
}

fn start(participant: &Arc<Participant>, due: Due) {
    let row_id = due.row_id;
    participant.delivery.begin(&due.peer);
    let busy = Busy(participant.clone(), due.peer.clone());
    let deliver = move || {
        if let Err(e) = deliver(&busy.0, due) {
            log::error!("{}: a delivery could not be noted: {e}", busy.0.me);
        }
    };
    if let Err(e) = stack::spawn_connection(deliver) {
        log::warn!("{}: no delivery now: {e}", participant.me);
        let at = participant.now() + AFTER_FAILURE.as_millis() as i64;
        let _ = participant.db.run(move |t| outbox::failed(t, row_id, "internal", Some(at)));
    }
}

fn deliver(participant: &Arc<Participant>, due: Due) -> Result<(), DbError> {
    participant.state_changed(due.row_id, Cause::Daemon);
    let (row_id, attempts) = (due.row_id, due.attempts);
    let sealed = match &due.sealed {
        Some(sealed) => sealed.clone(),
        None => {
            let at = time(due.created_at);
            let sealed = participant.seal(&due.id, &due.peer, at, due.payload.clone());
            let kept = sealed.clone();
            participant.db.run(move |t| outbox::keep_sealed(t, row_id, &kept))?;
            sealed
        }
    };
    let verdict = attempt(participant, &due.peer, &sealed);
    let next_at = usize::try_from(attempts)
        .ok()
        .and_then(|n| participant.schedule.get(n))
        .map(|pause| participant.now() + pause.as_millis() as i64);
    participant.db.run(move |t| match verdict {
        Verdict::Delivered => outbox::delivered(t, row_id),
        Verdict::Refused(code) => outbox::refused(t, row_id, &code),
        Verdict::Later(code) => outbox::failed(t, row_id, &code, next_at),
    })?;
    participant.state_changed(row_id, Cause::Daemon);
    Ok(())
}

fn attempt(participant: &Participant, peer: &Address, sealed: &Sealed) -> Verdict {
    let call = Call {
        method: Method::Post,
        origin: &peer.origin(),
        target: peer.target(),
        fields: &[("content-type", MEDIA_TYPE), ("posta-signature", &sealed.signature)],
        body: CallBody::Bytes(&sealed.bytes),
        deadlines: DEADLINES,
        max_answer: MAX_ANSWER,
    };
    match participant.client.call(call) {
        Ok(answer) => {
            let status = answer.status;
            let body = answer.collect().unwrap_or_default();
            judge(status, error_code(body).as_deref())
        }
        Err(CallError::Timeout(_)) => Verdict::Later("timeout".into()),
        Err(e) => {
            log::debug!("{}: {peer} can't be reached: {e}", participant.me);
            Verdict::Later("unreachable".into())
        }
    }
}

fn error_code(body: Bytes) -> Option<String> {
    deep::run(move || {
        let value: Value = serde_json::from_slice(&body).ok()?;
        Some(value.get("error")?.as_str()?.to_owned())
    })
}

impl Participant {
    /// Signs a message of ours.
    pub fn seal(&self, id: &str, to: &Address, at: String, payload: Value) -> Sealed {
        let (key, me, id, to) = (self.key.clone(), self.me.clone(), id.to_owned(), to.clone());
        deep::run(move || key.seal(&id, &me, &to, &at, &payload))
    }

    /// Tells the client how far a message of ours has got.
    pub fn state_changed(&self, row_id: i64, cause: Cause) {
        match self.db.run(move |t| messages::find(t, row_id)) {
            Ok(Some(message)) => self.announce_state(&message, cause),
            Ok(None) => {}
            Err(e) => log::error!("{}: {e}", self.me),
        }
    }

    pub fn announce_state(&self, message: &Message, cause: Cause) {
        let data = self.manner.outbound_state(message, cause).to_string();
        self.events.publish("outbound-state", data);
    }
}
