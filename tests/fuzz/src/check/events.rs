//! Event streams: the same events however the bytes are split, those of a simple reader of the whole
//! stream, and no event larger than allowed.
use super::{choice, is_line, ways};
use crate::http::sse::{Event, Parser, TooLong, frame};
use crate::posta;

fn parsed(bytes: &[u8], ends: &[usize], limit: usize) -> (Vec<Event>, Result<(), TooLong>) {
    let (mut events, mut parser, mut at) = (Vec::new(), Parser::new(limit), 0);
    for &end in ends {
        let fed = parser.feed(&bytes[at..end], &mut |event| events.push(event));
        if fed.is_err() {
            return (events, fed);
        }
        at = end;
    }
    (events, Ok(()))
}

/// WHATWG HTML §9.2.6, read from a whole stream.
fn simply(bytes: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop(); // what no line end follows
    let (mut events, mut data, mut name, mut id) = (Vec::new(), None::<String>, "", "");
    for line in lines {
        if line.is_empty() {
            if let Some(data) = data.take() {
                let name = if name.is_empty() { "message" } else { name };
                let id = Some(id).filter(|id| !id.is_empty()).map(str::to_owned);
                events.push(Event { id, name: name.to_owned(), data });
            }
            name = "";
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = value,
            "id" if !value.contains('\0') => id = value,
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            _ => {}
        }
    }
    events
}

pub fn check(bytes: &[u8]) {
    for limit in [1 << 20, 8 + (choice(bytes) % 64) as usize] {
        let mut whole = None;
        for ends in ways(bytes) {
            let now = parsed(bytes, &ends, limit);
            match &whole {
                Some(whole) => assert_eq!(*whole, now, "split in {} pieces", ends.len()),
                None => whole = Some(now),
            }
        }
        let (events, verdict) = whole.expect("there is a first way");
        // A byte that is not UTF-8 becomes three, and those are what the limit counts.
        if bytes.len() * 3 < limit {
            assert_eq!((&events, verdict), (&simply(bytes), Ok(())));
        }
        for event in events {
            assert!(!event.name.contains(['\r', '\n']) && event.id.as_deref().is_none_or(is_line));
            assert!(event.id.as_deref().is_none_or(|id| !id.is_empty()));
            assert!(event.data.len() <= limit);
            judge(event);
        }
    }
    let data = String::from_utf8_lossy(bytes);
    let framed = frame("x", &data);
    let data = data.replace("\r\n", "\n").replace('\r', "\n");
    let expected = Event { id: None, name: "x".into(), data };
    assert_eq!(parsed(&framed, &[framed.len()], 1 << 20), (vec![expected], Ok(())));
}

/// What the live room makes of it. Small documents only: others are parsed on threads.
fn judge(event: Event) {
    if event.data.len() < 1000 {
        let id = event.id.clone();
        let read = posta::Event::read(event);
        match read.id {
            // It will be sent back in a field.
            Some(_) => {
                assert!(read.id == id && id.is_some_and(|id| !id.contains(char::is_control)))
            }
            None => assert!(id.is_none_or(|id| id.len() > 512 || id.contains(char::is_control))),
        }
        if let Some(peer) = read.peer {
            super::peer::holds(&peer);
        }
    }
}
