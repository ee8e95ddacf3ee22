//! The typed posta-server client: URLs, pairing URIs, models, events, actor docs.
//!
//! In scope: what a posta-server says and how we read it leniently. Out of scope: who asks
//! (sessions), what is shown (web), when it is re-read (live).
pub mod model;
pub mod url;

pub use model::*;
pub use url::PeerUrl;
