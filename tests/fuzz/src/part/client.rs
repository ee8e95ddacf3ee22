//! How the upstream client finds and judges an answer.
pub use crate::http::client::CallError;

#[path = "../../../../src/http/client/answer.rs"]
pub mod answer;
