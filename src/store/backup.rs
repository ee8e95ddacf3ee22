//! A copy of the whole database while the service runs, by SQLite's online backup.
//!
//! The copy holds what the database holds: sealed tokens and hashed invites, nothing that opens
//! without a passkey.
use super::StoreError;
use super::error::describe;
use super::migrate;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

/// How much is copied before others may write again, in pages of 4 KiB, and how long they may.
const STEP: i32 = 256;
const PAUSE: Duration = Duration::from_millis(2);

/// Copies the database `from` into the new file `to` and answers its size in bytes. The copy appears
/// whole and checked, or not at all.
pub fn backup(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let failed =
        |file: &Path, why: &dyn Display| StoreError::Open(format!("{}: {why}", file.display()));
    // SQLite gives names such as `:memory:` a meaning of their own; absolute ones are files.
    let from = absolute(from).map_err(|e| failed(from, &e))?;
    let to = absolute(to).map_err(|e| failed(to, &e))?;
    if to.symlink_metadata().is_ok() {
        return Err(failed(&to, &"it exists already; name another file, or remove it"));
    }
    let source = open_as_it_is(&from).map_err(|why| failed(&from, &why))?;
    let part = Part::create(&to).map_err(|e| failed(&to, &format!("it can't be made: {e}")))?;
    copy(&source, &part.0).map_err(|e| failed(&to, &describe(&e)))?.map_err(|e| failed(&to, &e))?;
    let size = part.become_whole(&to).map_err(|e| failed(&to, &e))?;
    Ok(size)
}

/// Neither creates nor migrates: what runs beside us may be older than we are.
pub(super) fn open_as_it_is(file: &Path) -> Result<Connection, String> {
    if !file.is_file() {
        return Err("it does not exist; name the right one with --db".into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(file, flags).and_then(|db| {
        db.busy_timeout(super::open::BUSY)?;
        migrate::check(&db).map(|ours| ours.map(|()| db))
    });
    opened.map_err(|e| describe(&e))?
}

fn copy(source: &Connection, to: &Path) -> rusqlite::Result<Result<(), String>> {
    let mut target = Connection::open(to)?;
    Backup::new(source, &mut target)?.run_to_completion(STEP, PAUSE, None)?;
    // One file, wherever it is carried: the source's write-ahead mode came along in its header.
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    let health: String = target.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok(if health == "ok" { Ok(()) } else { Err(format!("the copy is damaged ({health})")) })
}

/// The file while it is not whole; removed unless it becomes so.
struct Part(PathBuf);

impl Part {
    fn create(to: &Path) -> std::io::Result<Part> {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let path = to.with_file_name(name);
        // What an earlier run that was killed left behind.
        let _ = fs::remove_file(&path);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Part(path))
    }

    fn become_whole(self, to: &Path) -> std::io::Result<u64> {
        let file = File::open(&self.0)?;
        file.sync_all()?;
        // Unlike a rename it fails where somebody has made that file meanwhile.
        fs::hard_link(&self.0, to).or_else(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Err(e),
            // A file system without links.
            _ => fs::rename(&self.0, to),
        })?;
        if let Some(folder) = to.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(file.metadata()?.len())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::testing::temporary;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_copy_of_the_running_database_is_whole_private_and_opens() {
        let temporary = temporary();
        let salt = temporary.store.prf_salt().unwrap();
        let code = temporary.store.invite_create("Bob", Duration::from_secs(60), 0).unwrap();
        let to = temporary.path.with_file_name("copy.db");
        // What was written last still stands in the write-ahead log.
        let size = backup(&temporary.path, &to).unwrap();
        let data = fs::metadata(&to).unwrap();
        assert_eq!((data.len(), data.permissions().mode() & 0o777), (size, 0o600));
        let copy = Store::open(&to).unwrap();
        assert_eq!(copy.prf_salt().unwrap(), salt);
        assert!(copy.invite_check(&code, 1).unwrap().is_some());
        assert!(temporary.store.invite_check(&code, 1).unwrap().is_some());
    }

    #[test]
    fn what_exists_is_never_written_over_and_failures_leave_nothing() {
        let temporary = temporary();
        let folder = temporary.path.parent().unwrap();
        let to = folder.join("copy.db");
        fs::write(&to, "precious").unwrap();
        let said = backup(&temporary.path, &to).unwrap_err().to_string();
        assert!(said.contains("copy.db: it exists already"), "{said}");
        assert_eq!(fs::read(&to).unwrap(), b"precious");

        let said = backup(&folder.join("none.db"), &folder.join("a.db")).unwrap_err().to_string();
        assert!(said.contains("none.db: it does not exist"), "{said}");
        fs::write(folder.join("notes"), "no database ".repeat(100)).unwrap();
        assert!(backup(&folder.join("notes"), &folder.join("a.db")).is_err());
        assert!(backup(&temporary.path, &folder.join("no/such/a.db")).is_err());
        assert!(!folder.join("a.db").exists() && !folder.join("a.db.part").exists());
    }

    #[test]
    fn a_part_left_behind_by_a_crash_is_no_obstacle() {
        let temporary = temporary();
        let to = temporary.path.with_file_name("copy.db");
        fs::write(temporary.path.with_file_name("copy.db.part"), "half").unwrap();
        backup(&temporary.path, &to).unwrap();
        assert!(!temporary.path.with_file_name("copy.db.part").exists());
    }
}
