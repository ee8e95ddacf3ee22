//! Migrations: numbered, only ever added to. `user_version` says how many a database has had,
//! `application_id` that it is ours.
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

const MIGRATIONS: &[&str] =
    &[include_str!("../../sql/0001_init.sql"), include_str!("../../sql/0002_settings.sql")];

/// "CPst", as the first migration writes it.
const APPLICATION_ID: i64 = 0x4350_7374;

/// How many migrations this program knows.
pub fn known() -> i64 {
    MIGRATIONS.len() as i64
}

/// Whether the database is ours and not too new; the text says what it is instead. A newer one is
/// not too new when a migration has said that older programs can live with it (`readable_by`): so
/// that whoever must go back to the program of yesterday can.
pub fn check(db: &Connection) -> rusqlite::Result<Result<(), String>> {
    // One statement, so that all three are of one moment: another process may be creating it.
    let (application, version, tables): (i64, i64, i64) = db.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let known = known();
    let is_blank = (application, version, tables) == (0, 0, 0);
    Ok(if application != APPLICATION_ID && !is_blank {
        Err("it belongs to another program".into())
    } else if version > known && readable_by(db)?.is_none_or(|least| least > known) {
        Err(format!(
            "it was written by a newer chat-posta (schema {version}, this one knows {known}): run \
             that one, or restore a backup"
        ))
    } else {
        Ok(())
    })
}

/// The oldest schema whose programs can use this newer one. A migration that only adds what they
/// need not know writes it: `INSERT OR REPLACE INTO settings VALUES ('readable_by', CAST('2' AS
/// BLOB))`; any other takes it away.
fn readable_by(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let query =
        "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM settings WHERE name = 'readable_by'";
    db.query_row(query, [], |row| row.get(0)).optional()
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

    /// A database as the first version left it, with somebody in it.
    #[test]
    fn an_old_database_keeps_its_people_and_learns_what_is_new() {
        let folder = Folder::new();
        let db = Connection::open(folder.path("state.db")).unwrap();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute_batch(
            "INSERT INTO users VALUES (1, zeroblob(32), 'Ann', 'https://ann.example',
                 'https://server.example', x'00', 1000, 2000);
             INSERT INTO passkeys VALUES (zeroblob(16), 1, x'04', 0, 1, 0, 'internal',
                 zeroblob(16), x'00', 1000, 1000);
             INSERT INTO invites VALUES (1, zeroblob(32), 'abc', 'for Ann', 1, 9000, 1000);
             INSERT INTO invites VALUES (2, randomblob(32), 'def', 'for Bob', 1, 9000, NULL);
             INSERT INTO invites VALUES (3, randomblob(32), 'ghi', 'for Zoe', 1, 9000, 900);",
        )
        .unwrap();
        drop(db);
        let store = Store::open(&folder.path("state.db")).unwrap();
        let user = store.user_list().unwrap().pop().unwrap();
        let passkeys = store.passkey_list(user.id).unwrap();
        assert_eq!((passkeys.len(), passkeys[0].name.as_str()), (1, ""));
        store.user_delete("Ann").unwrap();
        let left = |consumed| -> Vec<String> {
            let invites = store.invite_list(consumed).unwrap();
            invites.into_iter().map(|invite| invite.name).collect()
        };
        assert_eq!(left(false), ["for Bob"]);
        assert_eq!(left(true), ["for Zoe"], "Ann's went with her");
    }

    /// What the program of each version had stored, by the version: a new migration wants one more.
    const STORED: &[&str] = &[
        "INSERT INTO settings VALUES ('prf_salt', x'0102');
         INSERT INTO users VALUES (1, zeroblob(32), 'Ann', 'https://ann.example',
             'https://server.example', x'aa', 1000, 2000),
             (7, randomblob(32), 'Bob', 'https://bob.example', 'https://b.example', x'bb', 1100, 2000);
         INSERT INTO passkeys VALUES (zeroblob(16), 1, x'04', 5, 1, 0, 'internal hybrid',
             zeroblob(16), x'cc', 1000, 1500),
             (x'07', 7, x'04', 0, 0, 0, '', zeroblob(16), x'dd', 1100, 1100);
         INSERT INTO invites VALUES (1, zeroblob(32), 'abc', 'for Ann', 1, 9000, 1000),
             (2, randomblob(32), 'def', 'for Zoe', 1, 9000, NULL);",
        "UPDATE passkeys SET name = 'Her phone' WHERE user_id = 1;
         INSERT INTO removed_passkeys VALUES (x'09', 1, x'04', 1, 1800);",
    ];

    /// A database with the tables of `version`, filled by the programs up to it.
    fn of_version(version: usize, path: &std::path::Path) -> Connection {
        let db = Connection::open(path).unwrap();
        for (migration, stored) in MIGRATIONS.iter().zip(STORED).take(version) {
            db.execute_batch(migration).unwrap();
            db.execute_batch(stored).unwrap();
        }
        db.pragma_update(None, "user_version", version).unwrap();
        db
    }

    /// All of a table's rows, the columns it had in `columns` only, as text.
    fn rows(db: &Connection, table: &str, columns: &str) -> Vec<String> {
        let list = columns.split(' ').map(|c| format!("quote({c})")).collect::<Vec<_>>();
        let query = format!("SELECT {} AS row FROM {table} ORDER BY row", list.join("||','||"));
        let mut statement = db.prepare(&query).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn tables(db: &Connection) -> Vec<(String, String)> {
        let names: Vec<String> = rows(db, "sqlite_schema WHERE type = 'table'", "name");
        let names = names.iter().map(|name| name.trim_matches('\'').to_owned());
        names
            .filter(|name| !name.starts_with("sqlite_"))
            .map(|name| {
                let columns = rows(db, &format!("pragma_table_info('{name}')"), "name");
                let columns: Vec<_> = columns.iter().map(|c| c.trim_matches('\'')).collect();
                (name, columns.join(" "))
            })
            .collect()
    }

    #[test]
    fn every_earlier_database_comes_through_whole() {
        assert_eq!(STORED.len(), MIGRATIONS.len(), "say what a program of the new version stored");
        let fresh = temporary();
        let wanted = tables(&Connection::open(&fresh.path).unwrap());
        for version in 1..=MIGRATIONS.len() {
            let folder = Folder::new();
            let path = folder.path("state.db");
            let db = of_version(version, &path);
            let (had, before) = (tables(&db), |db: &Connection| -> Vec<Vec<String>> {
                tables(&of_version(version, std::path::Path::new("")))
                    .iter()
                    .map(|(table, columns)| rows(db, table, columns))
                    .collect()
            });
            let stood = before(&db);
            assert!(stood.iter().all(|rows| !rows.is_empty()), "no table without a row: {had:?}");
            drop(db);
            let store = Store::open(&path).unwrap();
            assert_eq!(store.user_list().unwrap().len(), 2, "version {version}");
            assert_eq!(store.passkey_find(&[0; 16]).unwrap().unwrap().sign_count, 5);
            drop(store);
            let db = Connection::open(&path).unwrap();
            assert_eq!(before(&db), stood, "version {version}: nothing is lost or changed");
            // Whoever comes from an old version has the same tables as who begins now.
            let same = |(name, columns): &(String, String)| {
                let mut columns: Vec<&str> = columns.split(' ').collect();
                columns.sort_unstable();
                (name.clone(), columns.join(" "))
            };
            let sorted = |tables: &[(String, String)]| tables.iter().map(same).collect::<Vec<_>>();
            assert_eq!(sorted(&tables(&db)), sorted(&wanted), "version {version}");
            let whole: String =
                db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(whole, "ok");
            assert!(!db.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
        }
    }

    #[test]
    fn a_newer_database_is_refused() {
        let temporary = temporary();
        let db = Connection::open(&temporary.path).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let folder = temporary.close();
        let why = refusal(&folder);
        assert!(
            why.contains(&format!("newer chat-posta (schema 99, this one knows {})", known())),
            "{why}"
        );
    }

    #[test]
    fn a_newer_database_that_this_program_can_live_with_is_left_as_it_is() {
        for (least, is_fine) in [(known(), true), (1, true), (known() + 1, false)] {
            let temporary = temporary();
            let salt = temporary.store.prf_salt().unwrap();
            let db = Connection::open(&temporary.path).unwrap();
            db.pragma_update(None, "user_version", 99).unwrap();
            db.execute(
                "INSERT INTO settings VALUES ('readable_by', CAST(?1 AS BLOB))",
                [least.to_string()],
            )
            .unwrap();
            drop(db);
            let path = temporary.path.clone();
            let folder = temporary.close();
            if !is_fine {
                assert!(refusal(&folder).contains("newer chat-posta"));
                continue;
            }
            assert_eq!(Store::open(&path).unwrap().prf_salt().unwrap(), salt);
            let db = Connection::open(&path).unwrap();
            let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
            assert_eq!(version, 99);
        }
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
