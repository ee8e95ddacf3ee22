//! A TCP stream as coroutines see it: each read and write says how long it may wait.
use super::alarm;
use super::turns::Turn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use may::io::{CoIo, WaitIo};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// The invariant behind `Socket::watched`.
const DROPPED: &str = "only a dropped socket has none";

pub struct Socket {
    /// At one address until it is buried; `None` only while being dropped.
    watched: Option<Box<Watched>>,
    /// Someone else has a descriptor of the same stream and goes on with it.
    handed_over: bool,
    turn: Turn,
}

/// A stream and may's watch over it. May ends a watch by the descriptor's number, so the watch must
/// be dropped before the stream is closed: afterwards the number may be another stream's, and a
/// stream of which someone else has a descriptor would go on being watched, by memory that is gone.
pub struct Watched {
    watch: CoIo<Number>,
    stream: TcpStream,
}

/// A descriptor's number, without owning it.
struct Number(RawFd);

impl AsRawFd for Number {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl Socket {
    /// Watches `stream`, from any thread.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        alarm::start()?;
        let watch = CoIo::new(Number(stream.as_raw_fd())).map_err(io::Error::from)?;
        let watched = Some(Box::new(Watched { watch, stream }));
        Ok(Socket { watched, handed_over: false, turn: Turn::default() })
    }

    /// Dials `address`. From a coroutine only.
    pub fn connect(address: SocketAddr, wait: Duration) -> io::Result<Self> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&fd, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(e) => return Err(e.into()),
        }
        let mut socket = Socket::new(TcpStream::from(fd))?;
        socket.when_ready(wait, |stream| match (stream.take_error()?, stream.peer_addr()) {
            (Some(e), _) => Err(e),
            (None, Ok(_)) => Ok(0),
            (None, Err(e)) if e.kind() == io::ErrorKind::NotConnected => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            (None, Err(e)) => Err(e),
        })?;
        Ok(socket)
    }

    pub fn set_nodelay(&self) -> io::Result<()> {
        self.watched().stream.set_nodelay(true)
    }

    /// Has the kernel ask the peer for a sign of life when nothing was heard for `idle`, and give
    /// the connection up after some unanswered ones: for streams that are silent for hours. What we
    /// sent may go as long without being acknowledged.
    pub fn set_keepalive(&self, idle: Duration) -> io::Result<()> {
        let stream = &self.watched().stream;
        sockopt::set_tcp_keepidle(stream, idle)?;
        sockopt::set_tcp_keepintvl(stream, idle / 2)?;
        sockopt::set_tcp_keepcnt(stream, 3)?;
        let unacknowledged = idle + 3 * (idle / 2);
        let milliseconds = u32::try_from(unacknowledged.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(stream, milliseconds)?;
        Ok(sockopt::set_socket_keepalive(stream, true)?)
    }

    /// `TimedOut` when nothing came in time; 0 at the end. From a coroutine only.
    pub fn read(&mut self, buf: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.when_ready(wait, |mut stream| stream.read(buf))
    }

    /// `TimedOut` when the peer took nothing in time. From a coroutine only.
    pub fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        self.when_ready(wait, |mut stream| stream.write(bytes))
    }

    /// Waits until there is something to read, or the end, and leaves it there: no memory is bound
    /// meanwhile. From a coroutine only, unless `wait` is zero.
    pub fn readable(&mut self, wait: Duration) -> io::Result<()> {
        self.when_ready(wait, |stream| stream.peek(&mut [0])).map(drop)
    }

    /// As `write`, but `None` when the peer takes nothing and has something to say. From a coroutine
    /// only.
    pub fn write_or_hear(&mut self, bytes: &[u8], wait: Duration) -> io::Result<Option<usize>> {
        let mut heard = false;
        let written = self.when_ready(wait, |mut stream| match stream.write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                heard = stream.peek(&mut [0]).is_ok();
                if heard { Ok(0) } else { Err(e) }
            }
            done => done,
        })?;
        Ok((!heard).then_some(written))
    }

    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.watched().stream.shutdown(how)
    }

    /// The stream for someone who waits in other ways; it stays non-blocking.
    pub fn hand_over(mut self) -> io::Result<TcpStream> {
        let stream = self.watched().stream.try_clone()?;
        self.handed_over = true;
        Ok(stream)
    }

    /// Tries, and sleeps until the kernel reports a change or the time is up, and tries again.
    fn when_ready(
        &mut self,
        wait: Duration,
        mut attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.turn.is_over() && !wait.is_zero() {
            self.rest();
        }
        let Socket { watched, turn, .. } = self;
        let Watched { watch, stream } = watched.as_deref().expect(DROPPED);
        let mut until = None;
        loop {
            match attempt(stream) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                done => {
                    turn.count();
                    return done;
                }
            }
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now + wait);
            if now >= until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // A change since the attempt, or the alarm itself, has been noted by may even when it
            // came before the coroutine was asleep: then this returns at once.
            let _alarm = alarm::at(until, watch.waker());
            watch.wait_io();
            *turn = Turn::default();
        }
    }

    /// Leaves the worker to others for a while.
    fn rest(&mut self) {
        let until = self.turn.end();
        let Watched { watch, .. } = self.watched();
        // What the peer does meanwhile wakes it too.
        while Instant::now() < until {
            let _alarm = alarm::at(until, watch.waker());
            watch.wait_io();
        }
    }

    fn watched(&self) -> &Watched {
        self.watched.as_deref().expect(DROPPED)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(watched) = self.watched.take() {
            if !self.handed_over {
                // The peer learns now; the descriptor goes a little later. It may be gone already.
                let _ = watched.stream.shutdown(Shutdown::Both);
            }
            alarm::bury(watched);
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.watched().stream.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::stack;
    use std::net::TcpListener;

    fn on_a_coroutine(work: impl FnOnce() + Send + 'static) {
        stack::spawn_connection(work).unwrap().join().expect("no panic");
    }

    #[test]
    fn dials_and_speaks() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut word = [0; 4];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
        });
        on_a_coroutine(move || {
            let second = Duration::from_secs(1);
            let mut socket = Socket::connect(address, second).unwrap();
            assert_eq!(socket.write(b"word", second).unwrap(), 4);
            let mut word = [0; 9];
            assert_eq!(socket.read(&mut word, second).unwrap(), 4);
            assert_eq!(socket.read(&mut word, second).unwrap(), 0, "the peer's end");
        });
        peer.join().unwrap();
    }

    #[test]
    fn refused_and_late_are_errors() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = listener.local_addr().unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        on_a_coroutine(move || {
            let wait = Duration::from_millis(50);
            let refused = Socket::connect(gone, wait).err().unwrap();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            let mut socket = Socket::connect(silent, wait).unwrap();
            let since = Instant::now();
            assert_eq!(socket.read(&mut [0], wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(since.elapsed() >= wait && since.elapsed() < 20 * wait);
        });
    }
}
