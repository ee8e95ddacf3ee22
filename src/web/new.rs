//! `GET /new?url=<address>`: whom one is about to write to. `GET /new/preview` is the answer alone,
//! for a page in which somebody types. Nothing is stored anywhere until the first send.
use super::app::{App, is_htmx};
use super::failure::{Answer, Failure};
use super::form::Form;
use super::html::new::Told;
use super::page;
use super::routes::Params;
use crate::http::Request;
use crate::live::Inbox;
use crate::posta::{Actor, PeerUrl};
use crate::session::{Kind, Session};
use std::sync::Arc;

const INVALID: &str =
    "This is an invalid URL. An address looks like alice.example or example.org/bob.";
const OWN: &str = "This is your own address. Give it to others, and enter theirs here.";

/// What was made of an address.
pub enum Looked {
    Nothing,
    Refused(String),
    Away(PeerUrl),
    Found(PeerUrl, Actor),
}

impl Looked {
    pub fn told(&self) -> Told<'_> {
        match self {
            Looked::Nothing => Told::Nothing,
            Looked::Refused(sentence) => Told::Refused(sentence),
            Looked::Away(peer) => Told::Away(peer),
            Looked::Found(peer, actor) => Told::Found { peer, actor },
        }
    }

    /// The answer to somebody who wants to write to themselves.
    pub fn own() -> Looked {
        Looked::Refused(OWN.into())
    }
}

/// `GET /new`
pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let typed = query.text("url");
    let inbox = app.account(session).inbox();
    match look(app, session, request, &inbox, typed, false) {
        Ok(looked) => Ok(page::new(app, session, &inbox, typed, looked.told(), is_htmx(request))),
        // Whoever loads a page keeps what they typed.
        Err(failure) if !is_htmx(request) => {
            let told = Told::Refused(&failure.sentence());
            Ok(failure.mark(page::new(app, session, &inbox, typed, told, false)))
        }
        Err(failure) => Err(failure),
    }
}

/// `GET /new/preview?url=<address>&typing=1`: while one types, half an address is no mistake yet.
pub fn preview(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    _: &Params<'_>,
) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let inbox = app.account(session).known();
    let typing = query.get("typing").is_some();
    let looked = look(app, session, request, &inbox, query.text("url"), typing)?;
    Ok(page::new_answer(app, session, &inbox, looked.told()))
}

fn look(
    app: &App,
    session: &Session,
    request: &Request<'_>,
    inbox: &Inbox,
    typed: &str,
    typing: bool,
) -> Result<Looked, Failure> {
    if typed.trim().is_empty() {
        return Ok(Looked::Nothing);
    }
    let Ok(peer) = PeerUrl::from_typed(typed, &app.policy.origin) else {
        return Ok(if typing { Looked::Nothing } else { Looked::Refused(INVALID.into()) });
    };
    if inbox.me.as_ref().is_some_and(|me| me.url == peer) {
        return Ok(Looked::own());
    }
    let host = peer.host();
    if typing && !host.contains(['.', ':']) && host != "localhost" {
        return Ok(Looked::Nothing); // a word, so far
    }
    if app.actors.kept(&peer).is_none() {
        app.limit(Kind::Preview, session, request)?;
    }
    Ok(match app.actors.look(&peer) {
        Ok(actor) => Looked::Found(peer, actor),
        Err(e) => {
            log::debug!("user={} preview: {e}", session.user.0);
            Looked::Away(peer)
        }
    })
}

/// What a peer that is no contact says of itself, for the header of its thread.
pub fn stranger(
    app: &App,
    session: &Session,
    request: &Request<'_>,
    peer: &PeerUrl,
) -> Option<Actor> {
    let kept = app.actors.kept(peer);
    if kept.is_some() {
        return kept;
    }
    app.limit(Kind::Preview, session, request).ok()?;
    app.actors.glance(peer).ok()
}
