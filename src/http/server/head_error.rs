//! The rules of RFC 9112 a request's head can break: each with its answer's status, a sentence for
//! a developer, and where it is written.
use std::fmt;

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
