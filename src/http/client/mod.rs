//! The upstream client: pooled keep-alive, TLS with session resumption, deadlines, size limits,
//! streaming both ways, event streams. Call it from coroutines only.
//!
//! ```text
//! Call ─ outgoing ─┐                      ┌─ answer (head, framing) ─ body: Answer
//!                  ├─ exchange on a wire ─┤
//! pool or dial ────┘                      └─ events: Events
//!         └ places, resolve, guard, tls
//! ```
mod answer;
mod body;
mod dial;
mod error;
mod events;
mod exchange;
mod guard;
mod origin;
mod outgoing;
mod places;
mod pool;
mod promise;
mod resolve;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use body::Answer;
pub use error::CallError;
pub use events::Events;
pub use origin::Origin;

use super::sse::Event;
use super::{Method, alarm};
use crate::ops::metrics::Histogram;
use answer::{Framing, Head};
use body::Lease;
use exchange::Failed;
use places::{Place, Places};
use pool::Pool;
use resolve::Resolver;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wire::Wire;

/// What an event stream is asked for with, unless the caller says otherwise.
const EVENTS: &[(&str, &str)] = &[("accept", "text/event-stream"), ("cache-control", "no-cache")];

#[derive(Clone, Default)]
pub struct Options {
    /// Lets names resolve to loopback and private addresses (home networks, tests).
    pub allow_private: bool,
    /// `User-Agent`.
    pub agent: String,
    /// Trusted beside the web's roots: private authorities, tests.
    pub roots: Vec<CertificateDer<'static>>,
    /// Where it is noted how long calls took, and how they ended.
    pub timing: Option<Histogram>,
}

/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    options: Options,
    tls: Arc<ClientConfig>,
    resolver: Resolver,
    pool: Arc<Pool>,
    places: Arc<Places>,
    calls: AtomicU64,
    failures: AtomicU64,
}

pub struct Call<'a> {
    pub method: Method,
    pub origin: &'a Origin,
    /// Path and query, already percent-encoded.
    pub target: &'a str,
    /// Sent as they are beside `Host`, framing and `User-Agent`. Values are never logged.
    pub fields: &'a [(&'a str, &'a str)],
    pub body: CallBody<'a>,
    pub deadlines: Deadlines,
    /// An answer's body larger than this is `CallError::TooLarge`.
    pub max_answer: u64,
}

pub enum CallBody<'a> {
    Empty,
    Bytes(&'a [u8]),
    /// Streams through; chunked unless the length is known. Never retried.
    Stream {
        length: Option<u64>,
        source: &'a mut dyn Read,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Resolve, dial and TLS handshake.
    pub connect: Duration,
    /// From the request's last byte to the answer's head.
    pub first_byte: Duration,
    /// The whole call.
    pub total: Duration,
}

pub enum Opened {
    Events(Events),
    /// Any answer but `200` with `text/event-stream`.
    Refused(Answer),
}

impl Client {
    pub fn new(options: Options) -> Client {
        alarm::start().expect("a thread can be started while starting up");
        let tls = tls::config(&options);
        Client(Arc::new(Inner {
            options,
            tls,
            resolver: Resolver::system(),
            pool: Pool::start(),
            places: Arc::default(),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }))
    }

    /// One call. Redirects are not followed. An idempotent call on a pooled connection that turns
    /// out stale is tried once more on a fresh one.
    pub fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let since = Instant::now();
        self.counted(self.answered(call), since)
    }

    /// Opens an event stream (its own connection, never pooled; `total` does not apply).
    pub fn events(&self, call: Call<'_>) -> Result<Opened, CallError> {
        let since = Instant::now();
        self.counted(self.opened(call), since)
    }

    /// Calls so far that have an answer's head or a failure, event streams among them.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Those of them that got no answer, whatever its status.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// Idle connections kept for the next call.
    pub fn idle(&self) -> usize {
        self.0.pool.idle()
    }

    fn counted<T>(&self, done: Result<T, CallError>, since: Instant) -> Result<T, CallError> {
        if let Some(timing) = &self.0.options.timing {
            let outcome = done.as_ref().err().map_or("answered", CallError::label);
            timing.observe(outcome, since.elapsed());
        }
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        self.0.failures.fetch_add(u64::from(done.is_err()), Ordering::Relaxed);
        done
    }

    fn answered(&self, mut call: Call<'_>) -> Result<Answer, CallError> {
        let end = Instant::now() + call.deadlines.total;
        let head = outgoing::head(&call, &self.0.options.agent, &[])?;
        let place =
            self.0.places.take(call.origin, end.min(Instant::now() + call.deadlines.first_byte))?;
        // What can be had only once had better not find out that its connection is stale.
        let pooled = if call.streams() { None } else { self.pooled(call.origin) };
        if let Some(mut wire) = pooled {
            match exchange::exchange(&mut wire, &head, &mut call, end) {
                Ok(head) => return self.answer(wire, head, &call, place, end),
                Err(Failed { error: CallError::Closed, silent: true }) if call.is_repeatable() => {}
                Err(failed) => return Err(failed.error),
            }
        }
        let mut wire = self.dial(&call, end)?;
        let head = exchange::exchange(&mut wire, &head, &mut call, end).map_err(|f| f.error)?;
        self.answer(wire, head, &call, place, end)
    }

    fn opened(&self, mut call: Call<'_>) -> Result<Opened, CallError> {
        let head = outgoing::head(&call, &self.0.options.agent, EVENTS)?;
        let mut wire = self.dial(&call, Instant::now() + call.deadlines.connect)?;
        let end = Instant::now() + call.deadlines.first_byte;
        let head = exchange::exchange(&mut wire, &head, &mut call, end).map_err(|f| f.error)?;
        let framing = Framing::of(&head, call.method)?;
        let end = Instant::now() + call.deadlines.total;
        let answer = Answer::new(head, framing, wire, call.max_answer, end, None)?;
        let kind = answer.fields.get("content-type").and_then(|kind| kind.split(';').next());
        let is_stream = kind.is_some_and(|k| k.trim().eq_ignore_ascii_case("text/event-stream"));
        Ok(match answer.status {
            200 if is_stream => Opened::Events(Events::new(answer)?),
            _ => Opened::Refused(answer),
        })
    }

    /// An idle connection that its server has not closed meanwhile.
    fn pooled(&self, origin: &Origin) -> Option<Wire> {
        std::iter::from_fn(|| self.0.pool.take(origin)).find_map(|mut wire| {
            let quiet = !wire.has_stirred();
            quiet.then_some(wire)
        })
    }

    fn dial(&self, call: &Call<'_>, end: Instant) -> Result<Wire, CallError> {
        let Inner { options, tls, resolver, .. } = &*self.0;
        let Origin { host, port, .. } = call.origin;
        let until = end.min(Instant::now() + call.deadlines.connect);
        let addresses = resolver.addresses(host, until)?;
        dial::judge(&addresses, options.allow_private)?;
        let socket = dial::connect(&addresses, *port, until)?;
        if call.origin.tls {
            dial::shake_hands(tls, host, socket, until)
        } else {
            Ok(Wire::plain(socket))
        }
    }

    fn answer(
        &self,
        wire: Wire,
        head: Head,
        call: &Call<'_>,
        place: Place,
        end: Instant,
    ) -> Result<Answer, CallError> {
        let framing = Framing::of(&head, call.method)?;
        let lease = Lease { pool: self.0.pool.clone(), origin: call.origin.clone(), _place: place };
        Answer::new(head, framing, wire, call.max_answer, end, Some(lease))
    }
}
