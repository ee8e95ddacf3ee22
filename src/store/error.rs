//! What can go wrong with the database, in the operator's words.
use rusqlite::ErrorCode;
use std::fmt;

#[derive(Debug)]
pub enum StoreError {
    /// The database could not be opened; the text names the file and says why.
    Open(String),
    Sql(rusqlite::Error),
    /// A bug on the store's thread; the panic's own message stands on standard error.
    Panicked,
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        StoreError::Sql(e)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Open(why) => f.write_str(why),
            StoreError::Sql(e) => write!(f, "the database: {}", describe(e)),
            StoreError::Panicked => f.write_str("the database's thread ran into a bug"),
        }
    }
}

impl std::error::Error for StoreError {}

/// SQLite's words, and what to do where those leave one alone.
pub(super) fn describe(e: &rusqlite::Error) -> String {
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is not an SQLite database".into(),
        Some(ErrorCode::DatabaseCorrupt) => format!("it is damaged, restore a backup ({e})"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            format!("it and its directory must both be writable ({e})")
        }
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another process keeps it locked ({e})")
        }
        _ => e.to_string(),
    }
}
