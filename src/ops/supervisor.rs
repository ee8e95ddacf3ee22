//! What a service manager wants to know (sd_notify(3)): a line of text to a socket that it names.
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

const SOCKET: &str = "NOTIFY_SOCKET";

/// Whether there is one that listens.
pub fn listens() -> bool {
    std::env::var_os(SOCKET).is_some_and(|name| !name.is_empty())
}

/// Tells it; nothing depends on its being heard.
#[expect(clippy::disallowed_types, reason = "told by the main thread")]
pub fn tell(state: &str) {
    let Some(name) = std::env::var_os(SOCKET).filter(|name| !name.is_empty()) else { return };
    let name = name.as_encoded_bytes();
    let address = match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::path::Path::new(
            &std::env::var_os(SOCKET).unwrap_or_default(),
        )),
    };
    let sent = address.and_then(|address| {
        std::os::unix::net::UnixDatagram::unbound()?
            .send_to_addr(state.as_bytes(), &address)
            .map(drop)
    });
    if let Err(e) = sent {
        log::warn!("the service manager could not be told: {e}");
    }
}
