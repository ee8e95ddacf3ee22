//! Opening: private files, settings of the connection, migrations.
use super::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// Numbered, only ever added to. The database's `user_version` says how many it has had.
const MIGRATIONS: &[&str] = &[include_str!("../../sql/0001_init.sql")];

/// How long a statement waits for another process (an `invite create` beside a running service).
const BUSY: Duration = Duration::from_secs(5);

pub fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |e: &dyn std::fmt::Display| {
        StoreError::Open(format!("the database {} can't be opened: {e}", path.display()))
    };
    make_private(path).map_err(|e| failed(&e))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(|e| failed(&e))?;
    set_up(&db).map_err(|e| failed(&e))?;
    migrate(&mut db, path)?;
    Ok(db)
}

/// Creates the file (0600) and its directory (0700) where they are missing; warns of a file that
/// others may read.
fn make_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        log::warn!("db={} mode={mode:o} others may read the database: chmod 600", path.display());
    }
    Ok(())
}

fn set_up(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    // An invite that was used up must stay so through a power cut: FULL.
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    // What was deleted (a user, a used invite) shall not linger in free pages.
    db.pragma_update(None, "secure_delete", true)
}

fn migrate(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    // Two processes may start at once: the version is read inside the transaction that raises it.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let had: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if had > known {
        return Err(StoreError::Open(format!(
            "the database {} was written by a newer chat-posta (schema {had}, this one knows \
             {known}): run that version, or restore a backup",
            path.display(),
        )));
    }
    for migration in MIGRATIONS.iter().skip(had as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::temporary;
    use super::*;

    #[test]
    fn the_database_is_private_and_opens_again() {
        let temporary = temporary();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&temporary.path), 0o600);
        assert_eq!(mode(temporary.path.parent().unwrap()), 0o700);
        open(&temporary.path).expect("opens again");
    }

    #[test]
    fn a_newer_or_broken_database_is_refused_with_words() {
        let temporary = temporary();
        let db = Connection::open(&temporary.path).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        let error = open(&temporary.path).unwrap_err().to_string();
        assert!(error.contains("newer chat-posta"), "{error}");
        let broken = temporary.path.with_file_name("broken.db");
        fs::write(&broken, "this is not a database, although it is long enough to be one").unwrap();
        let error = open(&broken).unwrap_err().to_string();
        assert!(error.contains("can't be opened"), "{error}");
    }
}
