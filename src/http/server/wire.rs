//! Both directions of one connection: bytes that came and are not used yet, and whole buffers
//! written within a budget of waiting.
use super::input::Input;
use crate::http::limits::Budget;
use crate::http::socket::Socket;
use std::io;
use std::time::{Duration, Instant};

pub struct Wire {
    pub socket: Socket,
    pub input: Input,
    write_deadline: Duration,
    budget: Budget,
    /// Bytes written since `restart`.
    pub written: u64,
}

impl Wire {
    pub fn new(socket: Socket, write_deadline: Duration) -> Self {
        let budget = Budget::new(write_deadline);
        Wire { socket, input: Input::default(), write_deadline, budget, written: 0 }
    }

    /// A new answer begins.
    pub fn restart(&mut self) {
        self.budget = Budget::new(self.write_deadline);
        self.written = 0;
    }

    /// Adds to the input once; 0 at the client's end.
    pub fn fill(&mut self, wait: Duration) -> io::Result<usize> {
        self.input.fill(&mut self.socket, wait)
    }

    /// The same between requests, as long as `may` says before each try that the socket is still
    /// ours, and `on` after each in vain that it is worth waiting: `ConnectionAborted` otherwise.
    pub fn fill_when(
        &mut self,
        wait: Duration,
        may: impl Fn() -> bool,
        on: impl Fn() -> bool,
    ) -> io::Result<usize> {
        let Wire { socket, input, .. } = self;
        input.fill_by(|piece| socket.read_when(piece, wait, may, on))
    }

    /// `TimedOut` when the client reads too slowly.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let since = Instant::now();
            let count = self.socket.write(bytes, self.budget.left())?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.budget.spend(since.elapsed(), count);
            self.written += count as u64;
            bytes = &bytes[count..];
        }
        Ok(())
    }
}
