//! What the service knows only while it runs: sessions, ceremonies in progress, rate limits.
//!
//! In scope: RAM, short locks, an injected clock. Out of scope: disk, the network, cookies as text
//! in a header.
mod ceremonies;
mod handover;
mod limits;
mod sessions;
mod touch;

pub use ceremonies::{Ceremonies, Ceremony, Proving, Registering};
pub use handover::Passed;
pub use limits::{Kind, Limits, RetryAfter};
pub use sessions::{Account, Session, Sessions, SignIn};
pub use touch::{Adding, Purpose, Touch, Trying};
