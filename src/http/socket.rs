//! A TCP stream as coroutines see it: each read and write says how long it may wait.
use super::alarm;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use may::io::{CoIo, WaitIo};

pub struct Socket {
    /// At one address until it is buried; `None` only while being dropped.
    io: Option<Box<CoIo<TcpStream>>>,
    /// Someone else has a descriptor of the same stream and goes on with it.
    handed_over: bool,
}

impl Socket {
    /// Watches `stream`, from any thread.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        alarm::start()?;
        let io = CoIo::new(stream).map_err(io::Error::from)?;
        Ok(Socket { io: Some(Box::new(io)), handed_over: false })
    }

    /// `TimedOut` when nothing came in time; 0 at the end. From a coroutine only.
    pub fn read(&mut self, buf: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.when_ready(wait, |mut stream| stream.read(buf))
    }

    /// `TimedOut` when the peer took nothing in time. From a coroutine only.
    pub fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.when_ready(wait, |mut stream| stream.write(bytes))
    }

    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io().inner().shutdown(how)
    }

    /// The stream for someone who waits in other ways; it stays non-blocking.
    pub fn hand_over(mut self) -> io::Result<TcpStream> {
        let stream = self.io().inner().try_clone()?;
        self.handed_over = true;
        Ok(stream)
    }

    /// Tries, and sleeps until the kernel reports a change or the time is up, and tries again.
    fn when_ready(
        &mut self,
        wait: Duration,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let io = self.io();
        let mut until = None;
        loop {
            match attempt(io.inner()) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                done => return done,
            }
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now + wait);
            if now >= until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // A change since the attempt, or the alarm itself, has been noted by may even when it
            // came before the coroutine was asleep: then this returns at once.
            let _alarm = alarm::at(until, io.waker());
            io.wait_io();
        }
    }

    fn io(&self) -> &CoIo<TcpStream> {
        self.io.as_deref().expect("only a dropped socket has none")
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(io) = self.io.take() {
            if !self.handed_over {
                // The peer learns now; the descriptor goes a little later. It may be gone already.
                let _ = io.inner().shutdown(Shutdown::Both);
            }
            alarm::bury(io);
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.io().as_raw_fd()
    }
}
