//! The newest messages of the threads a user opened last: what a page shows while the posta-server
//! is away, and what spares a call for every tab that re-renders. Pure.
use crate::posta::{Message, PeerUrl};
use std::collections::VecDeque;

/// Threads kept for one user.
const MAX_THREADS: usize = 16;
/// Messages kept of one thread, and the most that one re-render covers.
pub const MAX_ROWS: usize = 300;
/// Bytes of messages kept for one user: many threads of letters, or the newest page of one where all
/// are as large as can be.
const MAX_BYTES: usize = 6 << 20;

/// The newest part of a thread.
#[derive(Debug)]
struct Page {
    peer: PeerUrl,
    /// Oldest first.
    messages: Vec<Message>,
    has_older: bool,
    /// Tick of the last read, `0` before the first; and of the last change.
    read: u64,
    changed: u64,
    /// From this row on messages changed since the last read; those below are as they were.
    changed_from: i64,
    /// Older messages were let go of, for want of room.
    cut: bool,
}

/// Part of a thread, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    pub messages: Vec<Message>,
    pub has_older: bool,
    /// The messages right above and below it, where they are known: bubbles are drawn together
    /// across the border of two parts.
    pub above: Option<Message>,
    pub below: Option<Message>,
    pub has_newer: bool,
}

/// Most recently opened first.
#[derive(Debug, Default)]
pub struct Pages(VecDeque<Page>);

impl Pages {
    fn page(&self, peer: &PeerUrl) -> Option<&Page> {
        self.0.iter().find(|page| page.peer == *peer)
    }

    fn page_mut(&mut self, peer: &PeerUrl) -> Option<&mut Page> {
        self.0.iter_mut().find(|page| page.peer == *peer)
    }

    /// Makes room for a thread that is being opened; the one opened longest ago is forgotten.
    pub fn open(&mut self, peer: &PeerUrl) {
        let page = match self.0.iter().position(|page| page.peer == *peer) {
            Some(at) => self.0.remove(at).expect("the position is one of the deque's"),
            None => Page {
                peer: peer.clone(),
                messages: Vec::new(),
                has_older: false,
                read: 0,
                changed: 0,
                changed_from: i64::MAX,
                cut: false,
            },
        };
        self.0.push_front(page);
        self.0.truncate(MAX_THREADS);
    }

    pub fn keeps(&self, peer: &PeerUrl) -> bool {
        self.page(peer).is_some()
    }

    /// Whether the thread is not known as it is now.
    pub fn is_stale(&self, peer: &PeerUrl) -> bool {
        self.page(peer).is_none_or(|page| page.read <= page.changed)
    }

    /// The tick of the thread's last change.
    pub fn changed_at(&self, peer: &PeerUrl) -> u64 {
        self.page(peer).map_or(0, |page| page.changed)
    }

    /// Whether anything at all is known of the thread.
    pub fn has_read(&self, peer: &PeerUrl) -> bool {
        self.page(peer).is_some_and(|page| page.read > 0)
    }

    /// Something at or above `row` changed at `tick`.
    pub fn changed(&mut self, peer: &PeerUrl, row: i64, tick: u64) {
        if let Some(page) = self.page_mut(peer) {
            page.changed = tick;
            page.changed_from = page.changed_from.min(row);
        }
    }

    /// Any message may have changed at `tick`.
    pub fn all_changed(&mut self, tick: u64) {
        for page in &mut self.0 {
            page.changed = tick;
            page.changed_from = i64::MIN;
        }
    }

    /// Takes the newest messages as they were at `tick`, newest first. `whole`: there are no others.
    /// Older ones that are known and did not change stay, if the two parts meet. Says whether the
    /// thread is another than before.
    pub fn take_newest(
        &mut self,
        peer: &PeerUrl,
        newest: &[Message],
        whole: bool,
        tick: u64,
    ) -> bool {
        let Some(page) = self.page_mut(peer) else { return false };
        if tick < page.read {
            return false; // an older answer that took longer
        }
        let known = page.messages.iter().rev().take(newest.len());
        let same = page.read > 0 && known.eq(newest);
        let first = newest.last().map_or(i64::MIN, |message| message.row_id);
        let meet = page.messages.last().is_some_and(|message| message.row_id >= first);
        let keep = !whole && meet && page.changed_from >= first;
        page.messages.retain(|message| keep && message.row_id < first);
        page.has_older = !whole && (page.messages.is_empty() || page.has_older);
        page.messages.extend(newest.iter().rev().cloned());
        page.read = tick;
        if page.changed < tick {
            page.changed_from = i64::MAX;
        }
        page.trim();
        self.save_room();
        !same
    }

    /// Takes a page of older messages, newest first, that was read before `before`.
    pub fn take_older(&mut self, peer: &PeerUrl, before: i64, older: &[Message], whole: bool) {
        let Some(page) = self.page_mut(peer) else { return };
        if page.messages.first().is_some_and(|message| message.row_id == before) {
            let older = older.iter().rev().filter(|message| message.row_id < before).cloned();
            page.messages.splice(..0, older);
            page.has_older = !whole;
            page.trim();
            self.save_room();
        }
    }

    /// Lets go of the threads opened longest ago, and then of the oldest messages of the one that is
    /// left, until all is within what one user may take.
    fn save_room(&mut self) {
        let mut bytes: usize = self.0.iter().map(Page::bytes).sum();
        while bytes > MAX_BYTES && self.0.len() > 1 {
            bytes -= self.0.pop_back().map_or(0, |page| page.bytes());
        }
        if let Some(page) = self.0.front_mut().filter(|_| bytes > MAX_BYTES) {
            page.cut_to(MAX_BYTES);
        }
    }

    /// The newest `count` messages that are known.
    pub fn newest(&self, peer: &PeerUrl, count: usize) -> Option<Part> {
        let page = self.page(peer).filter(|page| page.read > 0)?;
        Some(page.part(page.messages.len().saturating_sub(count)))
    }

    /// Everything known from `row` on, and whether that is all there is.
    pub fn from(&self, peer: &PeerUrl, row: i64) -> Option<(Part, bool)> {
        let page = self.page(peer).filter(|page| page.read > 0)?;
        let below = page.messages.partition_point(|message| message.row_id < row);
        let start = below.max(page.messages.len().saturating_sub(MAX_ROWS));
        let complete = below > 0
            || !page.has_older
            || page.messages.len() >= MAX_ROWS
            || page.cut
            || page.messages.first().is_some_and(|message| message.row_id == row);
        Some((page.part(start), complete))
    }

    /// What is known before `row`, at most `count` of it.
    pub fn before(&self, peer: &PeerUrl, row: i64, count: usize) -> Option<Part> {
        let page = self.page(peer)?;
        let end = page.messages.partition_point(|message| message.row_id < row);
        let start = end.saturating_sub(count);
        let below = page.messages.get(end).cloned();
        Some(Part {
            messages: page.messages[start..end].to_vec(),
            has_newer: below.is_some(),
            below,
            ..page.part(start)
        })
    }

    /// Everything known after `row`, if nothing between is missing.
    pub fn after(&self, peer: &PeerUrl, row: i64) -> Option<Part> {
        let page = self.page(peer).filter(|page| page.read > 0)?;
        let start = page.messages.partition_point(|message| message.row_id <= row);
        (start > 0).then(|| page.part(start))
    }

    /// The thread that a row belongs to, if it is known.
    pub fn peer_of(&self, row: i64) -> Option<&PeerUrl> {
        let holds = |page: &&Page| page.messages.iter().any(|message| message.row_id == row);
        self.0.iter().find(holds).map(|page| &page.peer)
    }
}

impl Page {
    fn bytes(&self) -> usize {
        self.messages.iter().map(Message::bytes).sum()
    }

    fn cut_to(&mut self, most: usize) {
        let mut room = most;
        let fits = self.messages.iter().rev().take_while(|message| {
            let left = room.checked_sub(message.bytes());
            room = left.unwrap_or(0);
            left.is_some()
        });
        // The newest stays however large it is.
        let kept = fits.count().max(1);
        let goes = self.messages.len().saturating_sub(kept);
        if goes > 0 {
            self.messages.drain(..goes);
            (self.has_older, self.cut) = (true, true);
        }
    }

    fn trim(&mut self) {
        // One more than is shown: the neighbour above.
        if self.messages.len() > MAX_ROWS + 1 {
            self.messages.drain(..self.messages.len() - MAX_ROWS - 1);
            self.has_older = true;
        }
    }

    fn part(&self, start: usize) -> Part {
        Part {
            messages: self.messages[start..].to_vec(),
            has_older: start > 0 || self.has_older,
            above: start.checked_sub(1).map(|above| self.messages[above].clone()),
            ..Part::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{message, peer};
    use crate::posta::Content;

    fn rows(messages: &[Message]) -> Vec<i64> {
        messages.iter().map(|message| message.row_id).collect()
    }

    /// Messages `last` down to `first`, as a server lists them.
    fn listed(first: i64, last: i64) -> Vec<Message> {
        (first..=last).rev().map(|row| message(&peer("bob"), row)).collect()
    }

    fn opened(first: i64, last: i64, whole: bool) -> Pages {
        let mut pages = Pages::default();
        pages.open(&peer("bob"));
        pages.take_newest(&peer("bob"), &listed(first, last), whole, 1);
        pages
    }

    fn newest(pages: &Pages) -> (i64, i64, bool) {
        let part = pages.newest(&peer("bob"), usize::MAX).unwrap();
        let rows = rows(&part.messages);
        assert!(rows.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{rows:?}");
        (rows[0], *rows.last().unwrap(), part.has_older)
    }

    #[test]
    fn a_window_grows_with_what_comes() {
        let mut pages = opened(11, 60, false);
        assert_eq!(newest(&pages), (11, 60, true));
        pages.take_newest(&peer("bob"), &listed(13, 62), false, 2);
        assert_eq!(newest(&pages), (11, 62, true));
        pages.take_older(&peer("bob"), 11, &listed(1, 10), true);
        assert_eq!(newest(&pages), (1, 62, false));
        pages.take_newest(&peer("bob"), &listed(63, 112), false, 3);
        assert_eq!(newest(&pages), (63, 112, true), "parts that do not meet are not one thread");
        for last in 113..500 {
            pages.take_newest(&peer("bob"), &listed(last - 49, last), false, 4);
        }
        assert_eq!(newest(&pages), (499 - MAX_ROWS as i64, 499, true));
        let (part, _) = pages.from(&peer("bob"), 1).unwrap();
        assert_eq!((part.messages.len(), part.above.unwrap().row_id), (MAX_ROWS, 199));
    }

    #[test]
    fn what_changed_is_not_kept() {
        let mut pages = opened(11, 60, false);
        pages.changed(&peer("bob"), 12, 2);
        assert!(pages.is_stale(&peer("bob")));
        pages.take_newest(&peer("bob"), &listed(21, 70), false, 3);
        assert_eq!(newest(&pages), (21, 70, true), "row 12 may have changed");
        assert!(!pages.is_stale(&peer("bob")));

        pages.changed(&peer("bob"), 65, 4);
        pages.take_newest(&peer("bob"), &listed(22, 71), false, 5);
        assert_eq!(newest(&pages), (21, 71, true));

        pages.all_changed(6);
        pages.take_newest(&peer("bob"), &listed(23, 72), false, 7);
        assert_eq!(newest(&pages), (23, 72, true));
    }

    #[test]
    fn an_answer_asked_for_before_a_change_is_not_the_last_word() {
        let mut pages = opened(1, 5, true);
        pages.changed(&peer("bob"), 5, 3);
        assert!(!pages.take_newest(&peer("bob"), &listed(1, 5), true, 2), "it is the same");
        assert!(pages.is_stale(&peer("bob")));
        assert!(pages.take_newest(&peer("bob"), &listed(1, 6), true, 4));
        assert!(!pages.take_newest(&peer("bob"), &listed(1, 5), true, 2));
        assert_eq!(newest(&pages), (1, 6, false));
    }

    #[test]
    fn large_messages_take_no_more_room_than_there_is() {
        let large = |name: &str, row| Message {
            content: Content::Text("x".repeat(MAX_BYTES / 10)),
            ..message(&peer(name), row)
        };
        let listed =
            |name: &str, rows| (0..rows).rev().map(|row| large(name, row)).collect::<Vec<_>>();
        let mut pages = Pages::default();
        for (n, name) in ["ann", "bob", "carol"].iter().enumerate() {
            pages.open(&peer(name));
            pages.take_newest(&peer(name), &listed(name, 4), false, n as u64 + 1);
        }
        assert!(!pages.has_read(&peer("ann")) && pages.has_read(&peer("bob")));
        pages.take_newest(&peer("carol"), &listed("carol", 50), true, 9);
        assert!(!pages.has_read(&peer("bob")));
        let part = pages.newest(&peer("carol"), 50).unwrap();
        assert_eq!((part.messages.len(), part.has_older), (9, true));
        assert!(pages.from(&peer("carol"), 1).unwrap().1, "more would not be kept either");
    }

    #[test]
    fn parts_say_whether_there_is_more() {
        let pages = opened(11, 60, false);
        let bob = peer("bob");
        let part = pages.newest(&bob, 20).unwrap();
        assert_eq!((part.messages.len(), part.has_older), (20, true));
        assert_eq!(part.above.unwrap().row_id, 40);
        let (part, complete) = pages.from(&bob, 41).unwrap();
        assert_eq!((rows(&part.messages)[0], part.has_older, complete), (41, true, true));
        let (part, complete) = pages.from(&bob, 11).unwrap();
        assert_eq!((part.messages.len(), complete), (50, true));
        assert!(!pages.from(&bob, 5).unwrap().1);
        assert_eq!(rows(&pages.before(&bob, 14, 2).unwrap().messages), [12, 13]);
        assert!(opened(1, 5, true).from(&bob, -9).unwrap().1);
        assert_eq!(pages.newest(&peer("carol"), 1), None);
        assert_eq!(pages.peer_of(11), Some(&bob));
        assert_eq!(pages.peer_of(10), None);
    }

    #[test]
    fn only_the_threads_opened_last_are_kept() {
        let mut pages = Pages::default();
        (0..=MAX_THREADS).for_each(|n| pages.open(&peer(&format!("p{n}"))));
        assert!(!pages.keeps(&peer("p0")) && pages.keeps(&peer("p1")));
        pages.open(&peer("p1"));
        pages.open(&peer("new"));
        assert!(pages.keeps(&peer("p1")) && !pages.keeps(&peer("p2")));
        assert!(pages.is_stale(&peer("p1")) && !pages.has_read(&peer("p1")));
    }
}
