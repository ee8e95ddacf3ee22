//! Hostile bytes for everything that reads bytes from outside.
//!
//! What reads them is pure, and is built here from the release's own sources by path; the modules
//! beside this file lay those sources out as the rooms have them, so that their `crate::` paths hold,
//! and open what a room keeps to itself. Sockets, coroutines and TLS stay out.
//!
//! Each module of [`check`] says what must hold for any input at all, and panics when it does not. It
//! is run by libFuzzer (`scripts/harden fuzz`) and, on the inputs that were kept, by
//! `tests/corpus.rs`. `examples/verdicts.rs` tells the readers' verdicts to programs that compare
//! them with others'.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/config/mod.rs"]
pub mod config;
#[path = "../../../src/webauthn/mod.rs"]
pub mod webauthn;

pub mod check;
pub mod http;
pub mod ops;
pub mod passkey;
pub mod posta;
pub mod web;
