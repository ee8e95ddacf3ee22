//! From what the rooms below know to a finished answer: the views that `html` draws.
use super::app::App;
use super::html::composer::Draft;
use super::html::{self, Markup, Scene, banner, layout, thread::Thread};
use super::key;
use crate::http::Response;
use crate::http::gate::Pass;
use crate::live::{self, Health, Inbox, Trouble};
use crate::posta::{Actor, Contact, PeerUrl};
use crate::session::Session;
use jiff::Timestamp;
use std::time::{Duration, Instant};

pub fn html(markup: Markup) -> Response {
    Response::new(200).bytes("text/html; charset=utf-8", markup.into_bytes())
}

/// What is pointed out in a thread.
#[derive(Debug, Default, Clone, Copy)]
pub struct Mark<'a> {
    /// The row before which the line “New” stands.
    pub new_from: Option<i64>,
    /// The message that was jumped to.
    pub found: Option<i64>,
    /// Why something else is shown than was asked for.
    pub note: Option<&'static str>,
    /// What stands in the composer.
    pub draft: Draft<'a>,
}

/// How long an answer waits for its turn to be drawn; nobody is refused one.
const TURN: Duration = Duration::from_secs(20);

/// What all parts of one answer share.
struct Stage<'a> {
    app: &'a App,
    session: &'a Session,
    inbox: &'a Inbox,
    contacts: Vec<&'a Contact>,
    now: Timestamp,
    _turn: Option<Pass>,
}

impl<'a> Stage<'a> {
    fn new(app: &'a App, session: &'a Session, inbox: &'a Inbox) -> Self {
        let contacts = inbox.contacts.iter().map(|row| &row.contact).collect();
        let now = moment(app.clock.now_ms());
        let _turn = app.account(session).drawing.enter(Instant::now() + TURN);
        Stage { app, session, inbox, contacts, now, _turn }
    }

    fn with<T>(&self, draw: impl FnOnce(Scene<'_>) -> T) -> T {
        let media = |url: &str| self.app.media_url(self.session.user, url);
        draw(Scene { now: self.now, media: &media, contacts: &self.contacts })
    }

    /// `seen` is the thread that this very answer shows: its badge would be gone in a moment, and
    /// what stands beside it would move.
    fn rows(&self, seen: Option<&PeerUrl>) -> Vec<html::sidebar::Row<'_>> {
        let row = |row: &'a live::Row| html::sidebar::Row {
            contact: &row.contact,
            unread: if seen == Some(&row.contact.peer) { 0 } else { row.unread },
            preview: row.preview.as_ref(),
        };
        self.inbox.contacts.iter().map(row).collect()
    }

    fn sidebar<T>(
        &self,
        open: Option<&PeerUrl>,
        seen: Option<&PeerUrl>,
        draw: impl FnOnce(&html::sidebar::Sidebar<'_>) -> T,
    ) -> T {
        let rows = self.rows(seen);
        let trouble = trouble_of(self.inbox);
        self.with(|scene| {
            draw(&html::sidebar::Sidebar {
                me: self.inbox.me.as_ref(),
                name: &self.session.name,
                rows: &rows,
                open,
                trouble: trouble.as_deref(),
                scene,
            })
        })
    }

    fn whole(&self, title: &str, open: Option<&PeerUrl>, main: Markup) -> Response {
        let health = banner_of(&self.inbox.health);
        self.sidebar(open, open, |sidebar| {
            let account = &self.session.tag;
            html(layout::page(&layout::Page { title, account, sidebar, health, main }))
        })
    }

    fn thread<T>(
        &self,
        thread: &live::Thread,
        actor: Option<&Actor>,
        mark: Mark<'_>,
        draw: impl FnOnce(&Thread<'_>) -> T,
    ) -> T {
        // Each drawing of the form is one message of its own, unless it is drawn again for the same.
        let key = match mark.draft.key {
            kept if key::is_uuid_v4(kept) => kept.to_owned(),
            _ => key::fresh(),
        };
        self.with(|scene| {
            draw(&Thread {
                peer: &thread.peer,
                is_known: thread.is_known,
                contact: thread.contact.as_ref(),
                actor,
                messages: &thread.messages,
                has_older: thread.has_older,
                has_newer: thread.has_newer,
                above: thread.above.as_ref(),
                below: thread.below.as_ref(),
                new_from: mark.new_from,
                found: mark.found,
                note: mark.note,
                draft: Draft { key: &key, ..mark.draft },
                scene,
            })
        })
    }
}

/// Unix milliseconds as a moment.
pub fn moment(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
}

fn banner_of(health: &Health) -> banner::Health {
    match health {
        Health::Ok => banner::Health::Ok,
        Health::Unreachable { last_contact_ms } => banner::Health::Unreachable {
            last_contact: last_contact_ms
                .and_then(|ms| Timestamp::from_millisecond(ms as i64).ok()),
        },
        Health::TokenRefused => banner::Health::TokenRefused,
    }
}

/// Why the list of conversations is not there, or not as it should be. What the banner says is not
/// said twice.
fn trouble_of(inbox: &Inbox) -> Option<String> {
    let asked = "It is asked again by itself.";
    Some(match (&inbox.health, &inbox.trouble, inbox.is_known) {
        (Health::Ok, Some(Trouble::NotUnderstood), true) => format!(
            "This list may be out of date: your posta-server answers something that can't be \
             understood. {asked}"
        ),
        (Health::Ok, Some(Trouble::NotUnderstood), false) => format!(
            "Your conversations can't be shown: your posta-server answers something that can't be \
             understood. {asked}"
        ),
        (Health::Ok, Some(Trouble::Refused(words)), true) => {
            format!("This list may be out of date: your posta-server refused: {words}. {asked}")
        }
        (Health::Ok, Some(Trouble::Refused(words)), false) => {
            format!(
                "Your conversations can't be shown: your posta-server refused: {words}. {asked}"
            )
        }
        (_, _, true) => return None,
        (Health::Ok, None, false) => "Your conversations appear here as soon as your posta-server \
                                      answers."
            .into(),
        (Health::Unreachable { .. }, _, false) => {
            "Your conversations appear here when your posta-server is back.".into()
        }
        (Health::TokenRefused, _, false) => {
            "Your conversations appear here when you have paired again.".into()
        }
    })
}

/// `/`: for htmx only the inside of `#main`.
pub fn welcome(app: &App, session: &Session, inbox: &Inbox, fragment: bool) -> Response {
    // Who could not be asked yet may well have some.
    let main = html::welcome::welcome(!(inbox.is_known && inbox.contacts.is_empty()));
    titled(app, session, inbox, "", main, fragment)
}

/// `/new`
pub fn new(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    typed: &str,
    told: html::new::Told<'_>,
    fragment: bool,
) -> Response {
    let main = Stage::new(app, session, inbox).with(|scene| html::new::form(typed, told, &scene));
    let mut response = titled(app, session, inbox, "New conversation", main, fragment);
    if told.is_error() && !fragment {
        response.status = 422;
    }
    response
}

/// What is told of an address that somebody types.
pub fn new_answer(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    told: html::new::Told<'_>,
) -> Response {
    Stage::new(app, session, inbox).with(|scene| html(html::new::answer(told, &scene)))
}

/// `/settings`
pub fn settings(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    parts: &html::settings::Parts<'_>,
    fragment: bool,
) -> Response {
    let main =
        Stage::new(app, session, inbox).with(|scene| html::settings::settings(parts, &scene));
    titled(app, session, inbox, "Settings", main, fragment)
}

fn titled(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    title: &str,
    main: Markup,
    fragment: bool,
) -> Response {
    if fragment {
        let mut out = Markup::new();
        layout::title(&mut out, title);
        out.add(&main);
        return html(out);
    }
    Stage::new(app, session, inbox).whole(title, None, main)
}

/// `/c/<peer>`
pub fn thread(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    thread: &live::Thread,
    actor: Option<&Actor>,
    mark: Mark<'_>,
    fragment: bool,
) -> Response {
    let stage = Stage::new(app, session, inbox);
    if fragment {
        return stage.thread(thread, actor, mark, |view| html(html::thread::fragment(view)));
    }
    let (title, main) = stage
        .thread(thread, actor, mark, |view| (view.title().to_owned(), html::thread::thread(view)));
    stage.whole(&title, Some(&thread.peer), main)
}

/// The newest part of a thread.
pub fn messages(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    thread: &live::Thread,
    mark: Mark<'_>,
) -> Response {
    Stage::new(app, session, inbox)
        .thread(thread, None, mark, |view| html(html::thread::messages(view)))
}

/// A page of messages that are not the newest.
pub fn older(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    thread: &live::Thread,
    mark: Mark<'_>,
) -> Response {
    Stage::new(app, session, inbox)
        .thread(thread, None, mark, |view| html(html::thread::older(view)))
}

/// `/search`
pub fn search(
    app: &App,
    session: &Session,
    inbox: &Inbox,
    asked: &html::search::Asked<'_>,
    fragment: bool,
) -> Response {
    let main = Stage::new(app, session, inbox).with(|scene| html::search::page(asked, &scene));
    titled(app, session, inbox, "Search", main, fragment)
}

/// The list of conversations.
pub fn contacts(app: &App, session: &Session, inbox: &Inbox, open: Option<&PeerUrl>) -> Response {
    Stage::new(app, session, inbox)
        .sidebar(open, None, |sidebar| html(html::sidebar::contacts(sidebar)))
}
