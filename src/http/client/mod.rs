//! The upstream client: pooled keep-alive, TLS with session resumption, deadlines, size limits,
//! streaming both ways, event streams. Call it from coroutines only.
mod answer;
mod body;
mod dial;
mod events;
mod guard;
mod pool;
mod resolve;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use body::Answer;
pub use events::Events;

use super::sse::Event;
use super::{Method, chunked};
use answer::{Framing, Head};
use body::Lease;
use pool::{Place, Pool};
use resolve::Resolver;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wire::Wire;

/// Between looks for a free place, when too many calls go to one origin.
const PLACE_WAIT: Duration = Duration::from_millis(10);
/// Bytes of a streamed body sent at once.
const STREAM_PIECE: usize = 16 * 1024;
/// Interim answers passed over.
const MAX_INTERIM: usize = 8;

/// Where a call goes. `host` is lower case; an IPv6 literal keeps its brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Lets names resolve to loopback and private addresses (home networks, tests).
    pub allow_private: bool,
    /// `User-Agent`.
    pub agent: String,
    /// Trusted beside the web's roots: private authorities, tests.
    pub roots: Vec<CertificateDer<'static>>,
}

/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    options: Options,
    tls: Arc<ClientConfig>,
    resolver: Resolver,
    pool: Arc<Pool>,
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

#[derive(Debug)]
pub enum CallError {
    /// The name has no address, or the resolver failed.
    Resolve(String),
    /// Every address of the name is private, loopback or otherwise not for dialling.
    Forbidden,
    /// Refused, unreachable or reset while dialling.
    Connect(std::io::Error),
    Tls(String),
    /// Which deadline passed.
    Timeout(&'static str),
    /// The answer breaks RFC 9112; the text says how.
    Malformed(&'static str),
    TooLarge,
    /// The connection broke before the answer was whole.
    Closed,
    /// The caller's own body source failed.
    Source(std::io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Resolve(why) => write!(f, "the name could not be resolved: {why}"),
            CallError::Forbidden => f.write_str("the name leads to a private address"),
            CallError::Connect(e) => write!(f, "no connection: {e}"),
            CallError::Tls(why) => write!(f, "no secure connection: {why}"),
            CallError::Timeout(what) => write!(f, "timed out: {what}"),
            CallError::Malformed(how) => write!(f, "not an HTTP answer: {how}"),
            CallError::TooLarge => f.write_str("the answer is too large"),
            CallError::Closed => f.write_str("the connection closed early"),
            CallError::Source(e) => write!(f, "the body could not be read: {e}"),
        }
    }
}

impl Client {
    pub fn new(options: Options) -> Client {
        let tls = tls::config(&options);
        let (calls, failures) = Default::default();
        let (resolver, pool) = (Resolver::new(), Pool::start());
        Client(Arc::new(Inner { options, tls, resolver, pool, calls, failures }))
    }

    /// One call. Redirects are not followed. An idempotent call on a pooled connection that turns
    /// out stale is tried once more on a fresh one.
    pub fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        self.counted(self.answered(call))
    }

    fn answered(&self, mut call: Call<'_>) -> Result<Answer, CallError> {
        let started = Instant::now();
        let end = started + call.deadlines.total;
        let head = request_head(&call, &self.0.options.agent)?;
        let place = self.place(&call, end)?;
        if let Some(wire) = self.pooled(call.origin) {
            match self.exchange(wire, &head, &mut call, end) {
                Err(Failed { error: CallError::Closed, silent: true }) if call.is_repeatable() => {}
                done => return self.answer(done, &call, place, end),
            }
        }
        let wire = self.dial(&call)?;
        let done = self.exchange(wire, &head, &mut call, end);
        self.answer(done, &call, place, end)
    }

    /// Opens an event stream (its own connection, never pooled; `total` does not apply).
    pub fn events(&self, call: Call<'_>) -> Result<Opened, CallError> {
        self.counted(self.open_events(call))
    }

    /// Calls so far that have an answer's head or a failure, event streams among them.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Those of them that got no answer, whatever its status.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    fn counted<T>(&self, done: Result<T, CallError>) -> Result<T, CallError> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        self.0.failures.fetch_add(u64::from(done.is_err()), Ordering::Relaxed);
        done
    }

    fn open_events(&self, mut call: Call<'_>) -> Result<Opened, CallError> {
        let head = request_head(&call, &self.0.options.agent)?;
        let end = Instant::now() + call.deadlines.connect + call.deadlines.first_byte;
        let wire = self.dial(&call)?;
        let (wire, head) = self.exchange(wire, &head, &mut call, end).map_err(|f| f.error)?;
        let framing = Framing::of(&head, call.method)?;
        let kind = head.fields.get("content-type").unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim();
        if head.status == 200 && kind.eq_ignore_ascii_case("text/event-stream") {
            return Ok(Opened::Events(Events::new(wire, framing)));
        }
        let end = Instant::now() + call.deadlines.total;
        Answer::new(head, framing, wire, call.max_answer, end, None).map(Opened::Refused)
    }

    fn place(&self, call: &Call<'_>, end: Instant) -> Result<Place, CallError> {
        let until = end.min(Instant::now() + call.deadlines.first_byte);
        loop {
            if let Some(place) = self.0.pool.place(call.origin) {
                return Ok(place);
            }
            if Instant::now() + PLACE_WAIT >= until {
                return Err(CallError::Timeout("too many calls to this server at once"));
            }
            may::coroutine::sleep(PLACE_WAIT);
        }
    }

    /// An idle connection that its server has not closed meanwhile.
    fn pooled(&self, origin: &Origin) -> Option<Wire> {
        loop {
            let mut wire = self.0.pool.take(origin)?;
            if !wire.has_stirred() {
                return Some(wire);
            }
        }
    }

    fn dial(&self, call: &Call<'_>) -> Result<Wire, CallError> {
        let Inner { options, tls, resolver, .. } = &*self.0;
        let until = Instant::now() + call.deadlines.connect.min(call.deadlines.total);
        let addresses = resolver.addresses(&call.origin.host, until)?;
        dial::allowed(&addresses, options.allow_private)?;
        if call.origin.tls {
            dial::connect_secure(tls, call.origin, addresses, until)
        } else {
            dial::connect(&addresses, call.origin.port, until)
        }
    }

    /// Sends the request and reads the answer's head.
    fn exchange(
        &self,
        mut wire: Wire,
        head: &[u8],
        call: &mut Call<'_>,
        end: Instant,
    ) -> Result<(Wire, Head), Failed> {
        let sent = send(&mut wire, head, call, end);
        if let Err(error @ (CallError::Source(_) | CallError::Timeout(_))) = sent {
            return Err(Failed { error, silent: false });
        }
        // When sending broke off, the server may have answered early and closed: look.
        let until = end.min(Instant::now() + call.deadlines.first_byte);
        match read_head(&mut wire, until) {
            Ok(mut head) => {
                head.keep_alive &= sent.is_ok();
                Ok((wire, head))
            }
            Err(error) => {
                let silent = wire.unread().is_empty();
                Err(Failed { error: sent.err().unwrap_or(error), silent })
            }
        }
    }

    fn answer(
        &self,
        done: Result<(Wire, Head), Failed>,
        call: &Call<'_>,
        place: Place,
        end: Instant,
    ) -> Result<Answer, CallError> {
        let (wire, head) = done.map_err(|failed| failed.error)?;
        let framing = Framing::of(&head, call.method)?;
        let back = Lease { pool: self.0.pool.clone(), origin: call.origin.clone(), _place: place };
        Answer::new(head, framing, wire, call.max_answer, end, Some(back))
    }
}

impl Call<'_> {
    /// Whether it may be sent a second time (RFC 9110 §9.2.2), and can.
    fn is_repeatable(&self) -> bool {
        let keyed = || self.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case("idempotency-key"));
        let idempotent = !matches!(self.method, Method::Post | Method::Patch) || keyed();
        idempotent && !matches!(self.body, CallBody::Stream { .. })
    }
}

/// An exchange that gave no answer; `silent` when not one byte of one had come.
struct Failed {
    error: CallError,
    silent: bool,
}

fn request_head(call: &Call<'_>, agent: &str) -> Result<Vec<u8>, CallError> {
    let Origin { tls, host, port } = call.origin;
    let plain = |text: &str| text.bytes().all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
    let target_ok =
        call.target.starts_with('/') && call.target.bytes().all(|b| b.is_ascii_graphic());
    if !target_ok || !call.fields.iter().all(|(n, v)| plain(n) && plain(v)) {
        return Err(CallError::Malformed("the request holds what a request can't"));
    }
    let mut head = String::with_capacity(512);
    head.push_str(&format!("{} {} HTTP/1.1\r\nhost: {host}", call.method.as_str(), call.target));
    if *port != if *tls { 443 } else { 80 } {
        head.push_str(&format!(":{port}"));
    }
    head.push_str(&format!("\r\nuser-agent: {agent}\r\n"));
    for (name, value) in call.fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match &call.body {
        CallBody::Bytes(bytes) => head.push_str(&format!("content-length: {}\r\n", bytes.len())),
        CallBody::Stream { length: Some(n), .. } => {
            head.push_str(&format!("content-length: {n}\r\n"));
        }
        CallBody::Stream { length: None, .. } => head.push_str("transfer-encoding: chunked\r\n"),
        CallBody::Empty if matches!(call.method, Method::Post | Method::Put | Method::Patch) => {
            head.push_str("content-length: 0\r\n");
        }
        CallBody::Empty => {}
    }
    head.push_str("\r\n");
    Ok(head.into_bytes())
}

fn send(wire: &mut Wire, head: &[u8], call: &mut Call<'_>, end: Instant) -> Result<(), CallError> {
    match &mut call.body {
        CallBody::Empty => wire.write_all(head, end).map_err(|e| broken(e, "sending")),
        CallBody::Bytes(bytes) => {
            // One write where it fits: the other side then has it all at once.
            let whole = [head, bytes].concat();
            wire.write_all(&whole, end).map_err(|e| broken(e, "sending"))
        }
        CallBody::Stream { length, source } => {
            wire.write_all(head, end).map_err(|e| broken(e, "sending"))?;
            let mut piece = vec![0; STREAM_PIECE];
            let mut sent = 0;
            loop {
                let got = source.read(&mut piece).map_err(CallError::Source)?;
                if got == 0 {
                    break;
                }
                sent += got as u64;
                if length.is_some_and(|length| sent > length) {
                    return Err(CallError::Source(io::Error::other("more than was announced")));
                }
                let framed = if length.is_some() {
                    wire.write_all(&piece[..got], end)
                } else {
                    let mut chunk = Vec::with_capacity(got + 16);
                    chunked::encode(&piece[..got], &mut chunk);
                    wire.write_all(&chunk, end)
                };
                framed.map_err(|e| broken(e, "sending"))?;
                // An answer already now is a refusal: the rest of the body is not wanted.
                if wire.has_stirred() {
                    return Err(CallError::Closed);
                }
            }
            match length {
                Some(length) if sent < *length => {
                    Err(CallError::Source(io::ErrorKind::UnexpectedEof.into()))
                }
                Some(_) => Ok(()),
                None => wire.write_all(b"0\r\n\r\n", end).map_err(|e| broken(e, "sending")),
            }
        }
    }
}

fn broken(e: io::Error, what: &'static str) -> CallError {
    if e.kind() == io::ErrorKind::TimedOut { CallError::Timeout(what) } else { CallError::Closed }
}

/// Reads up to the answer's own head; interim ones (RFC 9110 §15.2) are passed over.
fn read_head(wire: &mut Wire, until: Instant) -> Result<Head, CallError> {
    for _ in 0..=MAX_INTERIM {
        let head = loop {
            if let Some((head, length)) = answer::parse(wire.unread())? {
                wire.consume(length);
                break head;
            }
            if wire.fill(until).map_err(|e| broken(e, "answer"))? == 0 {
                return Err(CallError::Closed);
            }
        };
        if !matches!(head.status, 100..=199) {
            return Ok(head);
        }
        if head.status == 101 {
            return Err(CallError::Malformed("it switches protocols unasked"));
        }
    }
    Err(CallError::Malformed("too many interim answers"))
}
