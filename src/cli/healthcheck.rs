//! `chat-posta healthcheck`: for containers and supervisors, which have no shell and no curl.
use super::arguments::{Command, Given};
use super::{Stop, say};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whole seconds are all that the client below takes. A service that needs longer is not well.
const PATIENCE_SECONDS: u64 = 5;

pub static COMMAND: Command = Command {
    name: "healthcheck",
    about: "Ask the running service if it is well: its version; exit code 0 or 1",
    argument: None,
    extras: &[],
    settings: &["listen"],
    defaults: &[],
    run: |given: Given| {
        let address = reachable(given.config()?.listen);
        let version = ask(address).map_err(|why| Stop::Failed(format!("{address}: {why}")))?;
        say(&format!("ok {version}"))
    },
};

/// Where a service that listens there can be asked from this host.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// `GET /healthz`: the version that answers. The error is a sentence.
pub fn ask(address: SocketAddr) -> Result<String, String> {
    let request = minreq::get(format!("http://{address}/healthz"))
        .with_timeout(PATIENCE_SECONDS)
        .with_follow_redirects(false);
    match request.send() {
        Ok(answer) if answer.status_code == 200 && answer.as_bytes() == b"ok\n" => {
            let version = answer.headers.iter().find(|(name, _)| name == "chat-posta-version");
            Ok(version.map(|(_, version)| version.clone()).unwrap_or_default())
        }
        Ok(answer) => Err(format!("something else answers there (status {})", answer.status_code)),
        Err(e) => Err(format!("no answer: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.7:81", "192.0.2.7:81"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
