//! A posta-server's open event stream.
use super::Event;
use super::server::{self, PostaError};
use crate::http::client::Events;
use std::time::Duration;

/// An open stream of events.
pub struct EventStream(pub(super) Events);

impl EventStream {
    /// The next event; `Ok(None)` when none came within `wait`. The stream's end is an error.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Event>, PostaError> {
        Ok(self.0.next(wait).map_err(server::unanswered)?.map(Event::read))
    }
}
