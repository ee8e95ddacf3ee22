//! A new process in the place of this one, without a break (SIGUSR2).
//!
//! ```text
//!  predecessor                         successor
//!    │ spawns it, with the listening socket and one end of a socket pair
//!    │                                   │ configuration, database
//!    │ ◀─────────────── ready ────────── │
//!    │ stops accepting; what comes waits in the listener's queue
//!    │ ──────── sessions, keys ────────▶ │
//!    │                                   │ accepts
//!    │ ◀────────────── serving ───────── │
//!    │ tells tabs to come back, finishes what runs, leaves
//! ```
//!
//! Whatever fails before the last line, the successor is ended and the predecessor goes on. What is
//! handed over never touches a disk.
use super::serve::Service;
use std::env;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;
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
/// Largest handover, in bytes: 20,000 sessions of a kilobyte, several times over.
const MAX_HANDOVER: u64 = 256 << 20;

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

    /// Starts a successor and hands everything to it. The error says why this process goes on.
    pub fn hand_over(&self, service: &Service) -> Result<Child, String> {
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        // Copies that a new program keeps open; ours are closed by themselves.
        let listener = service.server().listener().map_err(|e| e.to_string())?;
        let passed = [rustix::io::dup(&theirs), rustix::io::dup(&listener)];
        let [Ok(pair), Ok(listener)] = passed else {
            return Err("no descriptors are left".into());
        };
        let names = format!("{} {}", raw(&pair), raw(&listener));
        let spawned = self.command().args(&self.arguments).env(INHERITED, names).spawn();
        drop((theirs, pair, listener));
        let mut child = spawned.map_err(|e| format!("{}: {e}", self.path.display()))?;
        match converse(&ours, service) {
            Ok(()) => Ok(child),
            Err(why) => {
                let _ = child.kill();
                let end = child.wait();
                let end = end.map_or_else(|e| e.to_string(), |status| status.to_string());
                Err(format!("{why} ({end})"))
            }
        }
    }
}

fn raw(fd: &OwnedFd) -> RawFd {
    std::os::fd::AsRawFd::as_raw_fd(fd)
}

fn converse(mut successor: &UnixStream, service: &Service) -> Result<(), String> {
    expect(successor, READY, GETS_READY).map_err(|e| format!("it did not get ready: {e}"))?;
    service.server().pause(SETTLES);
    let handed = (|| {
        let state = service.app.hand_over();
        successor.write_all(&(state.len() as u64).to_be_bytes()).map_err(|e| e.to_string())?;
        successor.write_all(&state).map_err(|e| e.to_string())?;
        expect(successor, SERVING, BEGINS)
    })();
    handed.map_err(|e| {
        if let Err(e) = service.server().resume() {
            log::error!("connections cannot be accepted any more: {e}");
        }
        format!("it did not begin to serve: {e}")
    })
}

fn expect(mut from: &UnixStream, word: u8, within: Duration) -> Result<(), String> {
    from.set_read_timeout(Some(within)).map_err(|e| e.to_string())?;
    from.set_write_timeout(Some(within)).map_err(|e| e.to_string())?;
    let mut heard = [0];
    match from.read_exact(&mut heard) {
        Ok(()) if heard[0] == word => Ok(()),
        Ok(()) => Err("it said something else".into()),
        Err(e) => Err(e.to_string()),
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

    /// Says that this process is ready, and takes what the predecessor hands over.
    pub fn receive(&mut self) -> Result<Zeroizing<Vec<u8>>, String> {
        let failed = |e: std::io::Error| format!("the predecessor: {e}");
        self.pair.set_read_timeout(Some(BEGINS)).map_err(failed)?;
        self.pair.write_all(&[READY]).map_err(failed)?;
        let mut length = [0; 8];
        self.pair.read_exact(&mut length).map_err(failed)?;
        let length = u64::from_be_bytes(length);
        if length > MAX_HANDOVER {
            return Err("the predecessor hands over too much".into());
        }
        let mut state = Zeroizing::new(vec![0; length as usize]);
        self.pair.read_exact(&mut state).map_err(failed)?;
        Ok(state)
    }

    /// From now on this process serves.
    pub fn take_over(mut self) -> Result<(), String> {
        self.pair.write_all(&[SERVING]).map_err(|e| format!("the predecessor: {e}"))
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
