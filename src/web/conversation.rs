//! What one can do with a whole conversation: leave a room, take it off the list.
use super::app::{App, navigates};
use super::failure::Answer;
use super::form::Form;
use super::key;
use super::routes::Params;
use super::thread::peer_of;
use crate::http::{Request, Response};
use crate::session::{Kind, Session};
use std::sync::Arc;

const MAX_FORM: usize = 1024;

/// `POST /c/<peer>/leave`: tells the room, as a message of its own kind, that one leaves.
pub fn leave(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let given = form.text("key");
    // Without a script there is no key, and nothing that would try again by itself.
    let key = if key::is_uuid_v4(given) { given.to_owned() } else { key::fresh() };
    app.limit(Kind::Send, session, request)?;
    app.account(session).leave(&peer, &key)?;
    Ok(done(request, peer.page()))
}

/// `POST /c/<peer>/remove`
pub fn remove(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    app.limit(Kind::Send, session, request)?;
    app.account(session).remove(&peer)?;
    Ok(done(request, "/".to_owned()))
}

/// A script goes on by itself; a form sent without one is led to where it belongs.
fn done(request: &Request<'_>, page: String) -> Response {
    if navigates(request) { Response::new(303).with("location", page) } else { Response::new(204) }
}
