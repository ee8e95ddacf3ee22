//! One connection's life: wait, read a head, call the service, write the answer, again.
use super::Shared;
use super::body::{BodyReader, Incoming};
use super::close::CloseReason;
use super::framing::{self, Framing};
use super::head::{self, Head};
use super::head_error::HeadError;
use super::places::Place;
use super::proxy;
use super::registry::Entered;
use super::reply::{self, Asked};
use super::scanner::Scanner;
use super::wire::Wire;
use crate::http::request::RequestBody;
use crate::http::socket::Socket;
use crate::http::{Fields, Parked, Request};
use std::io;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

struct Connection {
    /// First, so that even a panic takes the socket off the books before it closes.
    entered: Entered,
    wire: Wire,
    shared: Arc<Shared>,
    peer: IpAddr,
}

/// What comes after one exchange.
pub enum Next {
    Again,
    Close(CloseReason),
    Park(Box<dyn FnOnce(Parked) + Send>),
    /// Nothing, for so long that it can do without a coroutine; until then it may idle.
    Rest(Instant),
}

/// Why there is no head.
enum Unread {
    /// Nobody waits for an answer.
    Silent(CloseReason),
    Rest(Instant),
    Refused(u16, CloseReason, String),
}

/// Serves `stream` to its end on the calling coroutine.
pub fn run(shared: Arc<Shared>, stream: TcpStream, peer: IpAddr, place: Place) {
    let socket = match Socket::new(stream) {
        Ok(socket) => socket,
        Err(e) => return log::warn!("a connection could not be watched: {e}"),
    };
    let Some(entered) = shared.registry.enter(socket.as_raw_fd()) else { return };
    let wire = Wire::new(socket, shared.options.deadlines.write);
    let mut connection = Connection { entered, wire, shared, peer };
    let end = loop {
        match connection.exchange() {
            Next::Again => {}
            end => break end,
        }
    };
    if let Next::Close(reason) = &end {
        log::debug!("connection of {peer} closed: {reason}");
        connection.linger(*reason);
    }
    let Connection { entered, wire, shared, .. } = connection;
    let is_taken = entered.is_taken();
    drop(entered);
    if is_taken {
        return wire.socket.leave();
    }
    if matches!(end, Next::Again | Next::Close(_)) {
        return;
    }
    let socket = match wire.socket.hand_over() {
        Ok(socket) => socket,
        Err(e) => return log::warn!("a socket could not be parked: {e}"),
    };
    if let Next::Rest(until) = end {
        shared.rest.add(&shared, socket, (peer, place), until);
    } else if let Next::Park(park) = end {
        let parked = Parked { socket, _place: Box::new(place.park()) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| park(parked))) {
            shared.panicked("parking", &*panic);
        }
    }
}

impl Connection {
    fn exchange(&mut self) -> Next {
        let head = match self.read_head() {
            Ok(head) => head,
            Err(Unread::Silent(reason)) => return Next::Close(reason),
            Err(Unread::Rest(until)) => return Next::Rest(until),
            Err(Unread::Refused(status, reason, why)) => {
                let asked = Asked::unknown(self.peer);
                return reply::refuse(&self.shared, &mut self.wire, asked, status, reason, &why);
            }
        };
        let Head { method, path, query, http11, fields, framing, expects_continue } = head;
        let (client_ip, https) =
            proxy::client(self.peer, &fields, &self.shared.options.trusted_proxies);
        let mut asked = Asked::known(method, http11, client_ip);
        asked.close = asks_close(&fields, http11);

        let deadline = self.shared.options.deadlines.body;
        let mut incoming = Incoming::new(framing, expects_continue, deadline);
        let length = match framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let mut source = BodyReader { wire: &mut self.wire, incoming: &mut incoming };
        let body = RequestBody { length, source: &mut source };
        let id = asked.id;
        let mut request = Request { id, method, path, query, fields, client_ip, https, body };
        let called = catch_unwind(AssertUnwindSafe(|| self.shared.service.call(&mut request)));
        drop(request);

        let response = called.unwrap_or_else(|panic| {
            self.shared.panicked(&format!("request {id}"), &*panic);
            self.shared.refusal(500, "the handler failed")
        });
        asked.close = asked.close.or(incoming.obstacle());
        match reply::send(&self.shared, &mut self.wire, asked, response) {
            Next::Again => match incoming.drain(&mut self.wire) {
                Ok(()) => Next::Again,
                Err(reason) => Next::Close(reason),
            },
            end => end,
        }
    }

    /// Waits for a request and reads its head. Between requests little is held
    /// but the socket.
    fn read_head(&mut self) -> Result<Head, Unread> {
        let deadlines = self.shared.options.deadlines;
        let mut scanner = Scanner::default();
        let mut begun = None;
        let mut idle = deadlines.idle;
        loop {
            match scanner.scan(self.wire.input.data()) {
                Ok(Some(found)) => {
                    let head = head::parse(&self.wire.input.data()[found.clone()]);
                    self.wire.input.consume(found.end);
                    return head.map_err(refused);
                }
                Ok(None) => {}
                Err(e) => return Err(refused(e)),
            }
            let read = if scanner.has_begun() {
                let since = *begun.get_or_insert_with(Instant::now);
                self.wire.fill(deadlines.head.saturating_sub(since.elapsed()))
            } else {
                if !self.entered.idles() {
                    return Err(Unread::Silent(CloseReason::ShuttingDown));
                }
                let soon = deadlines.rest.min(idle);
                let read =
                    self.wire.fill_when(soon, || self.entered.works(), || self.entered.idles());
                if !self.entered.works() {
                    return Err(Unread::Silent(CloseReason::HandedOver));
                }
                match read {
                    Err(e) if e.kind() == io::ErrorKind::TimedOut && soon < idle => {
                        idle -= soon;
                        if self.shared.rest.admits() {
                            // What may have come is an empty line, which counts for nothing.
                            return Err(Unread::Rest(Instant::now() + idle));
                        }
                        continue;
                    }
                    read => read,
                }
            };
            match read {
                Ok(0) if scanner.has_begun() => return Err(refused(HeadError::CutShort)),
                Ok(0) => return Err(Unread::Silent(CloseReason::ClientDone)),
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                    if !scanner.has_begun() {
                        return Err(Unread::Silent(CloseReason::Idle));
                    }
                    let why = "the head did not arrive in time".to_owned();
                    return Err(Unread::Refused(408, CloseReason::HeadTimeout, why));
                }
                Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {
                    return Err(Unread::Silent(CloseReason::ShuttingDown));
                }
                Err(_) => return Err(Unread::Silent(CloseReason::Broken)),
            }
        }
    }

    /// Ends our side, then waits for the client to end its own (RFC 9112 §9.6): closing with bytes
    /// unread makes the kernel send a reset, which can eat the answer on its way.
    fn linger(&mut self, reason: CloseReason) {
        let nobody_listens = matches!(
            reason,
            CloseReason::ClientDone
                | CloseReason::Idle
                | CloseReason::Broken
                | CloseReason::WriteTimeout
                | CloseReason::Aborted
                | CloseReason::HandedOver
        );
        if nobody_listens || self.wire.socket.shutdown(Shutdown::Write).is_err() {
            return;
        }
        self.entered.lingers();
        let linger = self.shared.options.deadlines.linger;
        let since = Instant::now();
        let mut waste = [0; 2048];
        loop {
            let left = (linger * 5).saturating_sub(since.elapsed()).min(linger);
            match self.wire.socket.read(&mut waste, left) {
                Ok(1..) => {}
                _ => return,
            }
        }
    }
}

fn refused(e: HeadError) -> Unread {
    Unread::Refused(e.status(), CloseReason::BadHead(e), e.to_string())
}

/// Whether the client wants the connection to end with this answer (RFC 9112 §9.3).
fn asks_close(fields: &Fields, http11: bool) -> Option<CloseReason> {
    if framing::names_token(fields, "connection", "close") {
        return Some(CloseReason::ClientAsked);
    }
    (!http11 && !framing::names_token(fields, "connection", "keep-alive"))
        .then_some(CloseReason::Http10)
}
