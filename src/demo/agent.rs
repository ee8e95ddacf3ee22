//! The agent that answers what it is sent.
use super::Participant;
use super::behaviour::say;
use super::bell::rest;
use super::envelope::Envelope;
use super::payload;
use super::seed::picture;
use super::view::time;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Most messages sent for one `count`.
const MAX_COUNT: u32 = 50;
const SLOWLY: Duration = Duration::from_secs(5);

const HELP: &str = "I answer what I am sent. A few words make me do more:\n\
    help: this\n\
    time: what my clock says\n\
    picture: a picture I drew myself\n\
    slow: an answer after five seconds\n\
    count 10: that many messages at once\n\
    long: more than fits a screen\n\
    unknown: a message of a kind you have never seen";

/// What it sends back.
#[derive(Debug, PartialEq)]
enum Reply {
    Say(String),
    Payload(Value),
    Picture,
    Time,
    Slow,
    Count(u32),
    Nothing,
}

fn reply(received: &Value) -> Reply {
    let text = |name| received.get(name).and_then(Value::as_str);
    match text("kind") {
        Some(payload::TEXT) => reply_to_text(text("body").unwrap_or_default()),
        Some(payload::LINK) => Reply::Say(match text("alt").or(text("name")) {
            Some(words) => format!("Thank you. I see it says “{words}”."),
            None => "Thank you. I can't see, but I am sure it is lovely.".to_owned(),
        }),
        // A room's messages are for people.
        Some(payload::ROOM) => Reply::Nothing,
        kind => Reply::Say(format!("I don't know what a {} is.", kind.unwrap_or("message"))),
    }
}

fn reply_to_text(body: &str) -> Reply {
    let mut words = body.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let alone = second.is_none();
    match (first.to_lowercase().as_str(), second) {
        ("help" | "/help", None) => Reply::Say(HELP.to_owned()),
        ("time", None) => Reply::Time,
        ("picture", None) => Reply::Picture,
        ("slow", None) => Reply::Slow,
        ("long", None) => {
            Reply::Say("Round and round the harbour, and home again. ".repeat(80).trim().into())
        }
        ("unknown", None) => Reply::Payload(
            json!({"kind": "echo.riddle/v1", "question": "What is answered but never asked?"}),
        ),
        ("count", Some(number)) if words.next().is_none() => match number.parse() {
            Ok(number @ 1..=MAX_COUNT) => Reply::Count(number),
            _ => Reply::Say(format!("I count from 1 to {MAX_COUNT}.")),
        },
        ("hello" | "hi" | "hey", _) if alone => {
            Reply::Say("Hello. Say “help” to see what I can do.".into())
        }
        ("", _) => Reply::Say("…".into()),
        _ => Reply::Say(body.to_owned()),
    }
}

pub fn answer(agent: &Arc<Participant>, envelope: &Envelope) {
    let peer = &envelope.from;
    let send = |payload: Value| {
        // What it says is short, except when it repeats what just fitted: then silence is fine.
        say(agent, peer, payload);
    };
    match reply(&envelope.payload) {
        Reply::Say(words) => send(payload::text(&words)),
        Reply::Payload(payload) => send(payload),
        Reply::Time => send(payload::text(&format!("My clock says {}.", time(agent.now())))),
        Reply::Slow => {
            rest(SLOWLY);
            send(payload::text("Here I am, five seconds later."));
        }
        Reply::Count(number) => (1..=number).for_each(|n| send(payload::text(&n.to_string()))),
        Reply::Picture => {
            let drawn = picture::harbour(agent.now() as u64);
            match agent.keep_picture(&drawn) {
                Ok(link) => send(link),
                Err(e) => log::error!("{}: a picture could not be kept: {e}", agent.me),
            }
        }
        Reply::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_everything() {
        let say = |body: &str| reply(&payload::text(body));
        assert_eq!(say("Good morning, echo"), Reply::Say("Good morning, echo".into()));
        assert_eq!(say(" HELP "), Reply::Say(HELP.into()));
        assert_eq!(say("help me"), Reply::Say("help me".into()));
        assert_eq!(say("count 3"), Reply::Count(3));
        assert_eq!(say("count 51"), Reply::Say("I count from 1 to 50.".into()));
        assert_eq!(say("count"), Reply::Say("count".into()));
        assert_eq!(say("time"), Reply::Time);
        assert!(matches!(say(""), Reply::Say(_)));
        assert!(matches!(reply(&json!({"kind": "x"})), Reply::Say(_)));
        assert_eq!(reply(&json!({"kind": payload::ROOM, "action": "broadcast"})), Reply::Nothing);
    }
}
