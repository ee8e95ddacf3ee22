//! The parts of a thread away from its newest: above a row, below one, around one; and what search
//! finds.
//!
//! Every part is asked for with one message more at each end. That neighbour is not shown: it tells
//! how bubbles stand at the border, and whether there is more.
use super::account::Account;
use super::newer;
use super::pages::Part;
use super::state::Thread;
use super::work::PAGE;
use crate::posta::{Message, PeerUrl, PostaError};
use std::sync::Arc;

/// Messages shown on each side of one that is jumped to.
const AROUND: u32 = PAGE / 2;
/// Search results asked for at once: more is a reason to type another word.
pub const MAX_FOUND: u32 = 100;

impl Account {
    /// The page of history above `row`; what is known of it while the server is away. An empty one
    /// would say that the thread begins here, so not to know is an error.
    pub fn before(&self, peer: &PeerUrl, row: i64) -> Result<Thread, PostaError> {
        let part = self.above(peer, row, PAGE).or_else(|e| {
            let known = self.state().pages.before(peer, row, PAGE as usize);
            let known = known.filter(|part| !part.messages.is_empty()).ok_or(e)?;
            Ok(Part { has_older: true, ..known })
        })?;
        Ok(self.part(peer, part))
    }

    /// The page below `row`.
    pub fn after(self: &Arc<Self>, peer: &PeerUrl, row: i64) -> Result<Thread, PostaError> {
        let mut part = self.below(peer, row, PAGE as usize)?;
        if part.above.is_none() {
            // The row itself is on the page already; it is asked for as a neighbour only.
            let upper = self.heard(self.server.messages(peer, Some(row.saturating_add(1)), 1))?;
            part.above = upper.into_iter().next();
        }
        part.has_older = part.above.is_some();
        Ok(self.part(peer, part))
    }

    /// The part around `row`; `None` when that is no message of this thread.
    pub fn around(
        self: &Arc<Self>,
        peer: &PeerUrl,
        row: i64,
    ) -> Result<Option<Thread>, PostaError> {
        let upper = self.above(peer, row.saturating_add(1), AROUND)?;
        if upper.messages.last().is_none_or(|message| message.row_id != row) {
            return Ok(None);
        }
        let lower = self.below(peer, row, AROUND as usize)?;
        let mut messages = upper.messages;
        messages.extend(lower.messages);
        Ok(Some(self.part(
            peer,
            Part { messages, above: upper.above, has_older: upper.has_older, ..lower },
        )))
    }

    /// Messages that hold all the words, newest first.
    pub fn search(&self, words: &str, peer: Option<&PeerUrl>) -> Result<Vec<Message>, PostaError> {
        let mut found = self.heard(self.server.search(words, peer, MAX_FOUND))?;
        let me = self.state().known.address().cloned();
        found.retain(|message| !message.is_echo(me.as_ref()));
        Ok(found)
    }

    /// At most `count` messages above `row`.
    fn above(&self, peer: &PeerUrl, row: i64, count: u32) -> Result<Part, PostaError> {
        let limit = count + 2;
        let mut page =
            self.heard(self.server.messages(peer, Some(row.saturating_add(1)), limit))?;
        let whole = page.len() < limit as usize;
        let below =
            page.first().is_some_and(|message| message.row_id == row).then(|| page.remove(0));
        page.retain(|message| message.row_id < row);
        page.truncate(count as usize + 1);
        self.state().pages.take_older(peer, row, &page, whole);
        let above = page.get(count as usize).cloned();
        page.truncate(count as usize);
        page.reverse();
        let (has_older, has_newer) = (above.is_some(), below.is_some());
        Ok(Part { messages: page, has_older, has_newer, above, below })
    }

    /// At most `count` messages below `row`.
    fn below(self: &Arc<Self>, peer: &PeerUrl, row: i64, count: usize) -> Result<Part, PostaError> {
        // It tells where the thread ends, and is what one comes to in the end.
        self.freshen(peer);
        let (kept, newest) = {
            let state = self.state();
            let newest = state.pages.newest(peer, 1).and_then(|part| part.messages.last().cloned());
            (state.pages.after(peer, row), newest.map(|message| message.row_id))
        };
        let mut part = match (kept, newest) {
            (Some(part), _) => part,
            (None, Some(newest)) => {
                let ask =
                    |before, limit| self.heard(self.server.messages(peer, Some(before), limit));
                let (messages, all) = newer::after(row, newest, count + 1, ask)?;
                Part { messages, has_newer: !all, ..Part::default() }
            }
            // Nothing is known. Where that is no empty thread, the question that failed says why.
            (None, None) => {
                self.heard(self.server.messages(peer, None, 1))?;
                Part::default()
            }
        };
        if let Some(below) = part.messages.get(count).cloned() {
            (part.has_newer, part.below) = (true, Some(below));
            part.messages.truncate(count);
        }
        Ok(part)
    }
}
