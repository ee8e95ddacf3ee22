//! Sign-up: an invite, a pairing URI, a passkey, and the proof that the passkey opens the token.
//!
//! Nothing is stored before the last step. Up to then everything lives in a ceremony in RAM, and
//! giving up leaves the invite usable.
use super::app::App;
use super::ceremony::{self, Ending, Json};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::routes::Params;
use super::{cookie, html, page};
use crate::http::{Request, Response, deep};
use crate::ops::random;
use crate::posta::{PairingUri, PostaError, Server};
use crate::session::{Ceremony, Kind, Proving, Registering};
use crate::store::{NewPasskey, NewUser, RegisterError};
use crate::vault;
use crate::webauthn::{
    self, AuthenticationResponse, RegistrationResponse, StoredCredential, UserKnown,
};
use serde_json::json;
use zeroize::Zeroizing;

const MAX_FORM: usize = 16 * 1024;

/// `GET /register?code=…`
pub fn start(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let code = query.text("code");
    if !invited(app, request, code)? {
        return Ok(invalid_invite());
    }
    Ok(page::html(html::auth::register_paste(code, "", None)))
}

/// Whether the code is of a usable invite. Guesses are limited by address.
fn invited(app: &App, request: &Request<'_>, code: &str) -> Result<bool, Failure> {
    let now = app.clock.now_ms();
    app.limits.check(Kind::Invite, request.client_ip, now)?;
    Ok(app.store.invite_check(code, now)?.is_some())
}

fn invalid_invite() -> Response {
    let mut response = page::html(html::auth::invalid_invite());
    response.status = 404;
    response
}

/// `POST /register`: tries the pairing URI and begins the ceremony.
pub fn connect(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    app.limits.check(Kind::SignUp, request.client_ip, app.clock.now_ms())?;
    let body = Zeroizing::new(request.body.collect(MAX_FORM)?);
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let (code, typed) = (form.text("code"), form.text("uri"));
    if !invited(app, request, code)? {
        return Ok(invalid_invite());
    }
    // What was typed holds the token, which is never in HTML; the page's script keeps the field.
    let again = |error: &str| {
        let mut response = page::html(html::auth::register_paste(code, "", Some(error)));
        response.status = 422;
        Ok(response)
    };
    let pairing = match PairingUri::parse(typed, app.config.allow_private_upstreams) {
        Ok(pairing) => pairing,
        Err(e) => return again(&e.to_string()),
    };
    let server = Server::new(app.client.clone(), pairing.origin.clone(), pairing.token.clone());
    let identity = match server.identity() {
        Ok(identity) => identity,
        Err(e) => {
            log::info!("id={} sign-up: {e}", request.id);
            return again(&refusal(&e));
        }
    };
    let (challenge, handle) = (random::bytes(), random::bytes());
    let name = match identity.name.trim() {
        "" => identity.url.display().to_owned(),
        name => name.to_owned(),
    };
    let options = webauthn::creation_options(
        &app.policy,
        &challenge,
        &webauthn::User { handle: &handle, name: identity.url.display(), display_name: &name },
        &app.prf_salt,
    );
    let ceremony = app.ceremonies.begin(Ceremony::Register(Registering {
        invite: code.to_owned(),
        pairing,
        identity: identity.clone(),
        challenge,
        handle,
    }));
    let options = json!({ "ceremony": ceremony, "publicKey": options }).to_string();
    Ok(page::html(html::auth::register_passkey(&name, &identity.url, &options)))
}

/// What to tell somebody whose posta-server did not confirm the token.
pub fn refusal(error: &PostaError) -> String {
    match error {
        PostaError::TokenRefused => "Token rejected by your posta-server. Make a new pairing URI \
                                     there and paste it here."
            .into(),
        PostaError::Unreachable(_) => "Couldn't reach your posta-server. Check that it is running \
                                       and that the address in the URI is right."
            .into(),
        PostaError::Refused { status, .. } => {
            format!("Your posta-server answered with an error ({status}). Try again in a moment.")
        }
        PostaError::NotUnderstood(_) => {
            "What answers at that address does not seem to be a posta-server.".into()
        }
    }
}

/// `POST /register/passkey`: first with the new credential, then with the proof that it opens what
/// it seals.
pub fn passkey(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let json: Json = ceremony::read(request)?;
    let step = match app.ceremonies.take(&json.ceremony) {
        Some(Ceremony::Register(begun)) => created(app, begun, json),
        Some(Ceremony::Prove(created)) => proved(app, request, created, json),
        _ => Err(Ending::Told(410, "This took too long. Open the invite link again.")),
    };
    step.or_else(|ending| ending.answer(request.id, "sign-up"))
}

/// The authenticator made a credential: verify it and ask for the proof.
fn created(app: &App, begun: Registering, json: Json) -> Result<Response, Ending> {
    let (policy, challenge) = (app.policy.clone(), begun.challenge);
    let credential = deep::run(move || {
        let response = RegistrationResponse::from_json(&json.credential)?;
        webauthn::verify_registration(&policy, &challenge, &response)
    })
    .map_err(|e| Ending::refused(400, NOT_CREATED, e))?;
    log::debug!("a passkey was made; attestation={}, not trusted", credential.attestation);
    if app.store.passkey_find(&credential.id).map_err(Failure::from)?.is_some() {
        return Err(Ending::Told(409, "This passkey is in use already. Create another one."));
    }
    let challenge = random::bytes();
    let allowed = [(credential.id.as_slice(), credential.transports.as_slice())];
    let options = webauthn::request_options(&app.policy, &challenge, &allowed, &app.prf_salt);
    let ceremony = app.ceremonies.begin(Ceremony::Prove(Proving { begun, credential, challenge }));
    Ok(ceremony::json(200, &json!({ "ceremony": ceremony, "publicKey": options })))
}

const NOT_CREATED: &str = "The passkey could not be checked. Try to create it again.";

/// The credential was used once and gave its PRF output: seal the token, store all, sign in.
fn proved(
    app: &App,
    request: &Request<'_>,
    proving: Proving,
    mut json: Json,
) -> Result<Response, Ending> {
    let Proving { begun, credential, challenge } = proving;
    let Some(prf) = json.take_prf() else { return Err(Ending::Unknown(422, NO_PRF)) };
    let stored = StoredCredential {
        id: credential.id.clone(),
        public_key: credential.public_key.clone(),
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        user_handle: begun.handle.to_vec(),
    };
    let policy = app.policy.clone();
    let assertion = deep::run(move || {
        let response = AuthenticationResponse::from_json(&json.credential)?;
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::Before)
    })
    .map_err(|e| Ending::refused(400, NOT_CREATED, e))?;
    let server_url = ceremony::server_url(&begun.pairing.origin);
    let sealed =
        vault::seal_new(&prf, &begun.pairing.token, &begun.handle, &server_url, &credential.id);
    let name = match begun.identity.name.trim() {
        "" => begun.identity.url.display(),
        name => name,
    };
    let now = app.clock.now_ms();
    let registered = app.store.register(
        NewUser {
            handle: begun.handle,
            name: name.to_owned(),
            identity_url: begun.identity.url.canonical().to_owned(),
            server_url,
            sealed_token: sealed.sealed_token,
            passkey: NewPasskey {
                credential_id: credential.id,
                public_key: credential.public_key,
                sign_count: assertion.sign_count,
                backup_eligible: credential.backup_eligible,
                backed_up: assertion.backed_up,
                transports: credential.transports,
                aaguid: credential.aaguid,
                wrapped_key: sealed.wrapped_key,
            },
        },
        &begun.invite,
        now,
    );
    let registered = match registered {
        Ok(registered) => registered,
        Err(RegisterError::InviteGone) => {
            return Err(Ending::Told(410, "This invite has just been used or has expired."));
        }
        Err(RegisterError::CredentialTaken) => {
            return Err(Ending::Told(409, "This passkey is in use already. Create another one."));
        }
        Err(RegisterError::Store(e)) => return Err(Ending::Failed(e.into())),
    };
    if let Some(replaced) = registered.replaced {
        log::info!("user={} replaced by a new sign-up of the same identity", replaced.0);
        app.end_user(replaced);
    }
    log::info!("user={} signed up", registered.user.0);
    let server = Server::new(app.client.clone(), begun.pairing.origin, begun.pairing.token);
    let cookie = app.sign_in(request, registered.user, name, server);
    Ok(ceremony::located("/").with("set-cookie", cookie::set(&cookie, app.https())))
}

const NO_PRF: &str = "This authenticator can't protect your messages: it has no PRF, the part of a \
     passkey that seals your token. Nothing was stored and your invite is still good. Try the \
     passkey of your phone or computer, a current password app, or a newer security key.";
