//! An answer whose body is still on the wire.
use super::answer::{Framing, Head};
use super::pool::{Place, Pool};
use super::wire::Wire;
use super::{CallError, Origin};
use crate::http::Fields;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

pub struct Answer {
    pub status: u16,
    pub fields: Fields,
    body: Reading,
}

/// Where a connection goes when its answer is read, and the place its call takes meanwhile.
pub(super) struct Lease {
    pub pool: Arc<Pool>,
    pub origin: Origin,
    pub _place: Place,
}

struct Reading {
    framing: Framing,
    /// Gone once the body is read or has failed.
    wire: Option<Wire>,
    lease: Option<Lease>,
    keep_alive: bool,
    /// How many more bytes the caller is ready to take.
    room: u64,
    end: Instant,
}

impl Answer {
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
        let mut body = Reading { framing, wire: Some(wire), lease, keep_alive, room: max, end };
        if body.framing.is_done() {
            body.finish();
        }
        Ok(Answer { status, fields, body })
    }

    /// The whole body within the call's limits; gives the connection back to the pool.
    pub fn collect(mut self) -> Result<Vec<u8>, CallError> {
        let mut bytes = Vec::new();
        let mut piece = vec![0; 16 * 1024];
        loop {
            match self.body.read(&mut piece)? {
                0 => return Ok(bytes),
                got => bytes.extend_from_slice(&piece[..got]),
            }
        }
    }
}

impl Read for Answer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.body.read(buf).map_err(|e| io::Error::other(e.to_string()))
    }
}

impl Reading {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, CallError> {
        let done = self.step(buf);
        if done.is_err() {
            self.wire = None;
        }
        done
    }

    fn step(&mut self, buf: &mut [u8]) -> Result<usize, CallError> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(wire) = &mut self.wire else {
                return if self.framing.is_done() || matches!(self.framing, Framing::UntilClose) {
                    Ok(0)
                } else {
                    Err(CallError::Closed)
                };
            };
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
            if taken > 0 {
                continue;
            }
            let filled = wire.fill(self.end).map_err(|e| match e.kind() {
                io::ErrorKind::TimedOut => CallError::Timeout("body"),
                _ => CallError::Closed,
            })?;
            if filled == 0 {
                self.wire = None;
                return match self.framing {
                    Framing::UntilClose => Ok(0),
                    _ => Err(CallError::Closed),
                };
            }
        }
    }

    /// The body is read: the connection may serve again, if nothing else came on it.
    fn finish(&mut self) {
        let (Some(wire), Some(lease)) = (self.wire.take(), self.lease.take()) else { return };
        if self.keep_alive && wire.unread().is_empty() {
            lease.pool.give(&lease.origin, wire);
        }
    }
}
