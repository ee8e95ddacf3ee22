//! A look at a database for `doctor`: nothing is created, migrated or repaired.
use super::StoreError;
use super::backup::open_as_it_is;
use super::error::describe;
use super::migrate;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, absolute};

pub struct Look {
    /// Migrations it has had, and how many this program knows.
    pub schema: i64,
    pub known: i64,
    pub users: u64,
    /// Bytes on disk.
    pub size: u64,
    /// Permission bits for group and others, of the file and of its directory.
    pub open_to_others: (u32, u32),
}

pub fn look(path: &Path) -> Result<Look, StoreError> {
    let failed = |why: String| StoreError::Open(format!("{}: {why}", path.display()));
    let file = absolute(path).map_err(|e| failed(e.to_string()))?;
    let db = open_as_it_is(&file).map_err(failed)?;
    let sql = |e: rusqlite::Error| failed(describe(&e));
    if db.is_readonly("main").map_err(sql)? {
        return Err(failed("it can't be written to".into()));
    }
    let health: String =
        db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if health != "ok" {
        return Err(failed(format!("it is damaged, restore a backup ({health})")));
    }
    let schema = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(sql)?;
    // An empty file, before its first start, has no tables yet.
    let users = match schema {
        0 => 0,
        _ => db.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).map_err(sql)?,
    };
    let others = |path: &Path| fs::metadata(path).map_or(0, |d| d.permissions().mode() & 0o077);
    Ok(Look {
        schema,
        known: migrate::known(),
        users,
        size: fs::metadata(&file).map_or(0, |data| data.len()),
        open_to_others: (others(&file), file.parent().map_or(0, others)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::temporary;
    use super::*;

    #[test]
    fn it_sees_and_changes_nothing() {
        let temporary = temporary();
        let path = temporary.path.clone();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let seen = look(&path).unwrap();
        assert_eq!((seen.schema, seen.users), (seen.known, 0));
        assert_eq!(seen.open_to_others.0, 0o044);
        let missing = path.with_file_name("none.db");
        assert!(look(&missing).is_err() && !missing.exists());
    }
}
