//! An answer's head and framing (RFC 9112 §4, §6), from bytes.
use super::CallError;
use crate::http::{Fields, Method, chunked};

/// Bytes of an answer's head, and its field lines.
pub const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

#[derive(Debug)]
pub struct Head {
    pub status: u16,
    pub fields: Fields,
    /// Whether the connection may carry another call (§9.3).
    pub keep_alive: bool,
}

/// Parses a head; `None` while it is not whole, else the head and its length.
pub fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, CallError> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut lines);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_HEAD => {
            return Err(CallError::Malformed("the head is too large"));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(CallError::Malformed("too many fields"));
        }
        Err(_) => return Err(CallError::Malformed("the head is not HTTP/1.1")),
    };
    let status = response.code.unwrap_or(0);
    if !(100..1000).contains(&status) {
        return Err(CallError::Malformed("the status is not a status"));
    }
    let mut fields = Fields::with_capacity(response.headers.len());
    for line in response.headers.iter() {
        fields.push(line.name, &String::from_utf8_lossy(line.value));
    }
    let says = |token: &str| {
        let tokens = fields.all("connection").flat_map(|value| value.split(','));
        tokens.map(str::trim).any(|found| found.eq_ignore_ascii_case(token))
    };
    let newer = response.version == Some(1);
    let keep_alive = !says("close") && (newer || says("keep-alive"));
    Ok(Some((Head { status, fields, keep_alive }, length)))
}

/// How the body ends (§6.3).
#[derive(Debug)]
pub enum Framing {
    Length(u64),
    Chunked(Box<chunked::Decoder>),
    UntilClose,
}

impl Framing {
    pub fn of(head: &Head, method: Method) -> Result<Framing, CallError> {
        if method == Method::Head || matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        let lengths: Vec<&str> =
            head.fields.all("content-length").flat_map(|v| v.split(',')).map(str::trim).collect();
        let mut codings = head.fields.all("transfer-encoding");
        if let Some(coding) = codings.next() {
            // Both is what response splitting looks like: never a guess (§6.3, item 3).
            if !lengths.is_empty() || codings.next().is_some() {
                return Err(CallError::Malformed("two ways of framing"));
            }
            if !coding.eq_ignore_ascii_case("chunked") {
                return Err(CallError::Malformed("an unknown transfer coding"));
            }
            return Ok(Framing::Chunked(Box::default()));
        }
        let Some(first) = lengths.first() else { return Ok(Framing::UntilClose) };
        let digits = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
        if !digits || lengths.iter().any(|other| other != first) {
            return Err(CallError::Malformed("the length is not a length"));
        }
        let length = first.parse().map_err(|_| CallError::Malformed("the length is too large"))?;
        Ok(Framing::Length(length))
    }

    pub fn is_done(&self) -> bool {
        match self {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(decoder) => decoder.is_done(),
            Framing::UntilClose => false,
        }
    }

    /// Takes body bytes out of `input`: how many it took, how many it gave.
    pub fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), CallError> {
        match self {
            Framing::Chunked(decoder) => {
                decoder.decode(input, out).map_err(|_| CallError::Malformed("a broken chunk"))
            }
            Framing::Length(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX);
                let n = input.len().min(out.len()).min(most);
                out[..n].copy_from_slice(&input[..n]);
                *left -= n as u64;
                Ok((n, n))
            }
            Framing::UntilClose => {
                let n = input.len().min(out.len());
                out[..n].copy_from_slice(&input[..n]);
                Ok((n, n))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(head: &str, method: Method) -> String {
        let read = || {
            let (head, _) = parse(head.as_bytes())?.ok_or(CallError::Closed)?;
            Ok::<_, CallError>((Framing::of(&head, method)?, head.keep_alive))
        };
        match read() {
            Ok((Framing::Length(n), keep)) => format!("length {n} {keep}"),
            Ok((Framing::Chunked(_), keep)) => format!("chunked {keep}"),
            Ok((Framing::UntilClose, keep)) => format!("until close {keep}"),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn framing_follows_rfc_9112() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "length 5 true"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "length 5 true"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", "length 5 false"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "length 5 false"),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
                "length 5 true",
            ),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "length 0 true"),
            ("HTTP/1.1 304 Not Modified\r\n\r\n", "length 0 true"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "chunked true"),
            ("HTTP/1.1 200 OK\r\n\r\n", "until close true"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "not an HTTP answer: the length is not a length",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
                "not an HTTP answer: the length is not a length",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "not an HTTP answer: the length is too large",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "not an HTTP answer: an unknown transfer coding",
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                "not an HTTP answer: two ways of framing",
            ),
            ("SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP answer: the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "not an HTTP answer: the head is not HTTP/1.1"),
            ("HTTP/1.1 099 X\r\n\r\n", "not an HTTP answer: the status is not a status"),
        ] {
            assert_eq!(framing(head, Method::Get), expected, "{head:?}");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(framing(head, Method::Head), "length 0 true");
    }

    #[test]
    fn heads_are_bounded() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert_eq!(framing(&many, Method::Get), "not an HTTP answer: too many fields");
        let large = format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(MAX_HEAD));
        assert_eq!(framing(&large, Method::Get), "not an HTTP answer: the head is too large");
    }
}
