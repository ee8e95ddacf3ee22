//! `POST /c/<peer>/read`: a person has seen the thread down to a row.
use super::app::{App, navigates};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::plain;
use super::routes::Params;
use super::thread::peer_of;
use crate::http::{Request, Response};
use crate::session::Session;
use std::sync::Arc;

const MAX_FORM: usize = 1024;

pub fn mark(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let row = form.text("row").parse().map_err(|_| Failure::Bad("Which message was read?"))?;
    app.account(session).opened(&peer, row);
    Ok(if navigates(request) { plain::see_other(&peer.page()) } else { Response::new(204) })
}
