//! HTTP/1.1 on coroutines: the public server, the upstream client, event streams.
//!
//! In scope: framing (RFC 9110, RFC 9112), limits, deadlines, connections, TLS to upstreams,
//! Server-Sent Events as bytes. Out of scope: anything about chat, users, sessions or pages; this
//! room has never heard of them.
//!
//! `server` answers the browser, `client` calls upstreams. Both stand on `socket` (a stream that is
//! waited for with a deadline), `chunked`, `Fields` and `limits`; `stack` says how deep a coroutine
//! may go, and `deep` is where work that must go deeper is done.
pub mod alarm;
pub mod chunked;
pub mod client;
pub mod deep;
pub mod fields;
pub mod gate;
pub mod limits;
#[cfg(feature = "demo")]
pub mod paint;
pub mod request;
pub mod response;
pub mod server;
mod socket;
pub mod sse;
pub mod stack;

pub use fields::Fields;
pub use request::{BodyError, Method, Request, RequestBody};
pub use response::{Body, Parked, Response};
