//! The command line: one file a subcommand.
//!
//! In scope: reading arguments, printing, exit codes (0 done, 1 failed, 2 used wrongly). Out of
//! scope: everything the commands then do.
mod arguments;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "demo")]
mod demo_server;
mod invite;
mod serve;
mod table;
mod user;
mod version;

use arguments::Command;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
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

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        if e.kind() == io::ErrorKind::BrokenPipe { Stop::Quiet } else { Stop::failed(e) }
    }
}

static COMMANDS: &[&Command] = &[
    &serve::COMMAND,
    &invite::CREATE,
    &invite::LIST,
    &invite::REVOKE,
    &user::LIST,
    &user::DELETE,
    &version::COMMAND,
    #[cfg(feature = "demo")]
    &demo::COMMAND,
    // The longer names first: a command is known by how the arguments begin.
    #[cfg(feature = "demo")]
    &demo_server::TOKEN_CREATE,
    #[cfg(feature = "demo")]
    &demo_server::TOKEN_REVOKE,
    #[cfg(feature = "demo")]
    &demo_server::SERVER,
];

/// Runs what the arguments (without the program's name) ask for.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let words: Vec<&str> = arguments.iter().filter_map(|a| a.to_str()).collect();
    let outcome = match words.as_slice() {
        [] => Err(Stop::Usage(format!("a command is missing\n\n{}", overview()))),
        ["-h" | "--help" | "help"] => say(&overview()),
        ["-V" | "--version"] => version::print(),
        _ => dispatch(&words, &arguments),
    };
    match outcome {
        Ok(()) | Err(Stop::Quiet) => ExitCode::SUCCESS,
        Err(Stop::Failed(why)) => {
            eprintln!("chat-posta: {why}");
            ExitCode::from(1)
        }
        Err(Stop::Usage(why)) => {
            eprintln!("chat-posta: {why}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(words: &[&str], arguments: &[OsString]) -> Result<(), Stop> {
    for command in COMMANDS {
        let name: Vec<&str> = command.name.split(' ').collect();
        if words.starts_with(&name) {
            let rest = &arguments[name.len()..];
            return match arguments::parse(command, rest)? {
                arguments::Parsed::Help => say(&arguments::help(command)),
                arguments::Parsed::Given(given) => (command.run)(given),
            };
        }
    }
    let group = COMMANDS.iter().filter(|c| c.name.split(' ').next() == words.first().copied());
    let group: Vec<&str> = group.map(|c| c.name).collect();
    let help = words.get(1).is_some_and(|word| matches!(*word, "-h" | "--help"));
    match (group.is_empty(), help) {
        (false, true) => say(&overview()),
        (false, false) => Err(Stop::Usage(format!("say one of: {}", group.join(", ")))),
        (true, _) => Err(Stop::Usage(format!(
            "{:?} is not a command; one of: {}",
            words.first().unwrap_or(&""),
            COMMANDS.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn overview() -> String {
    let rows: Vec<[&str; 2]> = COMMANDS.iter().map(|c| [c.name, c.about]).collect();
    format!(
        "chat-posta: the browser client of Posta\n\nUsage: chat-posta COMMAND [OPTIONS]\n\n\
         Commands:\n{}\nEvery command has --help.\n",
        table::aligned(&rows, "  ")
    )
}

/// Prints to standard output.
fn say(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
