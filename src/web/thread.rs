//! `GET /c/<peer>`: one thread; the whole page on a direct visit, the inside of `#main` for htmx.
use super::app::{App, is_htmx};
use super::drawn::{Moment, Name};
use super::failure::{Answer, Failure};
use super::form::{self, Form};
use super::html::composer::Draft;
use super::key;
use super::new::{self, Looked};
use super::page::{self, Mark};
use super::routes::Params;
use crate::http::{Request, Response};
use crate::live::{Account, Range, Thread};
use crate::posta::{Direction, Message, PeerUrl};
use crate::session::Session;
use std::sync::Arc;

pub fn page(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    // One address a thread: other spellings of the peer lead to the canonical one.
    let canonical = peer.page();
    if canonical.strip_prefix("/c/") != Some(params.raw(0)) && !is_htmx(request) {
        return Ok(Response::new(308).with("location", canonical));
    }
    let account = app.account(session);
    let fragment = is_htmx(request);
    let moment = account
        .version(&peer)
        .filter(|_| request.query.is_none())
        .map(|version| Moment { version, minute: app.clock.now_ms() / 60_000 });
    let name = Name::new(session, &peer, fragment);
    if let Some(again) = moment.and_then(|moment| app.drawn.again(&name, moment)) {
        if let Some(row) = again.newest.filter(|_| fragment) {
            account.opened(&peer, row);
        }
        return Ok(again.response);
    }
    let (thread, mark) = shown(&account, &peer, request)?;
    // A click in a page is somebody looking. A whole page may load in a hidden tab: it says by its
    // event stream whether it is seen.
    let newest = thread.messages.last().filter(|_| !thread.has_newer).map(|m| m.row_id);
    if let Some(row) = newest.filter(|_| fragment) {
        account.opened(&peer, row);
    }
    let inbox = account.inbox();
    if inbox.me.as_ref().is_some_and(|me| me.url == peer) {
        let looked = Looked::own();
        return Ok(page::new(
            app,
            session,
            &inbox,
            peer.display(),
            looked.told(),
            is_htmx(request),
        ));
    }
    let actor = if thread.contact.is_none() { new::stranger(app, session, &peer) } else { None };
    let key = key::fresh();
    let mark = Mark { draft: Draft { key: &key, ..mark.draft }, ..mark };
    let page = page::thread(app, session, &inbox, &thread, actor.as_ref(), mark, fragment);
    // Only what was right before it was drawn, and still is.
    let unchanged = |moment: &Moment| account.version(&peer) == Some(moment.version);
    if let Some(moment) = moment.filter(unchanged).filter(|_| thread.contact.is_some()) {
        app.drawn.keep(name, moment, &page, &key, newest);
    }
    Ok(page)
}

/// `GET /c/<peer>` as one types it: with the slashes of a path, or as a whole URL.
pub fn plain(
    app: &App,
    _: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let typed = form::decode(params.raw(0), false);
    // A slash too few: some browsers and proxies fold the two of a scheme into one.
    let typed = match typed.split_once(":/") {
        Some((scheme @ ("https" | "http"), rest)) => {
            format!("{scheme}://{}", rest.trim_start_matches('/'))
        }
        _ => typed,
    };
    let peer = PeerUrl::from_typed(&typed, &app.policy.origin).map_err(|_| Failure::NotFound)?;
    let mut location = peer.page();
    if let Some(query) = &request.query {
        location.push('?');
        location.push_str(query);
    }
    Ok(Response::new(308).with("location", location))
}

const OLDER_AWAY: &str = "Older messages can't be loaded now: your posta-server does not give them. \
     These are the newest that are known.";
const MESSAGE_AWAY: &str = "That message can't be loaded now: your posta-server does not give it. \
     These are the newest that are known.";

/// The newest part, or with `?at=<row>` the part around a message. `?before=<row>` is the page of
/// history above one, by link: where a script runs, it fetches those as one scrolls.
fn shown(
    account: &Arc<Account>,
    peer: &PeerUrl,
    request: &Request<'_>,
) -> Result<(Thread, Mark<'static>), Failure> {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let mut note = None;
    if let Some(row) = query.get("before").and_then(|row| row.parse().ok()) {
        match account.before(peer, row) {
            Ok(thread) => return Ok((thread, Mark::default())),
            Err(_) => note = Some(OLDER_AWAY),
        }
    }
    if let Some(at) = query.get("at").filter(|at| !at.is_empty()) {
        let row: i64 = at.parse().map_err(|_| Failure::Bad("Which message?"))?;
        match account.around(peer, row) {
            Ok(Some(thread)) => return Ok((thread, Mark { found: Some(row), ..Mark::default() })),
            Ok(None) => note = Some("That message is not here any more. These are the newest."),
            Err(_) => note = Some(MESSAGE_AWAY),
        }
    }
    let thread = account.thread(peer, Range::Newest);
    let new_from = first_unread(&thread);
    Ok((thread, Mark { new_from, note, ..Mark::default() }))
}

/// The whole page again after a plain form could not do its work, with what was typed.
pub fn with_draft(app: &App, session: &Arc<Session>, peer: &PeerUrl, draft: Draft<'_>) -> Response {
    let account = app.account(session);
    let thread = account.thread(peer, Range::Newest);
    let mark = Mark { draft, ..Mark::default() };
    page::thread(app, session, &account.inbox(), &thread, None, mark, false)
}

/// The first inbound message above the watermark, when something above it was read before.
fn first_unread(thread: &Thread) -> Option<i64> {
    let read = thread.contact.as_ref()?.last_read_row;
    let unread = |m: &&Message| m.direction == Direction::Inbound && m.row_id > read;
    let first = thread.messages.iter().find(unread)?.row_id;
    (first > thread.messages.first()?.row_id).then_some(first)
}

/// The peer that a path's first `{}` names.
pub fn peer_of(params: &Params<'_>) -> Result<PeerUrl, Failure> {
    PeerUrl::from_page_segment(params.raw(0)).map_err(|_| Failure::NotFound)
}
