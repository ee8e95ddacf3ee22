//! Sign-up: an invite, a pairing URI or one of its kin, a passkey, and the proof that the passkey
//! opens the token.
//!
//! Nothing is stored before the last step. Up to then everything lives in a ceremony in RAM, and
//! giving up leaves the invite usable. A set-up link is good for one use as well: it is only looked
//! at before, and redeemed once the passkey is proven. What may still fail then fails with the token
//! kept in the ceremony, so that confirming once more goes on from there.
use super::app::App;
use super::ceremony::{self, Ending, Json};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::routes::Params;
use super::{cookie, headers, html, page};
use crate::http::{Request, Response, deep};
use crate::ops::random;
use crate::posta::model::cut;
use crate::posta::setup::MAX_DEVICE;
use crate::posta::{Identity, InviteInfo, Offer, Pairing, PostaError, Server, SetupError};
use crate::session::{Ceremony, Kind, Proving, Registering};
use crate::store::{NewPasskey, NewUser, RegisterError};
use crate::vault;
use crate::webauthn::{
    self, AuthenticationResponse, Credential, RegistrationResponse, StoredCredential, UserKnown,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const MAX_FORM: usize = 16 * 1024;

/// `GET /register?code=…`
pub fn start(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let code = query.text("code");
    if !invited(app, request, code)? {
        return Ok(invalid_invite());
    }
    Ok(paste(code, None))
}

/// The field is never filled: what was typed holds a secret, which is never in HTML; the page's
/// script keeps it. A code may be read there with the camera.
fn paste(code: &str, error: Option<&str>) -> Response {
    let mut response = page::html(html::auth::register_paste(code, error))
        .with("permissions-policy", headers::WITH_CAMERA);
    response.status = if error.is_some() { 422 } else { 200 };
    response
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

/// `POST /register`: tries what was pasted and begins the ceremony.
pub fn connect(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    app.limits.check(Kind::SignUp, request.client_ip, app.clock.now_ms())?;
    let body = Zeroizing::new(request.body.collect(MAX_FORM)?);
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let (code, typed) = (form.text("code"), form.text("uri"));
    if !invited(app, request, code)? {
        return Ok(invalid_invite());
    }
    let (offer, identity, info) = match tried(app, request.id, typed) {
        Ok(tried) => tried,
        Err(sentence) => return Ok(paste(code, Some(&sentence))),
    };
    let (challenge, handle) = (random::bytes(), random::bytes());
    let name = called(&identity).to_owned();
    let options = webauthn::creation_options(
        &app.policy,
        &challenge,
        &webauthn::User { handle: &handle, name: identity.url.display(), display_name: &name },
        &app.prf_salt,
    );
    let device = info.as_ref().map(|info| device_name(&info.device_name, DEVICE));
    let ceremony = app.ceremonies.begin(Ceremony::Register(Registering {
        invite: code.to_owned(),
        offer,
        device: device.clone(),
        identity: identity.clone(),
        challenge,
        handle,
    }));
    let options = json!({ "ceremony": ceremony, "publicKey": options }).to_string();
    let link = info.as_ref().map(|info| html::pairing::Link {
        device: device.as_deref().unwrap_or(DEVICE),
        expires_at: info.expires_at,
    });
    Ok(page::html(html::auth::register_passkey(&name, &identity.url, link, &options)))
}

/// What was pasted and whom it is for; the invite behind a set-up link is only looked at. The error
/// is a sentence for the person.
pub fn tried(
    app: &App,
    request_id: u64,
    typed: &str,
) -> Result<(Offer, Identity, Option<InviteInfo>), String> {
    let offer =
        Offer::parse(typed, app.config.allow_private_upstreams).map_err(|e| e.to_string())?;
    let note = |e: &dyn std::fmt::Display| log::info!("id={request_id} pairing: {e}");
    match &offer {
        Offer::Token(Pairing { origin, token }) => {
            let server = Server::new(app.client.clone(), origin.clone(), token.clone());
            let identity = server.identity().map_err(|e| {
                note(&e);
                refusal(&e)
            })?;
            Ok((offer, identity, None))
        }
        Offer::Invite(setup) => {
            let info = setup.look(&app.client).map_err(|e| {
                note(&e);
                match e {
                    SetupError::Gone => LINK_GONE.to_owned(),
                    SetupError::Posta(e) => refusal(&e),
                }
            })?;
            let url = info.identity.clone();
            Ok((offer, Identity { url, name: String::new(), avatar: None }, Some(info)))
        }
    }
}

/// What the posta-server shall call this device: one line, not too long, and something.
pub fn device_name(given: &str, otherwise: &str) -> String {
    let line = given.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match cut(&line, MAX_DEVICE).trim() {
        "" => otherwise.to_owned(),
        name => name.to_owned(),
    }
}

const DEVICE: &str = "chat-posta";
const LINK_GONE: &str = "This set-up link has expired, was used already, or was cut short. Make a \
     new one on your posta-server and paste it here.";

fn called(identity: &Identity) -> &str {
    match identity.name.trim() {
        "" => identity.url.display(),
        name => name,
    }
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
        PostaError::NotUnderstood(_) | PostaError::SourceBroke => {
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
    let question = ask_for_proof(app, begun, credential);
    Ok(ceremony::json(200, &question))
}

/// The challenge that the new passkey is to answer.
fn ask_for_proof(app: &App, begun: Registering, credential: Credential) -> Value {
    let challenge = random::bytes();
    let allowed = [(credential.id.as_slice(), credential.transports.as_slice())];
    let options = webauthn::request_options(&app.policy, &challenge, &allowed, &app.prf_salt);
    let ceremony = app.ceremonies.begin(Ceremony::Prove(Proving { begun, credential, challenge }));
    json!({ "ceremony": ceremony, "publicKey": options })
}

const NOT_CREATED: &str = "The passkey could not be checked. Try to create it again.";

/// The credential was used once and gave its PRF output: come by the token, seal it, store all,
/// sign in.
fn proved(
    app: &App,
    request: &Request<'_>,
    proving: Proving,
    mut json: Json,
) -> Result<Response, Ending> {
    let Proving { mut begun, credential, challenge } = proving;
    let Some(prf) = json.take_prf() else { return Err(Ending::Unknown(422, NO_PRF)) };
    let stored = StoredCredential {
        id: credential.id.clone(),
        public_key: credential.public_key.clone(),
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        user_handle: begun.handle.to_vec(),
    };
    let (policy, device) = (app.policy.clone(), std::mem::take(&mut json.device));
    let assertion = deep::run(move || {
        let response = AuthenticationResponse::from_json(&json.credential)?;
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::Before)
    })
    .map_err(|e| Ending::refused(400, NOT_CREATED, e))?;
    let again = |begun, status, sentence| {
        let next = ask_for_proof(app, begun, credential.clone());
        Ending::Again { status, sentence, next }
    };
    let pairing = match redeemed(app, request.id, &mut begun, &device) {
        Ok(pairing) => pairing,
        Err(Unredeemed::ForGood(status, sentence)) => return Err(Ending::Told(status, sentence)),
        Err(Unredeemed::ForNow(status, sentence)) => return Err(again(begun, status, sentence)),
    };
    let server_url = ceremony::server_url(&pairing.origin);
    let sealed = vault::seal_new(&prf, &pairing.token, &begun.handle, &server_url, &credential.id);
    let name = called(&begun.identity).to_owned();
    let now = app.clock.now_ms();
    let registered = app.store.register(
        NewUser {
            handle: begun.handle,
            name: name.clone(),
            identity_url: begun.identity.url.canonical().to_owned(),
            server_url,
            sealed_token: sealed.sealed_token,
            passkey: NewPasskey {
                credential_id: credential.id.clone(),
                public_key: credential.public_key.clone(),
                sign_count: assertion.sign_count,
                backup_eligible: credential.backup_eligible,
                backed_up: assertion.backed_up,
                transports: credential.transports.clone(),
                aaguid: credential.aaguid,
                wrapped_key: sealed.wrapped_key,
            },
        },
        &begun.invite,
        now,
    );
    let registered = match registered {
        Ok(registered) => registered,
        Err(RegisterError::InviteGone) if begun.device.is_some() => {
            return Err(Ending::Told(410, BOTH_GONE));
        }
        Err(RegisterError::InviteGone) => return Err(Ending::Told(410, INVITE_GONE)),
        Err(RegisterError::CredentialTaken) => {
            return Err(Ending::Told(409, "This passkey is in use already. Create another one."));
        }
        Err(RegisterError::Store(e)) => {
            log::error!("id={} sign-up: store: {e}", request.id);
            return Err(again(begun, 503, NOT_STORED));
        }
    };
    if let Some(replaced) = registered.replaced {
        log::info!("user={} replaced by a new sign-up of the same identity", replaced.0);
        app.end_user(replaced);
    }
    log::info!("user={} signed up", registered.user.0);
    let server = Server::new(app.client.clone(), pairing.origin, pairing.token);
    let cookie = app.sign_in(request, registered.user, &begun.handle, &name, server);
    Ok(ceremony::located("/").with("set-cookie", cookie::set(&cookie, app.https())))
}

/// Why there is no token yet.
enum Unredeemed {
    ForGood(u16, &'static str),
    ForNow(u16, &'static str),
}

/// The token: had already, or what the set-up link is exchanged for. From then on it is kept in
/// `begun`, for when something after this fails.
fn redeemed(
    app: &App,
    request_id: u64,
    begun: &mut Registering,
    device: &str,
) -> Result<Pairing, Unredeemed> {
    let setup = match &begun.offer {
        Offer::Token(pairing) => return Ok(pairing.clone()),
        Offer::Invite(setup) => setup,
    };
    // Ours is looked at first: theirs is gone once it is used.
    match app.store.invite_check(&begun.invite, app.clock.now_ms()) {
        Ok(Some(_)) => {}
        Ok(None) => return Err(Unredeemed::ForGood(410, INVITE_GONE)),
        Err(e) => {
            log::error!("id={request_id} sign-up: store: {e}");
            return Err(Unredeemed::ForNow(503, NOT_STORED));
        }
    }
    let device = device_name(device, begun.device.as_deref().unwrap_or(DEVICE));
    let (pairing, identity) = setup.redeem(&app.client, &device).map_err(|e| {
        log::info!("id={request_id} sign-up: {e}");
        match e {
            SetupError::Gone => Unredeemed::ForGood(410, LINK_GONE_LATE),
            SetupError::Posta(_) => Unredeemed::ForNow(502, NOT_REDEEMED),
        }
    })?;
    if identity != begun.identity.url {
        return Err(Unredeemed::ForGood(409, OTHER_IDENTITY));
    }
    begun.offer = Offer::Token(pairing.clone());
    // Only now can one's name be asked for. It is no reason to stop.
    let server = Server::new(app.client.clone(), pairing.origin.clone(), pairing.token.clone());
    begun.identity.name = server.identity().map(|identity| identity.name).unwrap_or_default();
    Ok(pairing)
}

const INVITE_GONE: &str = "This invite has just been used or has expired.";
const BOTH_GONE: &str = "This invite has just been used or has expired, and your set-up link is \
     used up. On your posta-server, revoke the token it gave; for another try you need a new \
     invite and a new set-up link.";
const LINK_GONE_LATE: &str = "Your set-up link was used or has expired meanwhile, so nothing was \
     stored. Make a new one on your posta-server; your invite is still good.";
const NOT_REDEEMED: &str = "Your posta-server gave no token for the set-up link just now. Nothing \
     is stored yet, and your invite is still good: confirm once more.";
const OTHER_IDENTITY: &str = "Your posta-server gave a token of somebody else than the set-up link \
     was for, so nothing was stored. Revoke that token there.";
const NOT_STORED: &str = "This service could not store your account just now. What you have done \
     so far is kept for five minutes: confirm once more.";

const NO_PRF: &str = "This authenticator can't protect your messages: it has no PRF, the part of a \
     passkey that seals your token. Nothing was stored and your invite is still good. Try the \
     passkey of your phone or computer, a current password app, or a newer security key.";
