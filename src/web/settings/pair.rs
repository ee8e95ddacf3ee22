//! Pairing again: a new token of the same identity takes the old one's place. It is sealed under
//! the data key that the touch opens, so every passkey goes on opening it, and whoever is signed in
//! goes on without noticing.
//!
//! A set-up link is shown first, and redeemed only after the touch. When the token cannot be stored
//! then, the next question holds it.
use super::touch::{self, Touched};
use crate::http::{Request, Response};
use crate::posta::setup::SetupError;
use crate::posta::{InviteInfo, Offer, Pairing};
use crate::session::{Kind, Purpose, Session};
use crate::store::Repaired;
use crate::vault;
use crate::web::app::App;
use crate::web::ceremony::{self, Ending};
use crate::web::failure::{Answer, Failure};
use crate::web::form::Form;
use crate::web::register;
use crate::web::routes::Params;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

const MAX_FORM: usize = 16 * 1024;

/// `POST /settings/pairing`: tries what was pasted, then asks for a touch. Of a set-up link it first
/// tells what its invite says (`{invite}`), unless the form has a name for the device already.
pub fn begin(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    app.limit(Kind::SignUp, session, request)?;
    let body = Zeroizing::new(request.body.collect(MAX_FORM)?);
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let user = app.store.user_find(session.user)?.ok_or(Failure::SignedOut)?;
    let (offer, info) = match tried(app, request.id, form.text("uri"), &user.identity_url) {
        Ok(tried) => tried,
        Err(sentence) => return Ok(ceremony::json(422, &json!({ "error": sentence }))),
    };
    let named = info.as_ref().map_or("", |info| &info.device_name);
    let named = register::device_name(named, "chat-posta");
    if let (Some(info), None) = (&info, form.get("device")) {
        let invite = json!({
            "identity": info.identity.display(),
            "deviceName": named,
            "expiresAt": info.expires_at.map(|at| at.to_string()),
        });
        return Ok(ceremony::json(200, &json!({ "invite": invite })));
    }
    let device = register::device_name(form.text("device"), &named);
    touch::ask(app, session, request, Purpose::Pair { offer, device })
}

/// What works and speaks for `identity_url`, or what is wrong with it.
fn tried(
    app: &App,
    request_id: u64,
    typed: &str,
    identity_url: &str,
) -> Result<(Offer, Option<InviteInfo>), String> {
    let (offer, identity, info) = register::tried(app, request_id, typed)?;
    if identity.url.canonical() != identity_url {
        let own = identity_url.split_once("://").map_or(identity_url, |(_, display)| display);
        return Err(format!(
            "This belongs to {}, but this account is {own}. Nothing was changed: make the URI or \
             link on your own posta-server, or sign up as {0} with an invite.",
            identity.url.display(),
        ));
    }
    Ok((offer, info))
}

pub fn touched(
    app: &App,
    session: &Session,
    touched: &Touched,
    offer: Offer,
    device: String,
) -> Result<Response, Ending> {
    let data_key = touched.data_key()?;
    let user = &touched.passkey.user;
    let again = |offer, device, status, sentence| match touch::question(
        app,
        session,
        Purpose::Pair { offer, device },
    ) {
        Ok(next) => Ending::Again { status, sentence, next },
        Err(e) => Ending::Failed(e.into()),
    };
    let pairing = match offer {
        Offer::Token(pairing) => pairing,
        Offer::Invite(setup) => match setup.redeem(&app.client, &device) {
            Ok((_, identity)) if identity.canonical() != user.identity_url => {
                return Err(Ending::Told(409, OTHER_IDENTITY));
            }
            Ok((pairing, _)) => pairing,
            Err(SetupError::Gone) => return Err(Ending::Told(410, LINK_GONE)),
            Err(SetupError::Posta(e)) => {
                log::info!("user={} pairing again: {e}", user.id.0);
                return Err(again(Offer::Invite(setup), device, 502, NOT_REDEEMED));
            }
        },
    };
    let server_url = ceremony::server_url(&pairing.origin);
    let sealed = vault::seal_token(&data_key, &pairing.token, &user.handle, &server_url);
    match app.store.user_repair(user.id, &server_url, sealed) {
        Ok(Repaired::Done) => {}
        Ok(Repaired::Taken) => return Err(Ending::Told(409, TAKEN)),
        Ok(Repaired::NoUser) => {
            return Err(Ending::Told(410, "This account was deleted meanwhile."));
        }
        Err(e) => {
            log::error!("user={} pairing again: store: {e}", user.id.0);
            return Err(again(Offer::Token(pairing), device, 503, NOT_STORED));
        }
    }
    switch(app, user.id, pairing);
    log::info!("user={} paired again", user.id.0);
    Ok(touch::done("Paired again. Everything goes on with the new token.", json!({})))
}

/// Every sign-in and the event stream go on with the new token.
fn switch(app: &App, user: crate::store::UserId, pairing: Pairing) {
    for session in app.sessions.of_user(user) {
        session.server.switch(pairing.origin.clone(), &pairing.token);
    }
    if let Some(account) = app.live.find(user) {
        account.paired(pairing.origin, &pairing.token);
    }
}

const TAKEN: &str = "Another account here is paired with that posta-server as the same \
     participant. Sign in to that one, or delete it first.";
const LINK_GONE: &str = "The set-up link was used or has expired meanwhile. Nothing was changed: \
     make a new one on your posta-server.";
const NOT_REDEEMED: &str = "Your posta-server gave no token for the set-up link just now. Nothing \
     was changed yet: press the button again.";
const OTHER_IDENTITY: &str = "Your posta-server gave a token of somebody else than the set-up link \
     was for. Nothing was changed; revoke that token there.";
const NOT_STORED: &str = "The new token could not be stored just now. It is kept for five minutes: \
     press the button again.";
