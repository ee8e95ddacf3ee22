//! A request's head as a value: found in the bytes as they come, then parsed and judged.
//!
//! Sans-I/O. `Scanner` walks each byte once, however they are split, and refuses what can be
//! refused early (limits, bare CR or LF, control bytes) before anything is allocated; `parse` gets
//! the whole head from httparse and applies RFC 9112's rules on top. Where the RFC lets a recipient
//! guess, this one answers 400.
use super::framing::{self, Framing};
use super::limits::{MAX_FIELDS, MAX_HEAD, MAX_TARGET};
use super::target::{self, Target};
use super::{Fields, Method};
use std::fmt;
use std::ops::Range;

#[derive(Debug)]
pub struct Head {
    pub method: Method,
    pub path: String,
    pub query: Option<String>,
    /// HTTP/1.0 when false.
    pub http11: bool,
    pub fields: Fields,
    pub framing: Framing,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// The rule a head broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadError {
    TooLarge,
    TooManyFields,
    TargetTooLong,
    BareCr,
    BareLf,
    Control,
    Folded,
    RequestLine,
    FieldLine,
    Version,
    UnknownMethod,
    Target,
    Asterisk,
    HostMissing,
    HostTwice,
    Host,
    Length,
    LengthTwice,
    LengthAndCoding,
    UnknownCoding,
    CodingInHttp10,
    UnknownExpectation,
    CutShort,
}

impl HeadError {
    pub fn status(self) -> u16 {
        match self {
            HeadError::TooLarge | HeadError::TooManyFields => 431,
            HeadError::TargetTooLong => 414,
            HeadError::Version => 505,
            HeadError::UnknownMethod | HeadError::Asterisk => 501,
            HeadError::UnknownExpectation => 417,
            _ => 400,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            HeadError::TooLarge => ("the head is larger than 16 KiB", "RFC 6585 §5"),
            HeadError::TooManyFields => ("more than 100 field lines", "RFC 6585 §5"),
            HeadError::TargetTooLong => ("the target is longer than 8 KiB", "RFC 9110 §15.5.15"),
            HeadError::BareCr => ("a CR without LF", "RFC 9112 §2.2"),
            HeadError::BareLf => ("an LF without CR", "RFC 9112 §2.2"),
            HeadError::Control => ("a control byte in the head", "RFC 9110 §5.5"),
            HeadError::Folded => ("a folded field line", "RFC 9112 §5.2"),
            HeadError::RequestLine => ("a broken request line", "RFC 9112 §3"),
            HeadError::FieldLine => ("a broken field line", "RFC 9112 §5.1"),
            HeadError::Version => ("only HTTP/1.0 and HTTP/1.1 are spoken", "RFC 9110 §15.6.6"),
            HeadError::UnknownMethod => ("a method nobody here knows", "RFC 9110 §9.1"),
            HeadError::Target => ("a broken request target", "RFC 9112 §3.2"),
            HeadError::Asterisk => ("OPTIONS * is not served", "RFC 9112 §3.2.4"),
            HeadError::HostMissing => ("no Host field", "RFC 9112 §3.2"),
            HeadError::HostTwice => ("more than one Host field", "RFC 9112 §3.2"),
            HeadError::Host => ("a broken Host field", "RFC 9112 §3.2"),
            HeadError::Length => ("a broken Content-Length", "RFC 9112 §6.3"),
            HeadError::LengthTwice => ("more than one Content-Length", "RFC 9112 §6.3"),
            HeadError::LengthAndCoding => {
                ("both Content-Length and Transfer-Encoding", "RFC 9112 §6.3")
            }
            HeadError::UnknownCoding => ("a transfer coding other than chunked", "RFC 9112 §6.1"),
            HeadError::CodingInHttp10 => ("Transfer-Encoding in HTTP/1.0", "RFC 9112 §6.1"),
            HeadError::UnknownExpectation => {
                ("an expectation other than 100-continue", "RFC 9110 §10.1.1")
            }
            HeadError::CutShort => ("the head ends in the middle", "RFC 9112 §8"),
        }
    }

    pub fn section(self) -> &'static str {
        self.words().1
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().0)
    }
}

/// Finds the end of a head in a buffer that only grows.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Bytes looked at so far.
    at: usize,
    /// Where the request line starts: behind an empty line a client may put before it (RFC 9112
    /// §2.2), if it did.
    start: usize,
    /// Where the line being read starts.
    line: usize,
    fields: usize,
    after_cr: bool,
}

impl Scanner {
    /// Looks at what is new in `bytes`, which must begin with all that was given before. `None`
    /// while the head is incomplete; else where it lies, its last empty line included.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, HeadError> {
        while let Some(&byte) = bytes.get(self.at) {
            if self.at - self.start >= MAX_HEAD {
                return Err(self.overrun());
            }
            self.at += 1;
            match byte {
                b'\n' if !self.after_cr => return Err(HeadError::BareLf),
                b'\n' => {
                    self.after_cr = false;
                    if let Some(found) = self.line_ended()? {
                        return Ok(Some(found));
                    }
                }
                _ if self.after_cr => return Err(HeadError::BareCr),
                b'\r' => self.after_cr = true,
                b'\t' | b' '..=b'~' | 0x80.. => {
                    if self.in_request_line() && self.at - self.line > MAX_TARGET + 64 {
                        return Err(HeadError::TargetTooLong);
                    }
                }
                _ => return Err(HeadError::Control),
            }
        }
        Ok(None)
    }

    /// Whether any byte of a request has come: an empty line alone is none.
    pub fn has_begun(&self) -> bool {
        self.at > self.start
    }

    fn in_request_line(&self) -> bool {
        self.line == self.start
    }

    fn overrun(&self) -> HeadError {
        if self.in_request_line() { HeadError::TargetTooLong } else { HeadError::TooLarge }
    }

    fn line_ended(&mut self) -> Result<Option<Range<usize>>, HeadError> {
        let empty = self.at - self.line == 2;
        if empty && self.in_request_line() {
            if self.start > 0 {
                return Err(HeadError::RequestLine);
            }
            self.start = self.at;
        } else if empty {
            return Ok(Some(self.start..self.at));
        } else if !self.in_request_line() {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return Err(HeadError::TooManyFields);
            }
        }
        self.line = self.at;
        Ok(None)
    }
}

/// Parses and judges one whole head, as `Scanner` found it.
pub fn parse(bytes: &[u8]) -> Result<Head, HeadError> {
    if bytes.windows(3).any(|w| w[1] == b'\n' && matches!(w[2], b' ' | b'\t')) {
        return Err(HeadError::Folded);
    }
    let mut lines = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut lines);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(n)) if n == bytes.len() => {}
        Ok(_) => return Err(HeadError::RequestLine),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooManyFields),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            return Err(HeadError::FieldLine);
        }
        Err(_) => return Err(request_line_error(bytes)),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(HeadError::RequestLine);
    };
    let http11 = minor == 1;
    if target.len() > MAX_TARGET {
        return Err(HeadError::TargetTooLong);
    }
    let mut fields = Fields::with_capacity(request.headers.len());
    for line in request.headers.iter() {
        fields.push(line.name, &String::from_utf8_lossy(line.value));
    }
    let method = method_named(method)?;
    let Target { path, query, authority } = target::parse(method, target)?;
    check_host(&mut fields, http11, authority)?;
    let framing = framing::of_request(&fields, http11)?;
    let expects_continue = http11 && expectation(&fields)?;
    Ok(Head { method, path, query, http11, fields, framing, expects_continue })
}

/// Method names are case-sensitive (RFC 9110 §9.1). CONNECT and TRACE are among the unknown ones.
fn method_named(name: &str) -> Result<Method, HeadError> {
    Ok(match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        _ => return Err(HeadError::UnknownMethod),
    })
}

/// Tells a version we do not speak (505, the HTTP/2 preface among them) from a broken line (400).
fn request_line_error(bytes: &[u8]) -> HeadError {
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or(bytes);
    let mut parts = line.split(|b| *b == b' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (
            Some([_, ..]),
            Some([_, ..]),
            Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]),
            None,
        ) if major.is_ascii_digit()
            && minor.is_ascii_digit()
            && !(*major == b'1' && *minor <= b'1') =>
        {
            HeadError::Version
        }
        _ => HeadError::RequestLine,
    }
}

/// RFC 9112 §3.2: exactly one valid Host, HTTP/1.0 clients may leave it out. In absolute form the
/// target's own authority takes its place (§3.2.2).
fn check_host(
    fields: &mut Fields,
    http11: bool,
    authority: Option<String>,
) -> Result<(), HeadError> {
    let hosts: Vec<&str> = fields.all("host").collect();
    match hosts[..] {
        [] if http11 => return Err(HeadError::HostMissing),
        [host] if !target::is_authority(host) => return Err(HeadError::Host),
        [_, _, ..] => return Err(HeadError::HostTwice),
        _ => {}
    }
    if let Some(authority) = authority {
        fields.replace("host", &authority);
    }
    Ok(())
}

/// RFC 9110 §10.1.1.
fn expectation(fields: &Fields) -> Result<bool, HeadError> {
    let mut expects = false;
    for value in fields.all("expect") {
        if !value.eq_ignore_ascii_case("100-continue") {
            return Err(HeadError::UnknownExpectation);
        }
        expects = true;
    }
    Ok(expects)
}
