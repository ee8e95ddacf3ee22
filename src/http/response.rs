//! What a handler answers.
use std::borrow::Cow;
use std::io::{self, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;

pub struct Response {
    pub status: u16,
    /// Field lines that many answers have, as they are sent, each with its end.
    pub common: &'static str,
    /// Names must be valid tokens; a value with CR, LF or NUL is refused when written.
    pub fields: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Body,
    /// For the record of the request; the client never sees it.
    pub note: Note,
}

/// What the service says of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Note {
    /// What answered it; empty when nothing did.
    pub route: &'static str,
    /// Whom it took the caller for.
    pub caller: Option<i64>,
    /// How the browser came: a proxy that forgets to say so shows by it.
    pub https: bool,
}

/// Writes a body; `flush` sends what there is at once. An error ends the connection in the middle of
/// the answer, so that the client can tell (RFC 9112 §8); before the first flush it becomes a 500.
pub type WriteBody = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

pub enum Body {
    /// No content; `Content-Length: 0` where the status allows one.
    Empty,
    Bytes(Cow<'static, [u8]>),
    /// The same in several pieces, some of which other answers have too.
    Pieces(Vec<Piece>),
    /// Written by the closure as it goes, chunked unless `length` is known.
    Stream {
        length: Option<u64>,
        write: WriteBody,
    },
    /// The head is written without framing (`Connection: close` semantics, body until close), then
    /// the socket is handed over and the connection's coroutine ends.
    Park(Box<dyn FnOnce(Parked) + Send>),
}

pub enum Piece {
    Own(Vec<u8>),
    Shared(Arc<[u8]>, Range<usize>),
}

impl Piece {
    /// Empty where the range is none of the shared bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Piece::Own(bytes) => bytes,
            Piece::Shared(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// A socket that outlives its coroutine. It is non-blocking and nobody reads it; dropping it closes
/// it and gives its place under the connection cap back.
pub struct Parked {
    pub socket: TcpStream,
    pub(crate) _place: Box<dyn Send + Sync>,
}

/// Field lines most answers have room for.
const FIELDS: usize = 12;

impl Response {
    pub fn new(status: u16) -> Self {
        let fields = Vec::with_capacity(FIELDS);
        Response { status, common: "", fields, body: Body::Empty, note: Note::default() }
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
