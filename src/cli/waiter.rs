//! What is left of a process that handed over: whoever started it goes on waiting for it, so it
//! stays, as small as can be, passes signals on, and ends as its successors end.
use super::Stop;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, test_kill_process, wait,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use signal_hook::iterator::Signals;
use std::fs;
use std::process::exit;

/// The hidden command: this program again, in the same process. Its argument is the successor.
pub const WORD: &str = "wait-for-successor";

pub fn run(successor: Option<&str>) -> Result<(), Stop> {
    let successor = successor.and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    adopt();
    let signals = [SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR2];
    let mut signals = Signals::new(signals).map_err(Stop::failed)?;
    hold_signals(false);
    let mut code = 0;
    loop {
        // One may have ended before we listened.
        if let Some(code) = all_have_ended(&mut code) {
            exit(code);
        }
        for signal in signals.wait() {
            if signal != SIGCHLD {
                pass_on(signal, successor);
            }
        }
    }
}

/// Successors of successors come to this process when those that started them leave.
pub fn adopt() {
    if let Err(e) = set_child_subreaper(Some(getpid())) {
        log::warn!("successors of successors will be nobody's: {e}");
    }
}

/// Sends a signal to those that serve in this process' place.
pub fn pass_on(signal: i32, successor: impl Into<Option<Pid>>) {
    let Some(signal) = Signal::from_named_raw(signal) else { return };
    let mut children = children();
    // Where the kernel does not tell: whoever came first, as long as it is there.
    if children.is_empty() {
        children.extend(successor.into().filter(|pid| test_kill_process(*pid).is_ok()));
    }
    for child in children {
        let _ = kill_process(child, signal); // one that has just ended
    }
}

/// Keeps what comes for later, also across the step from one program to the next: a signal that finds
/// no handler there would end the process.
pub fn hold_signals(hold: bool) {
    let how = if hold { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK };
    // SAFETY: the set is filled in before it is read, and nothing is asked back.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [SIGHUP, SIGINT, SIGTERM, SIGUSR2] {
            libc::sigaddset(&mut set, signal);
        }
        libc::pthread_sigmask(how, &set, std::ptr::null_mut());
    }
}

/// Buries the children that have ended; `last` keeps the exit code of the latest one. Once there is
/// none left, that code.
pub fn all_have_ended(last: &mut i32) -> Option<i32> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((_, status))) => {
                let killed = || status.terminating_signal().map(|signal| 128 + signal);
                *last = status.exit_status().or_else(killed).unwrap_or(*last);
            }
            Ok(None) => return None,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Some(*last),
        }
    }
}

/// Processes whose parent is this one, as far as the kernel tells. (It keeps a list of them too, but
/// not every kernel is built so.)
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| parent(*pid) == Some(own)).filter_map(Pid::from_raw).collect()
}

/// The fourth field of proc(5)'s `stat`; the second one, in parentheses, may hold anything.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
