//! One user's side of things, shared by all their sessions and tabs: what pages ask for, and what
//! tabs are told.
//!
//! A page never waits long for a posta-server: what is known is shown, and when the rest comes in,
//! a trigger has the page show it.
use super::Options;
use super::hub::{Hub, View};
use super::pages::{MAX_ROWS, Part};
use super::reads::{Ask, Urgency};
use super::state::{Inbox, Range, State, Thread};
use super::trigger::{self, Trigger};
use super::wake::{Done, Wake};
use super::watch::Watch;
use super::work::PAGE;
use crate::http::Parked;
use crate::http::client::Origin;
use crate::http::gate::Gate;
use crate::posta::{Content, Image, PeerUrl, Picture, PostaError, Sent, Server};
use crate::store::UserId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a page waits for what it cannot do without, having nothing to show instead.
const NOTHING_KNOWN: Duration = Duration::from_secs(8);
/// How long it waits for a thread or the contacts to be re-read, having an older state to show.
const OLDER_KNOWN: Duration = Duration::from_secs(1);
/// How long the list of conversations waits for counts and previews.
const LINES: Duration = Duration::from_millis(400);
/// How long anything waits while the posta-server is known to be away.
const AWAY: Duration = Duration::from_millis(250);

pub struct Account {
    pub(super) user: UserId,
    pub(super) server: Server,
    pub(super) hub: Arc<Hub>,
    pub(super) options: Arc<Options>,
    /// Wakes the follower while it waits to reconnect.
    pub(super) wake: Wake,
    /// Pages are drawn one at a time: a large one takes a while, and whoever asks for many of them
    /// holds up only themselves.
    pub drawing: Gate,
    state: Mutex<State>,
}

impl Account {
    pub(super) fn new(
        user: UserId,
        server: Server,
        options: &Arc<Options>,
        watch: &Arc<Watch>,
    ) -> Arc<Account> {
        Arc::new(Account {
            user,
            server,
            hub: Hub::new(watch),
            options: Arc::clone(options),
            wake: Wake::default(),
            drawing: Gate::new(1),
            state: Mutex::new(State::new(options)),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list of conversations as it is now, or as it is known when the posta-server takes long.
    pub fn inbox(self: &Arc<Self>) -> Inbox {
        let (contacts, patience) = {
            let mut state = self.state();
            let known = state.contacts.read > 0;
            let contacts = state.want_contacts();
            (contacts, patience(&state, known))
        };
        self.start_workers();
        let deadline = Instant::now() + patience;
        let done = wait_all(&contacts, deadline);

        let settled = {
            let mut state = self.state();
            // While the server is away, asking for each line would only make it worse.
            if state.pulse.is_ok() {
                state.want_stale_lines();
            }
            (!state.reads.is_settled()).then(|| state.reads.settled())
        };
        self.start_workers();
        let settled = settled.is_none_or(|settled| {
            let patience = if done { LINES } else { Duration::ZERO };
            settled.wait_until(Instant::now() + patience)
        });
        let mut state = self.state();
        state.hasty |= !(done && settled);
        state.inbox()
    }

    /// The list of conversations as far as it is known, at once.
    pub fn known(&self) -> Inbox {
        self.state().inbox()
    }

    /// Part of a thread as it is now, or as it is known when the posta-server takes long.
    pub fn thread(self: &Arc<Self>, peer: &PeerUrl, range: Range) -> Thread {
        match range {
            Range::Newest => {
                self.freshen(peer);
                let part = self.state().pages.newest(peer, PAGE as usize);
                self.part(peer, part.unwrap_or_default())
            }
            Range::From(row) => {
                self.freshen(peer);
                self.from(peer, row)
            }
        }
    }

    pub(super) fn part(&self, peer: &PeerUrl, part: Part) -> Thread {
        let (contact, me, is_known) = {
            let state = self.state();
            let is_known = !part.messages.is_empty() || state.pages.has_read(peer);
            (state.known.contact(peer), state.known.address().cloned(), is_known)
        };
        let mut part = part;
        part.messages.retain(|message| !message.is_echo(me.as_ref()));
        let Part { messages, has_older, has_newer, above, below } = part;
        let peer = peer.clone();
        Thread { peer, is_known, contact, messages, has_older, has_newer, above, below }
    }

    /// Sees to it that the newest messages of a thread are known as they are now.
    pub(super) fn freshen(self: &Arc<Self>, peer: &PeerUrl) {
        let (mut asked, patience) = {
            let mut state = self.state();
            state.pages.open(peer);
            if !state.live {
                let tick = state.tick();
                state.pages.changed(peer, i64::MIN, tick);
            }
            let mut asked = Vec::new();
            if state.pages.is_stale(peer) {
                // A call that began before the thread was opened read no more than its line needs.
                let read = state.pages.has_read(peer);
                let changed = if read { state.pages.changed_at(peer) } else { state.now() };
                asked.push(state.reads.want(Ask::Thread(peer.clone()), changed, Urgency::Now));
            }
            let mut known = state.pages.has_read(peer);
            if state.contacts.read == 0 {
                // Without them the peer has no name.
                asked.extend(state.want_contacts());
                known = false;
            }
            (asked, patience(&state, known))
        };
        self.start_workers();
        if !wait_all(&asked, Instant::now() + patience) {
            asked.retain(|done| !done.is_fired());
            if !asked.is_empty() {
                self.state().overdue.insert(peer.clone());
            }
        }
    }

    /// Everything from `row` on; older pages are fetched until it is all there.
    fn from(&self, peer: &PeerUrl, row: i64) -> Thread {
        for _ in 0..MAX_ROWS / PAGE as usize {
            let Some((part, complete)) = self.state().pages.from(peer, row) else { break };
            let Some(oldest) = part.messages.first().map(|m| m.row_id).filter(|_| !complete) else {
                return self.part(peer, part);
            };
            let Ok(older) = self.heard(self.server.messages(peer, Some(oldest), PAGE)) else {
                break;
            };
            let whole = older.len() < PAGE as usize;
            self.state().pages.take_older(peer, oldest, &older, whole);
        }
        let known = self.state().pages.from(peer, row).map(|(part, _)| part);
        self.part(peer, known.unwrap_or_default())
    }

    /// A person has seen the thread down to `row`. What is unread is so at once, before the
    /// posta-server has heard of it, and in all tabs.
    pub fn opened(self: &Arc<Self>, peer: &PeerUrl, row: i64) {
        {
            let mut state = self.state();
            if !state.known.mark(peer, row) {
                return;
            }
            state.want_mark(peer);
        }
        self.start_workers();
        self.tell_all(&[Trigger::ContactChanged]);
    }

    /// Sends a text. `key` is a UUID v4, the same when the same send is tried again.
    pub fn send_text(
        self: &Arc<Self>,
        peer: &PeerUrl,
        text: &str,
        key: &str,
    ) -> Result<Sent, PostaError> {
        let sent = self.heard(self.server.send_text(peer, text, key))?;
        // Its own tabs need not wait for the event.
        self.thread_changed(peer, sent.row_id);
        Ok(sent)
    }

    /// Sends a picture, described by `name` and `alt`; `key` as for a text. Nothing is sent before
    /// all of it has been taken.
    pub fn send_picture(
        self: &Arc<Self>,
        peer: &PeerUrl,
        picture: Picture<'_>,
        (name, alt): (Option<String>, Option<String>),
        key: &str,
    ) -> Result<Sent, PostaError> {
        let image = self.heard(self.server.upload(picture))?;
        let payload = Content::image_payload(&Image { name, alt, ..image });
        let sent = self.heard(self.server.send(peer, &payload, key))?;
        self.thread_changed(peer, sent.row_id);
        Ok(sent)
    }

    /// Gives the person another name.
    pub fn rename(self: &Arc<Self>, name: &str) -> Result<(), PostaError> {
        self.heard(self.server.rename(name))?;
        self.profile_changed()
    }

    /// Gives the person another picture, or none.
    pub fn portray(self: &Arc<Self>, picture: Option<Picture<'_>>) -> Result<(), PostaError> {
        self.heard(match picture {
            Some(picture) => self.server.set_avatar(picture),
            None => self.server.remove_avatar(),
        })?;
        self.profile_changed()
    }

    /// All tabs show it at once, whether or not the posta-server tells its clients.
    fn profile_changed(self: &Arc<Self>) -> Result<(), PostaError> {
        let tick = self.state().tick();
        let me = self.heard(self.server.identity())?;
        {
            let mut state = self.state();
            state.identity.read = state.identity.read.max(tick);
            state.known.me = Some(me);
        }
        self.tell_all(&[Trigger::ContactChanged]);
        Ok(())
    }

    /// Tells a room that one leaves it; `key` as for a text.
    pub fn leave(self: &Arc<Self>, room: &PeerUrl, key: &str) -> Result<Sent, PostaError> {
        let sent = self.heard(self.server.send(room, &Content::leave_payload(), key))?;
        self.thread_changed(room, sent.row_id);
        Ok(sent)
    }

    /// Takes a conversation off the list; its messages stay where they are.
    pub fn remove(self: &Arc<Self>, peer: &PeerUrl) -> Result<(), PostaError> {
        match self.heard(self.server.remove_contact(peer)) {
            // It was not on the list any more: another device was faster.
            Ok(()) | Err(PostaError::Refused { status: 404 | 410, .. }) => {}
            Err(e) => return Err(e),
        }
        {
            let mut state = self.state();
            state.contacts.changed = state.tick();
            state.known.forget(peer);
        }
        self.tell_all(&[Trigger::ContactRemoved { peer: peer.clone() }]);
        Ok(())
    }

    /// Queues a failed message again.
    pub fn retry(self: &Arc<Self>, row: i64) -> Result<(), PostaError> {
        self.heard(self.server.retry(row))?;
        let peer = self.state().pages.peer_of(row).cloned();
        match peer {
            Some(peer) => self.thread_changed(&peer, Some(row)),
            None => {
                self.state().gap();
                self.tell_all(&[Trigger::Resync]);
            }
        }
        Ok(())
    }

    fn thread_changed(self: &Arc<Self>, peer: &PeerUrl, row: Option<i64>) {
        {
            let mut state = self.state();
            let tick = state.tick();
            state.pages.changed(peer, row.unwrap_or(i64::MIN), tick);
            state.thread_changed(peer, tick);
            state.want_newest(peer);
        }
        self.start_workers();
        self.tell_all(&[Trigger::ThreadUpdated { peer: peer.clone(), row }]);
    }

    /// Takes over the socket of a tab whose event stream begins.
    pub fn park(self: &Arc<Self>, parked: Parked, session: [u8; 32], tab: String, view: View) {
        let health = Trigger::Health(self.state().pulse.health().name());
        let greeting = [trigger::hello(), health.frame()].concat();
        self.hub.add(parked, &greeting, session, tab, view.clone());
        if self.state().closed {
            return self.hub.close(&Trigger::SignedOut.frame(), None);
        }
        self.follow();
        self.looked_at(&view);
    }

    /// A tab went to another thread, or was hidden or shown.
    pub fn view(self: &Arc<Self>, session: &[u8; 32], tab: &str, view: View) {
        self.hub.set_view(session, tab, view.clone());
        self.looked_at(&view);
    }

    /// Marks what came to a thread while no tab showed it, for one that does now: a stream that
    /// broke and came back has its page draw the thread anew.
    fn looked_at(self: &Arc<Self>, view: &View) {
        let View { peer: Some(peer), visible: true } = view else { return };
        let unread = self.state().known.newest_unread(peer);
        if let Some(row) = unread {
            self.opened(peer, row);
        }
    }

    /// Tells the tabs of one session something of its own.
    pub fn tell(&self, session: &[u8; 32], event: &str, data: &str) {
        self.hub.tell(&crate::http::sse::frame(event, data), Some(session));
    }

    /// One session is over: its tabs are told and closed.
    pub fn sign_out(&self, session: &[u8; 32]) {
        self.hub.close(&Trigger::SignedOut.frame(), Some(session));
    }

    pub(super) fn tell_all(&self, triggers: &[Trigger]) {
        for trigger in triggers {
            self.hub.tell(&trigger.frame(), None);
        }
    }

    /// The user paired again: every call and the stream go on with another token, perhaps to
    /// another place. What failed for want of a good one is tried anew.
    pub fn paired(self: &Arc<Self>, origin: Origin, token: &str) {
        let moved = self.server.origin() != origin;
        self.server.switch(origin, token);
        {
            let mut state = self.state();
            if moved {
                state.start_over();
            } else {
                state.lost();
            }
            // The stream that is open was opened with the old token; whatever came meanwhile is
            // read again.
            state.in_doubt = true;
            state.anew = true;
        }
        self.hear(None);
        self.wake.wake();
        self.tell_all(&[Trigger::Resync]);
    }

    /// The last session is over: everything stops and is forgotten.
    pub(super) fn close(&self) {
        self.state().close();
        self.wake.wake();
        self.hub.close(&Trigger::SignedOut.frame(), None);
    }

    /// Learns from a call how it stands with the posta-server, and tells tabs when that turned.
    pub(super) fn heard<T>(&self, outcome: Result<T, PostaError>) -> Result<T, PostaError> {
        if self.hear(outcome.as_ref().err()) && outcome.is_ok() {
            // It is back: no need to wait for the follower's next try.
            self.wake.wake();
        }
        outcome
    }

    /// The same for the follower itself, which needs no waking. Says whether things turned.
    pub(super) fn hear(&self, error: Option<&PostaError>) -> bool {
        let turned = {
            let mut state = self.state();
            let turned = state.pulse.hear(error);
            if turned.is_some() && !state.pulse.is_ok() {
                // A stream that seems well may hang on a connection that is dead.
                state.in_doubt |= state.live;
                // What is queued would fail one by one, each after a long wait. It stays stale and
                // is asked for when the server is back.
                state.reads.clear();
            }
            turned
        };
        let Some(state) = turned else { return false };
        match error {
            Some(e) => log::info!("user={} posta-server is {state}: {e}", self.user.0),
            None => log::info!("user={} posta-server is {state}", self.user.0),
        }
        self.tell_all(&[Trigger::Health(state)]);
        true
    }
}

/// How long a page may wait.
fn patience(state: &State, known: bool) -> Duration {
    match (state.pulse.is_ok(), known) {
        (false, _) => AWAY,
        (true, true) => OLDER_KNOWN,
        (true, false) => NOTHING_KNOWN,
    }
}

/// Waits for all of them; `false` when the deadline came first.
pub(super) fn wait_all(asked: &[Done], deadline: Instant) -> bool {
    asked.iter().all(|done| done.wait_until(deadline))
}
