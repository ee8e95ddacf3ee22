//! The command line: one file a subcommand.
//!
//! In scope: reading arguments, printing, exit codes (0 done, 1 failed, 2 used wrongly). Out of
//! scope: everything the commands then do.
mod arguments;
mod backup;
#[cfg(feature = "demo")]
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod demo;
#[cfg(feature = "demo")]
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod demo_server;
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod doctor;
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod healthcheck;
mod help;
mod invite;
mod serve;
mod table;
#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a command's own thread")]
mod takeover;
mod user;
mod version;
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod waiter;

use crate::config::{Config, nearest};
use crate::ops;
use crate::store::{Store, StoreError};
use arguments::{Command, Given};
use log::LevelFilter;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Why a command did not do what it was asked.
pub enum Stop {
    /// Exit code 2: the words say what is allowed.
    Usage(String),
    /// Exit code 1.
    Failed(String),
    /// Standard output is gone (`| head`): nobody is left to tell.
    Quiet,
}

impl Stop {
    fn failed(why: impl Display) -> Stop {
        Stop::Failed(why.to_string())
    }
}

static COMMANDS: &[&Command] = &[
    &serve::COMMAND,
    &invite::CREATE,
    &invite::LIST,
    &invite::REVOKE,
    &user::LIST,
    &user::DELETE,
    &doctor::COMMAND,
    &backup::COMMAND,
    &healthcheck::COMMAND,
    &version::COMMAND,
    #[cfg(feature = "demo")]
    &demo::COMMAND,
    #[cfg(feature = "demo")]
    &demo_server::TOKEN_CREATE,
    #[cfg(feature = "demo")]
    &demo_server::TOKEN_REVOKE,
    #[cfg(feature = "demo")]
    &demo_server::SERVER,
];

/// Runs what the arguments (without the program's name) ask for.
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let done = dispatch(&arguments);
    ops::log::flush();
    let (code, why) = match done {
        Ok(()) | Err(Stop::Quiet) => return ExitCode::SUCCESS,
        Err(Stop::Failed(why)) => (1, why),
        Err(Stop::Usage(why)) => (2, why),
    };
    // Unlike `eprintln!` it does not panic when nobody listens.
    let _ = writeln!(io::stderr(), "chat-posta: {why}");
    ExitCode::from(code)
}

fn dispatch(arguments: &[OsString]) -> Result<(), Stop> {
    let (arguments, asks) = match arguments.split_first() {
        Some((first, rest)) if first == "help" => (rest, true),
        _ => (arguments, false),
    };
    if arguments.first().is_some_and(|first| first == waiter::WORD) {
        return waiter::run(arguments.get(1).and_then(|pid| pid.to_str()));
    }
    if arguments.first().is_some_and(|first| first == takeover::starter::WORD) {
        return takeover::starter::run(&arguments[1..]);
    }
    let words: Vec<&str> = arguments
        .iter()
        .map_while(|argument| argument.to_str().filter(|word| !word.starts_with('-')))
        .collect();
    let named = COMMANDS.iter().filter(|command| words.starts_with(&command.words()));
    if let Some(command) = named.max_by_key(|command| command.words().len()) {
        return match asks {
            true => say(&help::of(command)),
            false => arguments::run(command, &arguments[command.words().len()..]),
        };
    }
    // No command: a question, or a mistake.
    let group: Vec<&Command> =
        COMMANDS.iter().copied().filter(|c| words.first() == c.words().first()).collect();
    let option = arguments.get(words.len()).and_then(|option| option.to_str());
    match (words.as_slice(), option) {
        ([], None) if asks => say(&help::overview(COMMANDS)),
        ([], Some("-h" | "--help")) => say(&help::overview(COMMANDS)),
        ([], Some("-V" | "--version")) => version::print(),
        ([_], Some("-h" | "--help")) if !group.is_empty() => say(&help::overview(&group)),
        ([_], None) if asks && !group.is_empty() => say(&help::overview(&group)),
        ([], Some(option)) => Err(Stop::Usage(format!(
            "there is no option {option} before a command; there are --help and --version"
        ))),
        ([], None) => Err(Stop::Usage(format!("a command is missing; {}", known(COMMANDS)))),
        ([..], _) if !group.is_empty() => Err(unknown(&words[..words.len().min(2)], &group)),
        ([first, ..], _) => Err(unknown(&[first], COMMANDS)),
    }
}

/// No command has this name; perhaps one of these was meant.
fn unknown(words: &[&str], commands: &[&Command]) -> Stop {
    let typed = words.join(" ");
    Stop::Usage(match nearest(&typed, commands.iter().map(|command| command.name)) {
        Some(name) => format!("{typed} is not a command; did you mean {name}?"),
        None => format!("{typed} is not a command; {}", known(commands)),
    })
}

fn known(commands: &[&Command]) -> String {
    let names: Vec<&str> = commands.iter().map(|command| command.name).collect();
    format!("there are: {}", names.join(", "))
}

/// Configuration and database of a command that a person runs beside the service: warnings are
/// printed, the service's own news is not.
fn administer(
    given: &Given,
    open: fn(&Path) -> Result<Store, StoreError>,
) -> Result<(Config, Store), Stop> {
    let config = given.config()?;
    ops::log::init(config.log.min(LevelFilter::Warn), config.log_format);
    let store = open(&config.db).map_err(Stop::failed)?;
    Ok((config, store))
}

/// Prints to standard output, with a line's end if there is none.
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
fn say(text: &str) -> Result<(), Stop> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut out = io::stdout().lock();
    let written = out.write_all(format!("{text}{end}").as_bytes()).and_then(|()| out.flush());
    written.map_err(|e| match e.kind() {
        io::ErrorKind::BrokenPipe => Stop::Quiet,
        _ => Stop::Failed(format!("standard output: {e}")),
    })
}
