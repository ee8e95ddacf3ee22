//! The typed posta-server client: URLs, pairing URIs, models, events.
//!
//! In scope: what a posta-server says and how we read it leniently. Out of scope: who asks
//! (sessions), what is shown (web), when it is re-read (live).
pub mod actor;
mod actors;
pub mod content;
pub mod events;
pub mod json;
pub mod model;
pub mod pairing;
pub mod pictures;
mod profile;
pub mod server;
pub mod setup;
mod stream;
mod typed;
pub mod url;

pub use actor::Actor;
pub use actors::Actors;
pub use content::{Content, Image};
pub use events::{Event, EventKind};
pub use model::{Contact, Direction, Identity, Message, Sent, State};
pub use pairing::{Offer, Pairing};
pub use pictures::{MAX_PICTURE, Picture};
pub use server::{PostaError, Server};
pub use setup::{InviteInfo, SetupError};
pub use stream::EventStream;
pub use url::{PeerUrl, percent_encode};
