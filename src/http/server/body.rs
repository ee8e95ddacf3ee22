//! A request's body as it is read: from what has come already, then from the socket, never past
//! its own end.
use super::close::CloseReason;
use super::framing::Framing;
use super::wire::Wire;
use crate::http::chunked;
use crate::http::limits::{Budget, MAX_DRAIN};
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// How far one request's body has been read.
pub struct Incoming {
    left: Left,
    budget: Budget,
    /// The client waits for `100 Continue` and has not been told.
    continue_due: bool,
    failed: Option<Failure>,
}

enum Left {
    Bytes(u64),
    Chunks(chunked::Decoder),
}

/// What the handler sees, and why the connection closes.
type Failure = (io::ErrorKind, CloseReason);

/// The body as a handler reads it.
pub struct BodyReader<'c> {
    pub wire: &'c mut Wire,
    pub incoming: &'c mut Incoming,
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.incoming.read(self.wire, buf)
    }
}

impl Incoming {
    pub fn new(framing: Framing, expects_continue: bool, deadline: Duration) -> Self {
        let left = match framing {
            Framing::None => Left::Bytes(0),
            Framing::Length(length) => Left::Bytes(length),
            Framing::Chunked => Left::Chunks(chunked::Decoder::default()),
        };
        let continue_due = expects_continue && framing != Framing::None;
        Incoming { left, budget: Budget::new(deadline), continue_due, failed: None }
    }

    fn is_done(&self) -> bool {
        match &self.left {
            Left::Bytes(left) => *left == 0,
            Left::Chunks(decoder) => decoder.is_done(),
        }
    }

    /// Why the connection must close after this answer, as far as can be told before sending it.
    pub fn obstacle(&self) -> Option<CloseReason> {
        match (&self.failed, &self.left) {
            (Some((_, reason)), _) => Some(*reason),
            _ if self.is_done() => None,
            _ if self.continue_due => Some(CloseReason::ContinueUnsent),
            (None, Left::Bytes(left)) if *left > MAX_DRAIN => Some(CloseReason::BodyUnread),
            _ => None,
        }
    }

    /// Reads what the handler left, so that the next request can be found behind it.
    pub fn drain(&mut self, wire: &mut Wire) -> Result<(), CloseReason> {
        if self.is_done() {
            return Ok(());
        }
        let mut waste = [0; 2048];
        let mut drained = 0;
        while !self.is_done() {
            if let Some(obstacle) = self.obstacle() {
                return Err(obstacle);
            }
            if drained > MAX_DRAIN {
                return Err(CloseReason::BodyUnread);
            }
            // A failure becomes the obstacle of the next round.
            drained += self.read(wire, &mut waste).unwrap_or(0) as u64;
        }
        Ok(())
    }

    fn read(&mut self, wire: &mut Wire, buf: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, _)) = self.failed {
            return Err(kind.into());
        }
        if buf.is_empty() || self.is_done() {
            return Ok(0);
        }
        self.read_some(wire, buf).map_err(|failure| {
            self.failed = Some(failure);
            failure.0.into()
        })
    }

    fn read_some(&mut self, wire: &mut Wire, buf: &mut [u8]) -> Result<usize, Failure> {
        if self.continue_due && wire.input.is_empty() {
            // RFC 9110 §10.1.1: none is due to a client that has begun to send.
            wire.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(broken)?;
        }
        self.continue_due = false;
        match &mut self.left {
            Left::Bytes(left) => {
                let most = buf.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let buf = &mut buf[..most];
                let count = if wire.input.is_empty() {
                    wait(&mut self.budget, |wait| wire.socket.read(buf, wait))?
                } else {
                    wire.input.take(buf)
                };
                *left -= count as u64;
                Ok(count)
            }
            Left::Chunks(decoder) => loop {
                let (taken, given) = decoder
                    .decode(wire.input.data(), buf)
                    .map_err(|_| (io::ErrorKind::InvalidData, CloseReason::BadBody))?;
                wire.input.consume(taken);
                if given > 0 || decoder.is_done() {
                    return Ok(given);
                }
                wait(&mut self.budget, |wait| wire.fill(wait))?;
            },
        }
    }
}

/// One wait for the client, charged to its budget; an end in the middle of a body is an error.
fn wait(
    budget: &mut Budget,
    read: impl FnOnce(Duration) -> io::Result<usize>,
) -> Result<usize, Failure> {
    let since = Instant::now();
    let count = match read(budget.left()) {
        Ok(0) => return Err((io::ErrorKind::UnexpectedEof, CloseReason::Broken)),
        Ok(count) => count,
        Err(e) if e.kind() == io::ErrorKind::TimedOut => {
            return Err((io::ErrorKind::TimedOut, CloseReason::BodyTimeout));
        }
        Err(e) => return Err(broken(e)),
    };
    budget.spend(since.elapsed(), count);
    Ok(count)
}

fn broken(e: io::Error) -> Failure {
    (e.kind(), CloseReason::Broken)
}
