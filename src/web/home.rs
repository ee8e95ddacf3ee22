//! `GET /`: the inbox, with a hint where the thread will be.
use super::app::{App, is_htmx};
use super::failure::Answer;
use super::page;
use super::routes::Params;
use crate::http::Request;
use crate::session::Session;
use std::sync::Arc;

pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let inbox = app.account(session).inbox();
    Ok(page::welcome(app, session, &inbox, is_htmx(request)))
}
