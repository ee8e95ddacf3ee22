//! Framing and limits, from both ends.
#[path = "../../../src/http/chunked.rs"]
pub mod chunked;
#[path = "../../../src/http/fields.rs"]
pub mod fields;
#[path = "../../../src/http/limits.rs"]
pub mod limits;
#[path = "../../../src/http/request.rs"]
pub mod request;
#[path = "../../../src/http/sse.rs"]
pub mod sse;

pub mod client;
pub mod deep;
pub mod server;

pub use fields::Fields;
pub use request::{BodyError, Method, Request, RequestBody};
