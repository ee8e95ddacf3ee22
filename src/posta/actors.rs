//! Actor docs, which anybody may GET.
//!
//! This is the one call that goes to a peer rather than to the person's own posta-server, so that
//! they see whom they are about to write to. The address guard, no redirects, short deadlines and a
//! small answer hold here as for every upstream call.
use super::Actor;
use super::json;
use super::url::PeerUrl;
use crate::http::Method;
use crate::http::client::{Call, CallBody, Client, Deadlines};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A doc may be kept this long (POSTA); a failure only so that a page which is loaded again does not
/// wait for it again.
const FRESH: Duration = Duration::from_secs(5 * 60);
const FAILED: Duration = Duration::from_secs(20);
/// Docs kept for everybody together, about 1 KB each.
const MAX_KEPT: usize = 1_000;
/// Largest doc read, in bytes.
const MAX_DOC: u64 = 64 << 10;
/// Somebody waits for it with an address half typed.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(3),
    first_byte: Duration::from_secs(4),
    total: Duration::from_secs(6),
};

/// Why there is none; the text is for a developer.
#[derive(Debug, Clone, PartialEq)]
pub enum NoActor {
    Unreachable(String),
    /// Something answers there that is no participant.
    NotOne(String),
}

impl fmt::Display for NoActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoActor::Unreachable(why) => write!(f, "the peer can't be reached: {why}"),
            NoActor::NotOne(why) => write!(f, "no participant is there: {why}"),
        }
    }
}

struct Kept {
    at: Instant,
    found: Result<Actor, NoActor>,
}

/// Asks for actor docs, and keeps what they said for a while.
pub struct Actors {
    client: Client,
    kept: Mutex<HashMap<PeerUrl, Kept>>,
}

impl Actors {
    pub fn new(client: Client) -> Actors {
        Actors { client, kept: Mutex::default() }
    }

    /// The actor at `peer`. A failure is tried again at once: somebody asked.
    pub fn look(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        self.find(peer, false)
    }

    /// The same for a page that could do without: a failure is believed for a moment.
    pub fn glance(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        self.find(peer, true)
    }

    /// What is kept of `peer`, without asking anybody.
    pub fn kept(&self, peer: &PeerUrl) -> Option<Actor> {
        let kept = self.lock();
        let kept = kept.get(peer).filter(|kept| kept.at.elapsed() < FRESH)?;
        kept.found.clone().ok()
    }

    fn find(&self, peer: &PeerUrl, failures_too: bool) -> Result<Actor, NoActor> {
        if let Some(kept) = self.lock().get(peer) {
            let (good, age) = (kept.found.is_ok(), kept.at.elapsed());
            if (good && age < FRESH) || (!good && failures_too && age < FAILED) {
                return kept.found.clone();
            }
        }
        let found = self.ask(peer);
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT && !kept.contains_key(peer) {
            kept.retain(|_, kept| kept.at.elapsed() < FRESH);
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
        }
        kept.insert(peer.clone(), Kept { at: Instant::now(), found: found.clone() });
        found
    }

    fn ask(&self, peer: &PeerUrl) -> Result<Actor, NoActor> {
        let (origin, path) = peer.place();
        let answer = self
            .client
            .call(Call {
                method: Method::Get,
                origin: &origin,
                target: path,
                fields: &[("accept", "application/posta+json")],
                body: CallBody::Empty,
                deadlines: DEADLINES,
                max_answer: MAX_DOC,
            })
            .map_err(|e| NoActor::Unreachable(e.to_string()))?;
        if answer.status != 200 {
            return Err(NoActor::Unreachable(format!("answered {}", answer.status)));
        }
        let body = answer.collect().map_err(|e| NoActor::Unreachable(e.to_string()))?;
        json::read(body, Actor::read)
            .flatten()
            .ok_or_else(|| NoActor::NotOne("its answer is no actor doc".into()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerUrl, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
