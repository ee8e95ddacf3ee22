//! Makes the calls that [`super::reads`] lines up: a few coroutines per user, there only while there
//! is something to ask.
use super::account::Account;
use super::again::Trouble;
use super::known::MAX_COUNTED;
use super::pace;
use super::reads::{Ask, Call, Urgency};
use super::trigger::Trigger;
use crate::http::stack;
use crate::posta::{Direction, Message, PeerUrl, PostaError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Messages asked for at once: what a thread shows at first, and what a line of the list needs
/// unless a lot is unread.
pub const PAGE: u32 = 50;
const GLANCE: u32 = 20;
/// Further pages read to count what is unread.
const MAX_FURTHER: usize = 3;
/// How old a line of the list may be when its contact has no `lastMessageAt` to tell by.
const TRUSTED: Duration = Duration::from_secs(10);
/// What a call's answer made another than before.
#[derive(Default)]
struct Changed {
    list: bool,
    thread: bool,
}

/// Between two triggers of a list that is still being read.
const PROGRESS: Duration = Duration::from_secs(1);

impl Account {
    /// Sees to it that what is queued gets asked.
    pub(super) fn start_workers(self: &Arc<Self>) {
        let hired = self.state().reads.hire();
        for left in (1..=hired).rev() {
            let account = Arc::clone(self);
            if let Err(e) = stack::spawn_stream(move || account.work()) {
                log::warn!("user={} no coroutine for a call: {e}", self.user.0);
                self.state().reads.dismiss(left);
                // Waiting for its turn would be waiting for ever.
                let alone = { !self.state().reads.has_workers() && self.state().reads.hire() > 0 };
                if alone {
                    self.work();
                }
                return;
            }
        }
    }

    fn work(self: &Arc<Self>) {
        let mut worker = Worker { account: self, call: None, dismissed: false };
        loop {
            let call = {
                let mut state = self.state();
                if state.closed {
                    state.reads.clear();
                }
                let tick = state.tick();
                state.reads.begin(tick)
            };
            let Some(call) = call else {
                worker.dismissed = true;
                return;
            };
            worker.call = Some(call.clone());
            if call.urgency != Urgency::Now && self.state().pace.is_too_fast(Instant::now()) {
                pace::rest();
            }
            let made = self.make(&call);
            worker.call = None;
            self.made(&call, made);
            if call.ask == Ask::Contacts {
                // They bring work for more than one.
                self.start_workers();
            }
        }
    }

    /// Makes one call and takes its answer in.
    fn make(&self, call: &Call) -> Result<Changed, PostaError> {
        match &call.ask {
            Ask::Identity => {
                let me = self.heard(self.server.identity())?;
                let mut state = self.state();
                state.identity.read = state.identity.read.max(call.tick);
                let list = state.known.me.as_ref() != Some(&me);
                let tick = state.tick();
                state.known.take_me(me, tick);
                state.want_stale_lines();
                Ok(Changed { list, thread: false })
            }
            Ask::Contacts => {
                let contacts = self.heard(self.server.contacts());
                let mut state = self.state();
                if call.tick < state.contacts.read {
                    return Ok(Changed::default()); // an older answer that took longer
                }
                let trouble = contacts.as_ref().err().and_then(Trouble::of);
                let turned = state.trouble != trouble || state.contacts.read == 0;
                state.trouble = trouble;
                let contacts = match contacts {
                    Ok(contacts) => contacts,
                    Err(e) => {
                        state.unshown |= turned;
                        return Err(e);
                    }
                };
                state.contacts.read = call.tick;
                let now = Instant::now();
                let rereads = state.known.take_contacts(contacts, call.tick, TRUSTED, now);
                for (peers, urgency) in
                    [(rereads.soon, Urgency::Soon), (rereads.later, Urgency::Later)]
                {
                    for peer in peers {
                        state.reads.want(Ask::Thread(peer), call.tick, urgency);
                    }
                }
                Ok(Changed { list: rereads.changed || turned, thread: false })
            }
            Ask::Thread(peer) => self.read_newest(peer, call.tick),
            Ask::Mark(peer) => {
                let row = self.state().known.watermark(peer);
                let marked = self.heard(self.server.mark_read(peer, row));
                if !matches!(marked, Err(PostaError::Unreachable(_))) {
                    // Confirmed, or refused for good.
                    self.state().due_marks.remove(peer);
                }
                marked.map(|()| Changed::default())
            }
        }
    }

    fn read_newest(&self, peer: &PeerUrl, tick: u64) -> Result<Changed, PostaError> {
        let (opened, watermark, count) = {
            let state = self.state();
            let opened = state.pages.keeps(peer);
            let count = state.known.lists(peer) && !state.known.counts_itself(peer);
            (opened, state.known.watermark(peer), count)
        };
        // One more than is shown: the neighbour above.
        let limit = if opened { PAGE + 1 } else { GLANCE };
        let mut newest = self.heard(self.server.messages(peer, None, limit))?;
        let mut whole = newest.len() < limit as usize;
        for _ in 0..MAX_FURTHER {
            let Some(oldest) = newest.last().map(|message| message.row_id) else { break };
            if whole || !count || oldest <= watermark || unread(&newest, watermark) >= MAX_COUNTED {
                break;
            }
            let older = self.heard(self.server.messages(peer, Some(oldest), PAGE))?;
            whole = older.len() < PAGE as usize;
            newest.extend(older.into_iter().filter(|message| message.row_id < oldest));
        }
        let mut state = self.state();
        // The thread may have been opened meanwhile: a glance is no page of it.
        let thread = (opened || whole) && state.pages.take_newest(peer, &newest, whole, tick);
        let list = state.known.take_newest(peer, &newest, tick, Instant::now());
        Ok(Changed { list, thread })
    }

    /// Wakes who waited for a call, and tells tabs that were shown too little. Only what changed is
    /// told: else a server that is slow and has no events would be asked in a circle.
    fn made(&self, call: &Call, made: Result<Changed, PostaError>) {
        let shown = matches!(call.ask, Ask::Contacts | Ask::Thread(_));
        let passing = made.as_ref().err().is_some_and(|e| Trouble::of(e).is_some());
        let changed = made.unwrap_or_else(|e| {
            log::debug!("user={} {}: {e}", self.user.0, call.ask.what());
            Changed::default()
        });
        let mut triggers = Vec::new();
        {
            let mut state = self.state();
            state.reads.end(call);
            match shown {
                true if passing => state.again.failed(Instant::now()),
                true => state.again.went_well(),
                false => {}
            }
            if let Ask::Thread(peer) = &call.ask
                && state.overdue.remove(peer)
                && changed.thread
            {
                triggers.push(Trigger::ThreadUpdated { peer: peer.clone(), row: None });
            }
            state.unshown |= changed.list && (state.hasty || call.urgency == Urgency::Later);
            let idle = state.reads.is_idle();
            if state.unshown && (idle || state.shown_at.elapsed() >= PROGRESS) {
                state.unshown = false;
                state.shown_at = Instant::now();
                triggers.push(Trigger::ContactChanged);
            }
            state.hasty &= !idle;
        }
        self.tell_all(&triggers);
    }
}

fn unread(messages: &[Message], watermark: i64) -> usize {
    let unread = |m: &&Message| m.direction == Direction::Inbound && m.row_id > watermark;
    messages.iter().filter(unread).count()
}

/// Gives back a worker's place and its call when it panics.
struct Worker<'a> {
    account: &'a Account,
    call: Option<Call>,
    dismissed: bool,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if !self.dismissed {
            let mut state = self.account.state();
            state.reads.dismiss(1);
            if let Some(call) = &self.call {
                state.reads.end(call);
            }
        }
    }
}
