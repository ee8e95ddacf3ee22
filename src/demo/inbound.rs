//! What other participants deliver: `POST` of a signed envelope to our address.
use super::Participant;
use super::actor::Actor;
use super::address::Address;
use super::behaviour;
use super::db::contacts;
use super::db::messages::{self, Message, New};
use super::envelope::{self, Envelope, MAX_ENVELOPE, Sealed, Unverified};
use super::refusal::Refusal;
use super::view::Cause;
use crate::http::{BodyError, Request, Response, deep};
use std::sync::Arc;

impl Participant {
    /// Takes a delivery: 204, or why not.
    pub fn receive(self: &Arc<Self>, request: &mut Request<'_>) -> Response {
        match self.check_and_keep(request) {
            Ok(()) => Response::new(204),
            Err(refusal) => {
                log::debug!("{}: refused a message: {}", self.me, refusal.code());
                refusal.answer()
            }
        }
    }

    fn check_and_keep(self: &Arc<Self>, request: &mut Request<'_>) -> Result<(), Refusal> {
        let signature = request.fields.get("posta-signature").ok_or(Refusal::BadSignature)?;
        let signature = signature.to_owned();
        let bytes = request.body.collect(MAX_ENVELOPE).map_err(|e| match e {
            BodyError::TooLarge { .. } => Refusal::TooLarge,
            _ => Refusal::Malformed,
        })?;
        let (bytes, envelope) = deep::run(move || {
            let envelope = Envelope::read(&bytes);
            (bytes, envelope)
        });
        let envelope = envelope.ok_or(Refusal::Malformed)?;
        if envelope.to != self.me {
            return Err(Refusal::WrongRecipient);
        }
        let sealed = Sealed { bytes, signature };
        let (sealed, actor) = self.authenticate(&envelope, sealed)?;
        let message = self.keep(&envelope, sealed.clone())?;
        let new_contact = message.1;
        self.announce_inbound(message.0);
        let peer = envelope.from.clone();
        let profile = actor.profile.clone();
        let described = self.db.run({
            let peer = peer.clone();
            move |t| contacts::describe(t, &peer, &profile)
        });
        if new_contact || described.unwrap_or(false) {
            self.contact_changed(&peer, Cause::Daemon);
        }
        behaviour::react(self, envelope, sealed);
        Ok(())
    }

    /// Checks the signature against the sender's actor doc. A kept doc may be older than the
    /// sender's newest key, so one that does not do is fetched again before anyone is refused.
    fn authenticate(
        &self,
        envelope: &Envelope,
        sealed: Sealed,
    ) -> Result<(Sealed, Arc<Actor>), Refusal> {
        let mut sealed = sealed;
        for anew in [false, true] {
            let actor = self.actor(&envelope.from, anew).map_err(|e| {
                log::debug!("{}: no actor doc of {}: {e}", self.me, envelope.from);
                Refusal::Internal
            })?;
            let (key_id, signer) = (envelope.key_id.clone(), actor.clone());
            let verified;
            (sealed, verified) = deep::run(move || {
                let verified =
                    envelope::verify(&signer.keys, &key_id, &sealed.bytes, &sealed.signature);
                (sealed, verified)
            });
            match verified {
                Ok(()) => return Ok((sealed, actor)),
                Err(_) if !anew => {}
                Err(Unverified::UnknownKey) => return Err(Refusal::UnknownKey),
                Err(Unverified::BadSignature) => return Err(Refusal::BadSignature),
            }
        }
        Err(Refusal::BadSignature)
    }

    /// Stores the message, and the sender as a contact; whether that contact is new.
    fn keep(&self, envelope: &Envelope, sealed: Sealed) -> Result<(Message, bool), Refusal> {
        let now = self.now();
        let new = New {
            id: envelope.id.clone(),
            peer: envelope.from.clone(),
            outbound: false,
            payload: envelope.payload.clone(),
            state: None,
            error: None,
            created_at: now,
            next_at: None,
            attempts: 0,
            sealed: Some(sealed),
        };
        let kept = self.db.run(move |t| {
            if contacts::is_blocked(t, &new.peer)? {
                return Ok(Err(Refusal::Forbidden));
            }
            if messages::has_come(t, &new.peer, &new.id)? {
                return Ok(Err(Refusal::DuplicateId));
            }
            let new_contact = contacts::add(t, &new.peer, now)?;
            let row_id = messages::insert(t, &new)?;
            Ok(Ok((new.stored(row_id), new_contact)))
        });
        kept.unwrap_or_else(|e| {
            log::error!("{}: a message could not be stored: {e}", self.me);
            Err(Refusal::Internal)
        })
    }

    /// Puts a message into the inbox that no one sent: for tests.
    pub fn inject(&self, new: New) -> Result<i64, super::db::DbError> {
        let peer: Address = new.peer.clone();
        let (message, new_contact) = self.db.run(move |t| {
            let new_contact = contacts::add(t, &new.peer, new.created_at)?;
            let row_id = messages::insert(t, &new)?;
            Ok((new.stored(row_id), new_contact))
        })?;
        let row_id = message.row_id;
        self.announce_inbound(message);
        if new_contact {
            self.contact_changed(&peer, Cause::Daemon);
        }
        Ok(row_id)
    }

    fn announce_inbound(&self, message: Message) {
        self.events.publish("inbound", self.manner.inbound(message).to_string());
    }
}
