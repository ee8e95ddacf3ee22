//! What is to be delivered, and how far that got.
use super::contacts::address;
use super::messages::{DELIVERED, FAILED_PENDING_USER, FAILED_PERMANENT, PENDING, SENDING};
use crate::demo::address::Address;
use crate::demo::envelope::Sealed;
use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::Value;

/// A message whose time has come.
#[derive(Debug)]
pub struct Due {
    pub row_id: i64,
    pub id: String,
    pub peer: Address,
    pub payload: Value,
    pub created_at: i64,
    /// Attempts that failed before this one.
    pub attempts: i64,
    pub sealed: Option<Sealed>,
}

/// After a crash nothing is being sent: what was is tried again.
pub fn recover(db: &Connection) -> Result<usize> {
    db.execute(
        "UPDATE messages SET state = ?1, next_at = created_at WHERE state = ?2",
        [PENDING, SENDING],
    )
}

/// Takes what is due, at most one message for each peer, and marks it `sending`. Peers in `busy` are
/// left alone, so that a thread's messages go out one after the other.
pub fn take_due(db: &Connection, now: i64, busy: &[Address], limit: usize) -> Result<Vec<Due>> {
    let mut statement = db.prepare_cached(
        "SELECT row_id, id, peer, payload, created_at, attempts, envelope, signature
         FROM messages WHERE next_at <= ?1 ORDER BY row_id",
    )?;
    let mut rows = statement.query([now])?;
    let mut due: Vec<Due> = Vec::new();
    while let Some(row) = rows.next()? {
        let peer = address(row, 2)?;
        if busy.contains(&peer) || due.iter().any(|d| d.peer == peer) {
            continue;
        }
        let payload: String = row.get(3)?;
        let (bytes, signature): (Option<Vec<u8>>, Option<String>) = (row.get(6)?, row.get(7)?);
        due.push(Due {
            row_id: row.get(0)?,
            id: row.get(1)?,
            peer,
            payload: serde_json::from_str(&payload).unwrap_or(Value::Null),
            created_at: row.get(4)?,
            attempts: row.get(5)?,
            sealed: bytes.zip(signature).map(|(bytes, signature)| Sealed { bytes, signature }),
        });
        if due.len() == limit {
            break;
        }
    }
    for due in &due {
        set(db, due.row_id, SENDING, None, None)?;
    }
    Ok(due)
}

/// When something is due next among peers that are not busy, unix milliseconds.
pub fn next_due(db: &Connection, busy: &[Address]) -> Result<Option<i64>> {
    let mut statement = db.prepare_cached(
        "SELECT peer, min(next_at) FROM messages WHERE next_at IS NOT NULL GROUP BY peer",
    )?;
    let mut next = None;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(1)?;
        if !busy.contains(&address(row, 0)?) && next.is_none_or(|next| at < next) {
            next = Some(at);
        }
    }
    Ok(next)
}

/// Keeps the sealed form: every attempt sends the same bytes.
pub fn keep_sealed(db: &Connection, row_id: i64, sealed: &Sealed) -> Result<()> {
    let sql = "UPDATE messages SET envelope = ?2, signature = ?3 WHERE row_id = ?1";
    db.execute(sql, params![row_id, sealed.bytes, sealed.signature]).map(drop)
}

pub fn delivered(db: &Connection, row_id: i64) -> Result<()> {
    set(db, row_id, DELIVERED, None, None)
}

pub fn refused(db: &Connection, row_id: i64, code: &str) -> Result<()> {
    set(db, row_id, FAILED_PERMANENT, Some(code), None)
}

/// An attempt failed; the next one is at `next_at`, or the sender's to ask for.
pub fn failed(db: &Connection, row_id: i64, code: &str, next_at: Option<i64>) -> Result<()> {
    let state = if next_at.is_some() { PENDING } else { FAILED_PENDING_USER };
    db.execute("UPDATE messages SET attempts = attempts + 1 WHERE row_id = ?1", [row_id])?;
    set(db, row_id, state, Some(code), next_at)
}

/// Queues a failed message again, from the start of the schedule; false when it has not failed.
pub fn retry(db: &Connection, row_id: i64, now: i64) -> Result<Option<bool>> {
    let sql = "SELECT state FROM messages WHERE row_id = ?1 AND outbound";
    let state: Option<String> = db.query_row(sql, [row_id], |row| row.get(0)).optional()?;
    let Some(state) = state else { return Ok(None) };
    if state != FAILED_PENDING_USER && state != FAILED_PERMANENT {
        return Ok(Some(false));
    }
    db.execute("UPDATE messages SET attempts = 0 WHERE row_id = ?1", [row_id])?;
    set(db, row_id, PENDING, None, Some(now))?;
    Ok(Some(true))
}

fn set(
    db: &Connection,
    row_id: i64,
    state: &str,
    error: Option<&str>,
    next_at: Option<i64>,
) -> Result<()> {
    db.prepare_cached("UPDATE messages SET state = ?2, error = ?3, next_at = ?4 WHERE row_id = ?1")?
        .execute(params![row_id, state, error, next_at])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::messages::{New, find, insert};
    use super::*;

    fn state(db: &Connection, row: i64) -> (String, Option<String>) {
        let message = find(db, row).unwrap().unwrap();
        (message.state.unwrap(), message.error)
    }

    #[test]
    fn one_message_a_peer_in_order() {
        let db = super::super::in_memory();
        let bob = Address::parse("bob.example").unwrap();
        let mira = Address::parse("mira.example").unwrap();
        let first = insert(&db, &New::text(&bob, true, 1)).unwrap();
        let second = insert(&db, &New::text(&bob, true, 2)).unwrap();
        let third = insert(&db, &New::text(&mira, true, 3)).unwrap();
        insert(&db, &New::text(&mira, false, 4)).unwrap();
        assert_eq!(next_due(&db, &[]).unwrap(), Some(1));
        assert_eq!(next_due(&db, std::slice::from_ref(&bob)).unwrap(), Some(3));
        let rows = |due: Vec<Due>| due.iter().map(|d| d.row_id).collect::<Vec<_>>();
        assert_eq!(rows(take_due(&db, 9, &[], 9).unwrap()), [first, third]);
        assert_eq!(state(&db, first), (SENDING.into(), None));
        assert!(take_due(&db, 9, std::slice::from_ref(&bob), 9).unwrap().is_empty());
        delivered(&db, first).unwrap();
        assert_eq!(rows(take_due(&db, 9, &[], 9).unwrap()), [second]);
        assert!(take_due(&db, 9, &[], 9).unwrap().is_empty());
        assert_eq!(recover(&db).unwrap(), 2);
        assert_eq!(rows(take_due(&db, 9, &[], 1).unwrap()), [second]);
    }

    #[test]
    fn failures_end_with_the_person_or_for_good() {
        let db = super::super::in_memory();
        let bob = Address::parse("bob.example").unwrap();
        let row = insert(&db, &New::text(&bob, true, 1)).unwrap();
        failed(&db, row, "internal", Some(50)).unwrap();
        assert_eq!(state(&db, row), (PENDING.into(), Some("internal".into())));
        assert_eq!(retry(&db, row, 2).unwrap(), Some(false));
        assert!(take_due(&db, 49, &[], 9).unwrap().is_empty());
        assert_eq!(take_due(&db, 50, &[], 9).unwrap()[0].attempts, 1);
        failed(&db, row, "unreachable", None).unwrap();
        assert_eq!(state(&db, row), (FAILED_PENDING_USER.into(), Some("unreachable".into())));
        assert_eq!(retry(&db, row, 60).unwrap(), Some(true));
        assert_eq!(take_due(&db, 60, &[], 9).unwrap()[0].attempts, 0);
        refused(&db, row, "forbidden").unwrap();
        assert_eq!(state(&db, row), (FAILED_PERMANENT.into(), Some("forbidden".into())));
        assert_eq!(retry(&db, 99, 60).unwrap(), None);
    }
}
