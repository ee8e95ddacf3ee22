//! An open event stream.
use super::answer::Framing;
use super::wire::Wire;
use super::{CallError, Event};
use crate::http::sse::Parser;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most bytes one event may have: a message at its largest in base64, with its frame.
const MAX_EVENT: usize = 256 * 1024;

/// An open event stream, on a connection of its own.
pub struct Events {
    wire: Wire,
    framing: Framing,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl Events {
    pub(super) fn new(wire: Wire, framing: Framing) -> Events {
        Events { wire, framing, parser: Parser::new(MAX_EVENT), ready: VecDeque::new() }
    }

    /// The next event; `Ok(None)` when none came within `wait`. The stream's end is
    /// `CallError::Closed`.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, CallError> {
        let until = Instant::now() + wait;
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            self.take_in()?;
            if !self.ready.is_empty() {
                continue;
            }
            if self.framing.is_done() {
                return Err(CallError::Closed);
            }
            match self.wire.fill(until) {
                Ok(0) => return Err(CallError::Closed),
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                    self.wire.shrink();
                    return Ok(None);
                }
                Err(_) => return Err(CallError::Closed),
            }
        }
    }

    /// Parses what has been read.
    fn take_in(&mut self) -> Result<(), CallError> {
        let mut bytes = vec![0; self.wire.unread().len().min(4096)];
        while !self.wire.unread().is_empty() && !self.framing.is_done() {
            let (taken, given) = self.framing.decode(self.wire.unread(), &mut bytes)?;
            self.wire.consume(taken);
            let ready = &mut self.ready;
            self.parser
                .feed(&bytes[..given], &mut |event| ready.push_back(event))
                .map_err(|_| CallError::TooLarge)?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The delay before a reconnect that the server asked for, milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.parser.retry()
    }
}
