//! Chunked bodies: the same verdict however they are split, and the verdict of a simple reader that
//! has the whole body before it.
use super::{choice, ways};
use crate::http::chunked::{self, Decoder, is_token_byte};

#[derive(Debug, PartialEq)]
enum Verdict {
    /// The data, and how many bytes follow the body.
    Whole(Vec<u8>, usize),
    More,
    Bad,
}

/// Decodes `bytes`, come in pieces that end at `ends`, into a buffer of `room`.
fn decoded(bytes: &[u8], ends: &[usize], room: usize) -> Verdict {
    let (mut decoder, mut data, mut at) = (Decoder::default(), Vec::new(), 0);
    let mut out = vec![0; room];
    for &end in ends {
        loop {
            let Ok((taken, given)) = decoder.decode(&bytes[at..end], &mut out) else {
                return Verdict::Bad;
            };
            assert!(given <= taken && given <= room && taken <= end - at);
            at += taken;
            data.extend_from_slice(&out[..given]);
            if decoder.is_done() {
                return Verdict::Whole(data, bytes.len() - at);
            }
            if taken == 0 {
                break;
            }
        }
    }
    assert_eq!(at, bytes.len(), "nothing is left lying");
    Verdict::More
}

/// RFC 9112 §7.1, read from a whole body; limits left out.
fn simply(bytes: &[u8]) -> Verdict {
    let (mut rest, mut data) = (bytes, Vec::new());
    loop {
        let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if digits > 15 {
            return Verdict::Bad;
        }
        let (size, after) = rest.split_at(digits);
        if after.is_empty() {
            return Verdict::More;
        }
        let size = std::str::from_utf8(size).ok().and_then(|s| usize::from_str_radix(s, 16).ok());
        let Some(size) = size else { return Verdict::Bad };
        let text = |b: &&u8| **b == b'\t' || (**b >= b' ' && **b != 0x7f);
        let extension = match after[0] {
            b';' => after.iter().take_while(text).count(),
            _ => 0,
        };
        rest = match line_end(&after[extension..]) {
            Ok(rest) => rest,
            Err(verdict) => return verdict,
        };
        if size == 0 {
            break;
        }
        data.extend_from_slice(&rest[..size.min(rest.len())]);
        if rest.len() < size {
            return Verdict::More;
        }
        rest = match line_end(&rest[size..]) {
            Ok(rest) => rest,
            Err(verdict) => return verdict,
        };
    }
    loop {
        let name = rest.iter().take_while(|b| is_token_byte(**b)).count();
        if name == 0 {
            return match line_end(rest) {
                Ok(rest) => Verdict::Whole(data, rest.len()),
                Err(verdict) => verdict,
            };
        }
        match rest.get(name) {
            None => return Verdict::More,
            Some(b':') => {}
            Some(_) => return Verdict::Bad,
        }
        let text = |b: &&u8| **b == b'\t' || (**b >= b' ' && **b != 0x7f);
        let value = rest[name + 1..].iter().take_while(text).count();
        rest = match line_end(&rest[name + 1 + value..]) {
            Ok(rest) => rest,
            Err(verdict) => return verdict,
        };
    }
}

/// What follows a CRLF.
fn line_end(bytes: &[u8]) -> Result<&[u8], Verdict> {
    match bytes {
        [b'\r', b'\n', rest @ ..] => Ok(rest),
        [] | [b'\r'] => Err(Verdict::More),
        _ => Err(Verdict::Bad),
    }
}

pub fn check(bytes: &[u8]) {
    let rooms = [64 * 1024, 1, 7, 64];
    let mut whole: Option<Verdict> = None;
    for (ends, room) in ways(bytes).iter().zip(rooms) {
        let now = decoded(bytes, ends, room);
        match &whole {
            Some(whole) => assert_eq!(*whole, now, "{} pieces into {room}", ends.len()),
            None => whole = Some(now),
        }
    }
    // Below the limits of extensions and trailers, which the simple reader does not have.
    if bytes.len() < 4096 {
        assert_eq!(whole, Some(simply(bytes)));
    }
    round_trip(bytes);
}

/// Any data, sent in pieces, arrives, and what follows it is left alone.
fn round_trip(data: &[u8]) {
    let mut framed = Vec::new();
    for piece in data.chunks(1 + (choice(data) % 40) as usize) {
        chunked::encode(piece, &mut framed);
    }
    framed.extend_from_slice(chunked::END);
    framed.extend_from_slice(b"GET");
    let length = framed.len();
    assert_eq!(decoded(&framed, &[length], 50), Verdict::Whole(data.to_vec(), 3));
}
