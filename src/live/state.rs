//! What one account remembers, under one short lock.
use super::Options;
use super::again::{Again, Trouble};
use super::health::{Health, Pulse};
use super::known::{Known, Row};
use super::pace::Pace;
use super::pages::Pages;
use super::reads::{Ask, Reads, Urgency};
use super::wake::Done;
use crate::posta::{Contact, Identity, Message, PeerUrl};
use std::collections::HashSet;
use std::time::Instant;

/// Reads that no person waits for: the lines of a long list at once, and some each second after that.
const READS: u32 = 300;
const READS_EACH_SECOND: u32 = 30;

/// The list of conversations.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// Newest first. Count and preview of a row are of one moment.
    pub contacts: Vec<Row>,
    pub me: Option<Identity>,
    pub health: Health,
    /// Whether it was read at all: else it is empty because nothing is known.
    pub is_known: bool,
    /// Why it may be out of date.
    pub trouble: Option<Trouble>,
}

/// Which part of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Newest,
    /// From a row to the newest, at most [`super::pages::MAX_ROWS`].
    From(i64),
}

/// Part of a thread.
#[derive(Debug, Clone)]
pub struct Thread {
    pub peer: PeerUrl,
    /// Whether it was read at all: else it is empty because nothing is known.
    pub is_known: bool,
    /// `None` when the peer is no contact, or none is known.
    pub contact: Option<Contact>,
    /// Oldest first.
    pub messages: Vec<Message>,
    pub has_older: bool,
    /// Whether the thread goes on below; only in parts asked for away from the newest.
    pub has_newer: bool,
    /// The messages right above and below, where they are known.
    pub above: Option<Message>,
    pub below: Option<Message>,
}

/// When something was last read, and when it last changed, in ticks.
#[derive(Debug, Default)]
pub struct Stamp {
    pub read: u64,
    pub changed: u64,
}

impl Stamp {
    pub fn is_stale(&self) -> bool {
        self.read <= self.changed
    }
}

pub struct State {
    tick: u64,
    pub known: Known,
    pub pages: Pages,
    pub reads: Reads,
    /// Of reads that no person waits for.
    pub pace: Pace,
    pub pulse: Pulse,
    pub contacts: Stamp,
    pub identity: Stamp,
    /// Why the contacts could not be read the last time.
    pub trouble: Option<Trouble>,
    pub again: Again,
    /// Events are being followed: what was read stays right until one says otherwise.
    pub live: bool,
    /// The follower's coroutine runs.
    pub following: bool,
    /// A call failed while the stream seemed well.
    pub in_doubt: bool,
    /// The next stream resumes nothing: it is another token's, perhaps another server's.
    pub anew: bool,
    /// The user's last session is over.
    pub closed: bool,
    /// Watermarks the posta-server has not confirmed.
    pub due_marks: HashSet<PeerUrl>,
    /// Threads that were shown before their read was done.
    pub overdue: HashSet<PeerUrl>,
    /// The list was shown before its reads were done.
    pub hasty: bool,
    /// It changed since, or without an event.
    pub unshown: bool,
    /// When tabs were last told of that.
    pub shown_at: Instant,
}

impl State {
    pub fn new(options: &Options) -> State {
        State {
            tick: 0,
            known: Known::default(),
            pages: Pages::default(),
            reads: Reads::default(),
            pace: Pace::new(READS, READS_EACH_SECOND, Instant::now()),
            pulse: Pulse::new(),
            contacts: Stamp::default(),
            identity: Stamp::default(),
            trouble: None,
            again: Again::new(options.again),
            live: false,
            following: false,
            in_doubt: false,
            anew: false,
            closed: false,
            due_marks: HashSet::new(),
            overdue: HashSet::new(),
            hasty: false,
            unshown: false,
            shown_at: Instant::now(),
        }
    }

    /// The next tick: later than everything before it.
    pub fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// The tick now: a call that begins later knows of everything so far.
    pub fn now(&self) -> u64 {
        self.tick
    }

    pub fn inbox(&self) -> Inbox {
        Inbox {
            contacts: self.known.rows(),
            me: self.known.me.clone(),
            health: self.pulse.health().clone(),
            is_known: self.contacts.read > 0,
            trouble: self.trouble.clone(),
        }
    }

    /// Something may have been missed: what is kept of threads is not to be trusted, and the
    /// contacts will tell which conversations moved.
    pub fn gap(&mut self) {
        let tick = self.tick();
        self.contacts.changed = tick;
        self.pages.all_changed(tick);
    }

    /// The last session is over: what is known is forgotten.
    pub fn close(&mut self) {
        self.closed = true;
        self.reads.clear();
        self.known = Known::default();
        self.pages = Pages::default();
        self.due_marks.clear();
        self.overdue.clear();
    }

    /// It is another posta-server now: rows and counts of the old one mean nothing there.
    pub fn start_over(&mut self) {
        self.reads.clear();
        self.known = Known::default();
        self.pages = Pages::default();
        self.due_marks.clear();
        self.overdue.clear();
        self.lost();
    }

    /// Nothing is to be trusted.
    pub fn lost(&mut self) {
        self.gap();
        let tick = self.tick;
        self.identity.changed = tick;
        self.known.all_changed(tick);
    }

    /// Queues what the list of conversations begins with, unless it is known as it is now. Gives
    /// what is worth waiting for.
    pub fn want_contacts(&mut self) -> Vec<Done> {
        if !self.live {
            self.contacts.changed = self.tick();
        }
        if self.identity.is_stale() {
            // Nobody waits for a name and a picture.
            self.reads.want(Ask::Identity, self.identity.changed, Urgency::Soon);
        }
        let stale = self.contacts.is_stale();
        let ask = || self.reads.want(Ask::Contacts, self.contacts.changed, Urgency::Now);
        stale.then(ask).into_iter().collect()
    }

    /// Queues reading the newest messages of a thread as they are from now on.
    pub fn want_newest(&mut self, peer: &PeerUrl) -> Done {
        self.reads.want(Ask::Thread(peer.clone()), self.tick, Urgency::Soon)
    }

    /// Something happened in a thread; its page has been told.
    pub fn thread_changed(&mut self, peer: &PeerUrl, tick: u64) {
        self.known.changed(peer, tick);
        if !self.known.lists(peer) || self.known.counts_itself(peer) {
            // A new conversation, or a count that only the contacts tell.
            self.contacts.changed = tick;
        }
    }

    /// Queues telling the posta-server how far a thread was read; kept until it has heard.
    pub fn want_mark(&mut self, peer: &PeerUrl) -> Done {
        self.due_marks.insert(peer.clone());
        self.reads.want(Ask::Mark(peer.clone()), self.tick, Urgency::Now)
    }

    /// Queues the threads whose line in the list is known to be wrong and which nobody asked for.
    pub fn want_stale_lines(&mut self) {
        for peer in self.known.stale() {
            let ask = Ask::Thread(peer);
            if !self.reads.is_asked(&ask) {
                self.reads.want(ask, self.tick, Urgency::Soon);
            }
        }
    }

    /// Queues the watermarks that the posta-server has not confirmed.
    pub fn want_due_marks(&mut self) {
        for peer in &self.due_marks {
            self.reads.want(Ask::Mark(peer.clone()), self.tick, Urgency::Soon);
        }
    }
}
