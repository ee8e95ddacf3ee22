//! A connection full of requests: heads, their framing, and bodies, however the bytes are split.
use super::{is_line, ways};
use crate::http::chunked::{Decoder, is_token_byte};
use crate::http::limits::{MAX_FIELDS, MAX_HEAD, MAX_TARGET};
use crate::http::server::framing::Framing;
use crate::http::server::head::{self, Head};
use crate::http::server::head_error::HeadError;
use crate::http::server::scanner::Scanner;

/// What a connection made of its bytes.
#[derive(Debug, PartialEq)]
pub struct Seen {
    /// Each whole head as it was understood, and its body, if that was whole.
    pub requests: Vec<(String, Option<Vec<u8>>)>,
    pub end: End,
}

#[derive(Debug, PartialEq)]
pub enum End {
    /// More bytes would be waited for; so many are left.
    More(usize),
    Refused(HeadError),
    BadChunk,
}

/// Where a connection stands.
enum Place {
    Head(Scanner),
    Length(u64),
    Chunks(Decoder),
}

/// Reads `bytes` as a connection would, in pieces that end at `ends`; `look` is shown each head.
pub fn read(bytes: &[u8], ends: &[usize], look: &mut dyn FnMut(&[u8], &Head)) -> Seen {
    let (mut at, mut place) = (0, Place::Head(Scanner::default()));
    let (mut requests, mut body) = (Vec::new(), Vec::new());
    for &end in ends {
        loop {
            let here = &bytes[at..end];
            match &mut place {
                Place::Head(scanner) => match scanner.scan(here) {
                    Err(e) => return Seen { requests, end: End::Refused(e) },
                    Ok(None) => break,
                    Ok(Some(found)) => {
                        let head = match head::parse(&here[found.clone()]) {
                            Err(e) => return Seen { requests, end: End::Refused(e) },
                            Ok(head) => head,
                        };
                        look(&here[found.clone()], &head);
                        at += found.end;
                        let whole = (head.framing == Framing::None).then(Vec::new);
                        requests.push((format!("{head:?}"), whole));
                        place = match head.framing {
                            Framing::None => Place::Head(Scanner::default()),
                            Framing::Length(length) => Place::Length(length),
                            Framing::Chunked => Place::Chunks(Decoder::default()),
                        };
                    }
                },
                Place::Length(left) => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(here.len());
                    body.extend_from_slice(&here[..most]);
                    at += most;
                    *left -= most as u64;
                    if *left > 0 {
                        break;
                    }
                    finish(&mut requests, &mut body);
                    place = Place::Head(Scanner::default());
                }
                Place::Chunks(decoder) => {
                    let mut out = [0; 64];
                    let Ok((taken, given)) = decoder.decode(here, &mut out) else {
                        return Seen { requests, end: End::BadChunk };
                    };
                    at += taken;
                    body.extend_from_slice(&out[..given]);
                    if decoder.is_done() {
                        finish(&mut requests, &mut body);
                        place = Place::Head(Scanner::default());
                    } else if taken == 0 {
                        break;
                    }
                }
            }
        }
    }
    Seen { requests, end: End::More(bytes.len() - at) }
}

fn finish(requests: &mut [(String, Option<Vec<u8>>)], body: &mut Vec<u8>) {
    requests.last_mut().expect("a body has a head").1 = Some(std::mem::take(body));
}

pub fn check(bytes: &[u8]) {
    let mut seen: Option<Seen> = None;
    for ends in ways(bytes) {
        let first = seen.is_none();
        let now = read(bytes, &ends, &mut |bytes, head| {
            if first {
                judge(bytes, head);
            }
        });
        match &seen {
            Some(seen) => assert_eq!(*seen, now, "split in {} pieces", ends.len()),
            None => seen = Some(now),
        }
    }
}

/// The lines of a head after the first, as a simple reader has them.
fn lines(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n").skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').expect("a field has a colon");
            (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned())
        })
        .collect()
}

/// What must hold of every head that was taken.
fn judge(bytes: &[u8], head: &Head) {
    assert!(bytes.len() <= MAX_HEAD);
    let target = head.path.len() + head.query.as_ref().map_or(0, |query| 1 + query.len());
    assert!(head.path.starts_with('/') && target <= MAX_TARGET);
    let graphic = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    assert!(graphic(&head.path) && !head.path.contains('?'));
    assert!(head.query.as_deref().is_none_or(graphic));

    let lines = lines(bytes);
    assert!(lines.len() <= MAX_FIELDS);
    for (name, value) in &lines {
        assert!(!name.is_empty() && name.bytes().all(is_token_byte), "{name:?}");
        assert!(is_line(value), "{value:?}");
    }
    let all = |name: &str| -> Vec<&str> {
        lines.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
    };
    assert!(all("host").len() == 1 || (!head.http11 && all("host").is_empty()));
    let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
    match head.framing {
        Framing::Chunked => {
            assert!(head.http11 && lengths.is_empty() && codings.len() == 1);
            assert!(codings[0].eq_ignore_ascii_case("chunked"));
        }
        Framing::None if lengths.is_empty() => assert!(codings.is_empty()),
        Framing::None | Framing::Length(_) => {
            assert!(codings.is_empty() && lengths.len() == 1);
            assert!(lengths[0].bytes().all(|b| b.is_ascii_digit()));
            let length = if let Framing::Length(length) = head.framing { length } else { 0 };
            assert_eq!(lengths[0].parse(), Ok(length));
        }
    }
    assert!(!head.expects_continue || !all("expect").is_empty());
    print_and_read_again(head, &lines);
}

/// What was understood, written down, is understood alike.
fn print_and_read_again(head: &Head, lines: &[(String, String)]) {
    let query = head.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
    let version = if head.http11 { "1.1" } else { "1.0" };
    let mut text = format!("{} {}{query} HTTP/{version}\r\n", head.method.as_str(), head.path);
    let mut names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    names.push("host"); // absolute form has it elsewhere
    names.sort_unstable();
    names.dedup();
    for name in &names {
        for value in head.fields.all(name) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    if text.len() > MAX_HEAD || names.len() > MAX_FIELDS {
        return; // bytes that are not UTF-8 grow when they are replaced
    }
    let found = Scanner::default().scan(text.as_bytes());
    assert_eq!(found, Ok(Some(0..text.len())), "{text:?}");
    let again = head::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    assert_eq!((again.method, &again.path, &again.query), (head.method, &head.path, &head.query));
    assert_eq!((again.framing, again.http11), (head.framing, head.http11));
    assert_eq!(again.expects_continue, head.expects_continue);
    for name in names {
        assert!(again.fields.all(name).eq(head.fields.all(name)), "{name}");
    }
}
