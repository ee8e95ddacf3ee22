//! An open event stream. It lives for hours on a shallow coroutine, so it keeps no memory while
//! nothing comes.
use super::answer::Framing;
use super::wire::Wire;
use super::{Answer, CallError, Event};
use crate::http::alarm::Stir;
use crate::http::sse::Parser;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most bytes one event may have: a message at its largest, in base64, with its frame.
const MAX_EVENT: usize = 256 * 1024;
/// Bytes given to the parser at once.
const PIECE: usize = 1024;

/// For reading what has come.
const AT_HAND: Duration = Duration::from_millis(1);

/// An open event stream, on a connection of its own.
pub struct Events {
    wire: Wire,
    framing: Framing,
    parser: Parser,
    ready: VecDeque<Event>,
    /// Why nothing comes after what is ready.
    ended: Option<CallError>,
}

impl Events {
    /// The stream that `answer` opened.
    pub(super) fn new(answer: Answer) -> Result<Events, CallError> {
        let (wire, framing) = answer.into_parts().ok_or(CallError::Closed)?;
        let (parser, ready) = (Parser::new(MAX_EVENT), VecDeque::new());
        Ok(Events { wire, framing, parser, ready, ended: None })
    }

    /// What ends a wait for the next event, from anywhere.
    pub fn stir(&self) -> Stir {
        self.wire.stir()
    }

    /// The next event; `Ok(None)` when none came within `wait`, or somebody stirred. The stream's end is
    /// `CallError::Closed`.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, CallError> {
        let until = Instant::now() + wait;
        loop {
            self.take_in();
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if let Some(error) = &mut self.ended {
                return Err(std::mem::replace(error, CallError::Closed));
            }
            self.wire.shrink();
            self.ready.shrink_to_fit();
            let read = self.wire.readable(until.saturating_duration_since(Instant::now()));
            // What is there is read, however little time there was to wait for it.
            let until = until.max(Instant::now() + AT_HAND);
            let read = read.and_then(|()| self.wire.fill(until));
            match read.map_err(|e| CallError::broken(e, "waiting for events")) {
                Ok(0) => self.ended = Some(CallError::Closed),
                Ok(_) => {}
                Err(CallError::Timeout(_)) => return Ok(None),
                Err(error) => self.ended = Some(error),
            }
        }
    }

    /// Parses what has been read.
    fn take_in(&mut self) {
        let mut piece = [0; PIECE];
        while self.ended.is_none() && self.ready.is_empty() && !self.wire.unread().is_empty() {
            let given = match self.framing.decode(self.wire.unread(), &mut piece) {
                Ok((taken, given)) => {
                    self.wire.consume(taken);
                    given
                }
                Err(error) => {
                    self.ended = Some(error);
                    return;
                }
            };
            let ready = &mut self.ready;
            if self.parser.feed(&piece[..given], &mut |event| ready.push_back(event)).is_err() {
                self.ended = Some(CallError::TooLarge);
            } else if self.framing.is_done() {
                self.ended = Some(CallError::Closed);
            }
        }
    }
}
