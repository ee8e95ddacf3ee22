//! Hostile bytes for everything that reads bytes from outside.
//!
//! The rooms under test are built from their sources by path, as they stand in the release; a room's
//! own `crate::` paths find the others here. [`part`] opens what a room keeps to itself. Each module
//! of [`check`] says what must hold for any input at all, and panics when it does not. It is run by
//! libFuzzer (`scripts/harden fuzz`), by `tests/corpus.rs` on the inputs that were kept, and
//! `examples/verdicts.rs` tells the readers' verdicts to programs that compare them with others'.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/config/mod.rs"]
pub mod config;
#[path = "../../../src/http/mod.rs"]
pub mod http;
#[path = "../../../src/ops/mod.rs"]
pub mod ops;
#[path = "../../../src/posta/mod.rs"]
pub mod posta;
#[path = "../../../src/vault/mod.rs"]
pub mod vault;
#[path = "../../../src/webauthn/mod.rs"]
pub mod webauthn;

pub mod check;
pub mod part;
