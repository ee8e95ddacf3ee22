//! Pairing again: a new token of the same identity takes the old one's place. It is sealed under
//! the data key that the touch opens, so every passkey goes on opening it, and whoever is signed in
//! goes on without noticing.
use super::touch::{self, Touched};
use crate::http::{Request, Response};
use crate::posta::{Pairing, PairingUri, Server};
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

/// `POST /settings/pairing`: tries the pairing URI, then asks for a touch.
pub fn begin(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    app.limits.check(Kind::SignUp, request.client_ip, app.clock.now_ms())?;
    let body = Zeroizing::new(request.body.collect(MAX_FORM)?);
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let user = app.store.user_find(session.user)?.ok_or(Failure::SignedOut)?;
    match tried(app, form.text("uri"), &user.identity_url) {
        Ok(pairing) => touch::ask(app, session, request, Purpose::Pair { pairing }),
        Err(sentence) => Ok(ceremony::json(422, &json!({ "error": sentence }))),
    }
}

/// The pairing of a URI that works and speaks for `identity_url`, or what is wrong with it.
fn tried(app: &App, typed: &str, identity_url: &str) -> Result<Pairing, String> {
    let pairing =
        PairingUri::parse(typed, app.config.allow_private_upstreams).map_err(|e| e.to_string())?;
    let server = Server::new(app.client.clone(), pairing.origin.clone(), pairing.token.clone());
    let identity = server.identity().map_err(|e| register::refusal(&e))?;
    if identity.url.canonical() != identity_url {
        let own = identity_url.split_once("://").map_or(identity_url, |(_, display)| display);
        return Err(format!(
            "This URI belongs to {}, but this account is {own}. Nothing was changed: make the URI \
             on your own posta-server, or sign up as {0} with an invite.",
            identity.url.display(),
        ));
    }
    Ok(pairing)
}

pub fn touched(app: &App, touched: &Touched, pairing: Pairing) -> Result<Response, Ending> {
    let data_key = touched.data_key()?;
    let user = &touched.passkey.user;
    let server_url = ceremony::server_url(&pairing.origin);
    let sealed = vault::seal_token(&data_key, &pairing.token, &user.handle, &server_url);
    let repaired = app.store.user_repair(user.id, &server_url, sealed);
    match repaired.map_err(Failure::from)? {
        Repaired::Done => {}
        Repaired::Taken => return Err(Ending::Told(409, TAKEN)),
        Repaired::NoUser => return Err(Ending::Told(410, "This account was deleted meanwhile.")),
    }
    for session in app.sessions.of_user(user.id) {
        session.server.switch(pairing.origin.clone(), &pairing.token);
    }
    if let Some(account) = app.live.find(user.id) {
        account.paired(pairing.origin, &pairing.token);
    }
    log::info!("user={} paired again", user.id.0);
    Ok(touch::done("Paired again. Everything goes on with the new token.", json!({})))
}

const TAKEN: &str = "Another account here is paired with that posta-server as the same \
     participant. Sign in to that one, or delete it first.";
