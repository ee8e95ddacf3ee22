//! Moments. The server does not know the reader's zone: it writes UTC, and the page's script puts
//! the reader's own time in its place. Where no script runs, day and zone are said too.
use super::markup::Markup;
use crate::ops::time::{Civil, MONTHS, Timestamp};

/// RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// The time of a message.
pub fn clock(out: &mut Markup, at: Timestamp, now: Timestamp) {
    let year = if at.civil().year == now.civil().year { "" } else { &*year(at) };
    write(out, at, "clock", [&format!("{}{year}, ", day(at)), &time(at), " UTC"]);
}

/// When something last happened, in a list: the time today, else the date.
pub fn short(out: &mut Markup, at: Timestamp, now: Timestamp) {
    last(out, at, now, "short");
}

/// The same inside a sentence.
pub fn inline(out: &mut Markup, at: Timestamp, now: Timestamp) {
    last(out, at, now, "inline");
}

fn last(out: &mut Markup, at: Timestamp, now: Timestamp, form: &'static str) {
    if at.days() == now.days() {
        write(out, at, form, ["", &time(at), " UTC"]);
    } else {
        let year = if at.civil().year == now.civil().year { "" } else { &*year(at) };
        write(out, at, form, ["", &day(at), year]);
    }
}

/// Day and time, spelt out.
pub fn full(out: &mut Markup, at: Timestamp) {
    let Civil { year, month, day, .. } = at.civil();
    let words = format!("{day} {} {year}, {} UTC", MONTHS[month - 1], time(at));
    write(out, at, "full", ["", &words, ""]);
}

fn time(at: Timestamp) -> String {
    let Civil { hour, minute, .. } = at.civil();
    format!("{hour:02}:{minute:02}")
}

fn day(at: Timestamp) -> String {
    let Civil { month, day, .. } = at.civil();
    format!("{day} {}", &MONTHS[month - 1][..3])
}

fn year(at: Timestamp) -> String {
    format!(" {}", at.civil().year)
}

/// `before` and `after` are for where no script runs, which knows them better.
fn write(out: &mut Markup, at: Timestamp, form: &'static str, [before, words, after]: [&str; 3]) {
    let alone = |out: &mut Markup, words: &str| {
        if !words.is_empty() {
            out.el("noscript").text(words);
        }
    };
    let time = out.el("time").attr("datetime", rfc3339(at)).attr("data-local", form);
    time.with(|out| {
        alone(out, before);
        out.text(words);
        alone(out, after);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        let at: Timestamp = "2026-05-12T14:04:05.678+02:00".parse().unwrap();
        let now: Timestamp = "2026-05-13T00:10:00Z".parse().unwrap();
        let later: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(rfc3339(at), "2026-05-12T12:04:05Z");
        let drawn = |draw: &dyn Fn(&mut Markup)| {
            let mut out = Markup::new();
            draw(&mut out);
            let html = out.as_str().replace("<noscript>", "[").replace("</noscript>", "]");
            html.split_once('>').unwrap().1.trim_end_matches("</time>").to_owned()
        };
        assert_eq!(drawn(&|out| clock(out, at, now)), "[12 May, ]12:04[ UTC]");
        assert_eq!(drawn(&|out| clock(out, at, later)), "[12 May 2026, ]12:04[ UTC]");
        assert_eq!(drawn(&|out| short(out, at, now)), "12 May");
        assert_eq!(drawn(&|out| short(out, at, later)), "12 May[ 2026]");
        assert_eq!(drawn(&|out| short(out, now, now)), "00:10[ UTC]");
        assert_eq!(drawn(&|out| full(out, at)), "12 May 2026, 12:04 UTC");
        let mut out = Markup::new();
        clock(&mut out, at, now);
        let tag = "<time datetime=\"2026-05-12T12:04:05Z\" data-local=\"clock\">";
        assert!(out.as_str().starts_with(tag));
    }
}
