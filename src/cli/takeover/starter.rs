//! Between a predecessor and its successor, where a service manager follows: it starts the successor,
//! says its number, and stays until one of the two has ended. So a successor that fails early is told
//! of by its exit code; and one that is ready, whose starter is then ended, has become the manager's
//! own child before the manager is told of it. (Of others systemd does not notice the end: it would
//! stop such a service with SIGKILL right behind SIGTERM.)
use super::{Inheritance, STARTED};
use crate::cli::Stop;
use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};

/// The hidden command; its arguments are the successor's.
pub const WORD: &str = "start-successor";

pub fn run(arguments: &[OsString]) -> Result<(), Stop> {
    let program = env::current_exe().map_err(Stop::failed)?;
    let mut successor = Command::new(program).args(arguments).spawn().map_err(Stop::failed)?;
    let inherited = Inheritance::find().map_err(Stop::Usage)?;
    let inherited = inherited.ok_or_else(|| Stop::Usage(format!("{WORD} is not for people")))?;
    let mut pair = inherited.pair;
    let told = [&[STARTED][..], &successor.id().to_be_bytes()].concat();
    pair.write_all(&told).map_err(Stop::failed)?;
    // Only the successor has the other end now: when it ends, the predecessor hears it.
    drop(pair);
    let ended = successor.wait().map_err(Stop::failed)?;
    exit(ended.code().or(ended.signal().map(|signal| 128 + signal)).unwrap_or(1))
}
