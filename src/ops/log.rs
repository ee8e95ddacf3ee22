//! The log: one line per event on standard error, as logfmt or JSON. Never a secret, never what
//! people write.
use super::time::Timestamp;
use crate::config::LogFormat;
use log::{Level, LevelFilter};
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// Sets the log up once; our own rooms speak at `level`, the libraries below us at most of errors.
pub fn init(level: LevelFilter, format: LogFormat) {
    let started = env_logger::Builder::new()
        .filter_level(level.min(LevelFilter::Error))
        .filter_module(env!("CARGO_CRATE_NAME"), level)
        // It calls every connection that closes an error.
        .filter_module("may_minihttp", LevelFilter::Off)
        .format(move |out, record| {
            let now = Timestamp::now();
            let event = Event { level: record.level(), at: record.target(), args: *record.args() };
            match format {
                LogFormat::Logfmt => writeln!(out, "time={now:.3} {event}"),
                LogFormat::Json => writeln!(out, "{}", event.json(&format!("{now:.3}"))),
            }
        })
        .try_init();
    // It fails when there is a log already, which then serves as well.
    drop(started);
}

/// A log line without its time.
struct Event<'a> {
    level: Level,
    at: &'a str,
    args: fmt::Arguments<'a>,
}

impl Event<'_> {
    fn level(&self) -> &'static str {
        match self.level {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }

    fn at(&self) -> &str {
        self.at.split_once("::").map_or(self.at, |(_, room)| room)
    }

    /// The same as an object: what stands as `key=value` in front becomes members (a key that is
    /// taken already is left in the words), and the words become `msg`.
    fn json(&self, time: &str) -> Value {
        let text = self.args.to_string();
        let mut members = Map::new();
        members.insert("time".into(), time.into());
        members.insert("level".into(), self.level().into());
        members.insert("at".into(), self.at().into());
        let mut rest = text.as_str();
        while let Some((key, value, after)) = pair(rest) {
            if members.contains_key(key) {
                break;
            }
            members.insert(key.into(), value);
            rest = after;
        }
        if !rest.is_empty() {
            members.insert("msg".into(), rest.into());
        }
        Value::Object(members)
    }
}

/// Takes one `key=value` from the front: key, value, and what follows. A value is quoted as Rust's
/// `Debug` does it, or ends with the next space.
fn pair(text: &str) -> Option<(&str, Value, &str)> {
    let (key, rest) = text.split_once('=')?;
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        })?;
        let after = &quoted[end + 1..];
        let value = quoted[..end].replace("\\\"", "\"").replace("\\\\", "\\");
        return Some((key, value.into(), after.strip_prefix(' ').unwrap_or(after)));
    }
    let (value, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = value.parse::<u64>().map(Value::from);
    let value = number.or_else(|_| value.parse::<f64>().map(Value::from));
    let text = || rest.split_once(' ').map_or(rest, |(value, _)| value).into();
    Some((key, value.unwrap_or_else(|_| text()), after))
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level={} at={} ", self.level(), self.at())?;
        write!(OneLine(f), "{}", self.args)
    }
}

/// Shows control characters instead of obeying them: a line break in a peer's error text must not
/// forge a line, nor an escape sequence drive the operator's terminal.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(char::is_control) {
            self.0.write_str(&rest[..at])?;
            let mut chars = rest[at..].chars();
            if let Some(control) = chars.next() {
                write!(self.0, "{}", control.escape_default())?;
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: &str, text: &str) -> String {
        Event { level: Level::Warn, at, args: format_args!("{text}") }.to_string()
    }

    #[test]
    fn a_line_names_level_and_room() {
        assert_eq!(line("chat_posta::http::conn", "id=1 x"), "level=warn at=http::conn id=1 x");
        assert_eq!(line("rustls", "y"), "level=warn at=rustls y");
    }

    #[test]
    fn as_json_the_pairs_are_members_and_the_words_a_message() {
        for (text, members) in [
            (
                "id=7 route=/c/{} ms=1.5 close=\"asked (RFC 9112 §9.6)\"",
                r#""id":7,"route":"/c/{}","ms":1.5,"close":"asked (RFC 9112 §9.6)""#,
            ),
            ("user=3 session ended: a=b", r#""user":3,"msg":"session ended: a=b""#),
            ("a=\"say \\\"hi\\\" \\\\\" b= c", r#""a":"say \"hi\" \\","b":"","msg":"c""#),
            ("the end", r#""msg":"the end""#),
            ("a=\"open", r#""msg":"a=\"open""#),
            ("level=error", r#""msg":"level=error""#),
            ("", ""),
        ] {
            let at = "chat_posta::http";
            let event = Event { level: Level::Info, at, args: format_args!("{text}") };
            let expected = [r#""time":"T","level":"info","at":"http""#, members];
            let expected = expected.join(if members.is_empty() { "" } else { "," });
            let expected: Value = serde_json::from_str(&format!("{{{expected}}}")).unwrap();
            assert_eq!(event.json("T"), expected, "{text}");
        }
        let forged = Event {
            level: Level::Info,
            at: "a::b",
            args: format_args!("x\n{{\"level\":\"error\"}}"),
        };
        assert!(!forged.json("T").to_string().contains('\n'));
    }

    #[test]
    fn nobody_forges_a_line_or_drives_the_terminal() {
        assert_eq!(
            line("a::b", "x\nlevel=error\r\u{1b}[2J\u{9b}é"),
            "level=warn at=b x\\nlevel=error\\r\\u{1b}[2J\\u{9b}é"
        );
    }
}
