//! Bearer tokens and set-up invites. Only their SHA-256 is kept.
use rusqlite::{Connection, OptionalExtension, Result, params};
use sha2::{Digest, Sha256};

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

pub fn create(db: &Connection, name: &str, token: &str, now: i64) -> Result<()> {
    db.execute(
        "INSERT INTO tokens (name, sha256, created_at) VALUES (?1, ?2, ?3)",
        params![name, hash(token), now],
    )
    .map(drop)
}

/// The token's id while it is valid.
pub fn find(db: &Connection, token: &str) -> Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM tokens WHERE sha256 = ?1")?
        .query_row([hash(token)], |row| row.get(0))
        .optional()
}

pub fn is_valid(db: &Connection, id: i64) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM tokens WHERE id = ?1")?.exists([id])
}

/// Revokes every token of that name; how many there were.
pub fn revoke(db: &Connection, name: &str) -> Result<usize> {
    db.execute("DELETE FROM tokens WHERE name = ?1", [name])
}

pub fn revoke_all(db: &Connection) -> Result<usize> {
    db.execute("DELETE FROM tokens", [])
}

pub fn create_invite(db: &Connection, invite: &str, device: &str, expires: i64) -> Result<()> {
    db.execute(
        "INSERT INTO setup_invites (sha256, device_name, expires_at) VALUES (?1, ?2, ?3)",
        params![hash(invite), device, expires],
    )
    .map(drop)
}

/// Device name and expiry of an invite that can still be redeemed.
pub fn invite_info(db: &Connection, invite: &str, now: i64) -> Result<Option<(String, i64)>> {
    db.query_row(
        "SELECT device_name, expires_at FROM setup_invites
         WHERE sha256 = ?1 AND used = 0 AND expires_at > ?2",
        params![hash(invite), now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()
}

/// Uses an invite up for a token; false when it is unknown, expired or used.
pub fn redeem(db: &Connection, invite: &str, device: &str, token: &str, now: i64) -> Result<bool> {
    let used = db.execute(
        "UPDATE setup_invites SET used = 1 WHERE sha256 = ?1 AND used = 0 AND expires_at > ?2",
        params![hash(invite), now],
    )?;
    if used == 1 {
        create(db, device, token, now)?;
    }
    Ok(used == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_until_revoked() {
        let db = super::super::in_memory();
        create(&db, "phone", "mst_a", 1).unwrap();
        create(&db, "browser", "mst_b", 2).unwrap();
        let id = find(&db, "mst_a").unwrap().unwrap();
        assert!(is_valid(&db, id).unwrap());
        assert_eq!(find(&db, "mst_c").unwrap(), None);
        assert_eq!(revoke(&db, "phone").unwrap(), 1);
        assert!(find(&db, "mst_a").unwrap().is_none() && !is_valid(&db, id).unwrap());
        assert!(find(&db, "mst_b").unwrap().is_some());
        let dump: Vec<u8> = db.query_row("SELECT sha256 FROM tokens", [], |r| r.get(0)).unwrap();
        assert_eq!(dump, hash("mst_b"));
    }

    #[test]
    fn an_invite_is_redeemed_once_and_in_time() {
        let db = super::super::in_memory();
        create_invite(&db, "pinv_a", "Alice's laptop", 100).unwrap();
        let info = Some(("Alice's laptop".to_owned(), 100));
        assert_eq!(invite_info(&db, "pinv_a", 99).unwrap(), info);
        assert_eq!(invite_info(&db, "pinv_a", 100).unwrap(), None);
        assert!(!redeem(&db, "pinv_a", "x", "mst_a", 100).unwrap());
        assert!(redeem(&db, "pinv_a", "x", "mst_a", 99).unwrap());
        assert!(!redeem(&db, "pinv_a", "x", "mst_b", 99).unwrap());
        assert!(find(&db, "mst_a").unwrap().is_some() && find(&db, "mst_b").unwrap().is_none());
        assert_eq!(invite_info(&db, "pinv_a", 99).unwrap(), None);
    }
}
