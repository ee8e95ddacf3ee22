//! What a person pastes to connect their posta-server. There are three forms:
//!
//! - the pairing URI `posta+v1://<host[:port]>#token=mst_…` and the deep link
//!   `posta://pair?token=…&url=…`, which hold a token;
//! - the set-up link `https://<participant>/setup#invite=pinv_…`, whose invite is looked at and
//!   exchanged for a token in [`super::setup`].
//!
//! A further form is a further arm of [`Offer::parse`]. No secret shows in an error or in `Debug`.
use super::url::{Authority, is_loopback, percent_decode};
use crate::http::client::Origin;
use std::fmt;
use zeroize::Zeroizing;

/// Longest text taken, in bytes; real ones are under 300.
const MAX_TEXT: usize = 4096;
/// Longest token or invite taken, in bytes. A token travels in one field line, whose head has its
/// own limit.
const MAX_SECRET: usize = 1024;
/// What copying puts around a link, and fonts and terminals into it.
const WRAPPING: [char; 9] = ['"', '\'', '`', '<', '>', '“', '”', '‘', '’'];
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// What was pasted, as far as it can be told without asking anybody.
#[derive(Debug, Clone)]
pub enum Offer {
    /// A token, to be tried.
    Token(Pairing),
    /// An invite, to be looked at now and redeemed at the very end: it is good for one use.
    Invite(SetupInvite),
}

/// Where a posta-server is, and what lets one in.
#[derive(Clone)]
pub struct Pairing {
    pub origin: Origin,
    pub token: Zeroizing<String>,
}

/// The invite of a set-up link, and where it is good.
#[derive(Clone)]
pub struct SetupInvite {
    pub origin: Origin,
    pub(super) secret: Zeroizing<String>,
}

impl fmt::Debug for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairing").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl fmt::Debug for SetupInvite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetupInvite").field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum PairingError {
    /// Nothing was pasted.
    Empty,
    /// It is none of the three forms.
    NotPairing,
    /// No host, or not one an https URL may have.
    Host,
    /// A path, a query or user info where only `host[:port]` may stand.
    Extra,
    /// `http` where only `https` may be.
    Plain,
    /// No `token=`, or an empty one.
    NoToken,
    /// The token holds characters no token has, or is too long.
    Token,
    /// A deep link without `url=`.
    NoUrl,
    /// A set-up link without `invite=`, or an empty one.
    NoInvite,
    /// As for tokens.
    Invite,
}

impl fmt::Display for PairingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PairingError::Empty => "Paste the URI your posta-server printed.",
            PairingError::NotPairing => {
                "That is neither a pairing URI, which begins with posta+v1://, nor a link that \
                 begins with posta://pair or holds /setup#invite=."
            }
            PairingError::Host => "The host in this URI is not a valid name or address.",
            PairingError::Extra => "Only a host and a port may stand before the #token= part.",
            PairingError::Plain => "A link to your posta-server must begin with https://.",
            PairingError::NoToken => {
                "There is no token in this URI: token=mst_… is missing. Copy the whole line again."
            }
            PairingError::Token => "The token in it is damaged. Copy the whole line again.",
            PairingError::NoUrl => {
                "This link does not say where your posta-server is: url=… is missing. Copy the \
                 whole link again."
            }
            PairingError::NoInvite => {
                "There is no invite in this set-up link: it should end in #invite=pinv_…. Copy \
                 the whole link again."
            }
            PairingError::Invite => {
                "The invite in this set-up link is damaged. Copy the whole link again."
            }
        })
    }
}

impl std::error::Error for PairingError {}

impl Offer {
    /// Reads what was pasted; white space and quotes around it, and the line breaks a terminal puts
    /// into a long line, are forgiven. `allow_http_loopback` makes loopback hosts plain `http`
    /// (`--allow-private-upstreams`); without it they are `https` like any other.
    pub fn parse(text: &str, allow_http_loopback: bool) -> Result<Offer, PairingError> {
        if text.len() > MAX_TEXT {
            return Err(PairingError::NotPairing);
        }
        // Of its final size from the start: growing would leave copies behind.
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        let blank = |c: char| c.is_whitespace() || c.is_control() || INVISIBLE.contains(&c);
        plain.extend(text.chars().filter(|&c| !blank(c)));
        let plain = plain.trim_matches(WRAPPING);
        if plain.is_empty() {
            return Err(PairingError::Empty);
        }
        let (scheme, rest) = plain.split_once("://").ok_or(PairingError::NotPairing)?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if is("posta+v1") {
            pairing_uri(rest, allow_http_loopback).map(Offer::Token)
        } else if is("posta") {
            deep_link(rest, allow_http_loopback).map(Offer::Token)
        } else if is("https") || is("http") {
            setup_link(scheme, rest, allow_http_loopback).map(Offer::Invite)
        } else {
            Err(PairingError::NotPairing)
        }
    }
}

/// `<host[:port]>[/]#token=…[&unknown=…]`: fields we do not know are left alone.
fn pairing_uri(rest: &str, allow: bool) -> Result<Pairing, PairingError> {
    let (place, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.contains(['/', '?', '@']) {
        return Err(PairingError::Extra);
    }
    let origin = origin(None, place, allow)?;
    Ok(Pairing { origin, token: token(fragment)? })
}

/// `pair[/]?token=…&url=…`, in any order; the URL percent-encoded or not, or only its host.
fn deep_link(rest: &str, allow: bool) -> Result<Pairing, PairingError> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !place.trim_end_matches('/').eq_ignore_ascii_case("pair") {
        return Err(PairingError::NotPairing);
    }
    let query = query.split('#').next().unwrap_or_default();
    let token = token(query)?;
    let url = field(query, "url=").ok_or(PairingError::NoUrl)?;
    let url = percent_decode(url).ok_or(PairingError::Host)?;
    let origin = match url.split_once("://") {
        Some((scheme, rest)) => origin(Some(scheme), rest, allow)?,
        None => origin(None, &url, allow)?,
    };
    Ok(Pairing { origin, token })
}

/// `<participant>/setup#invite=…`. The client API is at the host, whatever the participant's path.
fn setup_link(scheme: &str, rest: &str, allow: bool) -> Result<SetupInvite, PairingError> {
    let (place, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let page = place.split('?').next().unwrap_or_default().trim_end_matches('/');
    if !page.ends_with("/setup") {
        return Err(PairingError::NotPairing);
    }
    let origin = origin(Some(scheme), place, allow)?;
    let invite = field(fragment, "invite=").ok_or(PairingError::NoInvite)?;
    Ok(SetupInvite { origin, secret: secret(invite).ok_or(PairingError::Invite)? })
}

/// The origin of what stands behind `scheme://`.
fn origin(scheme: Option<&str>, rest: &str, allow: bool) -> Result<Origin, PairingError> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Authority { host, port } = Authority::parse(authority).map_err(|_| PairingError::Host)?;
    // Where loopback may be plain, it is when nothing says otherwise.
    let says_https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let tls = says_https || !(allow && is_loopback(&host));
    match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("http") && tls => {
            return Err(PairingError::Plain);
        }
        Some(scheme) if !["http", "https"].iter().any(|s| s.eq_ignore_ascii_case(scheme)) => {
            return Err(PairingError::Host);
        }
        _ => {}
    }
    let port = port.unwrap_or(if tls { 443 } else { 80 });
    Ok(Origin { tls, host, port })
}

/// What follows `name=` in one of the `&`-separated fields, when there is something.
fn field<'t>(fields: &'t str, name: &str) -> Option<&'t str> {
    fields.split('&').find_map(|f| f.strip_prefix(name)).filter(|value| !value.is_empty())
}

fn token(fields: &str) -> Result<Zeroizing<String>, PairingError> {
    let token = field(fields, "token=").ok_or(PairingError::NoToken)?;
    secret(token).ok_or(PairingError::Token)
}

fn secret(encoded: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(percent_decode(encoded)?)).filter(|text| is_secret(text))
}

/// RFC 6750 §2.1, the characters a bearer token may have; this also keeps CR and LF out of the
/// field it will travel in.
pub(super) fn is_secret(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    !text.is_empty() && text.len() <= MAX_SECRET && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests;
