//! `POST /c/<peer>/messages`: one text message. `POST /c/<peer>/images?key=…&name=…&alt=…`: one
//! picture, the body, which is uploaded and then sent as a message.
//!
//! The page's script gets 204 with `Message-Row`, the posta-server's row id where it told one, or a
//! sentence; it says in `account` whose page it is, and gets 401 when that is not who is signed in.
//! A plain form gets a page: the thread with the new message, or, when it was not sent, with the
//! text where it was typed and the sentence beside it.
use super::app::{App, navigates};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::html::composer::Draft;
use super::picture::Incoming;
use super::routes::Params;
use super::thread::{peer_of, with_draft};
use super::{key, plain};
use crate::http::{Request, Response};
use crate::posta::{PeerUrl, Sent};
use crate::session::{Kind, Session};
use std::sync::Arc;

/// posta-servers take envelopes of at most 64 KiB; JSON and the envelope's own fields need room,
/// and a form's percent-encoding can triple the bytes on their way here.
pub const MAX_TEXT: usize = 48 * 1024;
pub const MAX_FORM: usize = 3 * MAX_TEXT + 1024;
/// Of a picture's name and description, in characters.
const MAX_NAME: usize = 100;
const MAX_ALT: usize = 300;

pub fn text(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    // Browsers send line breaks in forms as CRLF (WHATWG HTML §4.10.21.8).
    let typed = form.text("text").replace("\r\n", "\n");
    if !navigates(request) {
        is_theirs(session, &form)?;
        return Ok(taken(&send(app, session, request, &peer, &typed, form.text("key"))?));
    }
    if let Ok(row) = form.text("seen").parse() {
        app.account(session).opened(&peer, row);
    }
    if typed.trim().is_empty() {
        return Ok(plain::see_other(&peer.page()));
    }
    let form_key = form.text("key");
    let key = match key::is_uuid_v4(form_key) {
        true => key::of(form_key, typed.trim_end()),
        false => String::new(),
    };
    match send(app, session, request, &peer, &typed, &key) {
        Ok(_) => Ok(plain::see_other(&peer.page())),
        Err(failure) => {
            let sentence = failure.sentence();
            let draft = Draft { text: &typed, key: form_key, error: &sentence };
            Ok(failure.mark(with_draft(app, session, &peer, draft)))
        }
    }
}

pub fn picture(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    is_theirs(session, &query)?;
    let key = keyed(query.text("key"))?;
    let said = |name: &str, limit: usize| {
        let text = query.text(name).replace(char::is_control, " ");
        let text = text.trim();
        (!text.is_empty()).then(|| text.chars().take(limit).collect::<String>())
    };
    let about = (said("name", MAX_NAME), said("alt", MAX_ALT));
    app.limit(Kind::Upload, session, request)?;
    let mut incoming = Incoming::look(request)?;
    Ok(taken(&app.account(session).send_picture(&peer, incoming.picture(), about, key)?))
}

/// A page may have been left open while somebody else signed in.
fn is_theirs(session: &Session, form: &Form) -> Result<(), Failure> {
    match form.get("account") {
        Some(tag) if tag != session.tag => Err(Failure::SignedOut),
        _ => Ok(()),
    }
}

fn keyed(key: &str) -> Result<&str, Failure> {
    let lost = "The page lost track of this message. Reload it and try again.";
    if key::is_uuid_v4(key) { Ok(key) } else { Err(Failure::Bad(lost)) }
}

fn taken(sent: &Sent) -> Response {
    let response = Response::new(204);
    match sent.row_id {
        Some(row) => response.with("message-row", row.to_string()),
        None => response,
    }
}

fn send(
    app: &App,
    session: &Arc<Session>,
    request: &Request<'_>,
    peer: &PeerUrl,
    typed: &str,
    key: &str,
) -> Result<Sent, Failure> {
    let text = typed.trim_end();
    if text.trim().is_empty() {
        return Err(Failure::Bad("There is nothing to send yet."));
    }
    if text.len() > MAX_TEXT {
        return Err(Failure::Bad("This message is too long. Send it in parts."));
    }
    let key = keyed(key)?;
    app.limit(Kind::Send, session, request)?;
    Ok(app.account(session).send_text(peer, text, key)?)
}
