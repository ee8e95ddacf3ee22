//! What has to be asked of the posta-server, each thing once at a time. Pure bookkeeping: who does
//! the asking is in [`super::work`].
use super::wake::Done;
use crate::posta::PeerUrl;
use std::collections::{HashMap, VecDeque};

/// Calls under way at once for one user.
pub const MAX_CALLS: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ask {
    Identity,
    Contacts,
    /// The newest messages of a thread.
    Thread(PeerUrl),
    /// Tell how far a thread has been read.
    Mark(PeerUrl),
}

impl Ask {
    /// For the log, which is not told with whom.
    pub fn what(&self) -> &'static str {
        match self {
            Ask::Identity => "identity",
            Ask::Contacts => "contacts",
            Ask::Thread(_) => "a thread's newest messages",
            Ask::Mark(_) => "how far a thread was read",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody waits for it.
    Later,
    /// The list of conversations waits for it.
    Soon,
    /// A person waits for just this.
    Now,
}

/// A call under way.
#[derive(Clone)]
pub struct Call {
    pub ask: Ask,
    /// When it began; its answer knows of nothing that changed later.
    pub tick: u64,
    pub urgency: Urgency,
    /// Fires when it has been made, whatever came of it.
    done: Done,
}

#[derive(Default)]
pub struct Reads {
    queued: HashMap<Ask, (Urgency, Done)>,
    soon: VecDeque<Ask>,
    later: VecDeque<Ask>,
    calls: Vec<Call>,
    workers: usize,
    /// Fires when nothing is left that the list of conversations waits for.
    settled: Done,
}

impl Reads {
    /// Asks for a call that begins after tick `changed`: joins one that is queued or under way where
    /// that will do.
    pub fn want(&mut self, ask: Ask, changed: u64, urgency: Urgency) -> Done {
        if let Some((queued, done)) = self.queued.get_mut(&ask) {
            let done = done.clone();
            if urgency > *queued {
                // The place further back is skipped when its turn comes.
                *queued = urgency;
                self.line_up(ask, urgency);
            }
            return done;
        }
        let fits = |call: &&mut Call| call.ask == ask && call.tick > changed;
        if let Some(call) = self.calls.iter_mut().find(fits) {
            call.urgency = call.urgency.max(urgency);
            return call.done.clone();
        }
        let done = Done::default();
        self.queued.insert(ask.clone(), (urgency, done.clone()));
        self.line_up(ask, urgency);
        done
    }

    /// Whether a call is queued or under way, however old its answer will be.
    pub fn is_asked(&self, ask: &Ask) -> bool {
        self.queued.contains_key(ask) || self.calls.iter().any(|call| call.ask == *ask)
    }

    fn line_up(&mut self, ask: Ask, urgency: Urgency) {
        match urgency {
            Urgency::Now => self.soon.push_front(ask),
            Urgency::Soon => self.soon.push_back(ask),
            Urgency::Later => self.later.push_back(ask),
        }
    }

    /// How many more workers to start.
    pub fn hire(&mut self) -> usize {
        let hired = self.queued.len().min(MAX_CALLS).saturating_sub(self.workers);
        self.workers += hired;
        hired
    }

    /// A worker could not be started, or is gone.
    pub fn dismiss(&mut self, workers: usize) {
        self.workers -= workers;
    }

    pub fn has_workers(&self) -> bool {
        self.workers > 0
    }

    /// The next call to make; a worker that gets none is dismissed.
    pub fn begin(&mut self, tick: u64) -> Option<Call> {
        while let Some(ask) = self.soon.pop_front().or_else(|| self.later.pop_front()) {
            if let Some((urgency, done)) = self.queued.remove(&ask) {
                let call = Call { ask, tick, urgency, done };
                self.calls.push(call.clone());
                return Some(call);
            }
        }
        self.workers -= 1;
        None
    }

    /// A call has been made; wakes who waits for it.
    pub fn end(&mut self, call: &Call) {
        self.calls.retain(|other| !other.done.is(&call.done));
        call.done.fire();
        if self.is_settled() {
            std::mem::take(&mut self.settled).fire();
        }
    }

    /// Whether nothing is left that the list of conversations waits for.
    pub fn is_settled(&self) -> bool {
        self.soon.iter().all(|ask| !self.queued.contains_key(ask))
            && self.calls.iter().all(|call| call.urgency == Urgency::Later)
    }

    pub fn settled(&self) -> Done {
        self.settled.clone()
    }

    /// Whether nothing is queued or under way.
    pub fn is_idle(&self) -> bool {
        self.queued.is_empty() && self.calls.is_empty()
    }

    /// Gives everything up that has not begun.
    pub fn clear(&mut self) {
        for (_, (_, done)) in self.queued.drain() {
            done.fire();
        }
        self.soon.clear();
        self.later.clear();
        std::mem::take(&mut self.settled).fire();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::peer;

    fn thread(name: &str) -> Ask {
        Ask::Thread(peer(name))
    }

    #[test]
    fn one_call_answers_all_who_asked_before_it_began() {
        let mut reads = Reads::default();
        let first = reads.want(thread("bob"), 1, Urgency::Soon);
        let second = reads.want(thread("bob"), 2, Urgency::Soon);
        assert!(first.is(&second));
        assert_eq!((reads.hire(), reads.hire()), (1, 0));
        let call = reads.begin(3).unwrap();

        let joined = reads.want(thread("bob"), 2, Urgency::Now);
        assert!(first.is(&joined), "it began after tick 2");
        let later = reads.want(thread("bob"), 4, Urgency::Now);
        assert!(!first.is(&later), "it cannot know of tick 4");

        reads.end(&call);
        assert!(first.is_fired() && !later.is_fired());
        let call = reads.begin(5).unwrap();
        reads.end(&call);
        assert!(later.is_fired() && reads.begin(6).is_none() && !reads.has_workers());
    }

    #[test]
    fn the_urgent_goes_first_and_nothing_goes_twice() {
        let mut reads = Reads::default();
        for name in ["a", "b"] {
            reads.want(thread(name), 0, Urgency::Later);
        }
        reads.want(thread("c"), 0, Urgency::Soon);
        reads.want(thread("b"), 0, Urgency::Now);
        reads.want(Ask::Contacts, 0, Urgency::Now);
        assert_eq!(reads.hire(), 4);
        let mut order = Vec::new();
        while let Some(call) = reads.begin(1) {
            reads.end(&call);
            order.push(call.ask);
        }
        assert_eq!(order, [Ask::Contacts, thread("b"), thread("c"), thread("a")]);
    }

    #[test]
    fn the_list_is_settled_when_only_later_reads_are_left() {
        let mut reads = Reads::default();
        assert!(reads.is_settled());
        reads.want(thread("a"), 0, Urgency::Later);
        assert!(reads.is_settled());
        reads.want(thread("b"), 0, Urgency::Soon);
        let settled = reads.settled();
        assert_eq!((reads.hire(), reads.is_settled()), (2, false));
        let (b, a) = (reads.begin(1).unwrap(), reads.begin(1).unwrap());
        assert!(!reads.is_settled());
        reads.end(&b);
        assert!(reads.is_settled() && settled.is_fired() && !reads.settled().is_fired());
        reads.end(&a);
    }

    #[test]
    fn giving_up_wakes_everybody() {
        let mut reads = Reads::default();
        let (done, settled) = (reads.want(thread("a"), 0, Urgency::Soon), reads.settled());
        reads.clear();
        assert!(done.is_fired() && settled.is_fired() && reads.is_settled());
    }
}
