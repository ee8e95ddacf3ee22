//! Bytes that have come but are not used yet: pipelined requests wait here.
use crate::http::limits::FIRST_BUFFER;
use crate::http::socket::Socket;
use std::io;
use std::time::Duration;

#[derive(Default)]
pub struct Input {
    bytes: Vec<u8>,
    start: usize,
}

impl Input {
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Moves as much as fits into `buf`.
    pub fn take(&mut self, buf: &mut [u8]) -> usize {
        let count = buf.len().min(self.data().len());
        buf[..count].copy_from_slice(&self.data()[..count]);
        self.consume(count);
        count
    }

    /// Reads once from the socket; 0 at its end. How much piles up is the caller's to bound.
    pub fn fill(&mut self, socket: &mut Socket, wait: Duration) -> io::Result<usize> {
        self.fill_by(|piece| socket.read(piece, wait))
    }

    /// The same with what `read` gives.
    pub fn fill_by(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        // Through the stack, so that nothing is allocated while waiting.
        let mut piece = [0; FIRST_BUFFER];
        let count = read(&mut piece)?;
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}
