//! One request and its answer's head, on one connection.
use super::answer::{self, Head, Scanner};
use super::wire::Wire;
use super::{Call, CallError, outgoing};
use std::time::Instant;

/// Interim answers passed over (RFC 9110 §15.2).
const MAX_INTERIM: usize = 8;

/// An exchange without an answer.
pub struct Failed {
    pub error: CallError,
    /// Not one byte of an answer had come: the request may never have been seen.
    pub silent: bool,
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Failed {
        Failed { error, silent: false }
    }
}

/// Sends the request and reads the answer's head.
pub fn exchange(
    wire: &mut Wire,
    head: &[u8],
    call: &mut Call<'_>,
    end: Instant,
) -> Result<Head, Failed> {
    let sent = match outgoing::send(wire, head, &mut call.body, end) {
        // The server may have answered early and closed: look.
        Err(CallError::Closed) => false,
        sent => sent?,
    };
    let until = end.min(Instant::now() + call.deadlines.first_byte);
    match read_head(wire, until) {
        Ok(mut head) => {
            // Where part of the body is missing, no other request can follow.
            head.keep_alive &= sent;
            Ok(head)
        }
        Err(error) => Err(Failed { error, silent: wire.unread().is_empty() }),
    }
}

/// Nothing is ever decompressed here, and what a little of a bomb becomes is nobody's to hold. We
/// ask for no coding (RFC 9110 §12.5.3), so one that comes is a fault.
fn uncoded(head: Head) -> Result<Head, CallError> {
    let lines = || head.fields.all("content-encoding");
    if lines()
        .flat_map(|line| line.split(','))
        .any(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
    {
        return Err(CallError::Malformed("a content coding that nobody asked for"));
    }
    Ok(head)
}

/// Reads up to the answer's own head; interim ones are passed over.
fn read_head(wire: &mut Wire, until: Instant) -> Result<Head, CallError> {
    for _ in 0..=MAX_INTERIM {
        let mut scanner = Scanner::default();
        let length = loop {
            if let Some(length) = scanner.scan(wire.unread())? {
                break length;
            }
            let filled = wire.fill(until);
            if filled.map_err(|e| CallError::broken(e, "waiting for the answer"))? == 0 {
                return Err(CallError::Closed);
            }
        };
        let head = answer::parse(&wire.unread()[..length])?;
        wire.consume(length);
        match head.status {
            101 => return Err(CallError::Malformed("it switches protocols unasked")),
            100..=199 => {}
            _ => return uncoded(head),
        }
    }
    Err(CallError::Malformed("too many interim answers"))
}
