//! An answer's head and framing (RFC 9112 §2, §4, §6), from bytes that come in any pieces. Sans-I/O.
//!
//! Strict, as the server is: whatever two readers could understand in two ways is refused.
use super::CallError;
use crate::http::{Fields, Method, chunked};

/// Bytes of an answer's head; and its field lines.
pub const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

const TOO_LARGE: CallError = CallError::Malformed("the head is too large");

#[derive(Debug)]
pub struct Head {
    pub status: u16,
    pub fields: Fields,
    /// Whether the connection may carry another call (§9.3).
    pub keep_alive: bool,
}

/// Finds a head's end; each byte is looked at once.
#[derive(Debug, Default)]
pub struct Scanner {
    at: usize,
    /// Where the line being read starts.
    line: usize,
}

impl Scanner {
    /// Looks at what is new in `bytes`, which begin with all that was given before. The head's
    /// length, its last empty line included; `None` while it is not whole.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, CallError> {
        while let Some(&byte) = bytes.get(self.at) {
            if self.at >= MAX_HEAD {
                return Err(TOO_LARGE);
            }
            let after_cr = self.at > self.line && bytes[self.at - 1] == b'\r';
            self.at += 1;
            match byte {
                b'\n' if after_cr => {
                    if self.at - self.line == 2 {
                        return Ok(Some(self.at));
                    }
                    self.line = self.at;
                }
                b'\n' => return Err(CallError::Malformed("a line ends without CR")),
                _ if after_cr => return Err(CallError::Malformed("a CR inside a line")),
                b'\r' | b'\t' | b' '..=b'~' | 0x80.. => {}
                _ => return Err(CallError::Malformed("a control character in the head")),
            }
        }
        Ok(None)
    }
}

/// Reads a whole head, as the scanner found it.
pub fn parse(bytes: &[u8]) -> Result<Head, CallError> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut lines);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(CallError::Malformed("too many fields"));
        }
        _ => return Err(CallError::Malformed("the head is not HTTP/1.1")),
    }
    let status = response.code.unwrap_or(0);
    if !(100..600).contains(&status) {
        return Err(CallError::Malformed("the status is not a status"));
    }
    let mut fields = Fields::with_capacity(response.headers.len(), bytes.len());
    for line in response.headers.iter() {
        fields.push(line.name, &String::from_utf8_lossy(line.value));
    }
    let keep_alive = !has_token(&fields, "connection", "close")
        && (response.version == Some(1) || has_token(&fields, "connection", "keep-alive"));
    Ok(Head { status, fields, keep_alive })
}

/// Whether a list field has a token (RFC 9110 §5.6.1).
fn has_token(fields: &Fields, name: &str, token: &str) -> bool {
    let tokens = fields.all(name).flat_map(|value| value.split(','));
    tokens.map(str::trim).any(|found| found.eq_ignore_ascii_case(token))
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
        let codings: Vec<&str> = head.fields.all("transfer-encoding").collect();
        let length = length(&head.fields)?;
        // Both is what response splitting looks like (§6.3, rule 3).
        if !codings.is_empty() && length.is_some() {
            return Err(CallError::Malformed("two ways of framing"));
        }
        if method == Method::Head || matches!(head.status, 204 | 304) {
            return Ok(Framing::Length(0));
        }
        match (codings.as_slice(), length) {
            ([], Some(length)) => Ok(Framing::Length(length)),
            ([], None) => Ok(Framing::UntilClose),
            ([coding], _) if coding.eq_ignore_ascii_case("chunked") => {
                Ok(Framing::Chunked(Box::default()))
            }
            _ => Err(CallError::Malformed("an unknown transfer coding")),
        }
    }

    /// Whether the body is whole. One that lasts until the connection ends never is before.
    pub fn is_done(&self) -> bool {
        match self {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(decoder) => decoder.is_done(),
            Framing::UntilClose => false,
        }
    }

    /// Takes body bytes out of `input`: how many it took, how many it gave.
    pub fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), CallError> {
        let most = match self {
            Framing::Chunked(decoder) => {
                let broken = |_| CallError::Malformed("a broken chunk");
                return decoder.decode(input, out).map_err(broken);
            }
            Framing::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
            Framing::UntilClose => usize::MAX,
        };
        let n = input.len().min(out.len()).min(most);
        out[..n].copy_from_slice(&input[..n]);
        if let Framing::Length(left) = self {
            *left -= n as u64;
        }
        Ok((n, n))
    }
}

/// The one length that all `Content-Length` lines agree on (§6.3, rule 5).
fn length(fields: &Fields) -> Result<Option<u64>, CallError> {
    let mut all = fields.all("content-length").flat_map(|v| v.split(',')).map(str::trim);
    let Some(first) = all.next() else { return Ok(None) };
    let digits = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
    if !digits || all.any(|other| other != first) {
        return Err(CallError::Malformed("the length is not a length"));
    }
    first.parse().map(Some).map_err(|_| CallError::Malformed("the length is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the head at the start of `bytes`, come in pieces of `size`, says about its body.
    fn read(bytes: &[u8], method: Method, size: usize) -> Result<String, CallError> {
        let mut scanner = Scanner::default();
        let mut have = 0_usize;
        let end = loop {
            have = have.saturating_add(size).min(bytes.len());
            match scanner.scan(&bytes[..have])? {
                Some(end) => break end,
                None if have == bytes.len() => return Ok("more".into()),
                None => {}
            }
        };
        let head = parse(&bytes[..end])?;
        let keep = if head.keep_alive { "keep" } else { "close" };
        Ok(match Framing::of(&head, method)? {
            Framing::Length(n) => format!("length {n}, {keep}"),
            Framing::Chunked(_) => format!("chunked, {keep}"),
            Framing::UntilClose => format!("until close, {keep}"),
        })
    }

    fn verdict(head: &str, method: Method) -> String {
        let text = |size| match read(head.as_bytes(), method, size) {
            Ok(text) => text,
            Err(CallError::Malformed(how)) => how.to_owned(),
            Err(e) => panic!("{e}"),
        };
        let whole = text(usize::MAX);
        for size in [1, 2, 3, 7] {
            assert_eq!(text(size), whole, "{head:?} in pieces of {size}");
        }
        whole
    }

    #[test]
    fn framing_follows_rfc_9112() {
        for (lines, expected) in [
            ("1.1 200 OK\r\nContent-Length: 5\r\n", "length 5, keep"),
            ("1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-length: 5\r\n", "length 5, keep"),
            ("1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, Close\r\n", "length 5, close"),
            ("1.0 200 OK\r\nContent-Length: 5\r\n", "length 5, close"),
            ("1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n", "length 5, keep"),
            ("1.1 204 No Content\r\nContent-Length: 5\r\n", "length 0, keep"),
            ("1.1 304 Not Modified\r\nContent-Length: 5\r\n", "length 0, keep"),
            ("1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", "chunked, keep"),
            ("1.1 200 OK\r\n", "until close, keep"),
            ("1.1 200\r\n", "until close, keep"),
            ("1.1 200 \r\n", "until close, keep"),
            ("1.1 200 OK\r\nX-\u{e6}: 1\r\n", "the head is not HTTP/1.1"),
            ("1.1 200 OK\r\nX: \u{e6}\r\n", "until close, keep"),
            ("1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", LENGTH),
            ("1.1 200 OK\r\nContent-Length: +5\r\n", LENGTH),
            ("1.1 200 OK\r\nContent-Length: 5,\r\n", LENGTH),
            ("1.1 200 OK\r\nContent-Length:\r\n", LENGTH),
            ("1.1 200 OK\r\nContent-Length: 0x5\r\n", LENGTH),
            ("1.1 204 No Content\r\nContent-Length: x\r\n", LENGTH),
            ("1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", "the length is too large"),
            ("1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", CODING),
            ("1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", CODING),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n", CODING),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", CODING),
            ("1.1 200 OK\r\nTransfer-Encoding:\r\n", CODING),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", TWO_WAYS),
            ("1.1 304 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", TWO_WAYS),
        ] {
            let head = format!("HTTP/{lines}\r\n");
            assert_eq!(verdict(&head, Method::Get), expected, "{lines:?}");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(verdict(head, Method::Head), "length 0, keep");
    }

    const LENGTH: &str = "the length is not a length";
    const CODING: &str = "an unknown transfer coding";
    const TWO_WAYS: &str = "two ways of framing";

    #[test]
    fn what_is_no_head_is_refused() {
        for (bytes, expected) in [
            ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/2 200\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 20 OK\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 099 X\r\n\r\n", "the status is not a status"),
            ("HTTP/1.1 999 X\r\n\r\n", "the status is not a status"),
            ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nA : c\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\n: c\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "the head is not HTTP/1.1"),
            ("\r\nHTTP/1.1 200 OK\r\n\r\n", "the head is not HTTP/1.1"),
            ("HTTP/1.1 200 OK\n\n", "a line ends without CR"),
            ("HTTP/1.1 200 OK\r\nA: b\n\r\n", "a line ends without CR"),
            ("HTTP/1.1 200 OK\rA: b\r\n\r\n", "a CR inside a line"),
            ("HTTP/1.1 200 OK\r\n\rA: b\r\n", "a CR inside a line"),
            ("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "a control character in the head"),
            ("\x16\x03\x01\x02", "a control character in the head"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r", "more"),
            ("", "more"),
        ] {
            assert_eq!(verdict(bytes, Method::Get), expected, "{bytes:?}");
        }
    }

    #[test]
    fn heads_are_bounded_to_the_byte() {
        let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let many = |count| head(&"a: b\r\n".repeat(count));
        assert_eq!(verdict(&many(MAX_FIELDS), Method::Get), "until close, keep");
        assert_eq!(verdict(&many(MAX_FIELDS + 1), Method::Get), "too many fields");
        let room = MAX_HEAD - head("a: \r\n").len();
        let long = |extra| head(&format!("a: {}\r\n", "x".repeat(room + extra)));
        assert_eq!(verdict(&long(0), Method::Get), "until close, keep");
        assert_eq!(verdict(&long(1), Method::Get), "the head is too large");
        assert_eq!(verdict(&"x".repeat(MAX_HEAD + 1), Method::Get), "the head is too large");
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        let mut out = [0; 4];
        let mut length = Framing::Length(6);
        assert_eq!(length.decode(b"abcdefgh", &mut out).unwrap(), (4, 4));
        assert!(!length.is_done());
        assert_eq!(length.decode(b"efgh", &mut out).unwrap(), (2, 2));
        assert!(length.is_done());
        assert_eq!(length.decode(b"gh", &mut out).unwrap(), (0, 0));
        let mut chunked = Framing::Chunked(Box::default());
        assert_eq!(chunked.decode(b"2\r\nab\r\n0\r\n\r\nHTTP", &mut out).unwrap(), (12, 2));
        assert!(chunked.is_done());
        assert_eq!(Framing::UntilClose.decode(b"ab", &mut out).unwrap(), (2, 2));
        assert!(!Framing::UntilClose.is_done());
    }

    /// However bytes are mangled, there is a verdict, and it does not depend on how they were split.
    #[test]
    fn mangled_answers_get_a_verdict() {
        let seeds = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.0 404 Not Found\r\nA: b\r\nC: d\r\n\r\n",
        ];
        // A small generator (Knuth's), so that a failure can be had again.
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for round in 0..3_000 {
            let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] = b"\r\n :;,0\0\x80A"[next(10)],
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"\r\n :;,0\0\x80A"[next(10)]),
                    _ => bytes.extend_from_within(at..),
                }
            }
            let text = |size| read(&bytes, Method::Get, size).map_err(|e| e.to_string());
            let whole = text(usize::MAX);
            for size in [1, 5] {
                assert_eq!(text(size), whole, "{:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
