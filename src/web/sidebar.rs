//! `GET /sidebar?open=<peer>`: the list of conversations, as a fragment.
use super::app::App;
use super::failure::{Answer, Failure};
use super::form::Form;
use super::page;
use super::routes::Params;
use crate::http::Request;
use crate::posta::{PeerUrl, PostaError};
use crate::session::Session;
use std::sync::Arc;

pub fn fragment(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let open = PeerUrl::parse(query.text("open")).ok();
    let inbox = app.account(session).inbox();
    if !inbox.is_known {
        // Nothing must not take the place of what the page shows.
        return Err(Failure::Posta(PostaError::Unreachable("no contacts so far".into())));
    }
    Ok(page::contacts(app, session, &inbox, open.as_ref()))
}
