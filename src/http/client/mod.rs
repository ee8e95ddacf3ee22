//! The upstream client: pooled keep-alive, TLS with session resumption, deadlines, size limits,
//! streaming both ways, event streams. Call it from coroutines only.
use super::sse::Event;
use super::{Fields, Method};
use std::fmt;
use std::io::Read;
use std::time::Duration;

/// Where a call goes. `host` is lower case; an IPv6 literal keeps its brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    pub tls: bool,
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone)]
pub struct Options {
    /// Lets names resolve to loopback and private addresses (home networks, tests).
    pub allow_private: bool,
    /// `User-Agent`.
    pub agent: String,
}

/// Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Client;

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

pub struct Answer {
    pub status: u16,
    pub fields: Fields,
}

impl Answer {
    /// The whole body within the call's limits; gives the connection back to the pool.
    pub fn collect(self) -> Result<Vec<u8>, CallError> {
        todo!()
    }
}

impl Read for Answer {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let _ = buf;
        todo!()
    }
}

/// An open event stream.
pub struct Events;

impl Events {
    /// The next event; `Ok(None)` when none came within `wait`. The stream's end is
    /// `CallError::Closed`.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, CallError> {
        let _ = wait;
        todo!()
    }
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
        let _ = options;
        todo!()
    }

    /// One call. Redirects are not followed. An idempotent call on a pooled connection that turns
    /// out stale is tried once more on a fresh one.
    pub fn call(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let _ = call;
        todo!()
    }

    /// Opens an event stream (its own connection, never pooled; `total` does not apply).
    pub fn events(&self, call: Call<'_>) -> Result<Opened, CallError> {
        let _ = call;
        todo!()
    }
}
