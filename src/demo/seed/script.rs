//! Conversations written as text, read into messages with times.
//!
//! ```text
//! = 24d 19:03            a scene begins, so many days ago (or `95m`, `26h`: so long before now)
//! a: words               what a says; `\n` breaks the line
//! b [image loaf]: words  a picture with its description
//! a [link URL]: words    a link with its name
//! b [raw]: {…}           a payload as it stands
//! b [long]               a message of 4,000 characters
//! = state failed-permanent forbidden     of the message before
//! = read a               a has read what stands above, and nothing below
//! ```
use super::filler;
use super::random::Random;
use crate::demo::db::messages::{
    DELIVERED, FAILED_PENDING_USER, FAILED_PERMANENT, PENDING, SENDING,
};
use serde_json::Value;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Length of the one long message.
const LONG: usize = 4000;

#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Text(String),
    Image { picture: String, alt: String },
    Link { url: String, name: String },
    Raw(Value),
}

/// One message of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub who: String,
    /// Unix milliseconds.
    pub at: i64,
    pub said: Said,
    pub state: &'static str,
    pub error: Option<String>,
}

/// A conversation.
#[derive(Debug, Default, PartialEq)]
pub struct Script {
    pub lines: Vec<Line>,
    /// Who stopped reading, and after how many lines.
    pub read: Vec<(String, usize)>,
    /// The name after `= generate`.
    pub generate: Option<String>,
}

/// Reads a script; what it cannot read it names, since the scripts are ours.
pub fn read(text: &str, now: i64, random: &mut Random) -> Result<Script, String> {
    let mut script = Script::default();
    let mut at = now - DAY;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let bad = || format!("not a line of a script: {line}");
        if let Some(order) = line.strip_prefix("= ") {
            let words: Vec<&str> = order.split_whitespace().collect();
            match words.as_slice() {
                ["read", who] => script.read.push(((*who).to_owned(), script.lines.len())),
                ["generate", name] => script.generate = Some((*name).to_owned()),
                ["state", state, rest @ ..] => {
                    let last = script.lines.last_mut().ok_or_else(bad)?;
                    last.state = known_state(state).ok_or_else(bad)?;
                    last.error = rest.first().map(|code| (*code).to_owned());
                }
                when => at = begins(when, now).ok_or_else(bad)?,
            }
            continue;
        }
        let (who, rest) = line.split_at(line.find([':', ' ']).ok_or_else(bad)?);
        let said = said(rest, random).ok_or_else(bad)?;
        let same = script.lines.last().is_some_and(|last| last.who == who);
        let line = Line { who: who.to_owned(), at, said, state: DELIVERED, error: None };
        script.lines.push(line);
        // People add a line faster than they answer one.
        at += if same { random.within(8_000, 40_000) } else { random.within(20_000, 150_000) };
    }
    settle(&mut script.lines, now);
    Ok(script)
}

/// Nothing may stand in the future, and nothing before what was said earlier.
fn settle(lines: &mut [Line], now: i64) {
    let mut latest = now - 1000;
    for line in lines.iter_mut().rev() {
        line.at = line.at.min(latest);
        latest = line.at - 1000;
    }
}

fn known_state(name: &str) -> Option<&'static str> {
    [PENDING, SENDING, DELIVERED, FAILED_PERMANENT, FAILED_PENDING_USER]
        .into_iter()
        .find(|state| *state == name)
}

/// When a scene begins: `24d 19:05` (days before today, at that time, UTC), `26h` or `95m` ago.
fn begins(words: &[&str], now: i64) -> Option<i64> {
    let (number, unit) = words.first()?.split_at(words.first()?.len() - 1);
    let number: i64 = number.parse().ok()?;
    match (unit, words) {
        ("m", [_]) => Some(now - number * MINUTE),
        ("h", [_]) => Some(now - number * HOUR),
        ("d", [_, clock]) => {
            let (hours, minutes) = clock.split_once(':')?;
            let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
            let midnight = now - now.rem_euclid(DAY);
            Some(midnight - number * DAY + hours * HOUR + minutes * MINUTE)
        }
        _ => None,
    }
}

/// What follows a name: `: words`, or ` [form]: words`.
fn said(rest: &str, random: &mut Random) -> Option<Said> {
    if let Some(words) = rest.strip_prefix(": ") {
        return Some(Said::Text(words.replace("\\n", "\n")));
    }
    let (form, words) = rest.strip_prefix(" [")?.split_once(']')?;
    let words = words.strip_prefix(": ").unwrap_or_default().to_owned();
    match form.split_once(' ') {
        Some(("image", picture)) => Some(Said::Image { picture: picture.to_owned(), alt: words }),
        Some(("link", url)) => Some(Said::Link { url: url.to_owned(), name: words }),
        None if form == "raw" => serde_json::from_str(&words).ok().map(Said::Raw),
        None if form == "long" => Some(Said::Text(filler::long(random, LONG))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-05-12T10:00:00Z
    const NOW: i64 = 1_747_044_000_000;

    fn parse(text: &str) -> Result<Script, String> {
        read(text, NOW, &mut Random::new(1))
    }

    #[test]
    fn a_script_is_read() {
        let script = parse(
            "# comment\n= 2d 19:05\na: hi: you\\nthere\nb [image loaf]: A loaf\n= read a\n\
             b [link https://x.example]: X\na [raw]: {\"kind\": \"k\"}\n\
             = state failed-permanent forbidden\n= 5m\nb [long]\n",
        )
        .unwrap();
        let lines = &script.lines;
        assert_eq!(lines[0].said, Said::Text("hi: you\nthere".into()));
        assert_eq!(lines[0].at, NOW - 10 * HOUR - 2 * DAY + 19 * HOUR + 5 * MINUTE);
        assert_eq!(lines[1].said, Said::Image { picture: "loaf".into(), alt: "A loaf".into() });
        assert!(lines[1].at > lines[0].at && lines[1].who == "b");
        assert_eq!(
            (lines[3].state, lines[3].error.as_deref()),
            ("failed-permanent", Some("forbidden"))
        );
        assert_eq!(lines[4].at, NOW - 5 * MINUTE);
        assert_eq!(script.read, [("a".to_owned(), 2)]);
        assert!(matches!(&lines[4].said, Said::Text(t) if t.chars().count() == LONG));
    }

    #[test]
    fn nothing_is_said_in_the_future_or_out_of_order() {
        let text = format!("= 1m\n{}", "a: x\nb: y\n".repeat(20));
        let lines = parse(&text).unwrap().lines;
        assert!(lines.iter().all(|line| line.at < NOW));
        assert!(lines.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    #[test]
    fn mistakes_are_named() {
        for bad in ["a", "= 3x", "a [image]: x", "= state odd", "= state pending", "a [raw]: {"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
