//! Follows one user's event stream: one long-lived, shallow coroutine per user with open tabs.
//!
//! It opens the stream with the first tab, resumes after the last event it dealt with, backs off
//! while that fails, and ends a while after the last tab has gone.
use super::account::{Account, wait_all};
use super::again::Trouble;
use super::backoff::Backoff;
use super::gather::Gather;
use super::pace::{self, Pace};
use super::trigger::{self, Trigger};
use crate::http::stack;
use crate::posta::{Event, EventKind, EventStream, PeerUrl, PostaError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many events are taken in at once, and how many each second after that: more than people write,
/// and a replay as large as it gets. A posta-server that sends more waits, and nobody else does.
const BURST: u32 = 2_000;
const EACH_SECOND: u32 = 200;

/// How long a trigger may wait for the watermark to move first.
const MARKED: Duration = Duration::from_secs(1);

impl Account {
    /// Sees to it that events are followed.
    pub(super) fn follow(self: &Arc<Self>) {
        {
            let mut state = self.state();
            if state.closed || state.following {
                return;
            }
            state.following = true;
        }
        let mut follower = Follower::new(self);
        if let Err(e) = stack::spawn_stream(move || follower.run()) {
            log::warn!("user={} no coroutine to follow events: {e}", self.user.0);
            // Tabs that would never hear anything had better come back later.
            self.hub.close(&trigger::bye(), None);
        }
    }
}

/// What happened while nobody was told, and how to go on.
struct Follower {
    account: Arc<Account>,
    backoff: Backoff,
    /// The last event dealt with.
    last_id: Option<String>,
    gather: Gather,
    /// Threads that people are looking at and that got something new, with its row when known.
    seen: BTreeMap<PeerUrl, Option<i64>>,
    pace: Pace,
    /// Another may follow by now.
    over: bool,
}

impl Drop for Follower {
    /// After a panic the next tab starts another.
    fn drop(&mut self) {
        if !self.over {
            let mut state = self.account.state();
            state.following = false;
            state.live = false;
        }
    }
}

impl Follower {
    fn new(account: &Arc<Account>) -> Follower {
        let (first, longest) = account.options.backoff;
        Follower {
            account: Arc::clone(account),
            backoff: Backoff::new(first, longest),
            last_id: None,
            gather: Gather::default(),
            seen: BTreeMap::new(),
            pace: Pace::new(BURST, EACH_SECOND, Instant::now()),
            over: false,
        }
    }

    fn run(&mut self) {
        while !self.is_over() {
            let was_ok = {
                let mut state = self.account.state();
                state.in_doubt = false;
                if std::mem::take(&mut state.anew) {
                    self.last_id = None;
                }
                state.pulse.is_ok()
            };
            let opened = Instant::now();
            let ended = self.account.server.events(self.last_id.as_deref());
            self.account.hear(ended.as_ref().err());
            let ended = match ended {
                Ok(stream) => self.listen(stream, was_ok),
                Err(e) => Err(e),
            };
            self.account.state().live = false;
            if opened.elapsed() >= self.account.options.healthy {
                self.backoff.reset();
            }
            let delay = match ended {
                Ok(()) => continue,
                // In doubt, that was the token before the one there is now.
                Err(PostaError::TokenRefused) if !self.account.state().in_doubt => {
                    self.account.options.refused
                }
                Err(e) => {
                    log::debug!("user={} event stream: {e}", self.account.user.0);
                    if Trouble::of(&e).is_some() {
                        // Without events, looking from time to time must do.
                        self.account.look_again();
                    }
                    self.backoff.next()
                }
            };
            self.pause(delay);
        }
    }

    /// Whether the stream is no longer wanted. Then it stays so for this follower: a tab that comes
    /// right after starts the next one.
    fn is_over(&mut self) -> bool {
        if !self.over {
            let mut state = self.account.state();
            let empty = self.account.hub.empty_for();
            if state.closed || empty.is_some_and(|e| e >= self.account.options.grace) {
                state.following = false;
                state.live = false;
                self.over = true;
            }
        }
        self.over
    }

    /// Waits before the next try; a page that reached the server cuts it short.
    fn pause(&mut self, delay: Duration) {
        self.account.wake.forget();
        let until = Instant::now() + delay;
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.account.wake.wait(left.min(self.account.options.poll)) {
                return;
            }
        }
    }

    /// Listens until the stream breaks or is no longer wanted. `was_ok`: nothing says that more was
    /// missed than the server replays.
    fn listen(&mut self, mut stream: EventStream, was_ok: bool) -> Result<(), PostaError> {
        let resumed = was_ok && self.last_id.is_some();
        let (pause, longest) = self.account.options.replay;
        let mut replay = Some((Instant::now() + pause, Instant::now() + longest));
        loop {
            let now = Instant::now();
            if replay.is_some_and(|(pause, longest)| now >= pause.min(longest)) {
                replay = None;
                self.caught_up(resumed);
            }
            let due = self.gather.due_in(self.account.options.window, now);
            if replay.is_none() && due == Some(Duration::ZERO) {
                self.tell();
            }
            if self.is_over() {
                return Ok(());
            }
            self.account.look_again_if_due();
            if self.account.state().in_doubt {
                return Err(PostaError::Unreachable("a call failed".into()));
            }
            let wait = match replay {
                Some((pause, longest)) => pause.min(longest).saturating_duration_since(now),
                None => due.unwrap_or(self.account.options.poll),
            };
            match stream.next(wait.min(self.account.options.poll)) {
                Ok(Some(event)) => {
                    if self.pace.is_too_fast(Instant::now()) {
                        pace::rest();
                    }
                    let id = event.id.clone();
                    if event.kind == EventKind::Ready {
                        if replay.take().is_some() {
                            self.caught_up(resumed);
                        }
                    } else {
                        self.take(event, replay.is_some());
                        if let Some((pause_at, _)) = &mut replay {
                            *pause_at = Instant::now() + pause;
                        }
                    }
                    self.last_id = id.or(self.last_id.take());
                }
                Ok(None) => {}
                Err(e) => {
                    self.tell();
                    return Err(e);
                }
            }
        }
    }

    /// Takes an event in: what it makes stale, and what tabs are to be told.
    fn take(&mut self, event: Event, replayed: bool) {
        let now = Instant::now();
        let mut state = self.account.state();
        let tick = state.tick();
        match (event.kind, event.peer) {
            (EventKind::Inbound, Some(peer)) => {
                let row = event.row_id;
                // What is unread is replayed on every connect, mostly as old news.
                if replayed && row.is_some_and(|row| state.known.has_row(&peer, row)) {
                    return;
                }
                // New messages leave the older ones as they are.
                state.pages.changed(&peer, row.unwrap_or(i64::MAX), tick);
                state.thread_changed(&peer, tick);
                if self.account.hub.shows(&peer) {
                    // Here at once, so that no badge ever shows; there before tabs are told.
                    if let Some(row) = row {
                        state.known.mark(&peer, row);
                    }
                    let newest = self.seen.entry(peer.clone()).or_default();
                    *newest = (*newest).max(row);
                }
                self.gather.thread(peer, row, now);
            }
            (EventKind::OutboundState, Some(peer)) => {
                state.pages.changed(&peer, event.row_id.unwrap_or(i64::MIN), tick);
                state.thread_changed(&peer, tick);
                self.gather.thread(peer, event.row_id, now);
            }
            (EventKind::Inbound | EventKind::OutboundState, None) => {
                state.gap();
                drop(state);
                self.everything(now);
            }
            (EventKind::ContactRemoved, Some(peer)) => {
                state.contacts.changed = tick;
                state.known.forget(&peer);
                self.gather.contacts(now);
                drop(state);
                self.account.tell_all(&[Trigger::ContactRemoved { peer }]);
            }
            (EventKind::ContactChanged | EventKind::ContactRemoved, _) => {
                state.contacts.changed = tick;
                self.gather.contacts(now);
            }
            (EventKind::ReadWatermarkChanged, peer) => match (peer, event.row_id) {
                // Mostly the echo of our own.
                (Some(peer), Some(row)) if row <= state.known.watermark(&peer) => {}
                (Some(peer), Some(row)) if !state.known.counts_itself(&peer) => {
                    state.known.mark(&peer, row);
                    self.gather.contacts(now);
                }
                _ => {
                    state.contacts.changed = tick;
                    self.gather.contacts(now);
                }
            },
            (EventKind::IdentityChanged, _) => {
                state.identity.changed = tick;
                self.gather.contacts(now);
            }
            (EventKind::Resync, _) => {
                state.lost();
                drop(state);
                self.everything(now);
            }
            (EventKind::Ready | EventKind::Unknown, _) => {}
        }
    }

    /// Anything may have changed, also in the threads that people are looking at.
    fn everything(&mut self, now: Instant) {
        for peer in self.account.hub.shown() {
            self.seen.entry(peer).or_default();
        }
        self.gather.everything(now);
    }

    /// The replay is over: from here on, events keep right what was read. However much was
    /// replayed, it is one trigger.
    fn caught_up(&mut self, resumed: bool) {
        {
            let mut state = self.account.state();
            state.live = true;
            state.want_due_marks();
            if !resumed {
                state.gap();
            }
        }
        if !resumed {
            self.everything(Instant::now());
        }
        self.gather.melt();
        self.tell();
    }

    /// Tells tabs what was gathered, and has it read again meanwhile.
    fn tell(&mut self) {
        if self.account.hub.count() > 0 {
            let mut state = self.account.state();
            state.want_contacts();
            for (peer, _) in self.gather.threads() {
                state.want_newest(peer);
            }
        }
        self.account.start_workers();
        let seen = std::mem::take(&mut self.seen);
        let waits = |trigger: &Trigger| match trigger {
            Trigger::ThreadUpdated { peer, .. } => seen.contains_key(peer),
            _ => !seen.is_empty(),
        };
        // Tabs on other threads need not wait.
        let (after, at_once): (Vec<_>, Vec<_>) = self.gather.take().into_iter().partition(waits);
        self.account.tell_all(&at_once);
        if !seen.is_empty() {
            self.mark(seen);
        }
        self.account.tell_all(&after);
    }

    /// Moves the watermarks of threads that people are looking at.
    fn mark(&self, seen: BTreeMap<PeerUrl, Option<i64>>) {
        let deadline = Instant::now() + MARKED;
        let account = &self.account;
        let reads: Vec<_> = {
            let mut state = account.state();
            let unknown = seen.iter().filter(|(_, row)| row.is_none());
            unknown.map(|(peer, _)| state.want_newest(peer)).collect()
        };
        account.start_workers();
        wait_all(&reads, deadline);
        let marks: Vec<_> = {
            let mut state = account.state();
            let mut marks = Vec::new();
            for (peer, row) in seen {
                let newest = state.known.newest_unread(&peer);
                let moved = newest.is_some_and(|row| state.known.mark(&peer, row));
                if moved || row.is_some() {
                    marks.push(state.want_mark(&peer));
                }
            }
            marks
        };
        account.start_workers();
        wait_all(&marks, deadline);
    }
}
