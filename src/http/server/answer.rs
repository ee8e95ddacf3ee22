//! The head and framing of what we send, as bytes. Sans-I/O.
use super::date;
use crate::http::chunked::is_token_byte;
use crate::http::{Body, Response};
use crate::ops::encode::decimal;
use std::borrow::Cow;
use std::fmt;

/// How the client finds the answer's end (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The status allows no body (204, 304).
    Nothing,
    Length(u64),
    Chunked,
    /// By the connection's end.
    UntilClose,
}

/// What a handler's answer did that cannot go out. Its own fault, hence 500.
#[derive(Debug, PartialEq, Eq)]
pub enum BadResponse {
    Status(u16),
    Name(&'static str),
    /// CR, LF or NUL in the value of this field.
    Value(&'static str),
}

impl fmt::Display for BadResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadResponse::Status(status) => write!(f, "{status} is no final status"),
            BadResponse::Name(name) => write!(f, "{name:?} is no field name"),
            BadResponse::Value(name) => write!(f, "the value of {name} holds CR, LF or NUL"),
        }
    }
}

/// The connection's side of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub http11: bool,
    /// The connection ends after this answer.
    pub close: bool,
}

pub fn framing(response: &Response, http11: bool) -> Sent {
    match (&response.body, response.status) {
        (_, 204 | 304) => Sent::Nothing,
        (Body::Empty, _) => Sent::Length(0),
        (Body::Bytes(bytes), _) => Sent::Length(bytes.len() as u64),
        (Body::Pieces(pieces), _) => {
            Sent::Length(pieces.iter().map(|piece| piece.bytes().len() as u64).sum())
        }
        (Body::Stream { length: Some(length), .. }, _) => Sent::Length(*length),
        (Body::Stream { length: None, .. }, _) if http11 => Sent::Chunked,
        (Body::Stream { length: None, .. } | Body::Park(_), _) => Sent::UntilClose,
    }
}

/// Whether the handler's answer itself asks for the connection's end.
pub fn asks_close(fields: &[(&'static str, Cow<'static, str>)]) -> bool {
    fields.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("connection") && value.trim().eq_ignore_ascii_case("close")
    })
}

/// Whether an answer can be sent whole and without a surprise.
pub fn is_plain(response: &Response) -> bool {
    let terms = Terms { http11: true, close: true };
    matches!(response.body, Body::Empty | Body::Bytes(_))
        && head(Vec::new(), response, Sent::Nothing, terms).is_ok()
}

/// Names that are the engine's to write; a handler's own are dropped.
fn is_ours(name: &str) -> bool {
    ["connection", "content-length", "transfer-encoding", "keep-alive", "date"]
        .iter()
        .any(|ours| name.eq_ignore_ascii_case(ours))
}

/// The head of `response`, in an empty `room`.
pub fn head(
    room: Vec<u8>,
    response: &Response,
    sent: Sent,
    terms: Terms,
) -> Result<Vec<u8>, BadResponse> {
    let (status, fields) = (response.status, &response.fields);
    if !(200..=599).contains(&status) {
        return Err(BadResponse::Status(status));
    }
    let mut head = Head(room);
    head.0.reserve(ROOM);
    head.add(b"HTTP/1.1 ");
    head.number(u64::from(status));
    head.add(b" ");
    head.add(reason(status).as_bytes());
    head.add(b"\r\n");
    head.field("date", &date::now());
    head.add(response.common.as_bytes());
    for (name, value) in fields {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(BadResponse::Name(name));
        }
        if value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(BadResponse::Value(name));
        }
        if !is_ours(name) {
            head.field(name, value.as_bytes());
        }
    }
    match sent {
        Sent::Length(length) => {
            head.add(b"content-length: ");
            head.number(length);
            head.add(b"\r\n");
        }
        Sent::Chunked => head.field("transfer-encoding", b"chunked"),
        Sent::Nothing | Sent::UntilClose => {}
    }
    if terms.close {
        head.field("connection", b"close");
    } else if !terms.http11 {
        head.field("connection", b"keep-alive");
    }
    head.add(b"\r\n");
    Ok(head.0)
}

/// Bytes given to a head at first: what a page needs, its body in the same buffer when that is small.
const ROOM: usize = 2 * 1024;

struct Head(Vec<u8>);

impl Head {
    fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.add(part);
        }
    }

    fn number(&mut self, number: u64) {
        self.add(decimal(number, &mut [0; 20]).as_bytes());
    }
}

/// RFC 9110 §15; the words do not matter to anyone but people reading along.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Terms = Terms { http11: true, close: false };

    fn lines(response: &Response, sent: Sent, terms: Terms) -> Vec<String> {
        let bytes = head(Vec::new(), response, sent, terms).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let text = text.strip_suffix("\r\n\r\n").expect("an empty line at the end");
        text.split("\r\n").filter(|line| !line.starts_with("date: ")).map(str::to_owned).collect()
    }

    #[test]
    fn heads_as_they_go_out() {
        let response = Response::new(200).with("x-a", "b c").with("Content-Length", "9");
        assert_eq!(
            lines(&response, Sent::Length(5), KEPT),
            ["HTTP/1.1 200 OK", "x-a: b c", "content-length: 5"],
            "the engine's own length wins"
        );
        let bare = Response::new(299);
        let chunked = lines(&bare, Sent::Chunked, Terms { http11: true, close: true });
        assert_eq!(chunked, ["HTTP/1.1 299 ", "transfer-encoding: chunked", "connection: close"]);
        let old = lines(&bare, Sent::Nothing, Terms { http11: false, close: false });
        assert_eq!(old, ["HTTP/1.1 299 ", "connection: keep-alive"]);
    }

    #[test]
    fn what_must_not_go_out() {
        for (response, bad) in [
            (Response::new(100), BadResponse::Status(100)),
            (Response::new(600), BadResponse::Status(600)),
            (Response::new(200).with("", "a"), BadResponse::Name("")),
            (Response::new(200).with("a b", "a"), BadResponse::Name("a b")),
            (Response::new(200).with("a\r\nb", "a"), BadResponse::Name("a\r\nb")),
            (Response::new(200).with("a", "b\r\nc: d"), BadResponse::Value("a")),
            (Response::new(200).with("a", "b\n"), BadResponse::Value("a")),
            (Response::new(200).with("a", "\0"), BadResponse::Value("a")),
        ] {
            assert_eq!(head(Vec::new(), &response, Sent::Nothing, KEPT), Err(bad));
        }
    }

    #[test]
    fn framings() {
        let stream = |length| {
            let mut response = Response::new(200);
            response.body = Body::Stream { length, write: Box::new(|_| Ok(())) };
            response
        };
        assert_eq!(framing(&Response::new(200), true), Sent::Length(0));
        assert_eq!(framing(&Response::new(200).bytes("a/b", &b"xyz"[..]), true), Sent::Length(3));
        assert_eq!(framing(&Response::new(204).bytes("a/b", &b"xyz"[..]), true), Sent::Nothing);
        assert_eq!(framing(&Response::new(304), true), Sent::Nothing);
        assert_eq!(framing(&stream(Some(7)), true), Sent::Length(7));
        assert_eq!(framing(&stream(None), true), Sent::Chunked);
        assert_eq!(framing(&stream(None), false), Sent::UntilClose);
    }
}
