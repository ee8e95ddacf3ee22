//! The event stream: first what was missed, then what happens.
use super::{Call, Failure};
use crate::demo::Participant;
use crate::demo::db::{messages, tokens};
use crate::demo::events::{Missed, Stream, frame};
use crate::http::{Body, Response};
use std::io::{self, Write};
use std::sync::Arc;

/// Messages of the inbox replayed to a client that does not say what it has seen.
const BURST: i64 = 100;

pub fn stream(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let last_id = call.request.fields.get("last-event-id").map(str::to_owned);
    let (participant, token) = (call.participant.clone(), call.token);
    let mut answer = Response::new(200)
        .with("content-type", "text/event-stream")
        .with("cache-control", "no-store");
    let write = move |out: &mut dyn Write| write(&participant, token, last_id.as_deref(), out);
    answer.body = Body::Stream { length: None, write: Box::new(write) };
    Ok(answer)
}

fn write(
    participant: &Arc<Participant>,
    token: i64,
    last_id: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Entered before anything is read: what happens meanwhile is found in the buffer.
    let stream = participant.events.enter();
    out.write_all(b"retry: 1000\n\n")?;
    let mut seen = open(participant, last_id, out)?;
    out.write_all(&frame(Some(&participant.events.id(seen)), "ready", "{}"))?;
    out.flush()?;
    loop {
        stream.bell.wait(participant.heartbeat);
        if ends(participant, &stream, token) {
            return Ok(());
        }
        let before = seen;
        seen = catch_up(participant, seen, out)?;
        if seen == before {
            out.write_all(b": \n\n")?;
        }
        out.flush()?;
    }
}

/// What comes before `ready`; the number of the last event the client then knows of.
fn open(
    participant: &Arc<Participant>,
    last_id: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<u64> {
    match last_id.filter(|id| !id.is_empty()) {
        None => {
            let seen = participant.events.last();
            let inbox = participant.db.run(|t| messages::newest_inbound(t, BURST));
            for message in inbox.map_err(io::Error::other)? {
                let data = participant.manner.inbound(message).to_string();
                out.write_all(&frame(None, "inbound", &data))?;
            }
            Ok(seen)
        }
        Some(id) => match participant.events.number(id) {
            Some(number) => catch_up(participant, number, out),
            None => resync(participant, out),
        },
    }
}

/// Writes what came after `seen`; the number of the last one written.
fn catch_up(participant: &Arc<Participant>, seen: u64, out: &mut dyn Write) -> io::Result<u64> {
    match participant.events.after(seen) {
        Missed::These(events) => {
            for event in &events {
                out.write_all(&event.frame())?;
            }
            Ok(seen + events.len() as u64)
        }
        Missed::TooMuch => resync(participant, out),
    }
}

fn resync(participant: &Arc<Participant>, out: &mut dyn Write) -> io::Result<u64> {
    let last = participant.events.last();
    out.write_all(&frame(Some(&participant.events.id(last)), "resync", "{}"))?;
    Ok(last)
}

fn ends(participant: &Participant, stream: &Stream, token: i64) -> bool {
    participant.is_stopping()
        || stream.must_end()
        // Revoking, here or by another process, ends what was opened with the token.
        || !participant.db.run(move |t| tokens::is_valid(t, token)).unwrap_or(false)
}
