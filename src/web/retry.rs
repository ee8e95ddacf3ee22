//! `POST /messages/<row>/retry`: queue a failed message again.
use super::app::{App, navigates};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::html::composer::Draft;
use super::routes::Params;
use super::{plain, thread};
use crate::http::{Request, Response};
use crate::posta::PeerUrl;
use crate::session::{Kind, Session};
use std::sync::Arc;

const MAX_FORM: usize = 16 * 1024;

pub fn again(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let row = params.raw(0).parse().map_err(|_| Failure::NotFound)?;
    let outcome = app
        .limit(Kind::Send, session, request)
        .and_then(|()| Ok(app.account(session).retry(row)?));
    if !navigates(request) {
        outcome?;
        return Ok(Response::new(204));
    }
    // A plain form says which thread it stands in, and gets that thread again.
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    let Ok(peer) = PeerUrl::parse(form.text("peer")) else {
        outcome?;
        return Ok(plain::see_other("/"));
    };
    match outcome {
        Ok(()) => Ok(plain::see_other(&peer.page())),
        Err(failure) => {
            let draft = Draft { error: &failure.sentence(), ..Draft::default() };
            Ok(failure.mark(thread::with_draft(app, session, &peer, draft)))
        }
    }
}
