//! `POST /messages/<row>/retry`: queue a failed message again.
use super::app::App;
use super::failure::{Answer, Failure};
use super::routes::Params;
use crate::http::{Request, Response};
use crate::session::Session;
use std::sync::Arc;

pub fn again(
    app: &App,
    session: &Arc<Session>,
    _: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let row = params.raw(0).parse().map_err(|_| Failure::NotFound)?;
    app.account(session).retry(row)?;
    Ok(Response::new(204))
}
