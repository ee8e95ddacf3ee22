//! How the upstream client finds and judges an answer.
#[path = "../../../../src/http/client/answer.rs"]
pub mod answer;
#[path = "../../../../src/http/client/error.rs"]
pub mod error;
#[path = "../../../../src/http/client/origin.rs"]
pub mod origin;

pub use error::CallError;
pub use origin::Origin;
