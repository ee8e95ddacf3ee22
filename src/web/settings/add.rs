//! A further passkey, in three touches: one of a passkey there is, which opens the data key; the
//! making of the new one; and its proof that it gives a PRF output, under which the data key is
//! wrapped once more. Nothing is stored before the last.
use super::touch::{self, Touched};
use crate::http::{Request, Response, deep};
use crate::ops::{encode, random};
use crate::session::{Adding, Ceremony, Purpose, Session, Trying};
use crate::store::{Added, NewPasskey};
use crate::vault;
use crate::web::app::App;
use crate::web::ceremony::{Ending, Json};
use crate::web::failure::{Answer, Failure};
use crate::web::form::Form;
use crate::web::routes::Params;
use crate::webauthn::{
    self, AuthenticationResponse, RegistrationResponse, StoredCredential, UserKnown,
};
use serde_json::json;
use std::sync::Arc;

const MAX_FORM: usize = 1024;

/// Where browsers are to look first (WebAuthn Level 3 §5.8.7); they offer the other places too.
const HERE: &[&str] = &["client-device"];
const ELSEWHERE: &[&str] = &["hybrid", "security-key"];

/// `POST /settings/passkeys/add`
pub fn begin(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let elsewhere = form.text("where") == "elsewhere";
    touch::ask(app, session, request, Purpose::AddPasskey { elsewhere })
}

/// The data key is open: ask for a new passkey, on an authenticator that has none of these.
pub fn touched(
    app: &App,
    session: &Session,
    touched: &Touched,
    elsewhere: bool,
) -> Result<Response, Ending> {
    let data_key = touched.data_key()?;
    let user = &touched.passkey.user;
    let passkeys = app.store.passkey_list(user.id).map_err(Failure::from)?;
    let challenge = random::bytes();
    let address = user.identity_url.split_once("://").map_or(&*user.identity_url, |(_, a)| a);
    let options = webauthn::further_options(
        &app.policy,
        &challenge,
        &webauthn::User { handle: &user.handle, name: address, display_name: &user.name },
        &app.prf_salt,
        &touch::descriptors(&passkeys),
        if elsewhere { ELSEWHERE } else { HERE },
    );
    let (session, user, handle) = (session.key, user.id, user.handle);
    let adding = Adding { session, user, handle, data_key, challenge };
    Ok(touch::next(app, Ceremony::Add(adding), "create", &options))
}

/// The authenticator made a credential: verify it and ask for the proof.
pub fn created(app: &App, adding: Adding, json: Json) -> Result<Response, Ending> {
    let (policy, challenge) = (app.policy.clone(), adding.challenge);
    let credential = deep::run(move || {
        let response = RegistrationResponse::from_json(&json.credential)?;
        webauthn::verify_registration(&policy, &challenge, &response)
    })
    .map_err(|e| Ending::refused(400, NOT_CREATED, e))?;
    let challenge = random::bytes();
    let allowed = [(credential.id.as_slice(), credential.transports.as_slice())];
    let options = webauthn::request_options(&app.policy, &challenge, &allowed, &app.prf_salt);
    let trying = Trying { adding, credential, challenge };
    Ok(touch::next(app, Ceremony::Try(trying), "get", &options))
}

/// It was used once and gave its PRF output: wrap the data key under that, and keep it.
pub fn proved(app: &App, trying: Trying, mut json: Json) -> Result<Response, Ending> {
    let Trying { adding, credential, challenge } = trying;
    let Some(prf) = json.take_prf() else { return Err(Ending::Unknown(422, NO_PRF)) };
    let stored = StoredCredential {
        id: credential.id.clone(),
        public_key: credential.public_key.clone(),
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        user_handle: adding.handle.to_vec(),
    };
    let policy = app.policy.clone();
    let assertion = deep::run(move || {
        let response = AuthenticationResponse::from_json(&json.credential)?;
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::Before)
    })
    .map_err(|e| Ending::refused(400, NOT_CREATED, e))?;
    let wrapped_key = vault::wrap_key(&prf, &adding.data_key, &adding.handle, &credential.id);
    let id = encode::b64url(&credential.id);
    let new = NewPasskey {
        credential_id: credential.id,
        public_key: credential.public_key,
        sign_count: assertion.sign_count,
        backup_eligible: credential.backup_eligible,
        backed_up: assertion.backed_up,
        transports: credential.transports,
        aaguid: credential.aaguid,
        wrapped_key,
    };
    let added = app.store.passkey_add(adding.user, new, app.clock.now_ms());
    match added.map_err(Failure::from)? {
        Added::Done => {
            log::info!("user={} added a passkey", adding.user.0);
            let sentence = "The passkey was added: you can sign in with it. Give it a name, so that \
                            you know it again.";
            Ok(touch::done(sentence, json!({ "added": id })))
        }
        Added::Taken => Err(Ending::Told(409, "This passkey is in use already. Make another.")),
        Added::TooMany => Err(Ending::Unknown(
            409,
            "You have as many passkeys as there can be. Remove one before you add another.",
        )),
        Added::NoUser => Err(Ending::Unknown(410, "This account was deleted meanwhile.")),
    }
}

const NOT_CREATED: &str = "The new passkey could not be checked. Try again.";
const NO_PRF: &str = "This authenticator can't open your account: it has no PRF, the part of a \
     passkey that seals your token. Nothing was added. Try the passkey of a phone or computer, a \
     current password app, or a newer security key.";
