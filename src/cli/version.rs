//! `chat-posta version`
use super::arguments::{Command, Given};
use super::{Stop, say};

pub static COMMAND: Command = Command {
    name: "version",
    about: "Print the version, stamped from git at build time",
    argument: None,
    extras: &[],
    settings: &[],
    defaults: &[],
    run: |_: Given| print(),
};

pub fn print() -> Result<(), Stop> {
    say(concat!("chat-posta ", env!("CHAT_POSTA_VERSION")))
}
