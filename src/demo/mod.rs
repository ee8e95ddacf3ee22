//! A small, honest posta-server for newcomers and for tests (cargo feature `demo`).
//!
//! It speaks the client API and the wire protocol for real: envelopes are signed, sent over loopback
//! HTTP and verified, state survives in SQLite, events replay. It is the other side of all our
//! tests, and therefore shares no code with `posta`: what one side misreads, the other must not
//! misread too. Out of scope: facing a network, and anything about chat-posta itself.
//!
//! ```text
//!   client ──api──▶ compose ──▶ outbox (db) ──▶ delivery ──signed POST──▶ another participant
//!     ▲                                                                        │
//!     └──events◀── buffer ◀── inbound (db) ◀── verify ◀──signed POST───────────┘
//! ```
//!
//! One `PostaServer` is one participant on a loopback port of its own: `http://localhost:9101`.
mod actor;
mod address;
mod admin;
mod agent;
mod api;
mod behaviour;
mod bell;
mod compose;
mod db;
mod delivery;
mod envelope;
mod events;
mod faults;
mod inbound;
mod node;
mod payload;
mod query;
mod refusal;
mod seed;
mod server;
mod state_file;
mod view;

pub use behaviour::Kind;
pub use seed::{Cast, Role};
pub use server::{Options, PostaServer, StartError};
pub use state_file::StateFile;

use address::Address;
use db::Db;
use delivery::Delivery;
use envelope::Key;
use events::Events;
use faults::Faults;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use view::Manner;

use crate::http::client::Client;
use crate::ops::clock::Clock;
use crate::ops::{encode, random};

/// What all coroutines of one participant share.
pub struct Participant {
    me: Address,
    kind: Kind,
    key: Arc<Key>,
    db: Db,
    clock: Clock,
    client: Client,
    manner: Manner,
    events: Arc<Events>,
    actors: actor::Actors,
    delivery: Delivery,
    /// Pauses between attempts to deliver.
    schedule: Vec<Duration>,
    /// Between signs of life on an idle event stream.
    heartbeat: Duration,
    faults: Faults,
    stopping: AtomicBool,
}

impl Participant {
    /// Unix milliseconds.
    fn now(&self) -> i64 {
        i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Ends streams and the delivery loop.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.faults.set_hang(None);
        self.events.end_streams();
        self.delivery.wake();
    }
}

fn new_token() -> String {
    format!("mst_{}", encode::b64url(&random::bytes::<32>()))
}

/// What a client is given once to pair with `me`.
fn pairing_uri(me: &Address, token: &str) -> String {
    format!("posta+v1://{}#token={token}", me.display())
}
