//! Migrations: numbered, only ever added to. `user_version` says how many a database has had,
//! `application_id` that it is ours.
use rusqlite::{Connection, TransactionBehavior};

const MIGRATIONS: &[&str] = &[include_str!("../../sql/0001_init.sql")];

/// "CPst", as the first migration writes it.
const APPLICATION_ID: i64 = 0x4350_7374;

/// Whether the database is ours and not too new; the text says what it is instead.
pub fn check(db: &Connection) -> rusqlite::Result<Result<(), String>> {
    // One statement, so that all three are of one moment: another process may be creating it.
    let (application, version, tables): (i64, i64, i64) = db.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let known = MIGRATIONS.len() as i64;
    let is_blank = (application, version, tables) == (0, 0, 0);
    Ok(if application != APPLICATION_ID && !is_blank {
        Err("it belongs to another program".into())
    } else if version > known {
        Err(format!(
            "it was written by a newer chat-posta (schema {version}, this one knows {known}): run \
             that one, or restore a backup"
        ))
    } else {
        Ok(())
    })
}

/// Runs the migrations that are missing, all or none.
pub fn run(db: &mut Connection) -> rusqlite::Result<Result<(), String>> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Again, now that nobody else can change it: two processes may start at once.
    if let Err(why) = check(&transaction)? {
        return Ok(Err(why));
    }
    let had: usize = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(had) {
        transaction.execute_batch(migration)?;
    }
    if had < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit().map(Ok)
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::testing::{Folder, temporary};
    use super::*;

    fn refusal(folder: &Folder) -> String {
        Store::open(&folder.path("state.db")).err().expect("it is refused").to_string()
    }

    #[test]
    fn opening_again_changes_nothing() {
        let temporary = temporary();
        let salt = temporary.store.prf_salt().unwrap();
        let path = temporary.path.clone();
        let _folder = temporary.close();
        let before = std::fs::read(&path).unwrap();
        let again = Store::open(&path).unwrap();
        assert_eq!(again.prf_salt().unwrap(), salt);
        drop(again);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_newer_database_is_refused() {
        let temporary = temporary();
        let db = Connection::open(&temporary.path).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let folder = temporary.close();
        let why = refusal(&folder);
        assert!(why.contains("newer chat-posta (schema 99, this one knows 1)"), "{why}");
    }

    #[test]
    fn somebody_else_s_database_is_refused_and_not_touched() {
        for sql in [
            "CREATE TABLE theirs (x)",
            "PRAGMA application_id = 7",
            "CREATE TABLE theirs (x); PRAGMA user_version = 1",
        ] {
            let folder = Folder::new();
            let db = Connection::open(folder.path("state.db")).unwrap();
            db.execute_batch(sql).unwrap();
            drop(db);
            let before = std::fs::read(folder.path("state.db")).unwrap();
            assert!(refusal(&folder).contains("another program"), "{sql}");
            assert_eq!(std::fs::read(folder.path("state.db")).unwrap(), before, "{sql}");
        }
    }
}
