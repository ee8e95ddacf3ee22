//! Set-up invites: a one-shot link that another device exchanges for a token of its own.
use super::{Call, Failure, json};
use crate::demo::db::tokens;
use crate::demo::view::time;
use crate::demo::{Participant, new_token};
use crate::http::Response;
use serde_json::{Value, json};

/// Unknown, expired and used look alike.
const GONE: Failure = Failure::Refused(410, "gone", "this invite can no longer be used");
/// Longest device name, in characters.
const MAX_NAME: usize = 100;

pub fn info(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let (invite, now) = (call.query("invite").unwrap_or_default(), call.participant.now());
    let found = call.participant.db.run(move |t| tokens::invite_info(t, &invite, now))?;
    let (device, expires) = found.ok_or(GONE)?;
    let identity = call.participant.me.canonical();
    let answer = json!({"identity": identity, "deviceName": device, "expiresAt": time(expires)});
    Ok(json(200, &answer))
}

pub fn redeem(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let body = call.body()?;
    let text = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let invite = text("invite").ok_or(Failure::Bad("the body has no invite"))?;
    let device = text("deviceName").unwrap_or_default();
    if device.chars().count() > MAX_NAME {
        return Err(Failure::Bad("the device's name is too long"));
    }
    let (token, now) = (new_token(), call.participant.now());
    let (name, secret) = (device.clone(), token.clone());
    if !call.participant.db.run(move |t| tokens::redeem(t, &invite, &name, &secret, now))? {
        return Err(GONE);
    }
    let identity = call.participant.me.canonical();
    Ok(json(200, &json!({"token": token, "identity": identity, "deviceName": device})))
}

impl Participant {
    /// A set-up link for a new device.
    pub fn create_invite(
        &self,
        device: &str,
        lifetime_ms: i64,
    ) -> Result<String, crate::demo::db::DbError> {
        let invite =
            format!("pinv_{}", crate::ops::encode::b64url(&crate::ops::random::bytes::<32>()));
        let link = format!("{}/setup#invite={invite}", self.me.canonical());
        let (device, expires) = (device.to_owned(), self.now() + lifetime_ms);
        self.db.run(move |t| tokens::create_invite(t, &invite, &device, expires))?;
        Ok(link)
    }
}
