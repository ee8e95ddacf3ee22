//! What is known of a user's conversations: contacts, the newest message of each, what is unread.
//! Pure: it is told what was read and what changed, and says what should be read again.
//!
//! Time is counted in *ticks*: every read remembers the tick at which it began and every change the
//! tick at which it was heard of, so what was asked before a change never passes for news of it.
use crate::ops::time::Timestamp;
use crate::posta::model::cut;
use crate::posta::{Contact, Content, Direction, Identity, Message, PeerUrl, State};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Unread messages counted in one thread. More than a badge shows is no use to anyone.
pub const MAX_COUNTED: usize = 100;
/// Of a previewed message, in characters.
const MAX_PREVIEW: usize = 200;
/// Watermarks kept for peers who are no contacts yet.
const MAX_STRAY_WATERMARKS: usize = 1_000;

/// One line of the list of conversations. Count and preview are of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub contact: Contact,
    pub unread: u64,
    pub preview: Option<Message>,
}

/// What was last read of a thread.
#[derive(Debug)]
struct Summary {
    preview: Option<Message>,
    /// Inbound rows that were above the watermark, newest first, at most [`MAX_COUNTED`].
    unread_rows: Vec<i64>,
    /// The contact's `lastMessageAt` when this was read: when it moves, this is old.
    basis: Option<Timestamp>,
    at: Instant,
}

impl Summary {
    /// Whether the contact says that this is no longer the newest, or its delivery went on unseen.
    fn is_outdated_by(&self, contact: &Contact) -> bool {
        let preview = self.preview.as_ref();
        let now = contact.last_message_at;
        let same =
            now == self.basis || (now.is_some() && now == preview.and_then(|m| m.created_at));
        let settled = preview.is_none_or(|message| {
            message.direction == Direction::Inbound
                || matches!(message.state, Some(State::Delivered | State::FailedPermanent))
        });
        !(same && settled)
    }

    fn unread_above(&self, watermark: i64) -> usize {
        self.unread_rows.iter().filter(|&&row| row > watermark).count()
    }
}

#[derive(Debug)]
struct Entry {
    contact: Contact,
    summary: Option<Summary>,
    read: u64,
    changed: u64,
}

impl Entry {
    fn is_stale(&self) -> bool {
        self.read <= self.changed
    }
}

#[derive(Debug, Default)]
pub struct Known {
    entries: HashMap<PeerUrl, Entry>,
    /// How far each thread has been read here, which may be further than the server has heard.
    watermarks: HashMap<PeerUrl, i64>,
    pub me: Option<Identity>,
}

/// Which threads to read again after the contacts were read, most urgent first.
#[derive(Debug, Default, PartialEq)]
pub struct Rereads {
    /// Whether the contacts are others than before.
    pub changed: bool,
    /// The list is wrong without them.
    pub soon: Vec<PeerUrl>,
    /// They may have changed in ways the contacts do not tell.
    pub later: Vec<PeerUrl>,
}

impl Known {
    pub fn lists(&self, peer: &PeerUrl) -> bool {
        self.entries.contains_key(peer)
    }

    /// Whether the posta-server counts unread messages itself.
    pub fn counts_itself(&self, peer: &PeerUrl) -> bool {
        self.entries.get(peer).is_some_and(|entry| entry.contact.unread.is_some())
    }

    /// The contact, with the watermark as it is known here.
    pub fn contact(&self, peer: &PeerUrl) -> Option<Contact> {
        let mut contact = self.entries.get(peer)?.contact.clone();
        contact.last_read_row = self.watermark(peer);
        Some(contact)
    }

    /// The person's own address, once the posta-server has told it.
    pub fn address(&self) -> Option<&PeerUrl> {
        self.me.as_ref().map(|me| &me.url)
    }

    /// Takes the person's profile. What rooms gave back of their own words could not be told from
    /// others' before their address was known: those threads changed at `tick`.
    pub fn take_me(&mut self, me: Identity, tick: u64) {
        if self.me.as_ref().is_none_or(|known| known.url != me.url) {
            let rooms = self.entries.values_mut().filter(|entry| entry.contact.kind == "room");
            rooms.for_each(|entry| entry.changed = tick);
        }
        self.me = Some(me);
    }

    /// How far `peer`'s thread has been read.
    pub fn watermark(&self, peer: &PeerUrl) -> i64 {
        let ours = self.watermarks.get(peer).copied().unwrap_or(0);
        self.entries.get(peer).map_or(0, |entry| entry.contact.last_read_row).max(ours)
    }

    /// Moves the watermark, never backwards. Says whether it moved past something that may be
    /// unread, which other tabs and the posta-server then want to know.
    pub fn mark(&mut self, peer: &PeerUrl, row: i64) -> bool {
        let before = self.watermark(peer);
        if row <= before {
            return false;
        }
        if self.watermarks.len() >= MAX_STRAY_WATERMARKS && !self.lists(peer) {
            // Forgotten ones come back with the server's own the next time the contacts are read.
            self.watermarks.retain(|peer, _| self.entries.contains_key(peer));
        }
        self.watermarks.insert(peer.clone(), row);
        match self.entries.get(peer) {
            Some(entry @ Entry { summary: Some(summary), contact, .. }) => {
                entry.is_stale()
                    || contact.unread.is_some_and(|unread| unread > 0)
                    || summary.unread_above(row) < summary.unread_above(before)
            }
            _ => true,
        }
    }

    /// The conversation is off the list.
    pub fn forget(&mut self, peer: &PeerUrl) {
        self.entries.remove(peer);
    }

    /// A thread changed at `tick`.
    pub fn changed(&mut self, peer: &PeerUrl, tick: u64) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.changed = tick;
        }
    }

    /// Whether a replayed row is already part of what was read.
    pub fn has_row(&self, peer: &PeerUrl, row: i64) -> bool {
        self.entries.get(peer).is_some_and(|entry| {
            let newest = |summary: &Summary| summary.preview.as_ref().map(|m| m.row_id);
            !entry.is_stale() && entry.summary.as_ref().and_then(newest) >= Some(row)
        })
    }

    /// Every thread may have changed at `tick`.
    pub fn all_changed(&mut self, tick: u64) {
        self.entries.values_mut().for_each(|entry| entry.changed = tick);
    }

    /// The threads whose newest messages are not known as they are now.
    pub fn stale(&self) -> Vec<PeerUrl> {
        let stale = self.entries.iter().filter(|(_, entry)| entry.is_stale());
        stale.map(|(peer, _)| peer.clone()).collect()
    }

    /// Takes the contacts as they are now, and says which threads to read. `trusted` is how old a
    /// summary may be when its contact, having no `lastMessageAt`, could not tell that it is old.
    pub fn take_contacts(
        &mut self,
        contacts: Vec<Contact>,
        tick: u64,
        trusted: Duration,
        now: Instant,
    ) -> Rereads {
        let mut old = std::mem::take(&mut self.entries);
        let mut changed_list = old.len() != contacts.len();
        let mut rereads: Vec<(bool, Option<Timestamp>, PeerUrl)> = Vec::new();
        for contact in contacts {
            let peer = contact.peer.clone();
            let mut entry = match old.remove(&peer) {
                Some(old) => {
                    changed_list |= old.contact != contact;
                    Entry { contact, ..old }
                }
                None => {
                    changed_list = true;
                    Entry { contact, summary: None, read: 0, changed: 0 }
                }
            };
            let moved = entry.summary.as_ref().is_none_or(|s| s.is_outdated_by(&entry.contact));
            let aged = entry.contact.last_message_at.is_none()
                && entry.summary.as_ref().is_some_and(|s| now - s.at >= trusted);
            if moved {
                entry.changed = entry.changed.max(tick);
            }
            if moved || aged || entry.is_stale() {
                rereads.push((moved, entry.contact.last_message_at, peer.clone()));
            }
            self.entries.insert(peer, entry);
        }
        self.watermarks.retain(|peer, row| match self.entries.get(peer) {
            // The server has caught up.
            Some(entry) => *row > entry.contact.last_read_row,
            None => true,
        });
        // What is known to be wrong first, and there the conversations that stand on top.
        rereads.sort_by_key(|(moved, at, _)| Reverse((*moved, *at)));
        let later = rereads.partition_point(|(moved, ..)| *moved);
        let mut soon: Vec<_> = rereads.into_iter().map(|(.., peer)| peer).collect();
        let later = soon.split_off(later);
        Rereads { changed: changed_list, soon, later }
    }

    /// Takes the newest messages of a thread, newest first, as they were at `tick`. Says whether
    /// that changes its line in the list.
    pub fn take_newest(
        &mut self,
        peer: &PeerUrl,
        newest: &[Message],
        tick: u64,
        now: Instant,
    ) -> bool {
        let watermark = self.watermark(peer);
        let me = self.me.as_ref().map(|me| &me.url);
        let Some(entry) = self.entries.get_mut(peer) else { return false };
        if tick < entry.read {
            return false; // an older answer that took longer
        }
        let newest = || newest.iter().filter(|message| !message.is_echo(me));
        let unread = newest()
            .filter(|m| m.direction == Direction::Inbound && m.row_id > watermark)
            .map(|m| m.row_id);
        let summary = Summary {
            preview: newest().next().map(preview),
            unread_rows: unread.take(MAX_COUNTED).collect(),
            basis: entry.contact.last_message_at,
            at: now,
        };
        let same = entry.summary.as_ref().is_some_and(|old| {
            old.preview == summary.preview
                && old.unread_above(watermark) == summary.unread_rows.len()
        });
        entry.summary = Some(summary);
        entry.read = tick;
        !same
    }

    /// The newest inbound row, when it is unread.
    pub fn newest_unread(&self, peer: &PeerUrl) -> Option<i64> {
        let newest = *self.entries.get(peer)?.summary.as_ref()?.unread_rows.first()?;
        (newest > self.watermark(peer)).then_some(newest)
    }

    /// The list of conversations, newest first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.entries.values().map(|entry| self.row(entry)).collect();
        rows.sort_by(|a, b| {
            last_activity(b)
                .cmp(&last_activity(a))
                .then_with(|| a.contact.peer.cmp(&b.contact.peer))
        });
        rows
    }

    fn row(&self, entry: &Entry) -> Row {
        let mut contact = entry.contact.clone();
        let watermark = self.watermark(&contact.peer);
        let counted = entry.summary.as_ref().map_or(0, |s| s.unread_above(watermark)) as u64;
        let unread = match contact.unread {
            // The server's count is right until we have read further than it knows.
            Some(unread) if watermark <= contact.last_read_row => unread,
            _ => counted,
        };
        contact.last_read_row = watermark;
        let preview = entry.summary.as_ref().and_then(|summary| summary.preview.clone());
        Row { contact, unread, preview }
    }
}

fn last_activity(row: &Row) -> Option<Timestamp> {
    row.contact.last_message_at.max(row.preview.as_ref().and_then(|m| m.created_at))
}

/// A message as far as a line of preview needs it.
fn preview(message: &Message) -> Message {
    fn shorten(content: &mut Content) {
        match content {
            Content::Text(text) => *text = cut(text, MAX_PREVIEW),
            Content::Broadcast { content, .. } => shorten(content),
            _ => {}
        }
    }
    let mut message = message.clone();
    shorten(&mut message.content);
    message
}

#[cfg(test)]
mod tests;
