//! Messages: inserted once, read by page, found by words.
use super::contacts::address;
use crate::demo::address::Address;
use crate::demo::envelope::Sealed;
use crate::demo::payload;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::Value;

/// Largest page and list of search results.
pub const MAX_PAGE: i64 = 200;

/// Delivery states as the client API names them.
pub const PENDING: &str = "pending";
pub const SENDING: &str = "sending";
pub const DELIVERED: &str = "delivered";
pub const FAILED_PERMANENT: &str = "failed-permanent";
pub const FAILED_PENDING_USER: &str = "failed-pending-user";

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub row_id: i64,
    pub id: String,
    pub peer: Address,
    pub outbound: bool,
    /// In the form of the wire.
    pub payload: Value,
    pub state: Option<String>,
    pub error: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// A message to insert.
#[derive(Debug, Clone)]
pub struct New {
    pub id: String,
    pub peer: Address,
    pub outbound: bool,
    pub payload: Value,
    /// Outbound only.
    pub state: Option<&'static str>,
    pub error: Option<String>,
    pub created_at: i64,
    /// When delivery is tried next, unix milliseconds.
    pub next_at: Option<i64>,
    pub attempts: i64,
    /// What came, or what is to be sent; an outbound one without is sealed before its first attempt.
    pub sealed: Option<Sealed>,
}

impl New {
    /// The message that this became.
    pub fn stored(self, row_id: i64) -> Message {
        Message {
            row_id,
            id: self.id,
            peer: self.peer,
            outbound: self.outbound,
            payload: self.payload,
            state: self.state.map(str::to_owned),
            error: self.error,
            created_at: self.created_at,
        }
    }
}

const COLUMNS: &str = "row_id, id, peer, outbound, payload, state, error, created_at";

fn read(row: &Row<'_>) -> Result<Message> {
    let payload: String = row.get(4)?;
    Ok(Message {
        row_id: row.get(0)?,
        id: row.get(1)?,
        peer: address(row, 2)?,
        outbound: row.get(3)?,
        payload: serde_json::from_str(&payload).unwrap_or(Value::Null),
        state: row.get(5)?,
        error: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// Fails on a second message of the same peer, direction and id.
pub fn insert(db: &Connection, new: &New) -> Result<i64> {
    db.prepare_cached(
        "INSERT INTO messages (id, peer, outbound, payload, words, state, error, created_at,
            next_at, attempts, envelope, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        new.id,
        new.peer.canonical(),
        new.outbound,
        new.payload.to_string(),
        payload::words(&new.payload),
        new.state,
        new.error,
        new.created_at,
        new.next_at,
        new.attempts,
        new.sealed.as_ref().map(|sealed| &sealed.bytes),
        new.sealed.as_ref().map(|sealed| &sealed.signature),
    ])?;
    Ok(db.last_insert_rowid())
}

/// Whether a message of that id came from that peer before.
pub fn has_come(db: &Connection, peer: &Address, id: &str) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM messages WHERE peer = ?1 AND id = ?2 AND NOT outbound")?
        .exists([peer.canonical(), id])
}

pub fn find(db: &Connection, row_id: i64) -> Result<Option<Message>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE row_id = ?1");
    db.prepare_cached(&sql)?.query_row([row_id], read).optional()
}

/// One thread's messages before a row, newest first.
pub fn page(
    db: &Connection,
    peer: &Address,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Message>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE peer = ?1 AND row_id < ?2
         ORDER BY row_id DESC LIMIT ?3"
    );
    db.prepare_cached(&sql)?
        .query_map(params![peer.canonical(), before.unwrap_or(i64::MAX), limit], read)?
        .collect()
}

/// The newest inbound messages of all threads, oldest first: what a stream replays on connect.
pub fn newest_inbound(db: &Connection, limit: i64) -> Result<Vec<Message>> {
    let sql =
        format!("SELECT {COLUMNS} FROM messages WHERE NOT outbound ORDER BY row_id DESC LIMIT ?1");
    let mut messages: Vec<_> =
        db.prepare_cached(&sql)?.query_map([limit], read)?.collect::<Result<_>>()?;
    messages.reverse();
    Ok(messages)
}

/// Messages that hold all of the words (the last one may be only begun), newest first.
pub fn search(
    db: &Connection,
    words: &str,
    peer: Option<&Address>,
    limit: i64,
) -> Result<Vec<Message>> {
    let Some(query) = match_all(words) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM messages
         WHERE row_id IN (SELECT rowid FROM found WHERE found MATCH ?1)
           AND (?2 IS NULL OR peer = ?2)
         ORDER BY row_id DESC LIMIT ?3"
    );
    db.prepare_cached(&sql)?
        .query_map(params![query, peer.map(Address::canonical), limit], read)?
        .collect()
}

/// What a person typed, as an FTS5 query that cannot be a syntax error: every word quoted.
fn match_all(words: &str) -> Option<String> {
    let quoted: Vec<_> = words
        .split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    (!quoted.is_empty()).then(|| format!("{}*", quoted.join(" ")))
}

/// The row that an idempotency key stands for; `Err` of the inner result when the key was used for
/// another request.
pub fn repeated(
    db: &Connection,
    key: &str,
    request: &[u8; 32],
) -> Result<Option<std::result::Result<i64, ()>>> {
    db.query_row("SELECT request, row_id FROM idempotency WHERE key = ?1", [key], |row| {
        let first: Vec<u8> = row.get(0)?;
        let row_id = row.get(1)?;
        Ok(if first == request { Ok(row_id) } else { Err(()) })
    })
    .optional()
}

pub fn remember(db: &Connection, key: &str, request: &[u8; 32], row_id: i64) -> Result<()> {
    db.execute("INSERT INTO idempotency VALUES (?1, ?2, ?3)", params![key, request, row_id])
        .map(drop)
}

#[cfg(test)]
impl New {
    /// A text message whose words say which it is.
    pub fn text(peer: &Address, outbound: bool, n: i64) -> New {
        New {
            id: format!("id-{n}"),
            peer: peer.clone(),
            outbound,
            payload: payload::text(&format!("Größe number {n}: don't \"panic\"")),
            state: outbound.then_some(PENDING),
            error: None,
            created_at: n,
            next_at: outbound.then_some(n),
            attempts: 0,
            sealed: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> (Connection, Address, Vec<i64>) {
        let db = super::super::in_memory();
        let bob = Address::parse("bob.example").unwrap();
        let rows = (0..10).map(|n| insert(&db, &New::text(&bob, n % 2 == 0, n)).unwrap()).collect();
        let other = Address::parse("mira.example").unwrap();
        insert(&db, &New::text(&other, false, 3)).unwrap();
        (db, bob, rows)
    }

    #[test]
    fn pages_run_backwards_without_gap_or_overlap() {
        let (db, bob, rows) = filled();
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = page(&db, &bob, before, 4).unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.row_id);
            seen.extend(page.iter().map(|m| m.row_id));
        }
        seen.reverse();
        assert_eq!(seen, rows);
        assert_eq!(find(&db, rows[1]).unwrap().unwrap().id, "id-1");
        assert_eq!(newest_inbound(&db, 3).unwrap().last().unwrap().peer.display(), "mira.example");
    }

    #[test]
    fn a_message_comes_once() {
        let (db, bob, _) = filled();
        assert!(has_come(&db, &bob, "id-1").unwrap());
        assert!(!has_come(&db, &bob, "id-2").unwrap(), "that one went out");
        assert!(insert(&db, &New::text(&bob, false, 1)).is_err());
    }

    #[test]
    fn search_takes_whatever_is_typed() {
        let (db, bob, _) = filled();
        let count = |q: &str, peer| search(&db, q, peer, 50).unwrap().len();
        assert_eq!(count("number", None), 11);
        assert_eq!(count("grosse 7", None), 0, "ß is not ss");
        assert_eq!(count("große numb", Some(&bob)), 10);
        assert_eq!(count("number 3", None), 2);
        assert_eq!(count("don't \"panic\"", Some(&bob)), 10);
        for odd in ["\"", "*", "AND OR NOT", "a:b ^c", "(", "", "  ", "-x", "words:number"] {
            let _ = count(odd, None);
        }
        assert_eq!(count("*", None), 0);
    }

    #[test]
    fn a_key_stands_for_one_request() {
        let (db, _, rows) = filled();
        assert_eq!(repeated(&db, "k", &[1; 32]).unwrap(), None);
        remember(&db, "k", &[1; 32], rows[0]).unwrap();
        assert_eq!(repeated(&db, "k", &[1; 32]).unwrap(), Some(Ok(rows[0])));
        assert_eq!(repeated(&db, "k", &[2; 32]).unwrap(), Some(Err(())));
    }
}
