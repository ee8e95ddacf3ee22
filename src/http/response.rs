//! What a handler answers.
use std::borrow::Cow;
use std::io::{self, Write};
use std::net::TcpStream;

pub struct Response {
    pub status: u16,
    /// Names must be valid tokens; a value with CR, LF or NUL is refused when written.
    pub fields: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Body,
    /// For the record of the request (which route, who); the client never sees it.
    pub note: String,
}

/// Writes a body; `flush` sends what there is at once. An error ends the connection in the middle of
/// the answer, so that the client can tell (RFC 9112 §8); before the first flush it becomes a 500.
pub type WriteBody = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

pub enum Body {
    /// No content; `Content-Length: 0` where the status allows one.
    Empty,
    Bytes(Cow<'static, [u8]>),
    /// Written by the closure as it goes, chunked unless `length` is known.
    Stream {
        length: Option<u64>,
        write: WriteBody,
    },
    /// The head is written without framing (`Connection: close` semantics, body until close), then
    /// the socket is handed over and the connection's coroutine ends.
    Park(Box<dyn FnOnce(Parked) + Send>),
}

/// A socket that outlives its coroutine. It is non-blocking and nobody reads it; dropping it closes
/// it and gives its place under the connection cap back.
pub struct Parked {
    pub socket: TcpStream,
    pub(crate) _place: Box<dyn Send + Sync>,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Response { status, fields: Vec::new(), body: Body::Empty, note: String::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub fn bytes(
        mut self,
        content_type: &'static str,
        bytes: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        self.body = Body::Bytes(bytes.into());
        self.with("content-type", content_type)
    }
}
