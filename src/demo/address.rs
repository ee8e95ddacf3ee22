//! A participant's address: canonical on the wire and in the database, display form where the real
//! posta-server is known to use it.
//!
//! `https` only, except that loopback hosts carry `http`: no certificate can exist for them.
use crate::http::client::Origin;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest address taken, in bytes.
const MAX_ADDRESS: usize = 2048;

/// Canonical: scheme and host in lower case, no default port, no lone slash, nothing after the path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Reads either form.
    pub fn parse(text: &str) -> Option<Address> {
        if text.len() > MAX_ADDRESS || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains(['?', '#']) {
            return None;
        }
        let (host, port) = split_authority(authority)?;
        let tls = !is_loopback(&host);
        if !matches!(scheme.as_deref(), None | Some("https")) && (tls || scheme? != "http") {
            return None;
        }
        let (scheme, default_port) = if tls { ("https", 443) } else { ("http", 80) };
        let port = port.filter(|&port| port != default_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = if path == "/" { "" } else { path };
        Some(Address(format!("{scheme}://{host}{port}{path}")))
    }

    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// Without the scheme.
    pub fn display(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, rest)| rest)
    }

    /// Where a call to this participant is dialled.
    pub fn origin(&self) -> Origin {
        let tls = self.0.starts_with("https://");
        let authority = self.display().split('/').next().unwrap_or_default();
        // Cannot fail: `parse` wrote it.
        let (host, port) = split_authority(authority).unwrap_or_default();
        Origin { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }) }
    }

    /// The request target of a call to this participant.
    pub fn target(&self) -> &str {
        let display = self.display();
        display.find('/').map_or("/", |slash| &display[slash..])
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Host in lower case, and the port if one is written.
fn split_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let end = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            rest[..end].parse::<Ipv6Addr>().ok()?;
            end + 2
        }
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let name_ok = host.starts_with('[')
        || host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        });
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(port) => Some(port.parse().ok().filter(|&port| port != 0)?),
    };
    name_ok.then(|| (host.to_ascii_lowercase(), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_lead_to_one() {
        for (text, canonical, display) in [
            ("alice.example", "https://alice.example", "alice.example"),
            ("HTTPS://Alice.Example:443/", "https://alice.example", "alice.example"),
            ("example.org/users/Bob", "https://example.org/users/Bob", "example.org/users/Bob"),
            ("example.org:8443", "https://example.org:8443", "example.org:8443"),
            ("http://localhost:9101", "http://localhost:9101", "localhost:9101"),
            ("localhost:9101", "http://localhost:9101", "localhost:9101"),
            ("127.0.0.1:80", "http://127.0.0.1", "127.0.0.1"),
            ("http://[::1]:9101/", "http://[::1]:9101", "[::1]:9101"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.canonical(), address.display()), (canonical, display), "{text}");
            assert_eq!(Address::parse(canonical), Some(address.clone()));
            assert_eq!(Address::parse(display), Some(address));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "http://alice.example",
            "ftp://localhost",
            "a b",
            "alice@example.org",
            "a..b",
            "alice.example?x",
            "alice.example/#x",
            "alice.example:0",
            "alice.example:99999",
            "[::1",
            "bücher.example",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn calls_find_their_way() {
        let bob = Address::parse("http://localhost:9101/users/bob").unwrap();
        assert_eq!((bob.origin().host.as_str(), bob.origin().port), ("localhost", 9101));
        assert_eq!((bob.origin().tls, bob.target()), (false, "/users/bob"));
        let mira = Address::parse("mira.example").unwrap();
        assert_eq!((mira.origin().tls, mira.origin().port, mira.target()), (true, 443, "/"));
    }
}
