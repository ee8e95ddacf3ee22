//! Who this participant talks to.
use crate::demo::address::Address;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub peer: Address,
    /// Empty until the peer's actor doc, or an inbound message, said one.
    pub name: String,
    pub avatar: String,
    pub kind: String,
    pub last_read: i64,
    /// Unix milliseconds; `None` before the first message.
    pub last_message_at: Option<i64>,
    /// Inbound messages above the watermark.
    pub unread: i64,
}

/// What an actor doc tells of a peer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    pub name: String,
    pub avatar: String,
    pub kind: String,
}

const SELECT: &str = "SELECT peer, name, avatar, kind, last_read,
    (SELECT created_at FROM messages m WHERE m.peer = c.peer ORDER BY row_id DESC LIMIT 1) AS last_at,
    (SELECT count(*) FROM messages m
      WHERE m.peer = c.peer AND m.row_id > c.last_read AND NOT m.outbound)
    FROM contacts c";

fn read(row: &Row<'_>) -> Result<Contact> {
    Ok(Contact {
        peer: address(row, 0)?,
        name: row.get(1)?,
        avatar: row.get(2)?,
        kind: row.get(3)?,
        last_read: row.get(4)?,
        last_message_at: row.get(5)?,
        unread: row.get(6)?,
    })
}

/// Only what was parsed is ever stored.
pub(super) fn address(row: &Row<'_>, column: usize) -> Result<Address> {
    let text: String = row.get(column)?;
    Address::parse(&text).ok_or(rusqlite::Error::InvalidQuery)
}

/// All, newest message first.
pub fn list(db: &Connection) -> Result<Vec<Contact>> {
    let sql = format!("{SELECT} ORDER BY coalesce(last_at, added_at) DESC, peer");
    db.prepare_cached(&sql)?.query_map([], read)?.collect()
}

pub fn find(db: &Connection, peer: &Address) -> Result<Option<Contact>> {
    let sql = format!("{SELECT} WHERE peer = ?1");
    db.prepare_cached(&sql)?.query_row([peer.canonical()], read).optional()
}

/// Adds a contact; false when it was there.
pub fn add(db: &Connection, peer: &Address, now: i64) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO contacts (peer, added_at) VALUES (?1, ?2)";
    Ok(db.prepare_cached(sql)?.execute(params![peer.canonical(), now])? == 1)
}

/// Takes the contact off the list; its messages stay.
pub fn remove(db: &Connection, peer: &Address) -> Result<bool> {
    Ok(db.execute("DELETE FROM contacts WHERE peer = ?1", [peer.canonical()])? == 1)
}

/// Notes what the peer's actor doc says; true when that changed something.
pub fn describe(db: &Connection, peer: &Address, profile: &Profile) -> Result<bool> {
    let changed = db.execute(
        "UPDATE contacts SET name = ?2, avatar = ?3, kind = ?4
         WHERE peer = ?1 AND (name, avatar, kind) IS NOT (?2, ?3, ?4)",
        params![peer.canonical(), profile.name, profile.avatar, profile.kind],
    )?;
    Ok(changed == 1)
}

/// Moves the watermark, never backwards and never past the newest message; the new one if it moved.
pub fn mark_read(db: &Connection, peer: &Address, row: i64) -> Result<Option<i64>> {
    db.query_row(
        "UPDATE contacts SET last_read =
            min(?2, (SELECT max(row_id) FROM messages m WHERE m.peer = contacts.peer))
         WHERE peer = ?1 AND last_read <
            min(?2, (SELECT max(row_id) FROM messages m WHERE m.peer = contacts.peer))
         RETURNING last_read",
        params![peer.canonical(), row],
        |row| row.get(0),
    )
    .optional()
}

pub fn block(db: &Connection, peer: &Address, blocked: bool, now: i64) -> Result<()> {
    add(db, peer, now)?;
    let sql = "UPDATE contacts SET blocked = ?2 WHERE peer = ?1";
    db.execute(sql, params![peer.canonical(), blocked]).map(drop)
}

pub fn is_blocked(db: &Connection, peer: &Address) -> Result<bool> {
    let sql = "SELECT 1 FROM contacts WHERE peer = ?1 AND blocked";
    db.prepare_cached(sql)?.exists([peer.canonical()])
}

/// Joins or leaves the room that this participant is.
pub fn set_member(db: &Connection, peer: &Address, member: bool) -> Result<()> {
    let sql = "UPDATE contacts SET member = ?2 WHERE peer = ?1";
    db.prepare_cached(sql)?.execute(params![peer.canonical(), member]).map(drop)
}

pub fn members(db: &Connection) -> Result<Vec<Address>> {
    db.prepare_cached("SELECT peer FROM contacts WHERE member ORDER BY peer")?
        .query_map([], |row| address(row, 0))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::messages::{self, New};
    use super::*;

    fn peer(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn the_watermark_moves_forward_only_and_unread_follows() {
        let db = super::super::in_memory();
        let bob = peer("bob.example");
        assert!(add(&db, &bob, 1).unwrap() && !add(&db, &bob, 2).unwrap());
        let rows: Vec<i64> =
            (0..3).map(|n| messages::insert(&db, &New::text(&bob, false, n)).unwrap()).collect();
        messages::insert(&db, &New::text(&bob, true, 9)).unwrap();
        assert_eq!(find(&db, &bob).unwrap().unwrap().unread, 3);
        assert_eq!(mark_read(&db, &bob, rows[1]).unwrap(), Some(rows[1]));
        assert_eq!(mark_read(&db, &bob, rows[0]).unwrap(), None);
        assert_eq!(mark_read(&db, &bob, rows[1]).unwrap(), None);
        assert_eq!(find(&db, &bob).unwrap().unwrap().unread, 1);
        // Past the newest message it stops there: a later one must still count as unread.
        assert_eq!(mark_read(&db, &bob, 1_000_000).unwrap(), Some(rows[2] + 1));
        assert_eq!(mark_read(&db, &peer("x.example"), 1).unwrap(), None);
    }

    #[test]
    fn the_list_is_newest_first() {
        let db = super::super::in_memory();
        for (n, name) in ["a.example", "b.example", "c.example"].iter().enumerate() {
            add(&db, &peer(name), n as i64).unwrap();
        }
        messages::insert(&db, &New::text(&peer("a.example"), true, 50)).unwrap();
        let order: Vec<_> =
            list(&db).unwrap().iter().map(|c| c.peer.display().to_owned()).collect();
        assert_eq!(order, ["a.example", "c.example", "b.example"]);
        assert!(remove(&db, &peer("a.example")).unwrap());
        assert!(!remove(&db, &peer("a.example")).unwrap());
        assert_eq!(find(&db, &peer("a.example")).unwrap(), None);
    }

    #[test]
    fn profiles_members_and_blocks() {
        let db = super::super::in_memory();
        let bob = peer("bob.example");
        add(&db, &bob, 1).unwrap();
        let profile = Profile { name: "Bob".into(), kind: "person".into(), ..Profile::default() };
        assert!(describe(&db, &bob, &profile).unwrap() && !describe(&db, &bob, &profile).unwrap());
        set_member(&db, &bob, true).unwrap();
        assert_eq!(members(&db).unwrap(), std::slice::from_ref(&bob));
        set_member(&db, &bob, false).unwrap();
        assert!(members(&db).unwrap().is_empty());
        block(&db, &bob, true, 1).unwrap();
        assert!(is_blocked(&db, &bob).unwrap());
        block(&db, &bob, false, 1).unwrap();
        assert!(!is_blocked(&db, &bob).unwrap());
    }
}
