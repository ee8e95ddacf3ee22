//! Server-Sent Events as bytes (WHATWG HTML §9.2): a parser fed by anyone, and a frame writer.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The last event id in force when this event was dispatched.
    pub id: Option<String>,
    /// `message` when the stream named none.
    pub name: String,
    pub data: String,
}

/// Sans-I/O; lines and data are bounded by `limit` bytes, past which `feed` fails.
pub struct Parser;

#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

impl Parser {
    pub fn new(limit: usize) -> Self {
        let _ = limit;
        todo!()
    }

    /// Feeds bytes, split anywhere; calls `dispatch` for each complete event.
    pub fn feed(&mut self, bytes: &[u8], dispatch: &mut dyn FnMut(Event)) -> Result<(), TooLong> {
        let _ = (bytes, dispatch);
        todo!()
    }

    /// The `retry:` value last seen, milliseconds.
    pub fn retry(&self) -> Option<u64> {
        todo!()
    }
}

/// One event as bytes; `data` may hold line breaks.
pub fn frame(name: &str, data: &str) -> Vec<u8> {
    let _ = (name, data);
    todo!()
}
