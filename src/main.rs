//! The front door: read arguments, dispatch, exit code.
// The rules for what runs on coroutines: clippy.toml says what, and why. Tests may wait.
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_macros, clippy::disallowed_methods, clippy::disallowed_types)
)]

mod cli;
mod config;
#[cfg(feature = "demo")]
mod demo;
mod http;
mod live;
mod ops;
mod posta;
mod session;
mod store;
mod vault;
mod web;
mod webauthn;

use std::process::ExitCode;

fn main() -> ExitCode {
    http::stack::prepare();
    cli::run(std::env::args_os().skip(1).collect())
}
