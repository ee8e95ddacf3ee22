//! The event stream of a tab, and what the tab says of itself.
use super::app::App;
use super::failure::{Answer, Failure};
use super::form::Form;
use super::routes::Params;
use crate::http::{Body, Request, Response};
use crate::live::View;
use crate::posta::PeerUrl;
use crate::session::Session;
use std::sync::Arc;

/// A tab names itself: enough for a UUID, too little to fill memory with.
const MAX_TAB_NAME: usize = 64;
const MAX_VIEW_FORM: usize = 8 * 1024;

/// `GET /events?tab=…&peer=…&visible=…`: the head is written here, then the socket is parked in
/// the user's hub and this request's coroutine ends.
pub fn stream(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let (tab, view) = tab_and_view(&Form::parse(request.query.as_deref().unwrap_or("")))?;
    let account = app.account(session);
    let key = session.key;
    let mut response = Response::new(200)
        .with("content-type", "text/event-stream; charset=utf-8")
        // Proxies in front must neither keep, change nor hold back what passes.
        .with("cache-control", "no-store, no-transform")
        .with("x-accel-buffering", "no");
    response.body = Body::Park(Box::new(move |parked| account.park(parked, key, tab, view)));
    Ok(response)
}

/// `POST /events/view`: the tab moved to another thread, or was hidden or shown.
pub fn view(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let body = request.body.collect(MAX_VIEW_FORM)?;
    let (tab, view) = tab_and_view(&Form::parse(&String::from_utf8_lossy(&body)))?;
    if view.visible {
        app.sessions.touch(session);
    }
    app.account(session).view(&session.key, &tab, view);
    Ok(Response::new(204))
}

fn tab_and_view(form: &Form) -> Result<(String, View), Failure> {
    let tab = form.text("tab");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if tab.is_empty() || tab.len() > MAX_TAB_NAME || !tab.chars().all(plain) {
        return Err(Failure::Bad("A tab must name itself."));
    }
    let peer = match form.text("peer") {
        "" => None,
        peer => Some(PeerUrl::parse(peer).map_err(|_| Failure::Bad("That is not an address."))?),
    };
    Ok((tab.to_owned(), View { peer, visible: form.text("visible") == "1" }))
}
