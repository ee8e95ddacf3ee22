//! A response body written as it goes: collected to decent pieces, framed, flushed when asked.
use super::answer::Sent;
use super::wire::Wire;
use crate::http::chunked;
use crate::http::limits::WRITE_BUFFER;
use std::io::{self, Write};

pub struct StreamWriter<'c> {
    wire: &'c mut Wire,
    /// Until the first piece goes out; as long as it is here, another answer can take its place.
    head: Option<Vec<u8>>,
    pending: Vec<u8>,
    sent: Sent,
    /// What `Sent::Length` still promises.
    owed: u64,
    failed: Option<io::ErrorKind>,
}

impl<'c> StreamWriter<'c> {
    pub fn new(wire: &'c mut Wire, head: Vec<u8>, sent: Sent) -> Self {
        let owed = if let Sent::Length(length) = sent { length } else { 0 };
        StreamWriter { wire, head: Some(head), pending: Vec::new(), sent, owed, failed: None }
    }

    /// Whether the head is still unsent, so that a failure can be told to the client.
    pub fn is_untouched(&self) -> bool {
        self.head.is_some()
    }

    /// Why the client can no longer be written to, if it cannot.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.failed
    }

    /// Fails when fewer bytes came than were promised.
    pub fn check_length(&self) -> io::Result<()> {
        if self.owed == 0 { Ok(()) } else { Err(io::Error::other("fewer bytes than promised")) }
    }

    /// Ends the body.
    pub fn finish(mut self) -> io::Result<()> {
        self.send(true)
    }

    fn send(&mut self, last: bool) -> io::Result<()> {
        let mut bytes = self.head.take().unwrap_or_default();
        if self.sent == Sent::Chunked {
            chunked::encode(&self.pending, &mut bytes);
            if last {
                bytes.extend_from_slice(chunked::END);
            }
        } else {
            bytes.extend_from_slice(&self.pending);
        }
        self.pending.clear();
        self.wire.write_all(&bytes).inspect_err(|e| self.failed = Some(e.kind()))
    }
}

impl Write for StreamWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        if let Sent::Length(_) = self.sent {
            let Some(owed) = self.owed.checked_sub(bytes.len() as u64) else {
                return Err(io::Error::other("more bytes than promised"));
            };
            self.owed = owed;
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= WRITE_BUFFER {
            self.send(false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        if self.pending.is_empty() && self.head.is_none() { Ok(()) } else { self.send(false) }
    }
}
