//! The front door: read arguments, dispatch, exit code.
#![allow(dead_code)] // while the rooms are being built
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

fn main() {}
