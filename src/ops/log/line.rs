//! A line of pairs, built without the detour over formatting: the one that each request leaves.
use super::{OUTLET, begin_logfmt, format, moment};
use crate::config::LogFormat;
use crate::ops::encode::decimal;
use log::Level;
use serde_json::{Map, Value};
use std::fmt::{Arguments, Write as _};
use std::net::IpAddr;

/// Bytes that most lines have room in.
const ROOM: usize = 256;

/// Keys are words of ours, and so are values unless they are quoted.
pub struct Line {
    level: Level,
    text: Text,
}

enum Text {
    Logfmt(String),
    Json(Map<String, Value>),
}

/// Begins a line that the room `at` speaks; `None` when nothing is said at that level.
pub fn line(level: Level, at: &'static str) -> Option<Line> {
    if level > log::max_level() {
        return None;
    }
    let text = match format() {
        LogFormat::Logfmt => {
            let mut text = String::with_capacity(ROOM);
            begin_logfmt(&mut text, level, at);
            Text::Logfmt(text)
        }
        LogFormat::Json => {
            let members = [("time", moment()), ("level", super::word(level).into())];
            let mut members: Map<_, _> =
                members.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
            members.insert("at".into(), super::room(at).into());
            Text::Json(members)
        }
    };
    Some(Line { level, text })
}

impl Line {
    fn pair(
        mut self,
        key: &'static str,
        logfmt: impl FnOnce(&mut String),
        json: impl FnOnce() -> Value,
    ) -> Line {
        match &mut self.text {
            Text::Logfmt(text) => {
                text.push(' ');
                text.push_str(key);
                text.push('=');
                logfmt(text);
            }
            Text::Json(members) => drop(members.insert(key.into(), json())),
        }
        self
    }

    /// Without blanks, quotes and control characters.
    pub fn word(self, key: &'static str, value: &'static str) -> Line {
        self.pair(key, |text| text.push_str(value), || value.into())
    }

    pub fn number(self, key: &'static str, value: u64) -> Line {
        self.pair(key, |text| text.push_str(decimal(value, &mut [0; 20])), || value.into())
    }

    /// A number with one digit behind its point.
    pub fn tenths(self, key: &'static str, tenths: u64) -> Line {
        let logfmt = |text: &mut String| {
            text.push_str(decimal(tenths / 10, &mut [0; 20]));
            text.push('.');
            text.push_str(decimal(tenths % 10, &mut [0; 20]));
        };
        self.pair(key, logfmt, || (tenths as f64 / 10.0).into())
    }

    pub fn address(self, key: &'static str, address: IpAddr) -> Line {
        let logfmt = |text: &mut String| match address {
            IpAddr::V4(v4) => {
                for (at, octet) in v4.octets().into_iter().enumerate() {
                    text.push_str(if at > 0 { "." } else { "" });
                    text.push_str(decimal(octet.into(), &mut [0; 20]));
                }
            }
            IpAddr::V6(v6) => write_to(text, format_args!("{v6}")),
        };
        self.pair(key, logfmt, || address.to_string().into())
    }

    /// Any text, quoted as Rust's `Debug` does it.
    pub fn quoted(self, key: &'static str, value: &str) -> Line {
        self.pair(key, |text| write_to(text, format_args!("{value:?}")), || value.into())
    }

    pub fn write(self) {
        let at_once = self.level <= Level::Warn;
        OUTLET.add(self.finish().as_bytes(), at_once);
    }

    fn finish(self) -> String {
        match self.text {
            Text::Logfmt(mut text) => {
                text.push('\n');
                text
            }
            Text::Json(members) => format!("{}\n", Value::Object(members)),
        }
    }
}

fn write_to(text: &mut String, what: Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: Text) -> String {
        let line = Line { level: Level::Info, text };
        let line = line.number("id", 0).word("method", "GET").number("bytes", u64::MAX);
        let line = line.tenths("ms", 123).tenths("s", 7);
        let line = line.address("v4", "192.0.2.10".parse().unwrap());
        let line = line.address("v6", "2001:db8::1".parse().unwrap());
        line.quoted("close", "a \"b\"\n").finish()
    }

    #[test]
    fn pairs_are_the_same_in_both_forms() {
        assert_eq!(
            filled(Text::Logfmt("x".into())),
            "x id=0 method=GET bytes=18446744073709551615 ms=12.3 s=0.7 v4=192.0.2.10 \
             v6=2001:db8::1 close=\"a \\\"b\\\"\\n\"\n"
        );
        let json: Value = serde_json::from_str(&filled(Text::Json(Map::new()))).unwrap();
        let expected = serde_json::json!({
            "id": 0, "method": "GET", "bytes": u64::MAX, "ms": 12.3, "s": 0.7,
            "v4": "192.0.2.10", "v6": "2001:db8::1", "close": "a \"b\"\n"
        });
        assert_eq!(json, expected);
    }
}
