//! Why a call got no answer, or not all of it.
use std::fmt;
use std::io;

#[derive(Debug)]
pub enum CallError {
    /// The call itself breaks a rule and was not sent; the text says which.
    Unsendable(&'static str),
    /// The name has no address, or the resolver failed.
    Resolve(String),
    /// An address of the name is private, loopback or otherwise not for dialling.
    Forbidden,
    /// The port is not one of HTTP's.
    Port,
    /// So much of this server's answers, or of all, is held that there is no memory for another.
    Crowded,
    /// Refused, unreachable or reset while dialling.
    Connect(io::Error),
    Tls(String),
    /// Which deadline passed.
    Timeout(&'static str),
    /// The answer breaks RFC 9112; the text says how.
    Malformed(&'static str),
    TooLarge,
    /// The connection broke before the answer was whole.
    Closed,
    /// The caller's own body source failed.
    Source(io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Unsendable(why) => write!(f, "not a call that can be sent: {why}"),
            CallError::Resolve(why) => write!(f, "the name could not be resolved: {why}"),
            CallError::Forbidden => f.write_str("the name leads to a private address"),
            CallError::Port => f.write_str("no HTTP is spoken at that port"),
            CallError::Crowded => f.write_str("too much of its answers is being read at once"),
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

impl std::error::Error for CallError {}

impl CallError {
    /// A word for metrics.
    pub fn label(&self) -> &'static str {
        match self {
            CallError::Unsendable(_) => "unsendable",
            CallError::Resolve(_) => "resolve",
            CallError::Forbidden => "forbidden",
            CallError::Port => "port",
            CallError::Crowded => "crowded",
            CallError::Connect(_) => "connect",
            CallError::Tls(_) => "tls",
            CallError::Timeout(_) => "timeout",
            CallError::Malformed(_) => "malformed",
            CallError::TooLarge => "too-large",
            CallError::Closed => "closed",
            CallError::Source(_) => "source",
        }
    }

    /// What a failed connection means to a call that was busy with `doing`. TLS reports what it
    /// refuses as `InvalidData`.
    pub(super) fn broken(e: io::Error, doing: &'static str) -> CallError {
        match e.kind() {
            io::ErrorKind::TimedOut => CallError::Timeout(doing),
            io::ErrorKind::InvalidData => CallError::Tls(e.to_string()),
            _ => CallError::Closed,
        }
    }
}

/// For an answer that is read as a stream.
impl From<CallError> for io::Error {
    fn from(e: CallError) -> io::Error {
        let kind = match e {
            CallError::Timeout(_) => io::ErrorKind::TimedOut,
            CallError::Malformed(_) | CallError::Tls(_) => io::ErrorKind::InvalidData,
            CallError::Closed => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, e)
    }
}
