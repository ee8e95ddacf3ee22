//! Encodings.
#[path = "../../../src/ops/encode.rs"]
pub mod encode;
