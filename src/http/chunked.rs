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
    /// how many it gave. Stops at the body's end, a full `out` or an empty `input`.
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
                self.state = self.step(input[taken])?;
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
