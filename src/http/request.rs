//! What a handler sees of one request.
use super::Fields;
use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }
}

pub struct Request<'a> {
    /// Unique in this process; stands in the log and on error pages.
    pub id: u64,
    pub method: Method,
    /// Absolute path as sent, still percent-encoded, without the query.
    pub path: String,
    /// What follows the first `?`, still percent-encoded.
    pub query: Option<String>,
    pub fields: Fields,
    /// The browser's address: `X-Forwarded-For` when the connection comes from a trusted proxy.
    pub client_ip: IpAddr,
    /// Whether the browser speaks https: `X-Forwarded-Proto` when from a trusted proxy.
    pub https: bool,
    pub body: RequestBody<'a>,
}

/// Bytes of memory given for a body before any has come.
const PIECE: usize = 16 * 1024;

/// The request's body as a stream. Reading it first sends `100 Continue` where that was asked for.
pub struct RequestBody<'a> {
    /// From `Content-Length`, when there was one.
    pub length: Option<u64>,
    pub(crate) source: &'a mut dyn Read,
}

impl Read for RequestBody<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.source.read(buf)
    }
}

impl RequestBody<'_> {
    /// The whole body, at most `limit` bytes; refuses by `Content-Length` before reading a byte.
    pub fn collect(&mut self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let too_large = Err(BodyError::TooLarge { limit });
        if self.length.is_some_and(|length| length > limit as u64) {
            return too_large;
        }
        let expected = self.length.and_then(|l| usize::try_from(l).ok()).unwrap_or(0);
        // A length is a claim; memory is given for what comes.
        let mut body = Vec::with_capacity(expected.min(PIECE));
        let mut piece = [0; 4096];
        loop {
            match self.source.read(&mut piece) {
                Ok(0) => return Ok(body),
                Ok(count) if body.len() + count > limit => return too_large,
                Ok(count) => body.extend_from_slice(&piece[..count]),
                Err(e) => return Err(BodyError::from(e)),
            }
        }
    }
}

#[derive(Debug)]
pub enum BodyError {
    /// 413
    TooLarge { limit: usize },
    /// 408: the body's deadline passed.
    Timeout,
    /// 400: broken chunk framing (RFC 9112 §7.1).
    Malformed,
    /// The client went away.
    Gone(io::Error),
}

impl BodyError {
    pub fn status(&self) -> u16 {
        match self {
            BodyError::TooLarge { .. } => 413,
            BodyError::Timeout => 408,
            // Nobody is left to read the answer to `Gone`.
            BodyError::Malformed | BodyError::Gone(_) => 400,
        }
    }
}

/// What reading the body directly reports as kinds.
impl From<io::Error> for BodyError {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::TimedOut => BodyError::Timeout,
            io::ErrorKind::InvalidData => BodyError::Malformed,
            _ => BodyError::Gone(e),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLarge { limit } => write!(f, "the body is larger than {limit} bytes"),
            BodyError::Timeout => f.write_str("the body did not arrive in time"),
            BodyError::Malformed => f.write_str("the body's framing is broken"),
            BodyError::Gone(e) => write!(f, "the client went away: {e}"),
        }
    }
}
