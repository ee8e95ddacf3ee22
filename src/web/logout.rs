//! `POST /logout`: ends the session in every tab of this browser.
use super::app::App;
use super::cookie;
use super::failure::Answer;
use super::routes::Params;
use crate::http::{Request, Response};

pub fn all_tabs(app: &App, request: &mut Request<'_>, _: &Params<'_>) -> Answer {
    if let Some(session) = app.session(request) {
        app.end_session(&session);
    }
    Ok(Response::new(303).with("location", "/login").with("set-cookie", cookie::clear(app.https())))
}
