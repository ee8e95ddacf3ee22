//! What a posta-server says, as we read it. Every reading that POSTA leaves open is decided here.
use super::PeerUrl;
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub url: PeerUrl,
    /// May be empty.
    pub name: String,
    pub avatar: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub peer: PeerUrl,
    /// May be empty: then the host is shown.
    pub name: String,
    pub avatar: Option<String>,
    /// `person`, `room`, `agent` or anything else; empty when not said.
    pub kind: String,
    pub last_message_at: Option<Timestamp>,
    pub last_read_row: i64,
    /// Only when the posta-server counts them itself.
    pub unread: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Delivery state of an outbound message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Sending,
    Delivered,
    FailedPermanent,
    FailedPendingUser,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub row_id: i64,
    pub id: String,
    pub peer: PeerUrl,
    pub direction: Direction,
    pub content: Content,
    /// `None` for inbound, or when unknown.
    pub state: Option<State>,
    pub last_error_code: Option<String>,
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(String),
    Image(Image),
    /// A link that is not an image.
    Link {
        url: String,
        name: Option<String>,
    },
    /// A room passed on another participant's message.
    Broadcast {
        author: PeerUrl,
        content: Box<Content>,
    },
    /// The sender left the room.
    Leave,
    Unsupported {
        kind: String,
    },
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    pub url: String,
    pub media_type: Option<String>,
    pub name: Option<String>,
    pub alt: Option<String>,
    pub size: Option<u64>,
}
