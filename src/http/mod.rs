//! HTTP/1.1 on coroutines: the public server, the upstream client, event streams.
//!
//! In scope: framing (RFC 9110, RFC 9112), limits, deadlines, connections, TLS to upstreams,
//! Server-Sent Events as bytes. Out of scope: anything about chat, users, sessions or pages; this
//! room has never heard of them.
mod accept;
mod answer;
mod body;
pub mod chunked;
pub mod client;
mod close;
mod conn;
pub mod date;
pub mod deep;
pub mod fields;
mod framing;
mod head;
mod input;
pub mod limits;
mod places;
mod proxy;
mod registry;
mod reply;
pub mod request;
pub mod response;
pub mod server;
#[cfg(test)]
mod server_tests;
mod socket;
pub mod sse;
pub mod stack;
mod stream;
mod target;
mod wire;

pub use close::CloseReason;
pub use fields::Fields;
pub use request::{BodyError, Method, Request};
pub use response::{Body, Parked, Response};
