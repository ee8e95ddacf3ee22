//! Sends what a handler answered, or a refusal, and tells the service how it went.
use super::answer::{self, Sent, Terms};
use super::close::CloseReason;
use super::conn::Next;
use super::stream::StreamWriter;
use super::wire::Wire;
use super::{Record, Shared};
use crate::http::limits::COPIED;
use crate::http::response::WriteBody;
use crate::http::{Body, Method, Note, Parked, Response};
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What is known of a request while it is answered.
pub struct Asked {
    pub id: u64,
    pub since: Instant,
    /// `None` when the head could not be read.
    pub method: Option<Method>,
    pub http11: bool,
    pub client_ip: IpAddr,
    /// Why the connection ends with this answer, if it does.
    pub close: Option<CloseReason>,
    /// What the handler wants the record to say.
    pub note: Note,
}

impl Asked {
    pub fn known(method: Method, http11: bool, client_ip: IpAddr) -> Self {
        /// Numbers requests, refused ones too.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let since = Instant::now();
        Asked {
            id,
            since,
            method: Some(method),
            http11,
            client_ip,
            close: None,
            note: Note::default(),
        }
    }

    pub fn unknown(client_ip: IpAddr) -> Self {
        Asked { method: None, ..Asked::known(Method::Get, true, client_ip) }
    }

    pub fn record(&self, status: u16, bytes_out: u64) -> Record {
        Record {
            id: self.id,
            method: self.method,
            status,
            bytes_out,
            duration: self.since.elapsed(),
            close: self.close,
            client_ip: self.client_ip,
            note: self.note,
        }
    }
}

/// Answers a request that no handler sees; the connection ends with it.
pub fn refuse(
    shared: &Shared,
    wire: &mut Wire,
    mut asked: Asked,
    status: u16,
    reason: CloseReason,
    why: &str,
) -> Next {
    asked.close = Some(reason);
    send(shared, wire, asked, shared.refusal(status, why))
}

pub fn send(shared: &Shared, wire: &mut Wire, mut asked: Asked, response: Response) -> Next {
    asked.note = response.note;
    wire.restart();
    let (status, park) = match deliver(shared, wire, &mut asked, response) {
        Delivered::Sent(status) => (status, None),
        Delivered::Park(status, park) => (status, Some(park)),
        Delivered::Failed(status, reason) => {
            asked.close = Some(reason);
            (status, None)
        }
    };
    shared.finished(&asked.record(status, wire.written));
    match (park, asked.close) {
        (Some(park), _) => Next::Park(park),
        (None, Some(reason)) => Next::Close(reason),
        (None, None) => Next::Again,
    }
}

enum Delivered {
    Sent(u16),
    Park(u16, Box<dyn FnOnce(Parked) + Send>),
    Failed(u16, CloseReason),
}

fn deliver(shared: &Shared, wire: &mut Wire, asked: &mut Asked, response: Response) -> Delivered {
    let sent = answer::framing(&response, asked.http11);
    let bodiless = asked.method == Some(Method::Head) || sent == Sent::Nothing;
    asked.close = asked.close.or(reason_to_close(shared, &response, sent, bodiless));
    let terms = Terms { http11: asked.http11, close: asked.close.is_some() };
    let status = response.status;
    let room = wire.take_room();
    let mut head = match answer::head(room, &response, sent, terms) {
        Ok(head) => head,
        Err(bad) => return fail(shared, wire, asked, bad),
    };
    let written = match response.body {
        Body::Bytes(bytes) if !bodiless && bytes.len() <= COPIED => {
            head.extend_from_slice(&bytes);
            wire.write_all(&head)
        }
        Body::Bytes(bytes) if !bodiless => {
            wire.write_pieces(&mut [IoSlice::new(&head), IoSlice::new(&bytes)])
        }
        Body::Pieces(pieces) if !bodiless => {
            let head = std::iter::once(IoSlice::new(&head));
            let all = head.chain(pieces.iter().map(|piece| IoSlice::new(piece.bytes())));
            wire.write_pieces(&mut all.collect::<Vec<_>>())
        }
        Body::Stream { write, .. } if !bodiless => {
            return stream(shared, wire, asked, status, StreamHead { head, sent }, write);
        }
        Body::Park(park) if !bodiless => match wire.write_all(&head) {
            Ok(()) => return Delivered::Park(status, park),
            broken => broken,
        },
        _ => wire.write_all(&head),
    };
    wire.give_room(head);
    outcome(status, written)
}

fn reason_to_close(
    shared: &Shared,
    response: &Response,
    sent: Sent,
    bodiless: bool,
) -> Option<CloseReason> {
    if matches!(response.body, Body::Park(_)) && !bodiless {
        Some(CloseReason::Parked)
    } else if sent == Sent::UntilClose && !bodiless {
        Some(CloseReason::UntilClose)
    } else if answer::asks_close(&response.fields) {
        Some(CloseReason::HandlerAsked)
    } else if shared.registry.is_closing() {
        Some(CloseReason::ShuttingDown)
    } else {
        None
    }
}

fn outcome(status: u16, written: io::Result<()>) -> Delivered {
    match written {
        Ok(()) => Delivered::Sent(status),
        Err(e) if e.kind() == io::ErrorKind::TimedOut => {
            Delivered::Failed(status, CloseReason::WriteTimeout)
        }
        Err(_) => Delivered::Failed(status, CloseReason::Broken),
    }
}

struct StreamHead {
    head: Vec<u8>,
    sent: Sent,
}

fn stream(
    shared: &Shared,
    wire: &mut Wire,
    asked: &mut Asked,
    status: u16,
    StreamHead { head, sent }: StreamHead,
    write: WriteBody,
) -> Delivered {
    let mut stream = StreamWriter::new(wire, head, sent);
    let written = catch_unwind(AssertUnwindSafe(|| write(&mut stream))).unwrap_or_else(|panic| {
        shared.panicked(&format!("request {}", asked.id), &*panic);
        Err(io::Error::other("it panicked"))
    });
    if let Some(kind) = stream.failure() {
        return outcome(status, Err(kind.into()));
    }
    match written.and_then(|()| stream.check_length()) {
        Ok(()) => outcome(status, stream.finish()),
        Err(e) if stream.is_untouched() => fail(shared, wire, asked, e),
        Err(e) => {
            log::error!("request {}: the answer's body failed on its way: {e}", asked.id);
            Delivered::Failed(status, CloseReason::Aborted)
        }
    }
}

/// The handler's answer cannot go out: 500 in its place.
fn fail(
    shared: &Shared,
    wire: &mut Wire,
    asked: &mut Asked,
    why: impl std::fmt::Display,
) -> Delivered {
    log::error!("request {}: the answer could not be sent: {why}", asked.id);
    // A refusal is always whole bytes and well-formed: this goes one level deep.
    deliver(shared, wire, asked, shared.refusal(500, "the handler's answer could not be sent"))
}
