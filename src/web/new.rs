//! `/new`: open a conversation by its address. Nothing is stored anywhere until the first send.
use super::app::{App, is_htmx};
use super::failure::Answer;
use super::form::Form;
use super::page;
use super::routes::Params;
use crate::http::{Request, Response};
use crate::posta::PeerUrl;
use crate::session::Session;
use std::sync::Arc;

const MAX_FORM: usize = 16 * 1024;

/// `GET /new`
pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let inbox = app.account(session).inbox();
    Ok(page::new(app, session, &inbox, "", None, is_htmx(request)))
}

/// `POST /new`: an address leads to its thread; anything else is asked for again, as typed.
pub fn open(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let typed = form.text("url").trim();
    match PeerUrl::parse(typed) {
        Ok(peer) => Ok(Response::new(303).with("location", peer.page())),
        Err(_) => {
            let inbox = app.account(session).inbox();
            let error = "That is not an address. It looks like alice.example or example.org/bob.";
            let mut response =
                page::new(app, session, &inbox, typed, Some(error), is_htmx(request));
            response.status = 422;
            Ok(response)
        }
    }
}
