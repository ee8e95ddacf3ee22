//! The touch of a passkey that every change which matters takes, and the one door through which all
//! of its steps come back (`POST /settings/step`).
//!
//! What is asked with and what is answered is JSON: `{ceremony, kind, publicKey}`, where `kind` says
//! whether a passkey is to be used (`get`) or made (`create`); at last `{done}`, a sentence.
use super::{add, delete, pair, remove};
use crate::http::{Request, Response, deep};
use crate::ops::encode::b64url;
use crate::ops::random;
use crate::session::{Ceremony, Kind, Purpose, Session, Touch};
use crate::store::{Passkey, PasskeyRow, StoreError};
use crate::vault::{self, DataKey};
use crate::web::app::App;
use crate::web::ceremony::{self, Ending, Json};
use crate::web::failure::{Answer, Failure};
use crate::web::routes::Params;
use crate::webauthn::{self, AuthenticationResponse, StoredCredential, UserKnown};
use serde_json::{Value, json};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Asks for a touch of any of the user's passkeys.
pub fn ask(app: &App, session: &Session, request: &Request<'_>, purpose: Purpose) -> Answer {
    app.limit(Kind::SignIn, session, request)?;
    Ok(ceremony::json(200, &question(app, session, purpose)?))
}

/// The question that a touch answers.
pub fn question(app: &App, session: &Session, purpose: Purpose) -> Result<Value, StoreError> {
    let passkeys = app.store.passkey_list(session.user)?;
    let challenge = random::bytes();
    let options =
        webauthn::request_options(&app.policy, &challenge, &descriptors(&passkeys), &app.prf_salt);
    let touch = Touch { session: session.key, user: session.user, purpose, challenge };
    Ok(step_of(app, Ceremony::Touch(touch), "get", &options))
}

fn step_of(app: &App, ceremony: Ceremony, kind: &str, options: &Value) -> Value {
    let id = app.ceremonies.begin(ceremony);
    json!({ "ceremony": id, "kind": kind, "publicKey": options })
}

/// What the script is to do next.
pub fn next(app: &App, ceremony: Ceremony, kind: &str, options: &Value) -> Response {
    ceremony::json(200, &step_of(app, ceremony, kind, options))
}

pub fn descriptors(passkeys: &[PasskeyRow]) -> Vec<(&[u8], &[String])> {
    passkeys.iter().map(|p| (p.credential_id.as_slice(), p.transports.as_slice())).collect()
}

/// All is done. `more` goes with it.
pub fn done(sentence: &str, more: Value) -> Response {
    let mut answer = json!({ "done": sentence });
    if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
        answer.extend(more);
    }
    ceremony::json(200, &answer)
}

/// Which passkeys the account has now, as `PublicKeyCredential.signalAllAcceptedCredentials()`
/// takes it: authenticators let go of others.
pub fn accepted(app: &App, handle: &[u8; 32], passkeys: &[PasskeyRow]) -> Value {
    let ids: Vec<String> = passkeys.iter().map(|p| b64url(&p.credential_id)).collect();
    let rp_id = &app.policy.rp_id;
    json!({ "rpId": rp_id, "userId": b64url(handle), "allAcceptedCredentialIds": ids })
}

/// `POST /settings/step`: the answer to the last thing asked.
pub fn step(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let json: Json = ceremony::read(request)?;
    let step = match app.ceremonies.take(&json.ceremony) {
        Some(Ceremony::Touch(touch)) if touch.session == session.key => {
            touched(app, session, touch, json)
        }
        Some(Ceremony::Add(adding)) if adding.session == session.key => {
            add::created(app, adding, json)
        }
        Some(Ceremony::Try(trying)) if trying.adding.session == session.key => {
            add::proved(app, trying, json)
        }
        _ => {
            // Who answers a challenge was counted when it was made.
            app.limit(Kind::SignIn, session, request)?;
            Err(Ending::Told(410, "This took too long. Begin again."))
        }
    };
    step.or_else(|ending| ending.answer(request.id, "settings"))
}

/// A passkey of the user that has just been touched.
pub struct Touched {
    pub passkey: Passkey,
    prf: Option<Zeroizing<[u8; 32]>>,
}

impl Touched {
    /// The user's data key, which this passkey wraps.
    pub fn data_key(&self) -> Result<DataKey, Ending> {
        let refused = |why: &dyn std::fmt::Display| Ending::refused(422, NO_PRF, why);
        let prf = self.prf.as_ref().ok_or_else(|| refused(&"no PRF output came"))?;
        let Passkey { wrapped_key, credential_id, user, .. } = &self.passkey;
        vault::unwrap_key(prf, wrapped_key, &user.handle, credential_id).map_err(|e| refused(&e))
    }
}

const NO_PRF: &str = "This passkey did not open what it protects. Try again, or use another one.";
const REFUSED: &str = "That passkey is not one of this account's. Try again with one that is.";

fn touched(app: &App, session: &Session, touch: Touch, mut json: Json) -> Result<Response, Ending> {
    let prf = json.take_prf();
    let refused = |why: &dyn std::fmt::Display| Ending::refused(403, REFUSED, why);
    let response = deep::run(move || AuthenticationResponse::from_json(&json.credential))
        .map_err(|e| refused(&e))?;
    let found = app.store.passkey_find(&response.raw_id).map_err(Failure::from)?;
    let passkey = found.filter(|passkey| passkey.user.id == touch.user);
    let passkey = passkey.ok_or_else(|| refused(&"the credential is not this user's"))?;
    let stored = StoredCredential {
        id: passkey.credential_id.clone(),
        public_key: passkey.public_key.clone(),
        sign_count: passkey.sign_count,
        backup_eligible: passkey.backup_eligible,
        user_handle: passkey.user.handle.to_vec(),
    };
    let (policy, challenge) = (app.policy.clone(), touch.challenge);
    let assertion = deep::run(move || {
        webauthn::verify_assertion(&policy, &challenge, &response, &stored, UserKnown::Before)
    })
    .map_err(|e| refused(&e))?;
    let now = app.clock.now_ms();
    app.store
        .passkey_used(&passkey.credential_id, assertion.sign_count, assertion.backed_up, now)
        .map_err(Failure::from)?;
    let touched = Touched { passkey, prf };
    match touch.purpose {
        Purpose::AddPasskey { elsewhere } => add::touched(app, session, &touched, elsewhere),
        Purpose::RemovePasskey { credential_id } => {
            remove::touched(app, session, &touched, &credential_id)
        }
        Purpose::Pair { offer, device } => pair::touched(app, session, &touched, offer, device),
        Purpose::DeleteAccount => delete::touched(app, &touched),
    }
}
