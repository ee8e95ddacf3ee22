//! One participant's state in SQLite, on an OS thread of its own.
//!
//! Work is sent to the thread as closures over the connection, one transaction each, and the answer
//! comes back over a may channel, so that coroutines wait without blocking their OS thread.
pub mod contacts;
pub mod messages;
pub mod meta;
pub mod outbox;
pub mod tokens;
pub mod uploads;

use may::sync::mpsc as reply;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// `user_version` of the schema.
const VERSION: i64 = 1;
/// Another process (`token create`) may hold the file for a moment.
const BUSY: Duration = Duration::from_secs(5);

/// SQLite's name for a state that is no file.
const IN_MEMORY: &str = ":memory:";

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

#[derive(Clone)]
pub struct Db {
    work: mpsc::Sender<Work>,
}

#[derive(Debug)]
pub enum DbError {
    Sqlite(rusqlite::Error),
    /// The file is from another version of the demo.
    Version(i64),
    /// The work panicked, or the thread has ended.
    Gone,
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DbError::Sqlite(e) => write!(f, "the state file: {e}"),
            DbError::Version(found) => {
                write!(f, "the state file has version {found}, this demo reads {VERSION}")
            }
            DbError::Gone => f.write_str("the state file's thread has failed"),
        }
    }
}

impl std::error::Error for DbError {}

impl From<rusqlite::Error> for DbError {
    fn from(e: rusqlite::Error) -> Self {
        DbError::Sqlite(e)
    }
}

/// Opens the file, making it when it is not there, for its owner only: a signing key is in it. What
/// keeps it from being made, SQLite will say.
#[expect(clippy::disallowed_methods, reason = "opened while starting up, used on its own thread")]
pub fn open(path: &Path) -> Result<Connection, DbError> {
    if path != Path::new(IN_MEMORY) {
        let _ = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
        0 => {
            transaction.execute_batch(include_str!("schema.sql"))?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        VERSION => {}
        other => return Err(DbError::Version(other)),
    }
    transaction.commit()?;
    Ok(connection)
}

impl Db {
    #[expect(clippy::disallowed_methods, reason = "received on its own thread")]
    pub fn start(path: &Path) -> Result<Db, DbError> {
        let mut connection = open(path)?;
        // What a crash interrupted: deliveries are tried again, half uploads dropped.
        outbox::recover(&connection)?;
        uploads::recover(&connection)?;
        let (sender, receiver) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new().name("demo-db".into());
        let run = move || {
            for work in receiver {
                if catch_unwind(AssertUnwindSafe(|| work(&mut connection))).is_err() {
                    log::error!("work on a demo state file panicked");
                }
            }
        };
        thread.spawn(run).map_err(|_| DbError::Gone)?;
        Ok(Db { work: sender })
    }

    /// Runs `work` in one transaction, committed when it returns `Ok`.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, answered) = reply::channel();
        let run = move |connection: &mut Connection| {
            let result = transact(connection, work);
            // Nobody waits any more: the work is done all the same.
            let _ = answer.send(result);
        };
        self.work.send(Box::new(run)).map_err(|_| DbError::Gone)?;
        answered.recv().map_err(|_| DbError::Gone)?.map_err(DbError::from)
    }
}

fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

/// A state in memory, for the tests of this room.
#[cfg(test)]
pub fn in_memory() -> Connection {
    open(Path::new(IN_MEMORY)).expect("SQLite works")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn work_is_one_transaction_and_a_panic_ends_only_itself() {
        let db = Db::start(Path::new(IN_MEMORY)).unwrap();
        let failed = db.run(|t| {
            meta::set(t, "name", b"alice")?;
            t.execute("no such statement", [])
        });
        assert!(matches!(failed, Err(DbError::Sqlite(_))));
        assert!(matches!(db.run(|_| -> rusqlite::Result<()> { panic!() }), Err(DbError::Gone)));
        assert_eq!(db.run(|t| meta::get(t, "name")).unwrap(), None);
        db.run(|t| meta::set(t, "name", b"alice")).unwrap();
        assert_eq!(db.run(|t| meta::get(t, "name")).unwrap().as_deref(), Some(&b"alice"[..]));
    }

    #[test]
    fn a_file_of_another_version_is_refused() {
        let path = std::env::temp_dir().join(format!("chat-posta-demo-{}", std::process::id()));
        drop(open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
        assert!(matches!(open(&path), Err(DbError::Version(9))));
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}
