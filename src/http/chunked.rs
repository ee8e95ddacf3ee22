//! The chunked coding (RFC 9112 §7.1): a decoder fed by anyone, and the frame around what we send.
//!
//! Strict where others guess: no blank before or after a size, CRLF everywhere, extensions and
//! trailers checked, bounded and dropped.
use super::limits::{MAX_CHUNK_EXTENSIONS, MAX_TRAILERS};

#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Bytes left in the current chunk; while `Size`, the size so far.
    left: u64,
    extensions: usize,
    trailers: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Digits of a size seen so far.
    Size(u8),
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the final empty line.
    LineStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    FinalLf,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk;

impl Default for Decoder {
    fn default() -> Self {
        Decoder { state: State::Size(0), left: 0, extensions: 0, trailers: 0 }
    }
}

impl Decoder {
    /// Takes framing and data from `input`, puts data into `out`; tells how many bytes it took and
    /// how many it gave. Stops at the body's end, a full `out` or an empty `input`. What came before
    /// something broken is given first, so that it is the same however the bytes were split.
    pub fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), BadChunk> {
        let (mut taken, mut given) = (0, 0);
        while taken < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let run = (input.len() - taken).min(out.len() - given);
                let run = run.min(usize::try_from(self.left).unwrap_or(usize::MAX));
                if run == 0 {
                    break;
                }
                out[given..given + run].copy_from_slice(&input[taken..taken + run]);
                (taken, given, self.left) = (taken + run, given + run, self.left - run as u64);
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            } else {
                self.state = match self.step(input[taken]) {
                    Ok(state) => state,
                    Err(_) if given > 0 => break,
                    Err(e) => return Err(e),
                };
                taken += 1;
            }
        }
        Ok((taken, given))
    }

    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn step(&mut self, byte: u8) -> Result<State, BadChunk> {
        Ok(match (self.state, byte) {
            (State::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                // Fifteen digits cannot overflow, and no body here comes near them.
                if digits == 15 {
                    return Err(BadChunk);
                }
                let digit = (byte as char).to_digit(16).ok_or(BadChunk)?;
                self.left = self.left << 4 | u64::from(digit);
                State::Size(digits + 1)
            }
            (State::Size(1..), b';') => State::Extension,
            (State::Size(1..), b'\r') | (State::Extension, b'\r') => State::SizeLf,
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extensions += 1;
                if self.extensions > MAX_CHUNK_EXTENSIONS {
                    return Err(BadChunk);
                }
                State::Extension
            }
            (State::SizeLf, b'\n') if self.left == 0 => State::LineStart,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size(0),
            (State::LineStart, b'\r') => State::FinalLf,
            (State::FinalLf, b'\n') => State::Done,
            (State::LineStart | State::TrailerName, b) if is_token_byte(b) => {
                self.count_trailer()?;
                State::TrailerName
            }
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerLf,
            (State::TrailerLf, b'\n') => State::LineStart,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.count_trailer()?;
                State::TrailerValue
            }
            _ => return Err(BadChunk),
        })
    }

    fn count_trailer(&mut self) -> Result<(), BadChunk> {
        self.trailers += 1;
        if self.trailers > MAX_TRAILERS { Err(BadChunk) } else { Ok(()) }
    }
}

/// RFC 9110 §5.6.2.
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Frames `data` as one chunk behind what is in `out`; never an empty one, which would end the body.
pub fn encode(data: &[u8], out: &mut Vec<u8>) {
    if !data.is_empty() {
        out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
}

/// The last chunk and the empty trailer section.
pub const END: &[u8] = b"0\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `bytes` in pieces of `size` into a buffer of `room`; the data, and what was left
    /// behind the body's end.
    fn fed(bytes: &[u8], size: usize, room: usize) -> Result<Option<(Vec<u8>, usize)>, BadChunk> {
        let mut decoder = Decoder::default();
        let (mut data, mut at, mut have) = (Vec::new(), 0, 0);
        let mut out = vec![0; room];
        loop {
            let (taken, given) = decoder.decode(&bytes[at..have], &mut out)?;
            at += taken;
            data.extend_from_slice(&out[..given]);
            if decoder.is_done() {
                return Ok(Some((data, bytes.len() - at)));
            }
            if taken == 0 && given == 0 {
                if have == bytes.len() {
                    return Ok(None);
                }
                have = (have + size).min(bytes.len());
            }
        }
    }

    fn decoded(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, BadChunk> {
        let whole = fed(bytes, bytes.len(), 64 * 1024);
        for size in 1..bytes.len().min(40) {
            for room in [1, 3, 64] {
                assert_eq!(fed(bytes, size, room), whole, "pieces of {size} into {room}");
            }
        }
        whole
    }

    #[test]
    fn bodies_in_chunks() {
        for (bytes, data, left) in [
            (&b"0\r\n\r\n"[..], &b""[..], 0),
            (b"5\r\nhello\r\n0\r\n\r\n", b"hello", 0),
            (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /", b"hello world", 5),
            (b"A\r\n0123456789\r\n000\r\n\r\n", b"0123456789", 0),
            (b"1;a=b;c=\"d e\"\r\nx\r\n0;last\r\n\r\n", b"x", 0),
            (b"1\r\nx\r\n0\r\nExpires: never\r\nx-y:\r\n\r\n!", b"x", 1),
            (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", 0),
        ] {
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(decoded(bytes), Ok(Some((data.to_vec(), left))), "{text:?}");
        }
        assert_eq!(decoded(b"5\r\nhel"), Ok(None), "incomplete");
        assert_eq!(decoded(b"0\r\n"), Ok(None), "incomplete");
    }

    #[test]
    fn broken_framing() {
        for bytes in [
            &b"\r\n"[..],
            b" 5\r\nhello\r\n",
            b"5 \r\nhello\r\n",
            b"5 ;a\r\nhello\r\n",
            b"+5\r\nhello\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\rhello",
            b"5\r\nhello\n",
            b"5\r\nhello!\r\n",
            b"5\r\nhello\r5",
            b";a=b\r\n",
            b"g\r\n",
            b"-1\r\n",
            b"10000000000000000\r\n",
            b"ffffffffffffffff\r\n",
            b"5;a\nb\r\n",
            b"5;a\0\r\n",
            b"0\r\n folded\r\n\r\n",
            b"0\r\n: x\r\n\r\n",
            b"0\r\nnocolon\r\n\r\n",
            b"0\r\na b: c\r\n\r\n",
            b"0\r\na: b\n\r\n",
            b"0\r\n\rx",
        ] {
            assert_eq!(decoded(bytes), Err(BadChunk), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_came_before_a_break_is_given_first() {
        let mut decoder = Decoder::default();
        let (bytes, mut out) = (b"5\r\nhelloX", [0; 64]);
        assert_eq!(decoder.decode(bytes, &mut out), Ok((8, 5)));
        assert_eq!(&out[..5], b"hello");
        assert_eq!(decoder.decode(&bytes[8..], &mut out), Err(BadChunk));
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let extensions = "1;aaaaaaa\r\nx\r\n".repeat(MAX_CHUNK_EXTENSIONS / 7 + 1);
        assert_eq!(fed(extensions.as_bytes(), 4096, 4096), Err(BadChunk));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(MAX_TRAILERS));
        assert_eq!(fed(trailers.as_bytes(), 4096, 4096), Err(BadChunk));
    }

    #[test]
    fn what_is_framed_reads_back() {
        let mut bytes = Vec::new();
        encode(b"", &mut bytes);
        assert!(bytes.is_empty(), "an empty chunk would end the body");
        encode(b"hello", &mut bytes);
        encode(&[b'x'; 300], &mut bytes);
        bytes.extend_from_slice(END);
        let (data, left) = decoded(&bytes).unwrap().unwrap();
        assert_eq!((data.len(), left), (305, 0));
    }
}
