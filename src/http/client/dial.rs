//! From an origin to a connection: resolve, judge every address, dial those, shake hands.
use super::tls::{self, Session, Stage};
use super::wire::Wire;
use super::{CallError, guard};
use crate::http::deep;
use crate::http::socket::Socket;
use rustls::ClientConfig;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one address of several may keep us from the next: one that answers does so sooner.
const PER_ADDRESS: Duration = Duration::from_secs(1);
/// How long a connection may be silent before the kernel asks. Event streams may say nothing for
/// hours; routers on the way forget a silent connection in minutes and tell nobody.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Bytes asked of the kernel at once: a server's first flight has 3 to 5 KiB.
const FLIGHT: usize = 4 * 1024;

/// Judges all addresses. One that is not for dialling refuses the whole name: honest names do not
/// mix public and private addresses, rebinding ones do.
pub fn judge(addresses: &[IpAddr], allow_private: bool) -> Result<(), CallError> {
    match addresses.iter().find_map(|address| guard::refusal(*address, allow_private)) {
        None => Ok(()),
        Some(why) => {
            log::debug!("an upstream is not dialled, its address is {why}");
            Err(CallError::Forbidden)
        }
    }
}

/// Dials the addresses in turn, changing between families (RFC 8305 §4), until one answers.
pub fn connect(addresses: &[IpAddr], port: u16, until: Instant) -> Result<Socket, CallError> {
    let mut last = CallError::Timeout("connecting");
    let order = alternating(addresses);
    for (index, address) in order.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let wait = if index + 1 == order.len() { left } else { left.min(PER_ADDRESS) };
        match Socket::connect(SocketAddr::new(*address, port), wait).and_then(settled) {
            Ok(socket) => return Ok(socket),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                last = CallError::Timeout("connecting");
            }
            Err(e) => last = CallError::Connect(e),
        }
    }
    Err(last)
}

/// With the options all our connections have.
fn settled(socket: Socket) -> io::Result<Socket> {
    socket.set_nodelay()?;
    socket.set_keepalive(KEEPALIVE)?;
    Ok(socket)
}

/// The resolver's order, but the second is of the other family than the first, and so on.
fn alternating(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let same = |a: &&IpAddr| a.is_ipv6() == addresses[0].is_ipv6();
    let (mut first, mut other) =
        (addresses.iter().filter(same), addresses.iter().filter(|a| !same(a)));
    std::iter::from_fn(|| Some([first.next(), other.next()]))
        .take(addresses.len())
        .flatten()
        .flatten()
        .copied()
        .collect()
}

/// The TLS handshake. Its arithmetic goes deep, so it runs on deep threads; the caller's coroutine
/// only carries the bytes.
pub fn shake_hands(
    config: &Arc<ClientConfig>,
    host: &str,
    mut socket: Socket,
    until: Instant,
) -> Result<Wire, CallError> {
    let (config, host) = (config.clone(), host.to_owned());
    let mut step = deep::run(move || Session::new(config, &host).map(Box::new).map(Step::take))?;
    loop {
        // When TLS has failed this is the alert, and the reason counts, not whether it arrives.
        let sent = send(&mut socket, &step.out, until);
        match step.stage {
            Err(e) => return Err(CallError::Tls(e.to_string())),
            Ok(_) if sent.is_err() => return Err(sent.err().unwrap_or(CallError::Closed)),
            Ok(Stage::Open) if step.plain.is_empty() => {
                return Ok(Wire::secure(socket, step.session));
            }
            Ok(Stage::Open) => return Err(CallError::Malformed("it answers before it is asked")),
            Ok(Stage::Ended) => return Err(CallError::Tls("the peer closed".into())),
            Ok(Stage::Handshake) => {}
        }
        let pending = step.session.pending();
        let start = pending.len();
        pending.resize(start + FLIGHT, 0);
        let wait = until.saturating_duration_since(Instant::now());
        let read = socket.read(&mut pending[start..], wait).map_err(handshake_broken)?;
        pending.truncate(start + read);
        if read == 0 {
            return Err(CallError::Tls("the peer closed during the handshake".into()));
        }
        let session = step.session;
        step = deep::run(move || Step::take(session));
    }
}

/// One step of a handshake, made.
struct Step {
    session: Box<Session>,
    stage: Result<Stage, rustls::Error>,
    out: Vec<u8>,
    plain: Vec<u8>,
}

impl Step {
    fn take(mut session: Box<tls::Session>) -> Step {
        let (mut out, mut plain) = (Vec::new(), Vec::new());
        let stage = session.advance(&mut plain, &mut out);
        Step { session, stage, out, plain }
    }
}

fn send(socket: &mut Socket, mut bytes: &[u8], until: Instant) -> Result<(), CallError> {
    while !bytes.is_empty() {
        let wait = until.saturating_duration_since(Instant::now());
        let written = socket.write(bytes, wait).map_err(handshake_broken)?;
        bytes = &bytes[written..];
    }
    Ok(())
}

fn handshake_broken(e: io::Error) -> CallError {
    match CallError::broken(e, "the TLS handshake") {
        CallError::Closed => CallError::Tls("the connection broke during the handshake".into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        for (given, order) in [
            ("::1 ::2 ::3 1.1.1.1", "::1 1.1.1.1 ::2 ::3"),
            ("1.1.1.1 ::1 1.1.1.2 ::2", "1.1.1.1 ::1 1.1.1.2 ::2"),
            ("1.1.1.1 1.1.1.2", "1.1.1.1 1.1.1.2"),
            ("::1", "::1"),
        ] {
            let parsed = |text: &str| -> Vec<IpAddr> {
                text.split(' ').map(|address| address.parse().unwrap()).collect()
            };
            assert_eq!(alternating(&parsed(given)), parsed(order));
        }
    }

    #[test]
    fn one_private_address_refuses_the_name() {
        let public: IpAddr = "1.1.1.1".parse().unwrap();
        for other in ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254", "::ffff:192.168.1.1"] {
            let other = other.parse().unwrap();
            for addresses in [[public, other], [other, public]] {
                assert!(matches!(judge(&addresses, false), Err(CallError::Forbidden)));
            }
        }
        judge(&[public], false).unwrap();
        judge(&["10.0.0.1".parse().unwrap()], true).unwrap();
    }
}
