//! Sign-in by passkey: the page, the options of the ceremony, and its end.
use super::app::{App, safe_next};
use super::ceremony::{self, Ending, Json};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::routes::Params;
use super::{cookie, html, page};
use crate::http::{Request, Response, deep};
use crate::ops::random;
use crate::posta::Server;
use crate::session::{Ceremony, Kind};
use crate::vault;
use crate::webauthn::{self, AuthenticationResponse, StoredCredential, UserKnown};
use serde_json::json;

/// `GET /login`
pub fn page(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let next = safe_next(query.text("next"));
    if app.session(request).is_some() {
        return Ok(Response::new(303).with("location", next.to_owned()));
    }
    let deleted = query.get("deleted").is_some();
    Ok(page::html(html::auth::login(next, deleted)))
}

/// `POST /login/options`: a challenge of its own for each try.
pub fn options(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    app.limits.check(Kind::SignIn, request.client_ip, app.clock.now_ms())?;
    let challenge = random::bytes();
    let ceremony = app.ceremonies.begin(Ceremony::Login { challenge });
    let options = webauthn::request_options(&app.policy, &challenge, &[], &app.prf_salt);
    Ok(ceremony::json(200, &json!({ "ceremony": ceremony, "publicKey": options })))
}

/// `POST /login`: one and the same 401 whatever is wrong, so that nobody learns which passkeys
/// exist here.
pub fn finish(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    app.limits.check(Kind::SignIn, request.client_ip, app.clock.now_ms())?;
    let json: Json = ceremony::read(request)?;
    let next = safe_next(&json.next).to_owned();
    match signed_in(app, request, json) {
        Ok(value) => {
            Ok(ceremony::located(&next).with("set-cookie", cookie::set(&value, app.https())))
        }
        Err(ending) => ending.answer(request.id, "sign-in"),
    }
}

fn refused(why: impl std::fmt::Display) -> Ending {
    Ending::refused(401, REFUSED, why)
}

const REFUSED: &str = "That passkey does not open an account here. Try again, or use another one.";

/// The credential opens nothing here. Whoever proves to hold one that its owner has removed is told
/// so, beside the same words: what keeps it can then let go of it. An id alone proves nothing.
fn unknown(
    app: &App,
    challenge: [u8; 32],
    response: AuthenticationResponse,
) -> Result<Ending, Ending> {
    let removed = app.store.passkey_removed(&response.raw_id).map_err(Failure::from)?;
    let removed = removed.ok_or_else(|| refused("the credential is unknown"))?;
    let stored = StoredCredential {
        id: response.raw_id.clone(),
        public_key: removed.public_key,
        // It was used since by nobody we would have to tell from its owner.
        sign_count: 0,
        backup_eligible: removed.backup_eligible,
        user_handle: removed.handle.to_vec(),
    };
    let policy = app.policy.clone();
    deep::run(move || {
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::ByTheAnswer)
    })
    .map_err(refused)?;
    Ok(Ending::Unknown(401, REFUSED))
}

/// Verifies the assertion, opens the token with the PRF output, and begins a session.
fn signed_in(app: &App, request: &Request<'_>, mut json: Json) -> Result<String, Ending> {
    let Some(Ceremony::Login { challenge }) = app.ceremonies.take(&json.ceremony) else {
        return Err(refused("the challenge is unknown, used or expired"));
    };
    let prf = json.take_prf();
    let response =
        deep::run(move || AuthenticationResponse::from_json(&json.credential)).map_err(refused)?;
    let found = app.store.passkey_find(&response.raw_id).map_err(Failure::from)?;
    let Some(passkey) = found else { return Err(unknown(app, challenge, response)?) };
    let stored = StoredCredential {
        id: passkey.credential_id.clone(),
        public_key: passkey.public_key.clone(),
        sign_count: passkey.sign_count,
        backup_eligible: passkey.backup_eligible,
        user_handle: passkey.user.handle.to_vec(),
    };
    let policy = app.policy.clone();
    let assertion = deep::run(move || {
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::ByTheAnswer)
    })
    .map_err(refused)?;
    let prf = prf.ok_or_else(|| refused("no PRF output came with the assertion"))?;
    let user = &passkey.user;
    let token = vault::open(
        &prf,
        &passkey.wrapped_key,
        &user.sealed_token,
        &user.handle,
        &user.server_url,
        &passkey.credential_id,
    )
    .map_err(refused)?;
    let origin = ceremony::origin_of(&user.server_url)
        .ok_or_else(|| refused(format_args!("user {} has a broken server URL", user.id.0)))?;
    let now = app.clock.now_ms();
    let used = (assertion.sign_count, assertion.backed_up);
    if let Err(e) = app.store.passkey_used(&passkey.credential_id, used.0, used.1, now) {
        // A full disk, or a locked database, must not keep people from their messages.
        log::error!("user={} a sign-in could not be noted: {e}", user.id.0);
    }
    log::info!("user={} signed in", user.id.0);
    let server = Server::new(app.client.clone(), origin, token);
    Ok(app.sign_in(request, user.id, &user.handle, &user.name, server))
}
