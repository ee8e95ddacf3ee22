//! Which bubbles belong together: the same sender, within two minutes of the one before.
use crate::posta::{Content, Direction, Message, PeerUrl, State};
use std::time::Duration;

/// Two bubbles further apart than this are not one breath.
const BREATH: Duration = Duration::from_secs(120);

/// Where a bubble stands in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub first: bool,
    pub last: bool,
}

/// The place of each of `messages` (oldest first), in order. `above` and `below` are drawn already,
/// or will be: a cluster goes on across the border of two parts of a thread.
pub fn places<'a>(
    above: Option<&'a Message>,
    messages: &'a [Message],
    below: Option<&'a Message>,
) -> impl Iterator<Item = (&'a Message, Place)> {
    messages.iter().enumerate().map(move |(at, message)| {
        let before = at.checked_sub(1).map_or(above, |at| messages.get(at));
        let place = Place {
            first: !before.is_some_and(|before| together(before, message)),
            last: !messages.get(at + 1).or(below).is_some_and(|next| together(message, next)),
        };
        (message, place)
    })
}

fn together(before: &Message, after: &Message) -> bool {
    let close = match (before.created_at, after.created_at) {
        (Some(before), Some(after)) => after.abs_diff(before) <= BREATH,
        (None, None) => true,
        _ => false,
    };
    // What failed ends its cluster, so that its state and its words stand right under it.
    close && !failed(before) && sender(before).is_some() && sender(before) == sender(after)
}

fn failed(message: &Message) -> bool {
    matches!(message.state, Some(State::FailedPermanent | State::FailedPendingUser))
}

/// Who speaks; `None` for what nobody says (a line about the room).
fn sender(message: &Message) -> Option<(Direction, Option<&PeerUrl>)> {
    let (author, content) = unwrap(&message.content);
    (*content != Content::Leave).then_some((message.direction, author))
}

/// What was said, and by whom when a room passed it on: through however many rooms it came.
pub fn unwrap(content: &Content) -> (Option<&PeerUrl>, &Content) {
    let (mut author, mut content) = (None, content);
    while let Content::Broadcast { author: next, content: inner } = content {
        (author, content) = (Some(next), inner.as_ref());
    }
    (author, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Inbound, Outbound};

    fn message(row_id: i64, direction: Direction, at: &str, content: Content) -> Message {
        Message {
            row_id,
            id: row_id.to_string(),
            peer: PeerUrl::parse("room.example").unwrap(),
            direction,
            content,
            state: None,
            last_error_code: None,
            created_at: at.parse().ok(),
        }
    }

    fn said(row_id: i64, direction: Direction, at: &str) -> Message {
        message(row_id, direction, at, Content::Text("x".into()))
    }

    fn passed_on(row_id: i64, author: &str, at: &str) -> Message {
        let author = PeerUrl::parse(author).unwrap();
        let content = Box::new(Content::Text("x".into()));
        message(row_id, Inbound, at, Content::Broadcast { author, content })
    }

    /// First and last as `[` and `]`, a bubble as `.`.
    fn drawn(messages: &[Message]) -> String {
        places(None, messages, None)
            .map(|(_, place)| match (place.first, place.last) {
                (true, true) => "[.]",
                (true, false) => "[.",
                (false, true) => ".]",
                (false, false) => ".",
            })
            .collect()
    }

    #[test]
    fn one_breath_of_one_sender_is_one_cluster() {
        let at = |time: &str| format!("2026-05-12T{time}Z");
        let run = |of: &[(Direction, &str)]| {
            let messages: Vec<_> =
                of.iter().zip(1..).map(|((d, time), row)| said(row, *d, &at(time))).collect();
            drawn(&messages)
        };
        assert_eq!(run(&[]), "");
        assert_eq!(run(&[(Inbound, "10:00:00")]), "[.]");
        assert_eq!(run(&[(Inbound, "10:00:00"), (Inbound, "10:02:00")]), "[..]");
        assert_eq!(run(&[(Inbound, "10:00:00"), (Inbound, "10:02:01")]), "[.][.]");
        assert_eq!(run(&[(Inbound, "10:00:00"), (Outbound, "10:00:01")]), "[.][.]");
        assert_eq!(
            run(&[(Outbound, "10:00:00"), (Outbound, "10:01:30"), (Outbound, "10:03:00")]),
            "[...]"
        );
        // Clocks of two servers may disagree by a moment.
        assert_eq!(run(&[(Inbound, "10:00:30"), (Inbound, "10:00:00")]), "[..]");
        assert_eq!(run(&[(Inbound, ""), (Inbound, "10:00:00"), (Inbound, "")]), "[.][.][.]");
        assert_eq!(run(&[(Inbound, ""), (Inbound, "")]), "[..]");
    }

    #[test]
    fn a_cluster_goes_on_across_the_border_of_two_parts() {
        let all: Vec<_> = (1..=4).map(|row| said(row, Inbound, "2026-05-12T10:00:00Z")).collect();
        let parts = |at: usize| {
            let (upper, lower) = all.split_at(at);
            let upper = places(None, upper, lower.first());
            upper.chain(places(all.get(at - 1), lower, None)).map(|(_, place)| place)
        };
        let whole: Vec<_> = places(None, &all, None).map(|(_, place)| place).collect();
        for at in 1..all.len() {
            assert!(parts(at).eq(whole.iter().copied()), "cut at {at}");
        }
    }

    #[test]
    fn in_a_room_the_author_is_the_sender() {
        let at = "2026-05-12T10:00:00Z";
        let messages = [
            passed_on(1, "ana.example", at),
            passed_on(2, "ana.example", at),
            passed_on(3, "ben.example", at),
            message(4, Inbound, at, Content::Leave),
            message(5, Inbound, at, Content::Leave),
            said(6, Inbound, at),
        ];
        assert_eq!(drawn(&messages), "[..][.][.][.][.]");
    }

    #[test]
    fn what_failed_ends_its_cluster() {
        let mut messages: Vec<_> =
            (1..=3).map(|row| said(row, Outbound, "2026-05-12T10:00:00Z")).collect();
        messages[1].state = Some(State::FailedPendingUser);
        assert_eq!(drawn(&messages), "[..][.]");
    }
}
