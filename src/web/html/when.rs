//! Moments. The server does not know the reader's zone: it writes UTC, and the page's script puts
//! the reader's own time in its place. Where no script runs, day and zone are said too.
use super::markup::Markup;
use jiff::Timestamp;

/// RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time of a message.
pub fn clock(out: &mut Markup, at: Timestamp, now: Timestamp) {
    let day = if same("%Y", at, now) { "%-d %b, " } else { "%-d %b %Y, " };
    write(out, at, "clock", ["%H:%M", day, " UTC"]);
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
    if same("%F", at, now) {
        write(out, at, form, ["%H:%M", "", " UTC"]);
    } else {
        write(out, at, form, ["%-d %b", "", if same("%Y", at, now) { "" } else { " %Y" }]);
    }
}

/// Day and time, spelt out.
pub fn full(out: &mut Markup, at: Timestamp) {
    write(out, at, "full", ["%-d %B %Y, %H:%M UTC", "", ""]);
}

fn same(part: &str, at: Timestamp, now: Timestamp) -> bool {
    at.strftime(part).to_string() == now.strftime(part).to_string()
}

/// `before` and `after` are for where no script runs, which knows them better.
fn write(
    out: &mut Markup,
    at: Timestamp,
    form: &'static str,
    [format, before, after]: [&'static str; 3],
) {
    let alone = |out: &mut Markup, format: &str| {
        if !format.is_empty() {
            out.el("noscript").text(at.strftime(format));
        }
    };
    let time = out.el("time").attr("datetime", rfc3339(at)).attr("data-local", form);
    time.with(|out| {
        alone(out, before);
        out.text(at.strftime(format));
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
