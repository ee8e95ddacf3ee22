//! What is left of a process that handed over: whoever started it goes on waiting for it, so it
//! stays, as small as can be, passes signals on, and ends as its successors end.
use super::Stop;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use signal_hook::iterator::Signals;
use std::process::exit;

/// The hidden command: this program again, in the same process.
pub const WORD: &str = "wait-for-successor";

pub fn run() -> Result<(), Stop> {
    // Successors of successors come to us when those that started them leave.
    set_child_subreaper(Some(getpid())).map_err(Stop::failed)?;
    let signals = [SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR2];
    let mut signals = Signals::new(signals).map_err(Stop::failed)?;
    hold_signals(false);
    let mut code = 0;
    loop {
        // One may have ended before we listened.
        while let Some(ended) = reap()? {
            code = ended.unwrap_or(code);
        }
        if children().is_empty() {
            exit(code);
        }
        for signal in signals.wait() {
            if signal != SIGCHLD
                && let Some(signal) = Signal::from_named_raw(signal)
            {
                for child in children() {
                    let _ = kill_process(child, signal); // one that has just ended
                }
            }
        }
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

/// One that has ended: its exit code, where it had one. `None` when there is none.
fn reap() -> Result<Option<Option<i32>>, Stop> {
    match wait(WaitOptions::NOHANG) {
        Ok(Some((_, status))) => Ok(Some(
            status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)),
        )),
        Ok(None) => Ok(None),
        Err(rustix::io::Errno::CHILD) => Ok(None),
        Err(e) => Err(Stop::failed(e)),
    }
}

/// Those alive or not yet reaped.
fn children() -> Vec<Pid> {
    let pid = getpid().as_raw_nonzero();
    let listed = std::fs::read_to_string(format!("/proc/self/task/{pid}/children"));
    let pids = listed.unwrap_or_default();
    pids.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
