//! Puts what happens within a short window together, so that a hundred events are two re-renders: the
//! first event after a calm is told at once, what follows it when the window is over.
use super::trigger::Trigger;
use crate::posta::PeerUrl;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// When more threads than this change at once, tabs are told that everything did.
const MAX_THREADS: usize = 8;

/// What tabs still have to be told.
#[derive(Debug, Default)]
pub struct Gather {
    /// Since when there is something to tell.
    since: Option<Instant>,
    /// When something was told last.
    told: Option<Instant>,
    /// Changed threads with their newest known row.
    threads: BTreeMap<PeerUrl, Option<i64>>,
    contacts: bool,
    everything: bool,
}

impl Gather {
    pub fn thread(&mut self, peer: PeerUrl, row: Option<i64>, now: Instant) {
        self.since.get_or_insert(now);
        // `None` is less than any row.
        let newest = self.threads.entry(peer).or_default();
        *newest = (*newest).max(row);
        if self.threads.len() > MAX_THREADS {
            self.everything = true;
            self.threads.clear();
        }
    }

    pub fn contacts(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.contacts = true;
    }

    pub fn everything(&mut self, now: Instant) {
        self.since.get_or_insert(now);
        self.everything = true;
        self.threads.clear();
    }

    /// How long what happened is to wait for more; `None` when nothing happened.
    pub fn due_in(&self, window: Duration, now: Instant) -> Option<Duration> {
        let since = self.since?;
        let due = self.told.map_or(since, |told| since.max(told + window));
        Some(due.saturating_duration_since(now))
    }

    /// Whether what happened first has waited for the whole window.
    pub fn is_overdue(&self, window: Duration, now: Instant) -> bool {
        self.since.is_some_and(|since| now >= since + window)
    }

    /// Makes one trigger of everything that was gathered, however much it is; what concerns one
    /// thread stays with it.
    pub fn melt(&mut self) {
        if self.threads.len() > 1 || (self.contacts && !self.threads.is_empty()) {
            self.everything = true;
            self.threads.clear();
        }
    }

    /// The changed threads.
    pub fn threads(&self) -> impl Iterator<Item = (&PeerUrl, Option<i64>)> {
        self.threads.iter().map(|(peer, row)| (peer, *row))
    }

    /// What to tell, most telling first; a trigger that another one covers is left out.
    pub fn take(&mut self, now: Instant) -> Vec<Trigger> {
        let told = if self.since.is_some() { Some(now) } else { self.told };
        let gathered = std::mem::replace(self, Gather { told, ..Gather::default() });
        if gathered.everything {
            return vec![Trigger::Resync];
        }
        if gathered.threads.is_empty() && gathered.contacts {
            return vec![Trigger::ContactChanged];
        }
        let thread = |(peer, row)| Trigger::ThreadUpdated { peer, row };
        gathered.threads.into_iter().map(thread).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: usize) -> PeerUrl {
        PeerUrl::parse(&format!("p{number}.example")).unwrap()
    }

    fn updated(number: usize, row: Option<i64>) -> Trigger {
        Trigger::ThreadUpdated { peer: peer(number), row }
    }

    #[test]
    fn many_events_of_one_thread_are_one_trigger_with_the_newest_row() {
        let (mut gather, now) = (Gather::default(), Instant::now());
        for row in [Some(3), None, Some(100), Some(7)] {
            gather.thread(peer(1), row, now);
        }
        gather.contacts(now);
        gather.thread(peer(2), None, now);
        assert_eq!(gather.take(now), [updated(1, Some(100)), updated(2, None)]);
        assert_eq!(gather.take(now), []);
    }

    #[test]
    fn too_many_threads_are_everything() {
        let (mut gather, now) = (Gather::default(), Instant::now());
        (0..MAX_THREADS).for_each(|n| gather.thread(peer(n), None, now));
        assert_eq!(gather.threads().count(), MAX_THREADS);
        gather.thread(peer(99), None, now);
        gather.thread(peer(1), None, now);
        assert_eq!(gather.take(now), [Trigger::Resync]);
    }

    #[test]
    fn everything_covers_the_rest() {
        let (mut gather, now) = (Gather::default(), Instant::now());
        gather.contacts(now);
        gather.everything(now);
        assert_eq!(gather.take(now), [Trigger::Resync]);
        gather.contacts(now);
        assert_eq!(gather.take(now), [Trigger::ContactChanged]);
    }

    #[test]
    fn a_burst_melts_into_one() {
        let (mut gather, now) = (Gather::default(), Instant::now());
        gather.thread(peer(1), Some(1), now);
        gather.melt();
        assert_eq!(gather.take(now), [updated(1, Some(1))]);
        gather.thread(peer(1), Some(1), now);
        gather.thread(peer(2), Some(2), now);
        gather.melt();
        assert_eq!(gather.take(now), [Trigger::Resync]);
    }

    #[test]
    fn the_first_event_is_told_at_once_and_the_next_ones_after_the_window() {
        let (mut gather, start) = (Gather::default(), Instant::now());
        let (window, ms) = (Duration::from_millis(30), Duration::from_millis);
        assert_eq!(gather.due_in(window, start), None);
        gather.contacts(start);
        assert_eq!(gather.due_in(window, start), Some(ms(0)));
        assert_eq!(gather.take(start + ms(1)), [Trigger::ContactChanged]);
        assert_eq!(gather.due_in(window, start + ms(2)), None);
        gather.contacts(start + ms(11));
        gather.contacts(start + ms(20));
        let at = |at| gather.due_in(window, start + ms(at));
        assert_eq!((at(21), at(40)), (Some(ms(10)), Some(ms(0))));
        let overdue = |at| gather.is_overdue(window, start + ms(at));
        assert_eq!((overdue(40), overdue(41)), (false, true));
        assert_eq!(gather.take(start + ms(40)), [Trigger::ContactChanged]);
        assert_eq!(gather.take(start + ms(41)), [], "nothing is told, nothing waits for it");
        gather.contacts(start + ms(90));
        assert_eq!(gather.due_in(window, start + ms(90)), Some(ms(0)), "a calm later");
    }
}
