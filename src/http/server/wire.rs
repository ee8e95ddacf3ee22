//! Both directions of one connection: bytes that came and are not used yet, and whole buffers
//! written within a budget of waiting.
use super::input::Input;
use crate::http::limits::Budget;
use crate::http::socket::Socket;
use std::io::{self, IoSlice};
use std::time::{Duration, Instant};

pub struct Wire {
    pub socket: Socket,
    pub input: Input,
    /// For the next answer's head.
    room: Vec<u8>,
    write_deadline: Duration,
    budget: Budget,
    /// Bytes written since `restart`.
    pub written: u64,
}

impl Wire {
    pub fn new(socket: Socket, write_deadline: Duration) -> Self {
        let budget = Budget::new(write_deadline);
        Wire {
            socket,
            input: Input::default(),
            room: Vec::new(),
            write_deadline,
            budget,
            written: 0,
        }
    }

    /// A new answer begins.
    pub fn restart(&mut self) {
        self.budget = Budget::new(self.write_deadline);
        self.written = 0;
    }

    /// Room for an answer's head, empty; to be given back.
    pub fn take_room(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.room)
    }

    pub fn give_room(&mut self, mut room: Vec<u8>) {
        room.clear();
        self.room = room;
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
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_pieces(&mut [IoSlice::new(bytes)])
    }

    /// The same of several pieces, in as few writes as the kernel takes them.
    pub fn write_pieces(&mut self, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
        // Pieces without a byte at the front are passed over.
        IoSlice::advance_slices(&mut pieces, 0);
        while !pieces.is_empty() {
            // Mostly the kernel takes all of it at once: then there is no time to count.
            let (count, waited) = match self.write_once(pieces, Duration::ZERO) {
                Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                    let since = Instant::now();
                    let count = self.write_once(pieces, self.budget.left())?;
                    (count, since.elapsed())
                }
                written => (written?, Duration::ZERO),
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.budget.spend(waited, count);
            self.written += count as u64;
            IoSlice::advance_slices(&mut pieces, count);
        }
        Ok(())
    }

    fn write_once(&mut self, pieces: &[IoSlice<'_>], wait: Duration) -> io::Result<usize> {
        match pieces {
            [one] => self.socket.write(one, wait),
            several => self.socket.write_vectored(several, wait),
        }
    }
}
