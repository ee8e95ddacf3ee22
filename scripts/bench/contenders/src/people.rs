//! What the light posta-server says of everybody: ten conversations, of which the first is long.

pub const CONTACTS: usize = 10;
/// Rows of the first conversation at the beginning; the others have `OTHERS`.
pub const PAST: usize = 2_000;
const OTHERS: usize = 40;

pub fn peer(number: usize) -> String {
    format!("peer-{number}.example")
}

/// Which peer a name is.
pub fn number(peer: &str) -> Option<usize> {
    peer.strip_prefix("peer-")?.strip_suffix(".example")?.parse().ok()
}

pub fn identity(user: usize) -> String {
    format!(
        "{{\"url\":\"https://user-{user}.example\",\"name\":\"Person {user}\",\"avatar\":\"\"}}"
    )
}

/// `newest`: the newest row of the first conversation.
pub fn contacts(newest: usize) -> String {
    let contact = |number: usize| {
        let last = if number == 0 { newest } else { OTHERS };
        format!(
            "{{\"url\":\"{}\",\"name\":\"Somebody {number}\",\"kind\":\"person\",\
             \"lastMessageAt\":\"{}\",\"lastReadRowId\":{}}}",
            peer(number),
            time(row(number, last)),
            row(number, last) - number % 3
        )
    };
    let contacts: Vec<String> = (0..CONTACTS).map(contact).collect();
    format!("[{}]", contacts.join(","))
}

/// Newest first.
pub fn messages(peer: usize, newest: usize, before: Option<usize>, limit: usize) -> String {
    let (first, last) = (row(peer, 1), row(peer, if peer == 0 { newest } else { OTHERS }));
    let end = before.map_or(last, |before| last.min(before.saturating_sub(1)));
    let rows = (first..=end).rev().take(limit);
    let messages: Vec<String> = rows.map(|row| message(peer, row)).collect();
    format!("[{}]", messages.join(","))
}

/// Rows of one server grow together; those of the other conversations come first.
pub fn row(peer: usize, number: usize) -> usize {
    if peer == 0 { 100_000 + number } else { peer * 1_000 + number }
}

fn message(peer_number: usize, row: usize) -> String {
    let direction = if row % 5 < 3 { "inbound" } else { "outbound" };
    let words = "it rained all morning and the letters came late ";
    format!(
        "{{\"rowId\":{row},\"id\":\"m{row}\",\"peer\":\"{}\",\"direction\":\"{direction}\",\
         \"payload\":{{\"kind\":\"posta.text/v1\",\"body\":\"{row}: {}\"}},\"state\":\"delivered\",\
         \"createdAt\":\"{}\"}}",
        peer(peer_number),
        words[..8 + row * 7 % 40].trim_end(),
        time(row)
    )
}

/// A minute a row.
fn time(row: usize) -> String {
    let (hour, minute) = (row / 60 % 24, row % 60);
    let day = row / 1_440;
    let (year, month, day) = (2025 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z")
}
