//! Lists for people: columns that line up.

/// Rows with columns padded to the widest cell, each line behind `indent`.
pub fn aligned<const N: usize>(rows: &[[&str; N]], indent: &str) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::from(indent);
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            let pad = widths[column] - cell.chars().count() + 2;
            line.extend(std::iter::repeat_n(' ', pad));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text from a database, safe for a terminal: control characters are shown, not obeyed.
pub fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let control = c.is_control();
            let escaped = control.then(|| c.escape_default());
            escaped.into_iter().flatten().chain((!control).then_some(c))
        })
        .collect()
}

/// A time as RFC 3339 in UTC, to the second.
pub fn time(unix_ms: u64) -> String {
    let seconds = (unix_ms / 1000) as i64;
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".into(), |time| time.to_string())
}
