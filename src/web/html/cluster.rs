//! Which bubbles belong together: the same sender, within two minutes of the one before.
use crate::posta::{Content, Direction, Message, PeerUrl, State};
use jiff::SignedDuration;

/// Two bubbles further apart than this are not one breath.
const BREATH: SignedDuration = SignedDuration::from_secs(120);

/// Where a bubble stands in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub first: bool,
    pub last: bool,
}

/// The place of each of `messages` (oldest first), in order.
pub fn places(messages: &[Message]) -> impl Iterator<Item = (&Message, Place)> {
    messages.iter().enumerate().map(|(at, message)| {
        let before = at.checked_sub(1).and_then(|at| messages.get(at));
        let place = Place {
            first: !before.is_some_and(|before| together(before, message)),
            last: !messages.get(at + 1).is_some_and(|next| together(message, next)),
        };
        (message, place)
    })
}

fn together(before: &Message, after: &Message) -> bool {
    let close = match (before.created_at, after.created_at) {
        (Some(before), Some(after)) => after.duration_since(before).abs() <= BREATH,
        (None, None) => true,
        _ => false,
    };
    // What failed ends its cluster, so that its state and its words stand right under it.
    close && !failed(before) && sender(before).is_some() && sender(before) == sender(after)
}

fn failed(message: &Message) -> bool {
    matches!(message.state, Some(State::FailedPermanent | State::FailedPendingUser))
}

/// Who speaks; `None` for what nobody says (a line about the room). In rooms it is the author
/// inside, not the room that passed it on.
fn sender(message: &Message) -> Option<(Direction, Option<&PeerUrl>)> {
    match &message.content {
        Content::Leave => None,
        Content::Broadcast { author, .. } => Some((message.direction, Some(author))),
        _ => Some((message.direction, None)),
    }
}
