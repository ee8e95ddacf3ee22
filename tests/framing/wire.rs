//! A reader of requests of its own, made for this test and stricter than either side: where it finds
//! anything that two servers could read in two ways it says so.

/// What one side sent on one connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Method and target of each request whose head is whole.
    pub requests: Vec<String>,
    /// The last request is not whole.
    pub is_cut: bool,
    /// The last request could be read in two ways, or in none. What follows it is not looked at.
    pub is_ambiguous: bool,
}

/// How a body is framed.
enum Body {
    Length(usize),
    Chunks,
}

pub fn read(mut bytes: &[u8]) -> Read {
    let mut read = Read::default();
    while !bytes.is_empty() {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            read.is_cut = true;
            break;
        };
        let Some((request, body)) = head(&bytes[..end + 2]) else {
            read.requests.push("?".to_owned());
            read.is_ambiguous = true;
            break;
        };
        read.requests.push(request);
        bytes = &bytes[end + 4..];
        let rest = match body {
            Body::Length(length) => bytes.get(length..).ok_or(Broken::Cut),
            Body::Chunks => chunks(bytes),
        };
        match rest {
            Ok(rest) => bytes = rest,
            Err(Broken::Cut) => {
                read.is_cut = true;
                break;
            }
            Err(Broken::Ambiguous) => {
                read.is_ambiguous = true;
                break;
            }
        }
    }
    read
}

enum Broken {
    Cut,
    Ambiguous,
}

/// `None` where anything is odd.
fn head(head: &[u8]) -> Option<(String, Body)> {
    // Values may hold bytes beyond ASCII, which frame nothing.
    let text = String::from_utf8_lossy(head);
    let mut lines = text.strip_suffix("\r\n")?.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_line_plain = words.next().is_none() && matches!(version, "HTTP/1.1" | "HTTP/1.0");
    if !is_line_plain || method.is_empty() || target.is_empty() {
        return None;
    }
    let (mut lengths, mut codings) = (Vec::new(), Vec::new());
    for line in lines {
        if line.as_bytes().iter().any(is_control) {
            return None;
        }
        let (name, value) = line.split_once(':')?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let value = value.trim_matches([' ', '\t']).to_owned();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => lengths.push(value),
            "transfer-encoding" => codings.push(value),
            _ => {}
        }
    }
    let body = match (&lengths[..], &codings[..]) {
        ([], []) => Body::Length(0),
        ([length], []) if length.bytes().all(|b| b.is_ascii_digit()) => {
            Body::Length(length.parse().ok()?)
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && version == "HTTP/1.1" => {
            Body::Chunks
        }
        _ => return None,
    };
    Some((format!("{method} {target}"), body))
}

/// What comes behind the last chunk and its trailers.
fn chunks(mut bytes: &[u8]) -> Result<&[u8], Broken> {
    loop {
        let end = find(bytes, b"\r\n").ok_or(Broken::Cut)?;
        let line = &bytes[..end];
        if line.is_empty() || line.len() > 15 || !line.iter().all(u8::is_ascii_hexdigit) {
            return Err(Broken::Ambiguous);
        }
        let line = std::str::from_utf8(line).map_err(|_| Broken::Ambiguous)?;
        let size = usize::from_str_radix(line, 16).map_err(|_| Broken::Ambiguous)?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return trailers(bytes);
        }
        bytes = match (bytes.get(size..), bytes.get(size..size + 2)) {
            (Some(rest), Some(b"\r\n")) => &rest[2..],
            (_, Some(_)) => return Err(Broken::Ambiguous),
            _ => return Err(Broken::Cut),
        };
    }
}

fn trailers(mut bytes: &[u8]) -> Result<&[u8], Broken> {
    loop {
        let end = find(bytes, b"\r\n").ok_or(Broken::Cut)?;
        let line = &bytes[..end];
        bytes = &bytes[end + 2..];
        if line.is_empty() {
            return Ok(bytes);
        }
        if line.len() > 1000 || !line.contains(&b':') || line.iter().any(is_control) {
            return Err(Broken::Ambiguous);
        }
    }
}

fn is_control(byte: &u8) -> bool {
    *byte < b' ' && *byte != b'\t' || *byte == 0x7f
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
