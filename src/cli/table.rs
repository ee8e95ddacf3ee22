//! Lists for people: columns that line up, text that is safe to print.
use crate::ops::time::Timestamp;

/// Rows with columns padded to the widest cell, each line behind `indent`.
pub fn aligned<const N: usize>(rows: &[[impl AsRef<str>; N]], indent: &str) -> String {
    let wide = |cell: &str| cell.chars().count();
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(cell.as_ref()));
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::from(indent);
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell.as_ref());
            line.extend(std::iter::repeat_n(' ', width + 2 - wide(cell.as_ref())));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text that people chose, safe for a terminal: what would move the cursor, break the line or turn
/// the reading direction is shown, not obeyed.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}')
}

/// A time as RFC 3339 in UTC, to the second.
pub fn time(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms / 1_000).ok().and_then(Timestamp::from_second);
    // Farther away than the year 9999: no clock of ours says so.
    time.map_or_else(|| "never".into(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [["ID", "NAME", "X"], ["1", "Ånd", ""], ["200", "B", "y"]];
        assert_eq!(aligned(&rows, " "), " ID   NAME  X\n 1    Ånd\n 200  B     y\n");
        assert_eq!(aligned::<1>(&[["a"]; 0], ""), "");
    }

    #[test]
    fn text_cannot_drive_the_terminal() {
        assert_eq!(plain("Ån 👩\u{200d}🚀"), "Ån 👩\u{200d}🚀");
        assert_eq!(plain("a\u{1b}[2J\r\n\u{9b}b\u{202e}c"), "a\\u{1b}[2J\\r\\n\\u{9b}b\\u{202e}c");
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(time(1_795_489_374_999), "2026-11-24T03:02:54Z");
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(u64::MAX), "never");
    }
}
