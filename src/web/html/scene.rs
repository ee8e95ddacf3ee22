//! What is around a part while it is drawn: the time, who people are, where pictures come from.
use super::markup::Markup;
use crate::ops::time::Timestamp;
use crate::posta::{Contact, PeerUrl};

/// The answers a handler lends to the functions that draw.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub now: Timestamp,
    /// Our own address for a picture elsewhere; `None` when it cannot be shown.
    pub media: &'a dyn Fn(&str) -> Option<String>,
    /// Everybody the reader knows.
    pub contacts: &'a [&'a Contact],
}

impl<'a> Scene<'a> {
    /// Whoever is at `peer`, known or not.
    pub fn person(&self, peer: &'a PeerUrl) -> Person<'a> {
        Person::of_peer(peer, self.contacts.iter().find(|c| c.peer == *peer).copied())
    }
}

/// Somebody, as far as drawing goes.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    pub peer: &'a PeerUrl,
    /// May be empty.
    pub name: &'a str,
    pub avatar: Option<&'a str>,
}

impl<'a> Person<'a> {
    pub fn of_contact(contact: &'a Contact) -> Self {
        Person { peer: &contact.peer, name: &contact.name, avatar: contact.avatar.as_deref() }
    }

    pub fn of_peer(peer: &'a PeerUrl, contact: Option<&'a Contact>) -> Self {
        match contact {
            Some(contact) => Person { peer, ..Person::of_contact(contact) },
            None => Person { peer, name: "", avatar: None },
        }
    }

    /// The name, or the address's host when there is none.
    pub fn called(&self) -> &'a str {
        match self.name.trim() {
            "" => host(self.peer),
            name => name,
        }
    }

    /// One of the five accents, always the same for the same peer.
    pub fn accent(&self) -> usize {
        (fnv1a(self.peer.canonical().as_bytes()) % 5) as usize
    }

    /// Writes the name so that its direction cannot leak into what stands beside it.
    pub fn write_name(&self, out: &mut Markup) {
        out.el("bdi").text(self.called());
    }
}

pub fn host(peer: &PeerUrl) -> &str {
    let display = peer.display();
    display.find('/').map_or(display, |at| &display[..at])
}

/// FNV-1a, 32 bits: spreads short texts well and never changes between versions.
pub fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
