//! The public server: an engine for HTTP/1.1 that a `Service` sits on.
//!
//! A connection's life, one coroutine each:
//!
//! ```text
//!  accept ── no place ──▶ 503, a moment to read it, closed
//!    │ place taken, coroutine spawned
//!    ▼
//! ┌▶ idle: a deadline ── time up, or the client ends ──▶ closed without a word
//! │  │        a moment later without buffers and coroutine: it rests, and a byte brings it back
//! │  │ first byte
//! │  ▼
//! │  head: scanner finds its end, head::parse judges it ── a rule broken ──▶ 4xx, 5xx ──▶ linger
//! │  │                                                     time up ──▶ 408 ──▶ linger
//! │  ▼
//! │  Service::call, which may read the body (body; says 100 Continue first if asked for)
//! │  │ Response
//! │  ▼
//! │  reply: head and body out ── Park ──▶ the socket leaves its coroutine, its place goes along
//! │  │                        ── a CloseReason ──▶ linger: our side ends, the client's is read out
//! │  ▼
//! │  drain what the handler left of the body
//! └──┘
//! ```
//!
//! In scope: listening, framing, limits, deadlines, persistence, shutdown. Out of scope: routes,
//! pages, methods a path allows, conditional requests, compression: all of that is the service's.
//! `scanner`, `head`, `target`, `framing`, `answer`, `proxy` and `chunked` are functions over bytes
//! and know no socket; `conn`, `body`, `reply` and `stream` feed them.
mod accept;
mod answer;
mod body;
mod close;
mod conn;
mod date;
mod framing;
mod head;
mod head_error;
mod input;
mod places;
mod proxy;
mod registry;
mod reply;
mod rest;
mod scanner;
mod stream;
mod target;
#[cfg(test)]
mod tests;
mod wire;

pub use super::limits::Deadlines;
pub use accept::room_within;
pub use close::CloseReason;
pub use proxy::Network;

use super::limits::{MAX_CONNECTIONS, MAX_PER_ADDRESS};
use super::{Method, Note, Request, Response, stack};
use places::{Caps, Places};
use registry::Registry;
use rest::Rest;
use std::any::Any;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server calls for each request. Panics are caught, logged with the request's id,
/// answered 500 and counted.
pub trait Service: Send + Sync + 'static {
    fn call(&self, request: &mut Request<'_>) -> Response;

    /// The answer to a request that never reached `call` (400, 408, 431, 500, 503 …): lets the
    /// caller add its headers and its own page. `reason` is fit for a developer. Must not wait for
    /// anything: the 503 is made on the thread that accepts. Only whole bodies are sent.
    fn refuse(&self, status: u16, reason: &str) -> Response;

    /// Called once per request, refused ones too, when its answer is out or has failed.
    fn finished(&self, record: &Record) {
        let _ = record;
    }
}

/// How one request went.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// The id the handler saw.
    pub id: u64,
    /// `None` when the head could not be read.
    pub method: Option<Method>,
    pub status: u16,
    /// Head and body as written to the socket.
    pub bytes_out: u64,
    /// From the end of the request's head to the end of the answer.
    pub duration: Duration,
    /// Why the connection ended with this answer, if it did.
    pub close: Option<CloseReason>,
    pub client_ip: IpAddr,
    /// The handler's own, from its `Response`.
    pub note: Note,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub trusted_proxies: Vec<Network>,
    /// Served at once; parked ones are none of them.
    pub max_connections: usize,
    /// Does not apply to trusted proxies.
    pub max_per_address: usize,
    pub deadlines: Deadlines,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            trusted_proxies: Vec::new(),
            max_connections: MAX_CONNECTIONS,
            max_per_address: MAX_PER_ADDRESS,
            deadlines: Deadlines::default(),
        }
    }
}

pub struct Server {
    shared: Arc<Shared>,
    /// Until it is shut down: as long as it is open, connections queue in it.
    listener: Mutex<Option<TcpListener>>,
    address: SocketAddr,
    stop: Arc<OwnedFd>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

/// What all connections of one server share.
struct Shared {
    pub service: Arc<dyn Service>,
    pub options: Options,
    pub places: Arc<Places>,
    pub registry: Arc<Registry>,
    pub rest: Rest,
    panics: AtomicU64,
}

impl Server {
    /// Binds (without `SO_REUSEPORT`: a second process on the port is an error) and serves from
    /// coroutines; returns at once.
    pub fn start(
        listen: SocketAddr,
        options: Options,
        service: Arc<dyn Service>,
    ) -> io::Result<Server> {
        // Sets `SO_REUSEADDR`, so that a restart need not wait for old connections to be forgotten.
        Server::start_on(TcpListener::bind(listen)?, options, service)
    }

    /// The same on a socket that listens already.
    pub fn start_on(
        listener: TcpListener,
        options: Options,
        service: Arc<dyn Service>,
    ) -> io::Result<Server> {
        stack::prepare();
        let address = listener.local_addr()?;
        let stop = Arc::new(accept::stop_signal()?);
        let caps = Caps {
            served: options.max_connections,
            open: accept::room_for_connections(),
            per_address: options.max_per_address,
        };
        let shared = Arc::new(Shared {
            places: Places::new(caps),
            service,
            options,
            registry: Arc::default(),
            rest: Rest::new(accept::spare_descriptors())?,
            panics: AtomicU64::new(0),
        });
        Rest::start(&shared)?;
        let accepting = accept::start(listener.try_clone()?, shared.clone(), stop.clone())?;
        let (listener, accepting) = (Mutex::new(Some(listener)), Mutex::new(Some(accepting)));
        Ok(Server { shared, listener, address, stop, accepting })
    }

    /// Where it listens, once more: what comes while nobody accepts waits there.
    pub fn listener(&self) -> io::Result<TcpListener> {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        listener.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_clone()
    }

    /// Stops accepting, and lets running requests finish for at most `patience`; those that take
    /// longer go on. Gives the connections that wait for a request: nobody reads them any more, and
    /// what their clients send stays in them. Blocks its thread: not for coroutines.
    pub fn pause(&self, patience: Duration) -> Vec<TcpStream> {
        self.stop_accepting();
        self.shared.registry.take(patience)
    }

    /// Takes up again what was paused.
    pub fn resume(&self, idle: Vec<TcpStream>) -> io::Result<()> {
        accept::unsignal(&self.stop);
        self.shared.registry.reopen();
        let accepting = accept::start(self.listener()?, self.shared.clone(), self.stop.clone())?;
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
        self.admit(idle);
        Ok(())
    }

    /// Goes on with connections that somebody else has accepted and not begun to read a request
    /// from. One that there is no place for is closed.
    pub fn admit(&self, idle: Vec<TcpStream>) {
        for stream in idle {
            // A client that has gone meanwhile has no address any more.
            let Ok(peer) = stream.peer_addr() else { continue };
            if let Err((_, why)) = accept::admit(&self.shared, stream, peer.ip().to_canonical()) {
                log::warn!("a connection that was handed over is closed: {why}");
            }
        }
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets running requests finish for at most `grace`, closes idle connections.
    /// Blocks its thread: not for coroutines. Parked sockets are their owner's to close.
    pub fn shutdown(&self, grace: Duration) {
        self.stop_accepting();
        drop(self.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.shared.registry.close(grace);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "called by who stops the server, on a plain thread"
    )]
    fn stop_accepting(&self) {
        accept::signal(&self.stop);
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if accepting.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the accepting thread had panicked");
        }
    }

    /// Connections that are open, parked ones too.
    pub fn connections(&self) -> usize {
        self.shared.places.taken()
    }

    /// Panics caught in handlers so far.
    pub fn panics(&self) -> u64 {
        self.shared.panics.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// The service's own answer to a refused request, or a plain one when that is no good.
    pub fn refusal(&self, status: u16, reason: &str) -> Response {
        let refused = catch_unwind(AssertUnwindSafe(|| self.service.refuse(status, reason)));
        let refused = refused.map_err(|panic| self.panicked("the refusal", &*panic)).ok();
        refused.filter(answer::is_plain).unwrap_or_else(|| {
            Response::new(status)
                .bytes("text/plain; charset=utf-8", format!("{reason}\n").into_bytes())
        })
    }

    pub fn panicked(&self, what: &str, panic: &(dyn Any + Send)) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        let words = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("without words");
        log::error!("{what} panicked: {words}");
    }

    pub fn finished(&self, record: &Record) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.service.finished(record))) {
            self.panicked("keeping the record", &*panic);
        }
    }
}
