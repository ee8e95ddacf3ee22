//! Opening: private files, the connection's settings, a look at its health.
use super::StoreError;
use super::error::describe;
use super::migrate;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt::Display;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, absolute};
use std::thread;
use std::time::{Duration, Instant};

/// How long a statement waits for another process: an `invite create` beside the service.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// How long between two tries to switch to the write-ahead log, for which SQLite itself won't wait.
const RETRY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Create,
    Refuse,
}

#[expect(clippy::disallowed_methods, reason = "opened before the store's thread starts")]
pub fn open(path: &Path, missing: Missing) -> Result<Connection, StoreError> {
    let failed =
        |why: &dyn Display| StoreError::Open(format!("the database {}: {why}", path.display()));
    // SQLite gives names such as `:memory:` a meaning of their own; an absolute one is a file.
    let file = absolute(path).map_err(|e| failed(&e))?;
    if missing == Missing::Create {
        create(&file).map_err(|e| failed(&format!("it can't be created: {e}")))?;
    }
    let mode = match fs::metadata(&file) {
        Ok(data) if data.is_file() => data.permissions().mode() & 0o777,
        Ok(_) => return Err(failed(&"it is not a file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(failed(&"it does not exist; name the right one with --db"));
        }
        Err(e) => return Err(failed(&e)),
    };
    if mode & 0o077 != 0 {
        log::warn!("{} is open to others (mode {mode:o}): chmod 600 it", path.display());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = |e: rusqlite::Error| failed(&describe(&e));
    let mut db = Connection::open_with_flags(&file, flags).map_err(sql)?;
    db.busy_timeout(BUSY).map_err(sql)?;
    // SQLite opens what it may not write to for reading, and would tell only when we write.
    if db.is_readonly("main").map_err(sql)? {
        return Err(failed(&"it can't be written to"));
    }
    // Whose it is comes before any change to it.
    migrate::check(&db).map_err(sql)?.map_err(|why| failed(&why))?;
    set_up(&db).map_err(sql)?;
    migrate::run(&mut db).map_err(sql)?.map_err(|why| failed(&why))?;
    // A few milliseconds for the few thousand rows we ever have.
    let health: String =
        db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if health != "ok" {
        return Err(failed(&format!("it is damaged, restore a backup ({health})")));
    }
    Ok(db)
}

/// Creates the file (0600) and its directories (0700) where they are missing. What exists is not
/// opened: closing it would drop the locks that another connection of ours holds on it.
#[expect(clippy::disallowed_methods, reason = "opened before the store's thread starts")]
fn create(file: &Path) -> io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        // Another process was faster.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

fn set_up(db: &Connection) -> rusqlite::Result<()> {
    write_ahead(db)?;
    // An invite that was used up must stay so through a power cut.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    // What was deleted shall not linger in free pages.
    db.pragma_update(None, "secure_delete", true)
}

/// Switches to the write-ahead log, so that reading and writing processes do not wait for each
/// other.
#[expect(clippy::disallowed_methods, reason = "opened before the store's thread starts")]
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY;
    loop {
        match db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(e)
                if e.sqlite_error_code() != Some(ErrorCode::DatabaseBusy)
                    || Instant::now() >= deadline =>
            {
                return Err(e);
            }
            Ok(_) if Instant::now() >= deadline => {
                // A file system without shared memory: slower beside other processes, still safe.
                log::warn!("the database's file system allows no write-ahead log");
                return Ok(());
            }
            _ => thread::sleep(RETRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::testing::{Folder, temporary};
    use super::*;

    fn refusal(path: &Path) -> String {
        let error = open(path, Missing::Create).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        error
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_created_is_private() {
        let folder = Folder::new();
        let file = folder.path("deep/er/state.db");
        let store = Store::open(&file).unwrap();
        store.prf_salt().unwrap();
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        assert_eq!(mode(&folder.path("deep")), 0o700);
        assert_eq!(mode(&folder.path("deep/er/state.db-wal")), 0o600);
    }

    #[test]
    fn the_connection_is_set_up_for_safety() {
        let folder = Folder::new();
        let db = open(&folder.path("state.db"), Missing::Create).unwrap();
        let pragma = |name: &str| {
            db.query_row(&format!("PRAGMA {name}"), [], |row| {
                Ok(row.get::<_, i64>(0).map_or_else(|_| row.get(0), |n| Ok(n.to_string())))
            })
            .flatten()
            .unwrap()
        };
        for (name, value) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("trusted_schema", "0"),
            ("secure_delete", "1"),
            ("busy_timeout", "5000"),
        ] {
            assert_eq!(pragma(name), value, "{name}");
        }
    }

    #[test]
    fn a_missing_database_is_created_only_where_that_makes_sense() {
        let folder = Folder::new();
        let file = folder.path("state.db");
        let missing = Store::open_existing(&file).err().expect("it is not there").to_string();
        assert!(missing.contains("does not exist") && !file.exists(), "{missing}");
        drop(Store::open(&file).unwrap());
        assert!(Store::open_existing(&file).is_ok());
    }

    #[test]
    fn what_is_no_database_is_refused_and_not_touched() {
        let folder = Folder::new();
        let file = folder.path("notes.txt");
        let text = "this is not a database, although it is long enough to look like one".repeat(20);
        fs::write(&file, &text).unwrap();
        assert!(refusal(&file).contains("not an SQLite database"));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert!(refusal(&folder.path(".")).contains("not a file"));
        assert!(refusal(&file.join("state.db")).contains("can't be created"));
    }

    #[test]
    fn a_damaged_database_is_refused() {
        let temporary = temporary();
        for n in 0..200 {
            temporary.store.invite_create(&format!("Bob {n}"), BUSY, 0).unwrap();
        }
        let file = temporary.path.clone();
        let _folder = temporary.close();
        let mut bytes = fs::read(&file).unwrap();
        let behind_the_head = bytes.len() / 2;
        bytes[behind_the_head..].fill(0xff);
        fs::write(&file, bytes).unwrap();
        assert!(refusal(&file).contains("damaged"));
    }

    #[test]
    fn many_who_create_it_at_once_all_get_it() {
        let folder = Folder::new();
        let file = folder.path("state.db");
        let openers: Vec<_> = (0..8)
            .map(|_| {
                let file = file.clone();
                thread::spawn(move || {
                    Store::open(&file)
                        .map_err(|e| e.to_string())?
                        .prf_salt()
                        .map_err(|e| e.to_string())
                })
            })
            .collect();
        let salts: Vec<_> = openers.into_iter().map(|o| o.join().unwrap().unwrap()).collect();
        assert!(salts.iter().all(|salt| *salt == salts[0]));
    }
}
