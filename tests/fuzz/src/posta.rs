//! What a posta-server, a peer or a person says, and how we read it.
#[path = "../../../src/posta/actor.rs"]
pub mod actor;
#[path = "../../../src/posta/content.rs"]
pub mod content;
#[path = "../../../src/posta/events.rs"]
pub mod events;
#[path = "../../../src/posta/json.rs"]
pub mod json;
#[path = "../../../src/posta/model.rs"]
pub mod model;
#[path = "../../../src/posta/pairing.rs"]
pub mod pairing;
#[path = "../../../src/posta/typed.rs"]
mod typed;
#[path = "../../../src/posta/url.rs"]
pub mod url;

pub use actor::Actor;
pub use content::{Content, Image};
pub use events::{Event, EventKind};
pub use model::{Contact, Direction, Identity, Message, Sent, State};
pub use pairing::{Offer, Pairing};
pub use url::{PeerUrl, percent_encode};
