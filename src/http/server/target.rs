//! Request targets and authorities (RFC 9112 §3.2, RFC 3986).
use super::head_error::HeadError;
use crate::http::Method;

#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Begins with `/`; still percent-encoded.
    pub path: String,
    pub query: Option<String>,
    /// From absolute form only.
    pub authority: Option<String>,
}

/// Origin form and absolute form. Authority form belongs to CONNECT, which nobody here speaks, and
/// asterisk form to a server-wide OPTIONS, which is refused.
pub fn parse(method: Method, target: &str) -> Result<Target, HeadError> {
    // Raw `|`, `^` or `{` do come from browsers; a fragment, a space or anything not ASCII never.
    if !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Err(HeadError::Target);
    }
    if target.starts_with('/') {
        let (path, query) = split_query(target);
        return Ok(Target { path: path.to_owned(), query, authority: None });
    }
    if target == "*" && method == Method::Options {
        return Err(HeadError::Asterisk);
    }
    let (scheme, rest) = target.split_once("://").ok_or(HeadError::Target)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(HeadError::Target);
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !is_authority(authority) {
        return Err(HeadError::Target);
    }
    let (path, query) = split_query(rest);
    let path = if path.is_empty() { "/" } else { path };
    Ok(Target { path: path.to_owned(), query, authority: Some(authority.to_owned()) })
}

fn split_query(target: &str) -> (&str, Option<String>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    }
}

/// `host [":" port]` without user info: a name, an IPv4 address or a bracketed IPv6 address. An
/// empty host names nobody (RFC 9110 §4.2.1).
pub fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => (None, port),
            _ => return false,
        },
        None => {
            let end = text.find(':').unwrap_or(text.len());
            (Some(&text[..end]), &text[end..])
        }
    };
    let host_fits = host.is_none_or(|host| {
        !host.is_empty()
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&b))
    });
    let port_fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            digits.is_empty()
                || digits.len() <= 5
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && digits.parse::<u16>().is_ok()
        });
    host_fits && port_fits
}
