//! Taking a passkey away, and calling one by another name.
use super::back;
use super::touch::{self, Touched};
use crate::http::{Request, Response};
use crate::ops::encode;
use crate::session::{Purpose, Session};
use crate::store::Removed;
use crate::web::app::App;
use crate::web::ceremony::Ending;
use crate::web::failure::{Answer, Failure};
use crate::web::form::Form;
use crate::web::routes::Params;
use serde_json::json;
use std::sync::Arc;

/// A credential id of the longest kind in base64url, and a name in a form's encoding.
const MAX_FORM: usize = 4 * 1024;
/// Longest name, in characters.
const MAX_NAME: usize = 60;

const LAST: &str = "This is your only passkey. Add another one before you remove it.";
const GONE: &str = "This passkey is gone already. Reload the page.";

/// The form, and the credential id it names.
fn read(request: &mut Request<'_>) -> Result<(Form, Vec<u8>), Failure> {
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let id = encode::b64url_decode(form.text("id")).ok_or(Failure::Bad(GONE))?;
    Ok((form, id))
}

/// `POST /settings/passkeys/rename`: an empty name is its authenticator's again.
pub fn rename(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let (form, id) = read(request)?;
    let plain = form.text("name").chars().filter(|c| !c.is_control()).take(MAX_NAME);
    let name = plain.collect::<String>();
    if !app.store.passkey_rename(session.user, &id, name.trim())? {
        return Err(Failure::Bad(GONE));
    }
    Ok(back())
}

/// `POST /settings/passkeys/remove`
pub fn begin(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let (_, credential_id) = read(request)?;
    let passkeys = app.store.passkey_list(session.user)?;
    if !passkeys.iter().any(|passkey| passkey.credential_id == credential_id) {
        return Err(Failure::Bad(GONE));
    }
    if passkeys.len() == 1 {
        return Err(Failure::Bad(LAST));
    }
    touch::ask(app, session, request, Purpose::RemovePasskey { credential_id })
}

/// Any of the user's passkeys may confirm it, also the one that goes.
pub fn touched(
    app: &App,
    session: &Session,
    touched: &Touched,
    credential_id: &[u8],
) -> Result<Response, Ending> {
    let user = &touched.passkey.user;
    let removed = app.store.passkey_remove(user.id, credential_id, app.clock.now_ms());
    match removed.map_err(Failure::from)? {
        Removed::Done => {}
        Removed::Last => return Err(Ending::Told(409, LAST)),
        Removed::Unknown => return Err(Ending::Told(409, GONE)),
    }
    log::info!("user={} removed a passkey", user.id.0);
    let left = app.store.passkey_list(user.id).map_err(Failure::from)?;
    let elsewhere = app.sessions.of_user(user.id).iter().any(|other| other.key != session.key);
    let accepted = touch::accepted(app, &user.handle, &left);
    let more = json!({ "accepted": accepted, "offerEndOthers": elsewhere });
    Ok(touch::done("The passkey was removed. It opens nothing here any more.", more))
}
