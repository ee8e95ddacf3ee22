//! One connection to an upstream, plain or TLS, with the bytes that were read ahead.
use super::tls::{Session, Stage};
use crate::http::alarm::Stir;
use crate::http::socket::Socket;
use std::io;
use std::time::{Duration, Instant};

/// Bytes asked of the kernel at once. Most answers come whole; images come in many.
const CHUNK: usize = 8 * 1024;

pub struct Wire {
    socket: Socket,
    tls: Option<Box<Session>>,
    /// Read and not used yet.
    input: Vec<u8>,
    used: usize,
}

/// The time until `until`; an error once it has come.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// `TimedOut` stands for our own deadlines; the kernel's means that the peer is dead.
fn dead(e: io::Error) -> io::Error {
    match e.raw_os_error() {
        Some(_) if e.kind() == io::ErrorKind::TimedOut => io::ErrorKind::ConnectionAborted.into(),
        _ => e,
    }
}

fn refused(e: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, e)
}

impl Wire {
    pub fn plain(socket: Socket) -> Wire {
        Wire { socket, tls: None, input: Vec::new(), used: 0 }
    }

    /// With a session whose handshake is done.
    pub fn secure(socket: Socket, session: Box<Session>) -> Wire {
        Wire { socket, tls: Some(session), input: Vec::new(), used: 0 }
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
        self.input.drain(..self.used);
        self.used = 0;
        self.input.shrink_to_fit();
        if let Some(session) = &mut self.tls {
            session.shrink();
        }
    }

    /// Waits until there is something to read, or the end, without taking memory for it.
    pub fn readable(&mut self, wait: Duration) -> io::Result<()> {
        self.socket.readable_or_stirred(wait).map_err(dead)
    }

    /// What ends `readable` before its time, from anywhere.
    pub fn stir(&self) -> Stir {
        self.socket.stir()
    }

    /// Reads more; 0 at the end. With TLS an end that the peer has not announced is `UnexpectedEof`,
    /// since anyone on the way could have made it (RFC 9112 §9.8).
    pub fn fill(&mut self, until: Instant) -> io::Result<usize> {
        loop {
            if let Some(read) = self.fill_once(left(until)?, until)? {
                return Ok(read);
            }
        }
    }

    /// One read of at most `wait`; `None` when TLS made no plaintext of it. What TLS has to say to
    /// it is sent until `until`.
    fn fill_once(&mut self, wait: Duration, until: Instant) -> io::Result<Option<usize>> {
        let start = self.input.len();
        let Some(session) = &mut self.tls else {
            return append_read(&mut self.socket, &mut self.input, wait).map(Some);
        };
        if session.has_ended() {
            return Ok(Some(0));
        }
        let read = append_read(&mut self.socket, session.pending(), wait)?;
        let mut out = Vec::new();
        let stage = session.advance(&mut self.input, &mut out);
        let sent = self.send(&out, until);
        let stage = stage.map_err(refused)?;
        // An alert may be lost; anything else, such as a change of keys, would be missed.
        sent?;
        match self.input.len() - start {
            0 if stage == Stage::Ended => Ok(Some(0)),
            0 if read == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            0 => Ok(None),
            given => Ok(Some(given)),
        }
    }

    /// Whether something, or the end, has come without waiting; for a connection that should be
    /// silent. What only TLS itself has to say is taken in and does not count.
    pub fn has_stirred(&mut self) -> bool {
        if !self.unread().is_empty() {
            return true;
        }
        loop {
            match self.socket.readable(Duration::ZERO) {
                Err(e) => return e.raw_os_error().is_some() || e.kind() != io::ErrorKind::TimedOut,
                Ok(()) if self.tls.is_none() => return true,
                Ok(()) => match self.fill_once(Duration::ZERO, Instant::now()) {
                    Ok(None) => {}
                    Ok(Some(_)) | Err(_) => return true,
                },
            }
        }
    }

    pub fn write_all(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        match self.sealed(bytes)? {
            None => self.send(bytes, until),
            Some(sealed) => self.send(&sealed, until),
        }
    }

    /// As `write_all`, but stops when the peer has said something before: `false`, and nothing more
    /// can be written.
    pub fn write_unless_heard(&mut self, bytes: &[u8], until: Instant) -> io::Result<bool> {
        if self.has_stirred() {
            return Ok(false);
        }
        let sealed = self.sealed(bytes)?;
        let mut rest = sealed.as_deref().unwrap_or(bytes);
        // What TLS answers to what it hears may not go into the middle of a record.
        let mut after = Vec::new();
        while !rest.is_empty() {
            match self.socket.write_or_hear(rest, left(until)?).map_err(dead)? {
                Some(written) => rest = &rest[written..],
                None => {
                    let Some(session) = &mut self.tls else { return Ok(false) };
                    let read = append_read(&mut self.socket, session.pending(), Duration::ZERO)?;
                    let start = self.input.len();
                    let stage = session.advance(&mut self.input, &mut after).map_err(refused)?;
                    if read == 0 || stage == Stage::Ended || self.input.len() > start {
                        return Ok(false);
                    }
                }
            }
        }
        self.send(&after, until)?;
        Ok(true)
    }

    /// `bytes` as TLS sends them; `None` without TLS.
    fn sealed(&mut self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let Some(session) = &mut self.tls else { return Ok(None) };
        let mut out = Vec::new();
        session.encrypt(bytes, &mut self.input, &mut out).map_err(refused)?;
        Ok(Some(out))
    }

    /// Sends as is.
    fn send(&mut self, mut bytes: &[u8], until: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.socket.write(bytes, left(until)?).map_err(dead)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

impl Drop for Wire {
    /// Says goodbye where TLS wants that (RFC 8446 §6.1), if it goes without waiting.
    fn drop(&mut self) {
        if let Some(session) = &mut self.tls {
            let mut out = Vec::new();
            if session.end(&mut out).is_ok() {
                let _ = self.socket.write(&out, Duration::ZERO);
            }
        }
    }
}

/// Reads once, behind what is in `buffer`.
fn append_read(socket: &mut Socket, buffer: &mut Vec<u8>, wait: Duration) -> io::Result<usize> {
    let start = buffer.len();
    buffer.resize(start + CHUNK, 0);
    let read = socket.read(&mut buffer[start..], wait).map_err(dead);
    buffer.truncate(start + read.as_ref().copied().unwrap_or(0));
    read
}
