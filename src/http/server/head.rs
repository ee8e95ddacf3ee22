//! A request's head as a value, parsed by httparse and judged by RFC 9112 on top: where the RFC lets a
//! recipient guess, this one answers 400. Sans-I/O.
use super::framing::{self, Framing};
use super::head_error::HeadError;
use super::target::{self, Target};
use crate::http::limits::{MAX_FIELDS, MAX_TARGET};
use crate::http::{Fields, Method};
use std::mem::MaybeUninit;

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

/// Parses and judges one whole head, as `Scanner` found it.
pub fn parse(bytes: &[u8]) -> Result<Head, HeadError> {
    if bytes.windows(3).any(|w| w[1] == b'\n' && matches!(w[2], b' ' | b'\t')) {
        return Err(HeadError::Folded);
    }
    let mut lines = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut lines) {
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
    let mut fields = Fields::with_capacity(request.headers.len(), bytes.len());
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

#[cfg(test)]
mod tests {
    use super::super::scanner::Scanner;
    use super::*;

    /// What a whole head comes to, found first as the connection would.
    fn judged(head: &str) -> Result<Head, HeadError> {
        let found = Scanner::default().scan(head.as_bytes())?.expect("a whole head");
        parse(&head.as_bytes()[found])
    }

    fn with_fields(lines: &str) -> Result<Head, HeadError> {
        judged(&format!("POST /a HTTP/1.1\r\n{lines}\r\n"))
    }

    #[test]
    fn a_head_as_browsers_send_it() {
        let head = judged(
            "GET /c/bob.example?x=%20y?z HTTP/1.1\r\nHost: chat.example:8080\r\n\
             User-Agent:  Mozilla/5.0 \t\r\nCookie: a=b\r\ncookie: c=d\r\nX-Empty:\r\n\r\n",
        )
        .unwrap();
        assert_eq!((head.method, head.http11), (Method::Get, true));
        assert_eq!(
            (head.path.as_str(), head.query.as_deref()),
            ("/c/bob.example", Some("x=%20y?z"))
        );
        assert_eq!(head.fields.get("user-agent"), Some("Mozilla/5.0"));
        assert_eq!(head.fields.all("cookie").collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert_eq!(head.fields.get("x-empty"), Some(""));
        assert_eq!((head.framing, head.expects_continue), (Framing::None, false));
    }

    #[test]
    fn request_lines() {
        for (line, expected) in [
            ("GET / HTTP/1.1", None),
            ("GET / HTTP/1.0", None),
            ("GET  / HTTP/1.1", Some(400)),
            ("GET / HTTP/1.1 ", Some(400)),
            (" GET / HTTP/1.1", Some(400)),
            ("GET /", Some(400)),
            ("GET / http/1.1", Some(400)),
            ("GET / HTTP/1.1x", Some(400)),
            ("GET / HTTP/11", Some(400)),
            ("GET /\t/ HTTP/1.1", Some(400)),
            ("GET /a b HTTP/1.1", Some(400)),
            ("G(T / HTTP/1.1", Some(400)),
            ("GET / HTTP/1.2", Some(505)),
            ("GET / HTTP/2.0", Some(505)),
            ("GET / HTTP/0.9", Some(505)),
            ("PRI * HTTP/2.0", Some(505)),
            ("get / HTTP/1.1", Some(501)),
            ("BREW /pot HTTP/1.1", Some(501)),
            ("TRACE / HTTP/1.1", Some(501)),
            ("CONNECT x:443 HTTP/1.1", Some(501)),
        ] {
            let got = judged(&format!("{line}\r\nHost: x\r\n\r\n")).err().map(HeadError::status);
            assert_eq!(got, expected, "{line:?}");
        }
    }

    #[test]
    fn targets_longer_than_the_limit() {
        let line = |length| format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(length - 1));
        assert!(judged(&line(MAX_TARGET)).is_ok());
        assert_eq!(judged(&line(MAX_TARGET + 1)).unwrap_err().status(), 414);
    }

    #[test]
    fn broken_field_lines() {
        for lines in [
            "Host : x\r\n",
            "Host: x\r\n folded: y\r\n",
            "Host: x\r\nA: b\r\n\tc\r\n",
            "Host: x\r\nnocolon\r\n",
            "Host: x\r\n: empty\r\n",
            "Host: x\r\nA b: c\r\n",
            "Host: x\r\nA\u{e9}: c\r\n",
        ] {
            assert_eq!(with_fields(lines).unwrap_err().status(), 400, "{lines:?}");
        }
    }

    #[test]
    fn hosts() {
        for (lines, expected) in [
            ("Host: x\r\n", None),
            ("Host: x.example:8080\r\n", None),
            ("Host: [::1]:80\r\n", None),
            ("Host: x:\r\n", None),
            ("", Some(HeadError::HostMissing)),
            ("Host: x\r\nHost: x\r\n", Some(HeadError::HostTwice)),
            ("Host: x\r\nhOST: y\r\n", Some(HeadError::HostTwice)),
            ("Host:\r\n", Some(HeadError::Host)),
            ("Host: a b\r\n", Some(HeadError::Host)),
            ("Host: a/b\r\n", Some(HeadError::Host)),
            ("Host: u@x\r\n", Some(HeadError::Host)),
            ("Host: x:99999\r\n", Some(HeadError::Host)),
            ("Host: x:8o\r\n", Some(HeadError::Host)),
            ("Host: [::1\r\n", Some(HeadError::Host)),
            ("Host: ::1\r\n", Some(HeadError::Host)),
        ] {
            assert_eq!(with_fields(lines).err(), expected, "{lines:?}");
        }
        assert!(judged("GET / HTTP/1.0\r\n\r\n").is_ok(), "HTTP/1.0 has no Host");
    }

    #[test]
    fn absolute_form_takes_its_own_host() {
        let head = judged("GET HTTP://Chat.example:80?q HTTP/1.1\r\nHost: other\r\n\r\n").unwrap();
        assert_eq!((head.path.as_str(), head.query.as_deref()), ("/", Some("q")));
        assert_eq!(head.fields.all("host").collect::<Vec<_>>(), ["Chat.example:80"]);
        for target in ["ftp://x/", "http://", "http:///a", "http://u@x/", "x", "x:443", "", "*"] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(judged(&head).unwrap_err().status(), 400, "{target:?}");
        }
        let asterisk = judged("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(asterisk.unwrap_err(), HeadError::Asterisk);
        let fragment = judged("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(fragment.unwrap_err(), HeadError::Target);
    }

    #[test]
    fn bodies_are_framed_one_way_or_not_at_all() {
        let huge = "Content-Length: 18446744073709551616\r\n";
        for (lines, expected) in [
            ("", Ok(Framing::None)),
            ("Content-Length: 0\r\n", Ok(Framing::None)),
            ("Content-Length: 007\r\n", Ok(Framing::Length(7))),
            ("Transfer-Encoding: Chunked\r\n", Ok(Framing::Chunked)),
            ("Content-Length: +5\r\n", Err(HeadError::Length)),
            ("Content-Length: -5\r\n", Err(HeadError::Length)),
            ("Content-Length: 5 5\r\n", Err(HeadError::Length)),
            ("Content-Length: 5,5\r\n", Err(HeadError::Length)),
            ("Content-Length: 5, 5\r\n", Err(HeadError::Length)),
            ("Content-Length: 0x5\r\n", Err(HeadError::Length)),
            ("Content-Length: five\r\n", Err(HeadError::Length)),
            ("Content-Length:\r\n", Err(HeadError::Length)),
            ("Content-Length: \u{0665}\r\n", Err(HeadError::Length)),
            (huge, Err(HeadError::Length)),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", Err(HeadError::LengthTwice)),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Err(HeadError::LengthTwice)),
            (
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                Err(HeadError::LengthAndCoding),
            ),
            ("Transfer-Encoding: gzip\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding: gzip, chunked\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding: identity\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding: chunked, chunked\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding: xchunked\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding: \"chunked\"\r\n", Err(HeadError::UnknownCoding)),
            ("Transfer-Encoding:\r\n", Err(HeadError::UnknownCoding)),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                Err(HeadError::UnknownCoding),
            ),
        ] {
            let got = with_fields(&format!("Host: x\r\n{lines}")).map(|head| head.framing);
            assert_eq!(got, expected, "{lines:?}");
        }
        let old = judged("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(old.unwrap_err(), HeadError::CodingInHttp10);
    }

    #[test]
    fn expectations() {
        let expects = |lines: &str| {
            with_fields(&format!("Host: x\r\nContent-Length: 1\r\n{lines}"))
                .map(|head| head.expects_continue)
        };
        assert_eq!(expects(""), Ok(false));
        assert_eq!(expects("Expect: 100-Continue\r\n"), Ok(true));
        assert_eq!(expects("Expect: tea\r\n"), Err(HeadError::UnknownExpectation));
        let old = judged("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").unwrap();
        assert!(!old.expects_continue, "HTTP/1.0 knows no 100");
    }

    #[test]
    fn whatever_comes_there_is_a_verdict() {
        let good = "POST /a?b HTTP/1.1\r\nHost: x:80\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";
        let spare = b"\r\n\t :;,\0/*#?%[]@-+09azAZ\x7f\x80\xff";
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        for _ in 0..20_000 {
            let mut bytes = good.as_bytes().to_vec();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] = spare[next(spare.len())],
                    1 => bytes.insert(at, spare[next(spare.len())]),
                    _ => drop(bytes.remove(at)),
                }
            }
            if let Ok(Some(found)) = Scanner::default().scan(&bytes)
                && let Err(e) = parse(&bytes[found])
            {
                assert!([400, 414, 417, 431, 501, 505].contains(&e.status()), "{e:?}");
            }
        }
    }
}
