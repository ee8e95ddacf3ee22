//! An answer whose body is still on the wire.
use super::answer::{Framing, Head};
use super::held::{Bytes, Held};
use super::places::Place;
use super::pool::Pool;
use super::wire::Wire;
use super::{CallError, Origin};
use crate::http::Fields;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

/// Bytes of memory given for a body at once: a length is a claim.
const PIECE: usize = 16 * 1024;

pub struct Answer {
    pub status: u16,
    pub fields: Fields,
    body: Reading,
}

/// Where a connection goes when its answer is read, and the place its call takes meanwhile.
pub struct Lease {
    pub pool: Arc<Pool>,
    pub held: Arc<Held>,
    pub origin: Origin,
    pub _place: Place,
}

struct Reading {
    framing: Framing,
    /// Gone once the body is read, or reading it has failed.
    wire: Option<Wire>,
    /// Whether the body came to its end.
    whole: bool,
    lease: Option<Lease>,
    keep_alive: bool,
    /// How many more bytes the caller is ready to take.
    room: u64,
    end: Instant,
}

impl Answer {
    /// `lease`: none for a connection that is not to be used again.
    pub(super) fn new(
        head: Head,
        framing: Framing,
        wire: Wire,
        max: u64,
        end: Instant,
        lease: Option<Lease>,
    ) -> Result<Answer, CallError> {
        if matches!(framing, Framing::Length(length) if length > max) {
            return Err(CallError::TooLarge);
        }
        let Head { status, fields, keep_alive } = head;
        let wire = Some(wire);
        let mut body = Reading { framing, wire, whole: false, lease, keep_alive, room: max, end };
        if body.framing.is_done() {
            body.finish();
        }
        Ok(Answer { status, fields, body })
    }

    /// What is left to do for someone who reads the body in their own way.
    pub(super) fn into_parts(mut self) -> Option<(Wire, Framing)> {
        let wire = self.body.wire.take()?;
        Some((wire, std::mem::replace(&mut self.body.framing, Framing::Length(0))))
    }

    /// The whole body within the call's limits; gives the connection back to the pool.
    pub fn collect(mut self) -> Result<Bytes, CallError> {
        let counted = self.body.lease.as_ref().map(|l| (l.held.clone(), l.origin.clone()));
        let mut bytes = Bytes::of(counted);
        loop {
            let room = PIECE.min(self.body.expected());
            if bytes.fill(room, |piece| self.body.read(piece))? == 0 {
                return Ok(bytes);
            }
        }
    }
}

impl Read for Answer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.body.read(buf).map_err(io::Error::from)
    }
}

/// An answer nobody read to its end.
impl Drop for Answer {
    fn drop(&mut self) {
        self.body.skip_what_has_come();
    }
}

impl Reading {
    /// How many bytes the next read may give; at least one, to find the end.
    fn expected(&self) -> usize {
        match self.framing {
            Framing::Length(left) => usize::try_from(left).unwrap_or(usize::MAX).max(1),
            _ => usize::MAX,
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, CallError> {
        let read = self.step(buf);
        if read.is_err() {
            self.wire = None;
        }
        read
    }

    fn step(&mut self, buf: &mut [u8]) -> Result<usize, CallError> {
        if buf.is_empty() || self.whole {
            return Ok(0);
        }
        let wire = self.wire.as_mut().ok_or(CallError::Closed)?;
        loop {
            let (taken, given) = self.framing.decode(wire.unread(), buf)?;
            wire.consume(taken);
            self.room = self.room.checked_sub(given as u64).ok_or(CallError::TooLarge)?;
            if self.framing.is_done() {
                self.finish();
                return Ok(given);
            }
            if given > 0 {
                return Ok(given);
            }
            let filled = wire.fill(self.end);
            match filled.map_err(|e| CallError::broken(e, "reading the answer"))? {
                0 if matches!(self.framing, Framing::UntilClose) => {
                    self.finish();
                    return Ok(0);
                }
                0 => return Err(CallError::Closed),
                _ => {}
            }
        }
    }

    /// The body is read: the connection may serve again, if nothing else came on it.
    fn finish(&mut self) {
        self.whole = true;
        let keep = self.keep_alive && self.framing.is_done();
        if let (Some(wire), Some(lease)) = (self.wire.take(), self.lease.take())
            && keep
            && wire.unread().is_empty()
        {
            lease.pool.give(&lease.origin, wire);
        }
    }

    /// Saves the connection of an answer that nobody wants to read, when all of it is here already.
    fn skip_what_has_come(&mut self) {
        let mut piece = [0; 512];
        while let (Some(wire), false) = (&mut self.wire, self.whole) {
            match self.framing.decode(wire.unread(), &mut piece) {
                Ok((0, 0)) | Err(_) => return,
                Ok((taken, _)) => wire.consume(taken),
            }
            if self.framing.is_done() {
                self.finish();
            }
        }
    }
}
