//! HTTP/1.1 on coroutines: the public server, the upstream client, event streams.
//!
//! In scope: framing (RFC 9110, RFC 9112), limits, deadlines, connections, TLS to upstreams,
//! Server-Sent Events as bytes. Out of scope: anything about chat, users, sessions or pages; this
//! room has never heard of them.
pub mod client;
pub mod deep;
pub mod fields;
pub mod request;
pub mod response;
pub mod server;
pub mod sse;

pub use fields::Fields;
pub use request::{BodyError, Method, Request};
pub use response::{Body, Parked, Response};
