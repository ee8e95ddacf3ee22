//! From an origin to a connection: resolve, check every address, dial, shake hands.
use super::wire::Wire;
use super::{CallError, Origin, guard, tls};
use crate::http::socket::Socket;
use crate::http::stack;
use may::coroutine;
use rustls::ClientConfig;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one address of several may keep us from the next (RFC 8305 §5 in spirit).
const PER_ADDRESS: Duration = Duration::from_secs(2);
/// How long a connection may be silent before the kernel asks. Event streams may say nothing for
/// hours; routers on the way forget a silent connection in minutes and tell nobody.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Between tries to get a deep stack, when many handshakes are under way.
const STACK_WAIT: Duration = Duration::from_millis(20);

/// Checks all addresses. One that is not for dialling refuses the whole name: honest names do not
/// mix public and private addresses, rebinding ones do.
pub fn allowed(addresses: &[IpAddr], allow_private: bool) -> Result<(), CallError> {
    for address in addresses {
        if let Some(why) = guard::refusal(*address, allow_private) {
            log::debug!("an upstream's address is not dialled: {why}");
            return Err(CallError::Forbidden);
        }
    }
    Ok(())
}

pub fn connect(addresses: &[IpAddr], port: u16, until: Instant) -> Result<Wire, CallError> {
    let mut last = CallError::Timeout("connect");
    for (index, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let wait = if index + 1 == addresses.len() { left } else { left.min(PER_ADDRESS) };
        match dial(SocketAddr::new(*address, port), wait) {
            Ok(socket) => return Ok(Wire::plain(socket)),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => last = CallError::Timeout("connect"),
            Err(e) => last = CallError::Connect(e),
        }
    }
    Err(last)
}

fn dial(address: SocketAddr, wait: Duration) -> io::Result<Socket> {
    let socket = Socket::connect(address, wait)?;
    socket.set_nodelay()?;
    socket.set_keepalive(KEEPALIVE)?;
    Ok(socket)
}

/// As [`connect`], with TLS. The handshake goes deep, so it runs on a coroutine of its own that ends
/// with it, and the caller's stack stays shallow.
pub fn connect_secure(
    config: &Arc<ClientConfig>,
    origin: &Origin,
    addresses: Vec<IpAddr>,
    until: Instant,
) -> Result<Wire, CallError> {
    let tls = tls::connection(config, &origin.host)?;
    let (answer, receiver) = may::sync::mpsc::channel();
    let port = origin.port;
    let mut work = Some((tls, addresses, answer));
    let slot = Arc::new(std::sync::Mutex::new(work.take()));
    loop {
        let mine = slot.clone();
        let spawned = stack::spawn_deep(move || {
            let work = mine.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
            let Some((tls, addresses, answer)) = work else { return };
            let done = connect(&addresses, port, until).and_then(|plain| {
                let mut wire = plain.with_tls(tls);
                wire.shake_hands(until).map_err(handshake_error)?;
                Ok(wire)
            });
            // The caller may have given up.
            let _ = answer.send(done);
        });
        match spawned {
            Ok(_) => break,
            Err(_) if Instant::now() + STACK_WAIT < until => coroutine::sleep(STACK_WAIT),
            Err(_) => return Err(CallError::Timeout("handshake")),
        }
    }
    let left = until.saturating_duration_since(Instant::now());
    receiver.recv_timeout(left).unwrap_or(Err(CallError::Timeout("handshake")))
}

fn handshake_error(e: io::Error) -> CallError {
    if e.kind() == io::ErrorKind::TimedOut {
        CallError::Timeout("handshake")
    } else {
        CallError::Tls(e.to_string())
    }
}
