//! Finds where a request's head ends, in bytes that come in any pieces. Sans-I/O: each byte is looked
//! at once, and what can be refused early is (limits, bare CR or LF, control bytes), before anything
//! is allocated for it.
use super::head_error::HeadError;
use crate::http::limits::{MAX_FIELDS, MAX_HEAD, MAX_TARGET};
use std::ops::Range;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces of `size`, as a socket would; stops at the first verdict.
    fn fed(bytes: &[u8], size: usize) -> Result<Option<Range<usize>>, HeadError> {
        let mut scanner = Scanner::default();
        let mut end = 0;
        while end < bytes.len() {
            end = (end + size).min(bytes.len());
            if let Some(found) = scanner.scan(&bytes[..end])? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The verdict must not depend on how the bytes were split.
    fn verdict(bytes: &[u8]) -> Result<Option<Range<usize>>, HeadError> {
        let whole = fed(bytes, usize::MAX);
        for size in [1, 2, 3, 7, 1000] {
            assert_eq!(fed(bytes, size), whole, "in pieces of {size}");
        }
        for cut in 0..bytes.len().min(300) {
            let mut scanner = Scanner::default();
            let first = scanner.scan(&bytes[..cut]);
            let split = if first == Ok(None) { scanner.scan(bytes) } else { first };
            assert_eq!(split, whole, "cut at {cut}");
        }
        whole
    }

    #[test]
    fn heads_end_at_their_empty_line() {
        assert_eq!(verdict(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /"), Ok(Some(0..27)));
        assert_eq!(verdict(b"GET / HTTP/1.1\r\n\r\n"), Ok(Some(0..18)));
        assert_eq!(verdict(b"\r\nGET / HTTP/1.1\r\n\r\n"), Ok(Some(2..20)), "a CRLF before it");
        assert_eq!(verdict(b"GET / HTTP/1.1\r\nHost: x\r\n"), Ok(None));
        assert_eq!(verdict(b"\r\n"), Ok(None));
    }

    #[test]
    fn what_can_be_refused_early_is() {
        for (bytes, error) in [
            (&b"GET / HTTP/1.1\nHost: x\n\n"[..], HeadError::BareLf),
            (b"GET / HTTP/1.1\r\nHost: x\n\r\n", HeadError::BareLf),
            (b"GET / HTTP/1.1\rHost: x", HeadError::BareCr),
            (b"GET / HTTP/1.1\r\nHost: x\r\r\n", HeadError::BareCr),
            (b"GET / HTTP/1.1\r\nHost: \0", HeadError::Control),
            (b"\x16\x03\x01\x02\0", HeadError::Control),
            (b"GET /\x7f", HeadError::Control),
            (b"\r\n\r\n", HeadError::RequestLine),
            (b"\n", HeadError::BareLf),
        ] {
            assert_eq!(verdict(bytes), Err(error), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let mut head = b"GET / HTTP/1.1\r\nx: ".to_vec();
        head.resize(MAX_HEAD - 4, b'y');
        let fits = [&head[..], b"\r\n\r\n"].concat();
        assert_eq!(verdict(&fits), Ok(Some(0..MAX_HEAD)));
        let too_large = [&head[..], b"z\r\n\r\n"].concat();
        assert_eq!(verdict(&too_large), Err(HeadError::TooLarge));

        let long = [b"GET /".to_vec(), vec![b'a'; MAX_HEAD]].concat();
        assert_eq!(verdict(&long), Err(HeadError::TargetTooLong));

        let lines = |count| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(verdict(lines(MAX_FIELDS).as_bytes()).is_ok_and(|found| found.is_some()));
        assert_eq!(verdict(lines(MAX_FIELDS + 1).as_bytes()), Err(HeadError::TooManyFields));
    }

    #[test]
    fn an_empty_line_alone_is_no_request() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(b"\r\n"), Ok(None));
        assert!(!scanner.has_begun());
        assert_eq!(scanner.scan(b"\r\nG"), Ok(None));
        assert!(scanner.has_begun());
    }
}
