//! One connection to an upstream, plain or TLS, with the bytes that were read ahead.
use crate::http::socket::Socket;
use rustls::ClientConnection;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Bytes asked of the kernel at once: a TLS record at its largest, with its frame.
const CHUNK: usize = 17 * 1024;
const PLAIN_CHUNK: usize = 8 * 1024;

pub struct Wire {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// Read and not used yet.
    input: Vec<u8>,
    used: usize,
}

/// The time until `until`; an error once it has come.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Wire {
    pub fn plain(socket: Socket) -> Wire {
        Wire { socket, tls: None, input: Vec::new(), used: 0 }
    }

    /// The same with TLS, whose handshake is still to come.
    pub fn with_tls(self, tls: ClientConnection) -> Wire {
        Wire { tls: Some(Box::new(tls)), ..self }
    }

    /// The TLS handshake, on a deep stack.
    pub fn shake_hands(&mut self, until: Instant) -> io::Result<()> {
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            self.flush_tls(until)?;
            if self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
                self.read_tls(left(until)?)?;
            }
        }
        self.flush_tls(until)
    }

    /// What was read and not used yet.
    pub fn unread(&self) -> &[u8] {
        &self.input[self.used..]
    }

    pub fn consume(&mut self, bytes: usize) {
        self.used += bytes;
        if self.used == self.input.len() {
            self.used = 0;
            self.input.clear();
        }
    }

    /// Gives memory back that an idle connection does not need.
    pub fn shrink(&mut self) {
        if self.used > 0 {
            self.input.drain(..self.used);
            self.used = 0;
        }
        self.input.shrink_to_fit();
    }

    /// Reads more; 0 at the end.
    pub fn fill(&mut self, until: Instant) -> io::Result<usize> {
        loop {
            let got = match &mut self.tls {
                None => {
                    let mut chunk = vec![0; PLAIN_CHUNK];
                    let got = self.socket.read(&mut chunk, left(until)?)?;
                    self.input.extend_from_slice(&chunk[..got]);
                    return Ok(got);
                }
                Some(tls) => read_plain(tls, &mut self.input)?,
            };
            match got {
                Some(got) => return Ok(got),
                None => {
                    if self.read_tls(left(until)?)? == 0 {
                        // The peer closed without a close_notify: whoever needed more bytes, by
                        // length or chunk, will notice the truncation.
                        return Ok(0);
                    }
                    // A key update or a renegotiated session may want an answer.
                    self.flush_tls(until)?;
                }
            }
        }
    }

    pub fn write_all(&mut self, mut bytes: &[u8], until: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match &mut self.tls {
                None => self.socket.write(bytes, left(until)?)?,
                Some(tls) => {
                    let written = tls.writer().write(bytes)?;
                    self.flush_tls(until)?;
                    written
                }
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Whether something, or the end, has come without waiting; for a connection that should be
    /// silent. TLS tickets are taken in and do not count.
    pub fn has_stirred(&mut self) -> bool {
        if !self.unread().is_empty() {
            return true;
        }
        match &mut self.tls {
            None => {
                let mut byte = [0; 1];
                !is_timeout(self.socket.read(&mut byte, Duration::ZERO))
            }
            Some(_) => match self.read_tls(Duration::ZERO) {
                Ok(0) => true,
                Ok(_) => match &mut self.tls {
                    Some(tls) => !matches!(read_plain(tls, &mut self.input), Ok(None)),
                    None => true,
                },
                Err(e) => e.kind() != io::ErrorKind::TimedOut,
            },
        }
    }

    fn read_tls(&mut self, wait: Duration) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return Ok(0) };
        let mut chunk = vec![0; CHUNK];
        let got = self.socket.read(&mut chunk, wait)?;
        let mut bytes = &chunk[..got];
        if got == 0 {
            tls.read_tls(&mut bytes)?;
            return Ok(0);
        }
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes)?;
            tls.process_new_packets().map_err(io::Error::other)?;
        }
        Ok(got)
    }

    fn flush_tls(&mut self, until: Instant) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut out = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut out)?;
        }
        let mut rest = &out[..];
        while !rest.is_empty() {
            let written = self.socket.write(rest, left(until)?)?;
            rest = &rest[written..];
        }
        Ok(())
    }
}

fn is_timeout(result: io::Result<usize>) -> bool {
    result.is_err_and(|e| e.kind() == io::ErrorKind::TimedOut)
}

/// Moves decrypted bytes to `input`: how many, 0 at the end, `None` when there are none yet.
fn read_plain(tls: &mut ClientConnection, input: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let start = input.len();
    input.resize(start + CHUNK, 0);
    let got = tls.reader().read(&mut input[start..]);
    input.truncate(start + got.as_ref().copied().unwrap_or(0));
    match got {
        Ok(got) => Ok(Some(got)),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(Some(0)),
        Err(e) => Err(e),
    }
}
