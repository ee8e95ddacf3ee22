//! The listener of one participant, and who answers what comes to it.
use super::address::Address;
use super::refusal::{Refusal, error};
use super::{Participant, admin, api};
use crate::http::server::{self, Server, Service};
use crate::http::{Method, Request, Response};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Connections of one address: everything comes from this machine.
const MAX_PER_ADDRESS: usize = 4096;
/// For running requests to finish when stopping.
const GRACE: Duration = Duration::from_secs(1);

/// What the listener calls; it is there before the participant is, since the port makes the address.
#[derive(Default)]
pub struct Node {
    ready: OnceLock<Ready>,
    server: Mutex<Option<Server>>,
}

struct Ready {
    participant: Arc<Participant>,
    admin: bool,
}

impl Node {
    /// Binds and serves; the port it got. A participant must still move in.
    pub fn listen(self: &Arc<Self>, address: SocketAddr) -> io::Result<u16> {
        let options =
            server::Options { max_per_address: MAX_PER_ADDRESS, ..server::Options::default() };
        let server = Server::start(address, options, Arc::new(Door(self.clone())))?;
        let port = server.local_addr().port();
        *self.server() = Some(server);
        Ok(port)
    }

    /// From now on requests are the participant's.
    pub fn open(&self, participant: Arc<Participant>, admin: bool) {
        let _ = self.ready.set(Ready { participant, admin });
    }

    /// Blocks its thread until running requests are finished or cut off.
    pub fn close(&self) {
        let server = self.server().take();
        if let Some(server) = server {
            server.shutdown(GRACE);
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops listening for a while, as a posta-server does that restarts. Blocks its thread.
    #[expect(clippy::disallowed_methods, reason = "called on a thread of its own")]
    pub fn refuse_for(self: &Arc<Self>, time: Duration) {
        let Some(server) = self.server().take() else { return };
        let address = server.local_addr();
        if let Some(ready) = self.ready.get() {
            ready.participant.events.end_streams();
        }
        server.shutdown(Duration::ZERO);
        std::thread::sleep(time);
        if let Err(e) = self.listen(address) {
            log::error!("can't listen on {address} again: {e}");
        }
    }
}

struct Door(Arc<Node>);

impl Service for Door {
    fn call(&self, request: &mut Request<'_>) -> Response {
        let Some(Ready { participant, admin }) = self.0.ready.get() else {
            return error(503, "starting", "the posta-server is starting");
        };
        if *admin && request.path == "/test" {
            return admin::answer(&self.0, participant, request);
        }
        if !is_for(participant, request) {
            return Refusal::WrongRecipient.answer();
        }
        if let Some(fault) = participant.faults.meet(request.method, &request.path) {
            return fault;
        }
        match (request.method, request.path.as_str()) {
            (Method::Get | Method::Head, "/") => participant
                .own_actor(request.fields.get("accept"))
                .unwrap_or_else(|_| Refusal::Internal.answer()),
            (Method::Post, "/") => participant.receive(request),
            (_, path) if path.starts_with("/api/v1/") => api::answer(participant, request),
            (Method::Get | Method::Head, path) if path.starts_with("/upload-") => {
                participant.serve_upload(path)
            }
            _ => Refusal::NotFound.answer(),
        }
    }

    fn refuse(&self, status: u16, reason: &str) -> Response {
        error(status, "refused", reason)
    }
}

/// The participant is chosen by `Host`: here there is one, under each name of this machine.
fn is_for(participant: &Participant, request: &Request<'_>) -> bool {
    let host = request.fields.get("host").and_then(Address::parse);
    let port = participant.me.origin().port;
    host.is_some_and(|host| {
        let origin = host.origin();
        let loopback = origin.host == "localhost"
            || origin.host == "[::1]"
            || origin.host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
        loopback && origin.port == port
    })
}
