//! A TCP stream as coroutines see it: each read and write says how long it may wait.
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, RawFd};
use std::time::Duration;

use may::io::CoIo;

/// May can lose a timer that fires before its coroutine is asleep.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

pub struct Socket(CoIo<TcpStream>);

impl Socket {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        CoIo::new(stream).map(Socket).map_err(io::Error::from)
    }

    /// `TimedOut` when nothing came in time; 0 at the end.
    pub fn read(&mut self, buf: &mut [u8], wait: Duration) -> io::Result<usize> {
        if wait.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.0.set_read_timeout(Some(wait.max(SHORTEST_WAIT)))?;
        self.0.read(buf)
    }

    /// `TimedOut` when the peer took nothing in time.
    pub fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        if wait.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.0.set_write_timeout(Some(wait.max(SHORTEST_WAIT)))?;
        self.0.write(bytes)
    }

    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.inner().shutdown(how)
    }

    /// Takes the stream out of the scheduler; it stays non-blocking.
    pub fn into_std(self) -> TcpStream {
        // SAFETY: `into_raw_fd` gives up the descriptor, so it has one owner again.
        unsafe { TcpStream::from_raw_fd(self.0.into_raw_fd()) }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
