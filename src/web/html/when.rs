//! Moments. The server does not know the reader's zone: it writes UTC, and the page's script puts
//! the reader's own time in its place.
use super::markup::Markup;
use jiff::Timestamp;

/// RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time of a message.
pub fn clock(out: &mut Markup, at: Timestamp) {
    write(out, at, "clock", "%H:%M");
}

/// When something last happened, in a list: the time today, else the date.
pub fn short(out: &mut Markup, at: Timestamp, now: Timestamp) {
    let day = |at: Timestamp| at.strftime("%F").to_string();
    write(out, at, "short", if day(at) == day(now) { "%H:%M" } else { "%-d %b" });
}

/// Day and time, spelt out.
pub fn full(out: &mut Markup, at: Timestamp) {
    write(out, at, "full", "%-d %B %Y, %H:%M UTC");
}

fn write(out: &mut Markup, at: Timestamp, form: &'static str, format: &'static str) {
    out.el("time").attr("datetime", rfc3339(at)).attr("data-local", form).text(at.strftime(format));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        let at: Timestamp = "2026-05-12T14:04:05.678+02:00".parse().unwrap();
        let now: Timestamp = "2026-05-13T00:10:00Z".parse().unwrap();
        assert_eq!(rfc3339(at), "2026-05-12T12:04:05Z");
        let drawn = |draw: &dyn Fn(&mut Markup)| {
            let mut out = Markup::new();
            draw(&mut out);
            out.as_str().to_owned()
        };
        assert!(drawn(&|out| clock(out, at)).ends_with("data-local=\"clock\">12:04</time>"));
        assert!(drawn(&|out| short(out, at, now)).ends_with("\"short\">12 May</time>"));
        assert!(drawn(&|out| short(out, now, now)).ends_with("\"short\">00:10</time>"));
        assert!(drawn(&|out| full(out, at)).ends_with("\"full\">12 May 2026, 12:04 UTC</time>"));
    }
}
