//! `chat-posta healthcheck`: for containers and supervisors, which have no shell and no curl.
use super::arguments::{Command, Given};
use super::{Stop, say};
use std::fmt;
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
        let state = ask(address).map_err(|why| Stop::Failed(format!("{address}: {why}")))?;
        say(&format!("ok {state}"))
    },
};

/// A service that is well.
pub struct State {
    pub version: String,
    pub process: Option<u32>,
    /// How many successors did not come up in its place, and why the latest did not.
    pub refused: Option<(u32, String)>,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)?;
        if let Some(process) = self.process {
            write!(f, ", process {process}")?;
        }
        match &self.refused {
            Some((count, why)) => write!(f, ", successors refused: {count}, the last one: {why}"),
            None => Ok(()),
        }
    }
}

/// Where a service that listens there can be asked from this host.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// `GET /healthz`: who answers. The error is a sentence.
pub fn ask(address: SocketAddr) -> Result<State, String> {
    let request = minreq::get(format!("http://{address}/healthz"))
        .with_timeout(PATIENCE_SECONDS)
        .with_follow_redirects(false);
    let answer = request.send().map_err(|e| format!("no answer: {e}"))?;
    if answer.status_code != 200 || answer.as_bytes() != b"ok\n" {
        return Err(format!("something else answers there (status {})", answer.status_code));
    }
    let told = |name: &str| {
        let field = answer.headers.iter().find(|(own, _)| *own == format!("chat-posta-{name}"));
        field.map(|(_, value)| value.clone())
    };
    let refused = told("refused").and_then(|told| {
        let (count, why) = told.split_once(' ')?;
        Some((count.parse().ok()?, why.to_owned()))
    });
    let process = told("process").and_then(|pid| pid.parse().ok());
    Ok(State { version: told("version").unwrap_or_default(), process, refused })
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
