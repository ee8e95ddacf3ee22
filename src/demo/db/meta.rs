//! Single values: the participant's name, address, secret key, bio and avatar.
use rusqlite::{Connection, OptionalExtension, Result, params};

pub fn get(db: &Connection, key: &str) -> Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

/// Empty when unset.
pub fn text(db: &Connection, key: &str) -> Result<String> {
    Ok(get(db, key)?.map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default())
}

pub fn set(db: &Connection, key: &str, value: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute(params![key, value])
        .map(drop)
}
