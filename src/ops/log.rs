//! The log: one line per event on standard error, as logfmt or JSON. Never a secret, never what
//! people write.
mod line;
mod outlet;

pub use line::line;

use crate::config::LogFormat;
use jiff::Timestamp;
use log::{Level, LevelFilter, Log, Metadata, Record};
use outlet::Outlet;
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

static OUTLET: Outlet = Outlet::new();
static IS_JSON: AtomicBool = AtomicBool::new(false);

fn format() -> LogFormat {
    if IS_JSON.load(Ordering::Relaxed) { LogFormat::Json } else { LogFormat::Logfmt }
}

/// Sets the log up once; our own rooms speak at `level`, the libraries below us at most of errors.
pub fn init(level: LevelFilter, format: LogFormat) {
    // It fails when there is a log already, which then serves as well.
    if log::set_boxed_logger(Box::new(Lines { level, format })).is_err() {
        return;
    }
    IS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
    log::set_max_level(level);
    OUTLET.start().expect("a thread can be started while starting up");
    let then = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        OUTLET.try_flush();
        then(what);
    }));
}

/// Writes what waits to be written: before the program ends or becomes another.
pub fn flush() {
    OUTLET.flush();
}

struct Lines {
    level: LevelFilter,
    format: LogFormat,
}

impl Log for Lines {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        let room = of.target().split("::").next().unwrap_or_default();
        of.level()
            <= match room {
                env!("CARGO_CRATE_NAME") => self.level,
                // It calls every connection that closes an error.
                "may_minihttp" => LevelFilter::Off,
                _ => self.level.min(LevelFilter::Error),
            }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let event = Event { level: record.level(), at: record.target(), args: *record.args() };
        let mut line = String::with_capacity(LINE);
        // Writing to a String cannot fail.
        let _ = match self.format {
            LogFormat::Logfmt => {
                begin_logfmt(&mut line, event.level, event.at);
                writeln!(line, " {}", event.words())
            }
            LogFormat::Json => writeln!(line, "{}", event.json(&moment())),
        };
        OUTLET.add(line.as_bytes(), record.level() <= Level::Warn);
    }

    fn flush(&self) {
        OUTLET.flush();
    }
}

/// Bytes that most lines have room in.
const LINE: usize = 256;

/// What each line of logfmt begins with.
fn begin_logfmt(out: &mut String, level: Level, at: &str) {
    out.push_str("time=");
    push_now(out);
    for part in [" level=", word(level), " at=", room(at)] {
        out.push_str(part);
    }
}

fn moment() -> String {
    let mut now = String::new();
    push_now(&mut now);
    now
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// A module's path without the program's own name.
fn room(at: &str) -> &str {
    let own = at.strip_prefix(env!("CARGO_CRATE_NAME")).and_then(|rest| rest.strip_prefix("::"));
    own.unwrap_or_else(|| at.split_once("::").map_or(at, |(_, room)| room))
}

/// The moment as RFC 3339 with milliseconds; all but those is written once a second.
fn push_now(out: &mut String) {
    static LAST: Mutex<(u64, String)> = Mutex::new((u64::MAX, String::new()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0 != seconds {
        let at = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
        *last = (seconds, at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.").to_string());
    }
    out.push_str(&last.1);
    drop(last);
    let _ = write!(out, "{:03}Z", now.subsec_millis());
}

/// A log line without its time.
struct Event<'a> {
    level: Level,
    at: &'a str,
    args: fmt::Arguments<'a>,
}

impl Event<'_> {
    /// The words, on one line.
    fn words(&self) -> impl fmt::Display + '_ {
        Words(self.args)
    }

    /// The same as an object: what stands as `key=value` in front becomes members (a key that is
    /// taken already is left in the words), and the words become `msg`.
    fn json(&self, time: &str) -> Value {
        let text = self.args.to_string();
        let mut members = Map::new();
        members.insert("time".into(), time.into());
        members.insert("level".into(), word(self.level).into());
        members.insert("at".into(), room(self.at).into());
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

struct Words<'a>(fmt::Arguments<'a>);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(OneLine(f), "{}", self.0)
    }
}

/// Shows control characters instead of obeying them: a line break in a peer's error text must not
/// forge a line, nor an escape sequence drive the operator's terminal.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        if rest.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b)) {
            return self.0.write_str(rest);
        }
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
        let mut line = String::new();
        begin_logfmt(&mut line, Level::Warn, at);
        let (_, line) = line.split_once(' ').unwrap();
        let event = Event { level: Level::Warn, at, args: format_args!("{text}") };
        format!("{line} {}", event.words())
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
    fn now_is_rfc_3339_with_milliseconds() {
        for _ in 0..2 {
            let mut text = String::new();
            push_now(&mut text);
            let at: Timestamp = text.parse().unwrap();
            assert!(Timestamp::now().duration_since(at).as_secs().abs() < 60, "{text}");
            assert_eq!((text.len(), &text[19..20]), (24, "."), "{text}");
        }
    }

    #[test]
    fn our_rooms_speak_at_their_level_and_others_of_errors() {
        let enabled = |level, target: &str| {
            let lines = Lines { level: LevelFilter::Info, format: LogFormat::Logfmt };
            lines.enabled(&Metadata::builder().level(level).target(target).build())
        };
        assert!(enabled(Level::Info, "chat_posta::web") && enabled(Level::Info, "chat_posta"));
        assert!(!enabled(Level::Debug, "chat_posta::web"));
        assert!(enabled(Level::Error, "rustls::x") && !enabled(Level::Warn, "rustls"));
        assert!(!enabled(Level::Error, "may_minihttp::http_server"));
    }

    #[test]
    fn nobody_forges_a_line_or_drives_the_terminal() {
        assert_eq!(
            line("a::b", "x\nlevel=error\r\u{1b}[2J\u{9b}é"),
            "level=warn at=b x\\nlevel=error\\r\\u{1b}[2J\\u{9b}é"
        );
    }
}
