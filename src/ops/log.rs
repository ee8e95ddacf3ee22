//! The log: one logfmt line per event on standard error. Never a secret, never what people write.
use log::{Level, LevelFilter};
use std::fmt::{self, Write as _};
use std::io::Write as _;

/// Sets the log up once; our own rooms speak at `level`, the libraries below us at most of errors.
pub fn init(level: LevelFilter) {
    let started = env_logger::Builder::new()
        .filter_level(level.min(LevelFilter::Error))
        .filter_module(env!("CARGO_CRATE_NAME"), level)
        // It calls every connection that closes an error.
        .filter_module("may_minihttp", LevelFilter::Off)
        .format(|out, record| {
            let now = jiff::Timestamp::now();
            let event = Event { level: record.level(), at: record.target(), args: *record.args() };
            writeln!(out, "time={now:.3} {event}")
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

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        };
        let at = self.at.split_once("::").map_or(self.at, |(_, room)| room);
        write!(f, "level={level} at={at} ")?;
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
    fn nobody_forges_a_line_or_drives_the_terminal() {
        assert_eq!(
            line("a::b", "x\nlevel=error\r\u{1b}[2J\u{9b}é"),
            "level=warn at=b x\\nlevel=error\\r\\u{1b}[2J\\u{9b}é"
        );
    }
}
