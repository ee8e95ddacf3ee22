//! A new process in the place of this one, without a break (SIGUSR2).
//!
//! ```text
//!  predecessor                         successor
//!    │ spawns it, with the listening socket and one end of a socket pair
//!    │                                   │ configuration, database
//!    │ ◀─────────────── ready ────────── │
//!    │ stops accepting; what comes waits in the listener's queue
//!    │ ──────── sessions, keys ────────▶ │
//!    │ ─── connections without request ▶ │
//!    │                                   │ accepts
//!    │ ◀────────────── serving ───────── │
//!    │ tells tabs to come back, finishes what runs, leaves
//! ```
//!
//! Whatever fails before the last line, the successor is ended and the predecessor goes on. What is
//! handed over never touches a disk.
mod descriptors;
pub mod starter;

use super::serve::Service;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Names the descriptors to the successor: the pair's end and the listener.
const INHERITED: &str = "CHAT_POSTA_SUCCEEDS";
/// For configuration and database. A migration may take its time.
const GETS_READY: Duration = Duration::from_secs(60);
/// For taking over what it was given.
const BEGINS: Duration = Duration::from_secs(10);
/// Running requests are waited for so long before sessions are handed over, since they may begin or
/// end some; what takes longer finishes here.
const SETTLES: Duration = Duration::from_millis(1000);
/// How soon a signal to stop is heeded while the successor is waited for.
const LOOKS_UP: Duration = Duration::from_millis(100);
/// Largest handover, in bytes: 20,000 sessions of a kilobyte, several times over.
const MAX_HANDOVER: u64 = 256 << 20;

const STARTED: u8 = b'p';
const READY: u8 = b'r';
const SERVING: u8 = b's';

/// The program as it was called; its file may be another one by now, and that is the point.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// To be asked at the start, before the file is replaced.
    pub fn of_this_process() -> Option<Program> {
        let path = env::current_exe().ok()?;
        Some(Program { path, arguments: env::args_os().skip(1).collect() })
    }

    pub fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Starts a successor and hands everything to it, unless `stops` says meanwhile that there shall
    /// be none; gives the successor's number. The error says why this process goes on. A successor
    /// that a service manager `is_followed` by is that one's child, otherwise this process's.
    pub fn hand_over(
        &self,
        service: &Service,
        is_followed: bool,
        stops: &mut dyn FnMut() -> bool,
    ) -> Result<Pid, String> {
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        // Copies that a new program keeps open; ours are closed by themselves.
        let listener = service.server().listener().map_err(|e| e.to_string())?;
        let passed = [rustix::io::dup(&theirs), rustix::io::dup(&listener)];
        let [Ok(pair), Ok(listener)] = passed else {
            return Err("no descriptors are left".into());
        };
        let names = format!("{} {}", raw(&pair), raw(&listener));
        let mut command = self.command();
        command.args(is_followed.then_some(starter::WORD)).args(&self.arguments);
        let spawned = command.env(INHERITED, names).spawn();
        drop((theirs, pair, listener));
        let child = spawned.map_err(|e| format!("{}: {e}", self.path.display()))?;
        let mut successor = Successor { child, started: None };
        match successor.take_over(&ours, service, is_followed, stops) {
            Ok(()) => Ok(successor.pid()),
            Err(why) => Err(format!("{why} ({})", successor.end())),
        }
    }
}

/// A process that is to take the place of this one.
struct Successor {
    /// It, or its starter.
    child: Child,
    /// It, where it has a starter.
    started: Option<Pid>,
}

impl Successor {
    fn pid(&self) -> Pid {
        self.started.unwrap_or_else(|| Pid::from_child(&self.child))
    }

    fn take_over(
        &mut self,
        pair: &UnixStream,
        service: &Service,
        is_followed: bool,
        stops: &mut dyn FnMut() -> bool,
    ) -> Result<(), String> {
        let mut get_ready = || {
            if is_followed {
                expect(pair, STARTED, GETS_READY, stops)?;
                self.started = number(pair);
            }
            expect(pair, READY, GETS_READY, stops)
        };
        get_ready().map_err(|why| format!("it did not get ready: {why}"))?;
        if is_followed {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        converse(pair, service, stops)
    }

    /// Ends it; gives in words how it ended.
    fn end(mut self) -> String {
        match self.started {
            None => drop(self.child.kill()),
            Some(pid) => {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let end = self.child.wait();
        end.map_or_else(|e| e.to_string(), |status| status.to_string())
    }
}

/// A process' number, which its starter has sent.
fn number(mut from: &UnixStream) -> Option<Pid> {
    let mut number = [0; 4];
    from.read_exact(&mut number).ok()?;
    Pid::from_raw(i32::from_be_bytes(number))
}

fn raw(fd: &OwnedFd) -> RawFd {
    std::os::fd::AsRawFd::as_raw_fd(fd)
}

fn converse(
    mut successor: &UnixStream,
    service: &Service,
    stops: &mut dyn FnMut() -> bool,
) -> Result<(), String> {
    let idle = service.server().pause(SETTLES);
    let mut hand = || {
        let state = service.app.hand_over();
        successor.set_write_timeout(Some(BEGINS))?;
        successor.write_all(&(state.len() as u64).to_be_bytes())?;
        successor.write_all(&state)?;
        successor.write_all(&(idle.len() as u64).to_be_bytes())?;
        descriptors::send(successor, &idle)
    };
    let handed = hand().map_err(|e: io::Error| e.to_string());
    let handed = handed.and_then(|()| expect(successor, SERVING, BEGINS, stops));
    handed.map_err(|why| {
        if let Err(e) = service.server().resume(idle) {
            log::error!("connections cannot be accepted any more: {e}");
        }
        format!("it did not begin to serve: {why}")
    })
}

fn expect(
    mut from: &UnixStream,
    word: u8,
    within: Duration,
    stops: &mut dyn FnMut() -> bool,
) -> Result<(), String> {
    let since = Instant::now();
    from.set_read_timeout(Some(LOOKS_UP)).map_err(|e| e.to_string())?;
    let mut heard = [0];
    loop {
        match from.read(&mut heard) {
            Ok(1) if heard[0] == word => return Ok(()),
            Ok(0) => return Err("it ended".into()),
            Ok(_) => return Err("it said something else".into()),
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if stops() {
                    return Err("this process was told to stop".into());
                }
                if since.elapsed() > within {
                    return Err(format!("nothing was heard of it for {} s", within.as_secs()));
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.to_string()),
        }
    }
}

/// What a predecessor left to this process.
pub struct Inheritance {
    pair: UnixStream,
    pub listener: TcpListener,
}

impl Inheritance {
    /// `None` when nobody came before.
    pub fn find() -> Result<Option<Inheritance>, String> {
        let Some(names) = env::var_os(INHERITED) else { return Ok(None) };
        let bad = || format!("{INHERITED} is not for people: a process sets it for its successor");
        let names = names.into_string().map_err(|_| bad())?;
        let fds: Option<Vec<RawFd>> = names.split(' ').map(|fd| fd.parse().ok()).collect();
        let Some([pair, listener]) = fds.as_deref() else { return Err(bad()) };
        let pair = UnixStream::from(own(*pair).ok_or_else(bad)?);
        let listener = TcpListener::from(own(*listener).ok_or_else(bad)?);
        Ok(Some(Inheritance { pair, listener }))
    }

    /// Says that this process is ready, and takes what the predecessor hands over: its state, and
    /// connections that wait for a request.
    pub fn receive(&mut self) -> Result<(Zeroizing<Vec<u8>>, Vec<TcpStream>), String> {
        let mut take = || {
            self.pair.set_read_timeout(Some(BEGINS))?;
            self.pair.write_all(&[READY])?;
            let length = self.number()?;
            if length > MAX_HANDOVER {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let mut state = Zeroizing::new(vec![0; length as usize]);
            self.pair.read_exact(&mut state)?;
            let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
            Ok((state, descriptors::receive(&self.pair, count)?))
        };
        take().map_err(|e: io::Error| format!("the predecessor: {e}"))
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = [0; 8];
        self.pair.read_exact(&mut number)?;
        Ok(u64::from_be_bytes(number))
    }

    /// From now on this process serves. Should the predecessor have gone, so much the more: had it
    /// decided to go on, it would have ended this process.
    pub fn take_over(mut self) {
        if let Err(e) = self.pair.write_all(&[SERVING]) {
            log::warn!("the predecessor has gone: {e}");
        }
    }
}

/// A descriptor that was inherited, if it is a socket; programs started from here do not get it.
fn own(fd: RawFd) -> Option<OwnedFd> {
    if fd <= 2 {
        return None;
    }
    // SAFETY: the predecessor opened it for us alone, and nothing else here knows its number; one
    // that is not open fails the next call, and is then forgotten rather than closed.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let is_socket = rustix::net::sockopt::socket_type(&fd).is_ok();
    if !is_socket || rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC).is_err() {
        std::mem::forget(fd);
        return None;
    }
    Some(fd)
}
