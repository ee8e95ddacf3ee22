//! `GET /c/<peer>/messages`: part of a thread, as a fragment.
//!
//! `?from=<row>` is the newest part, from that row on: what a page re-reads when something changed.
//! `?before=<row>` is the page of history above that row, `?after=<row>` the one below it, drawn as the
//! newest part when it reaches down there. `?new=<row>` keeps the line “New” where it stands.
use super::app::App;
use super::failure::{Answer, Failure};
use super::form::Form;
use super::page::{self, Mark};
use super::routes::Params;
use super::thread::peer_of;
use crate::http::Request;
use crate::live::Range;
use crate::posta::PostaError;
use crate::session::Session;
use std::sync::Arc;

pub fn fragment(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let row = |name| match query.get(name) {
        None | Some("") => Ok(None),
        Some(text) => text.parse::<i64>().map(Some).map_err(|_| Failure::Bad("Which message?")),
    };
    let account = app.account(session);
    let mark = Mark { new_from: row("new")?, ..Mark::default() };
    if let Some(row) = row("after")? {
        let mut thread = account.after(&peer, row)?;
        if thread.messages.is_empty() {
            thread = account.thread(&peer, Range::From(row));
        }
        let known = account.known();
        return Ok(if thread.has_newer {
            page::older(app, session, &known, &thread, mark)
        } else {
            page::messages(app, session, &known, &thread, mark)
        });
    }
    if let Some(row) = row("before")? {
        let thread = account.before(&peer, row)?;
        return Ok(page::older(app, session, &account.known(), &thread, mark));
    }
    let range = row("from")?.map_or(Range::Newest, Range::From);
    let thread = account.thread(&peer, range);
    if !thread.is_known {
        // Nothing must not take the place of what the page shows.
        return Err(Failure::Posta(PostaError::Unreachable("no messages so far".into())));
    }
    Ok(page::messages(app, session, &account.known(), &thread, mark))
}
