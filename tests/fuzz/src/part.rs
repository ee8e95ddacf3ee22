//! Files that a room keeps to itself, built once more where a check can reach them.
pub mod client;
pub mod pages;
pub mod passkey;
pub mod server;
