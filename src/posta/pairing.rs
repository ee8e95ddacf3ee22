//! Pairing URIs: what a person pastes to connect their posta-server.
//!
//! Today there is one form, `posta+v1://<host[:port]>#token=mst_…`; a further form is a further arm
//! of [`PairingUri::parse`]. The token never shows in an error or in `Debug`.
use super::url::{Authority, is_loopback, percent_decode};
use crate::http::client::Origin;
use std::fmt;
use zeroize::Zeroizing;

/// Longest URI taken, in bytes; real ones are under 200.
const MAX_URI: usize = 4096;
/// Longest token taken, in bytes. It travels in one field line, whose head has its own limit.
const MAX_TOKEN: usize = 1024;

/// The forms of a pairing URI.
pub enum PairingUri {}

/// Where a posta-server is, and what lets one in.
#[derive(Clone)]
pub struct Pairing {
    pub origin: Origin,
    pub token: Zeroizing<String>,
}

impl fmt::Debug for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairing").field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum PairingError {
    /// Nothing was pasted.
    Empty,
    /// It does not begin with `posta+v1://`.
    NotPairing,
    /// No host, or not one an https URL may have.
    Host,
    /// A path, a query or user info where only `host[:port]` may stand.
    Extra,
    /// No `token=` behind the `#`, or an empty one.
    NoToken,
    /// The token holds characters no token has, or is too long.
    Token,
}

impl fmt::Display for PairingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PairingError::Empty => "Paste the URI your posta-server printed.",
            PairingError::NotPairing => "A pairing URI begins with posta+v1://",
            PairingError::Host => "The host in this URI is not a valid name or address.",
            PairingError::Extra => "Only a host and a port may stand before the #token= part.",
            PairingError::NoToken => "This URI has no token: it should end in #token=mst_…",
            PairingError::Token => "The token in this URI is damaged. Copy the whole line again.",
        })
    }
}

impl std::error::Error for PairingError {}

impl PairingUri {
    /// Reads what was pasted; white space around it, and the line breaks a terminal puts into a
    /// long line, are forgiven. `allow_http_loopback` makes loopback hosts plain `http`
    /// (`--allow-private-upstreams`); without it they are `https` like any other.
    pub fn parse(text: &str, allow_http_loopback: bool) -> Result<Pairing, PairingError> {
        if text.len() > MAX_URI {
            return Err(PairingError::NotPairing);
        }
        let text: Zeroizing<String> =
            Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        if text.is_empty() {
            return Err(PairingError::Empty);
        }
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("posta+v1") => {
                parse_v1(rest, allow_http_loopback)
            }
            _ => Err(PairingError::NotPairing),
        }
    }
}

/// `<host[:port]>[/]#token=…[&unknown=…]`: fields we do not know are left alone.
fn parse_v1(rest: &str, allow_http_loopback: bool) -> Result<Pairing, PairingError> {
    let (place, fragment) = match rest.split_once('#') {
        Some((place, fragment)) => (place, Some(fragment)),
        None => (rest, None),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.contains(['/', '?', '@']) {
        return Err(PairingError::Extra);
    }
    let Authority { host, port } = Authority::parse(place).map_err(|_| PairingError::Host)?;
    let tls = !(allow_http_loopback && is_loopback(&host));
    let port = port.unwrap_or(if tls { 443 } else { 80 });

    let token = fragment
        .unwrap_or_default()
        .split('&')
        .find_map(|field| field.strip_prefix("token="))
        .filter(|token| !token.is_empty())
        .ok_or(PairingError::NoToken)?;
    let token = Zeroizing::new(percent_decode(token).ok_or(PairingError::Token)?);
    // RFC 6750 §2.1, the characters a bearer token may have; this also keeps CR and LF out of the
    // field it will travel in.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(allowed) {
        return Err(PairingError::Token);
    }
    Ok(Pairing { origin: Origin { tls, host, port }, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pairing_uri_gives_origin_and_token() {
        let table = [
            ("posta+v1://alice.example#token=mst_abc", false, (true, "alice.example", 443)),
            (
                "  posta+v1://Alice.Example:8443/#token=mst_abc\n",
                true,
                (true, "alice.example", 8443),
            ),
            (
                "POSTA+V1://alice.example#name=x&token=mst_abc&later=1",
                false,
                (true, "alice.example", 443),
            ),
            ("posta+v1://alice.exa\n  mple#token=mst_\nabc", false, (true, "alice.example", 443)),
            ("posta+v1://localhost:9101#token=mst_abc", true, (false, "localhost", 9101)),
            ("posta+v1://localhost:9101#token=mst_abc", false, (true, "localhost", 9101)),
            ("posta+v1://localhost#token=mst_abc", true, (false, "localhost", 80)),
            ("posta+v1://[::1]:9101#token=mst_abc", true, (false, "[::1]", 9101)),
            ("posta+v1://192.168.1.5#token=mst%5Fabc", true, (true, "192.168.1.5", 443)),
        ];
        for (text, allow, (tls, host, port)) in table {
            let pairing = PairingUri::parse(text, allow).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(pairing.origin, Origin { tls, host: host.into(), port }, "{text}");
            assert_eq!(*pairing.token, "mst_abc", "{text}");
        }
    }

    #[test]
    fn damaged_uris_say_what_is_wrong() {
        let long = format!("posta+v1://a.example#token={}", "x".repeat(MAX_TOKEN + 1));
        let huge = format!("posta+v1://a.example#token={}", "x".repeat(MAX_URI));
        for (text, error) in [
            ("", PairingError::Empty),
            (" \n", PairingError::Empty),
            ("alice.example", PairingError::NotPairing),
            ("https://alice.example#token=mst_a", PairingError::NotPairing),
            ("posta+v2://alice.example#token=mst_a", PairingError::NotPairing),
            ("posta+v1://#token=mst_a", PairingError::Host),
            ("posta+v1://a..example#token=mst_a", PairingError::Host),
            ("posta+v1://bücher.example#token=mst_a", PairingError::Host),
            ("posta+v1://a.example:99999#token=mst_a", PairingError::Host),
            ("posta+v1://a.example/x#token=mst_a", PairingError::Extra),
            ("posta+v1://u@a.example#token=mst_a", PairingError::Extra),
            ("posta+v1://a.example?x#token=mst_a", PairingError::Extra),
            ("posta+v1://a.example", PairingError::NoToken),
            ("posta+v1://a.example#", PairingError::NoToken),
            ("posta+v1://a.example#token=", PairingError::NoToken),
            ("posta+v1://a.example#tokens=mst_a", PairingError::NoToken),
            ("posta+v1://a.example#token=mst_%0d%0aX:y", PairingError::Token),
            ("posta+v1://a.example#token=mst_å", PairingError::Token),
            ("posta+v1://a.example#token=%zz", PairingError::Token),
            (&long, PairingError::Token),
            (&huge, PairingError::NotPairing),
        ] {
            assert_eq!(PairingUri::parse(text, true).err(), Some(error), "{text}");
        }
    }

    #[test]
    fn debug_keeps_the_token_to_itself() {
        let pairing = PairingUri::parse("posta+v1://a.example#token=mst_secret", false).unwrap();
        assert!(!format!("{pairing:?}").contains("secret"));
    }
}
