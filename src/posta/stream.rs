//! A posta-server's open event stream.
use super::Event;
use super::server::{self, PostaError};
use crate::http::client::Events;
use crate::http::deep::Lane;
use std::time::Duration;

/// An open stream of events.
pub struct EventStream {
    pub(super) events: Events,
    pub(super) lane: Lane,
}

impl EventStream {
    /// The next event; `Ok(None)` when none came within `wait`. The stream's end is an error.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, PostaError> {
        let event = self.events.next(wait).map_err(server::unanswered)?;
        Ok(event.map(|event| Event::read(&self.lane, event)))
    }
}
