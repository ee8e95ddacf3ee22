//! A participant's URL: canonical inside, display form outside.
//!
//! POSTA names both forms and leaves their rules open; they are decided here. A peer is known by
//! one spelling whatever spelling it came in, so everything from outside passes through
//! [`PeerUrl::parse`]. Hosts are ASCII: an internationalised name comes as punycode, since two
//! spellings of one name, or two names that look alike, must never be two peers or one.
//!
//! The scheme follows from the host: `https`, and `http` for loopback hosts, where the demo and
//! the tests live and where no certificate can exist. That keeps the display form reversible.
use crate::http::client::Origin;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest URL taken, in bytes, before and after normalisation.
pub const MAX_URL: usize = 2048;
/// Longest host name and longest label (RFC 1035 §2.3.4).
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

/// Canonical: `https://host[:port][/path]`; lower-case ASCII host, no default port, no user info,
/// query or fragment, no lone slash for an empty path. Loopback hosts carry `http`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerUrl(Box<str>);

#[derive(Debug, PartialEq, Eq)]
pub struct InvalidUrl;

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the URL of a participant")
    }
}

impl PeerUrl {
    /// Reads the canonical or the display form; idempotent on both.
    pub fn parse(text: &str) -> Result<PeerUrl, InvalidUrl> {
        if text.len() > MAX_URL {
            return Err(InvalidUrl);
        }
        let (scheme, rest) = split_scheme(text)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let authority = Authority::parse(authority)?;
        let loopback = is_loopback(&authority.host);
        if scheme == Some(Scheme::Http) && !loopback {
            return Err(InvalidUrl);
        }
        let (scheme, default_port) = if loopback { ("http", 80) } else { ("https", 443) };

        let mut url = format!("{scheme}://{}", authority.host);
        if let Some(port) = authority.port.filter(|&port| port != default_port) {
            let _ = write!(url, ":{port}");
        }
        if path != "/" {
            push_path(&mut url, path)?;
        }
        if url.len() > MAX_URL { Err(InvalidUrl) } else { Ok(PeerUrl(url.into())) }
    }

    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// Without the scheme: `example.org/users/bob`.
    pub fn display(&self) -> &str {
        self.0.split_once("://").map_or(&self.0, |(_, rest)| rest)
    }

    /// The host alone, without port and path: what stands in for a missing name.
    pub fn host(&self) -> &str {
        let authority = self.display().split('/').next().unwrap_or_default();
        match authority.find(']') {
            Some(end) => &authority[..=end],
            None => authority.split(':').next().unwrap_or_default(),
        }
    }

    /// Where a request to the participant itself goes: its origin, and the path there.
    pub fn place(&self) -> (Origin, &str) {
        let tls = self.0.starts_with("https:");
        let display = self.display();
        let (authority, path) = display.split_at(display.find('/').unwrap_or(display.len()));
        let host = self.host();
        let port = authority[host.len()..].strip_prefix(':').and_then(|port| port.parse().ok());
        let port = port.unwrap_or(if tls { 443 } else { 80 });
        (Origin { tls, host: host.to_owned(), port }, if path.is_empty() { "/" } else { path })
    }

    /// The page of this peer's thread: `/c/` and the display form as one path segment, encoded as
    /// JavaScript's `encodeURIComponent` does.
    pub fn page(&self) -> String {
        format!("/c/{}", percent_encode(self.display()))
    }

    /// The inverse of [`PeerUrl::page`], given what follows `/c/`.
    pub fn from_page_segment(segment: &str) -> Result<PeerUrl, InvalidUrl> {
        PeerUrl::parse(&percent_decode(segment).ok_or(InvalidUrl)?)
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display())
    }
}

#[derive(PartialEq)]
enum Scheme {
    Http,
    Https,
}

/// A scheme is what stands before `://`, provided no `/` comes first: a path may hold `://`.
fn split_scheme(text: &str) -> Result<(Option<Scheme>, &str), InvalidUrl> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            if scheme.eq_ignore_ascii_case("https") {
                Ok((Some(Scheme::Https), rest))
            } else if scheme.eq_ignore_ascii_case("http") {
                Ok((Some(Scheme::Http), rest))
            } else {
                Err(InvalidUrl)
            }
        }
        _ => Ok((None, text)),
    }
}

/// Host and port of an `https` or `http` URL, normalised; shared with the pairing URI.
pub(super) struct Authority {
    pub host: String,
    pub port: Option<u16>,
}

impl Authority {
    pub fn parse(text: &str) -> Result<Authority, InvalidUrl> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or(InvalidUrl)?;
                // `Ipv6Addr` takes no zone and writes the one form of RFC 5952.
                let address: Ipv6Addr = address.parse().map_err(|_| InvalidUrl)?;
                let port = match port {
                    "" => None,
                    _ => Some(port.strip_prefix(':').ok_or(InvalidUrl)?),
                };
                (format!("[{address}]"), port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host_name(host)?, Some(port)),
                None => (host_name(text)?, None),
            },
        };
        Ok(Authority { host, port: port.map(parse_port).transpose()?.flatten() })
    }
}

/// An empty port means the default one (RFC 3986 §3.2.3).
fn parse_port(text: &str) -> Result<Option<u16>, InvalidUrl> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > 5 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidUrl);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(InvalidUrl),
        Ok(port) => Ok(Some(port)),
    }
}

fn host_name(text: &str) -> Result<String, InvalidUrl> {
    let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if host.len() > MAX_HOST || !host.split('.').all(label_ok) {
        return Err(InvalidUrl);
    }
    // A name that ends in a number is an IPv4 address or nothing (WHATWG URL, "ends in a number"):
    // resolvers read `0x7f.1` and `2130706433` as addresses, and no two spellings may be one host.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || is_hex_number(last);
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(InvalidUrl);
    }
    Ok(host)
}

fn is_hex_number(label: &str) -> bool {
    label.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether a normalised host can only be this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Appends a path in normal form (RFC 3986 §6.2.2): hex digits upper-case, unreserved characters
/// plain, everything else that is not a path character refused, except non-ASCII, which is encoded.
/// Dot segments are refused rather than resolved: nobody's address needs them.
fn push_path(url: &mut String, path: &str) -> Result<(), InvalidUrl> {
    let start = url.len();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let decoded =
                    hex_pair(bytes.next(), bytes.next()).filter(|b| !b.is_ascii_control());
                push_encoded(url, decoded.ok_or(InvalidUrl)?);
            }
            b'/' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' => url.push(byte as char),
            _ if is_unreserved(byte) => url.push(byte as char),
            0x80.. => push_encoded(url, byte),
            _ => return Err(InvalidUrl),
        }
    }
    if url[start..].split('/').any(|segment| segment == "." || segment == "..") {
        return Err(InvalidUrl);
    }
    Ok(())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn push_encoded(out: &mut String, byte: u8) {
    if is_unreserved(byte) {
        out.push(byte as char);
    } else {
        let _ = write!(out, "%{byte:02X}");
    }
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |b: Option<u8>| (b? as char).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

/// Every byte but `encodeURIComponent`'s unreserved ones as `%XX`; also fit for a query value.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        match byte {
            b'!' | b'\'' | b'(' | b')' | b'*' => out.push(byte as char),
            _ => push_encoded(&mut out, byte),
        }
    }
    out
}

/// `None` for a broken escape or bytes that are not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { hex_pair(bytes.next(), bytes.next())? } else { byte });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests;
