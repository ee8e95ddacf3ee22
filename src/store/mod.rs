//! SQLite: invites, users, passkeys, settings. One thread of its own runs every statement.
//!
//! In scope: opening and migrating, one entity a file, transactions. Out of scope: what a sealed
//! token says, who is signed in.
//!
//! Methods may be called from coroutines and plain threads alike: the work goes to the thread
//! `store` over a channel, and the caller waits without keeping an OS thread from other coroutines.
mod account;
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod backup;
mod error;
mod invites;
mod keyring;
#[expect(clippy::disallowed_methods, reason = "a command's own thread")]
mod look;
mod migrate;
mod open;
mod passkeys;
mod register;
mod settings;
#[cfg(test)]
pub mod testing;
mod users;

pub use account::Repaired;
pub use backup::backup;
pub use error::StoreError;
pub use invites::Invite;
pub use keyring::{Added, PasskeyRow, Removed};
pub use look::{Look, look};
pub use passkeys::{NewPasskey, Passkey};
pub use register::{NewUser, RegisterError};
pub use users::{DeleteError, User, UserId};

use may::coroutine::is_coroutine;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// With less free than this the database may not be written to much longer, in bytes.
pub const LEAST_DISK: u64 = 16 << 20;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// Cheap to clone. With the last clone the thread ends and the database is closed.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// Taken only by `drop`. Unbounded, so that sending never blocks; every caller waits for its
    /// answer, so no more work can be queued than there are callers.
    work: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the database, creates it if it is not there, and migrates it.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        Store::serve(open::open(path, open::Missing::Create)?)
    }

    /// As [`Store::open`], but a database that is not there is an error: whoever looks something up
    /// in it has mistyped its name.
    pub fn open_existing(path: &Path) -> Result<Store, StoreError> {
        Store::serve(open::open(path, open::Missing::Refuse)?)
    }

    #[expect(clippy::disallowed_methods, reason = "received on the store's own thread")]
    fn serve(mut connection: Connection) -> Result<Store, StoreError> {
        let (sender, receiver) = mpsc::channel::<Work>();
        let run = move || receiver.into_iter().for_each(|work| work(&mut connection));
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(run)
            .map_err(|e| StoreError::Open(format!("no thread for the database: {e}")))?;
        Ok(Store(Arc::new(Inner { work: Some(sender), thread: Some(thread) })))
    }

    /// Runs `work` on the store's thread and waits for what it gives.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, receiver) = may::sync::mpsc::channel();
        let work: Work = Box::new(move |connection| {
            // An open transaction rolls back as the panic passes through it.
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            // Nobody waits any more if the caller's coroutine was cancelled.
            let _ = answer.send(done.unwrap_or(Err(StoreError::Panicked)));
        });
        let sender = self.0.work.as_ref().ok_or(StoreError::Panicked)?;
        sender.send(work).map_err(|_| StoreError::Panicked)?;
        receiver.recv().map_err(|_| StoreError::Panicked)?
    }

    /// Changes when another process (or another `Store`) has changed the database, and not when
    /// this one has: SQLite's `data_version`.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.run(|db| Ok(db.query_row("PRAGMA data_version", [], |row| row.get(0))?))
    }

    /// Whether somebody could sign up now: the database can be written to, and its disk has room.
    pub fn ready(&self) -> Result<(), StoreError> {
        self.run(|db| {
            db.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            let folder = db.path().and_then(|path| Path::new(path).parent()).map(Path::to_owned);
            let disk = folder.and_then(|folder| rustix::fs::statvfs(folder).ok());
            match disk.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) {
                Some(free) if free < LEAST_DISK => {
                    Err(StoreError::Open(format!("the disk is nearly full ({free} bytes free)")))
                }
                _ => Ok(()),
            }
        })
    }

    /// Folds the write-ahead log back into the database, so that whoever copies that one file after
    /// the service has ended has everything.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.run(|db| Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?))
    }
}

impl Drop for Inner {
    /// Waits until SQLite has closed the file, which folds the write-ahead log back into it: a
    /// command that ends here leaves one whole file for whoever copies it.
    #[expect(clippy::disallowed_methods, reason = "never on a coroutine")]
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take().filter(|_| !is_coroutine()) {
            // The thread catches every panic of the work it runs.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::temporary;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn coroutines_wait_for_the_store_without_holding_up_others() {
        let temporary = temporary();
        let done = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..200)
            .map(|n| {
                let (store, done) = (temporary.store.clone(), done.clone());
                crate::http::stack::spawn_connection(move || {
                    let given = store.run(move |db| {
                        Ok(db.query_row("SELECT ?1 + 1", [n], |row| row.get::<_, i64>(0))?)
                    });
                    assert_eq!(given.unwrap(), n + 1);
                    done.fetch_add(1, Ordering::Relaxed);
                })
                .unwrap()
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert_eq!(done.load(Ordering::Relaxed), 200);
    }

    #[test]
    fn a_bug_in_one_statement_costs_one_caller_its_answer_and_nothing_else() {
        let temporary = temporary();
        let store = &temporary.store;
        let bug = store.run::<()>(|db| {
            let transaction = db.transaction()?;
            transaction.execute("INSERT INTO settings VALUES ('x', x'00')", [])?;
            panic!("a bug");
        });
        assert!(matches!(bug, Err(StoreError::Panicked)));
        let rows = store.run(|db| {
            Ok(db.query_row("SELECT count(*) FROM settings", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.unwrap(), 0, "what the panic interrupted was rolled back");
    }

    #[test]
    fn closing_leaves_one_whole_file() {
        let temporary = temporary();
        temporary.store.prf_salt().unwrap();
        let path = temporary.path.clone();
        let names = || {
            let folder = path.parent().unwrap().read_dir().unwrap();
            let mut names: Vec<_> = folder.map(|f| f.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["state.db", "state.db-shm", "state.db-wal"]);
        let folder = temporary.close();
        assert_eq!(names(), ["state.db"]);
        drop(folder);
    }

    #[test]
    fn it_is_ready_unless_another_keeps_it_locked() {
        let temporary = temporary();
        temporary.store.ready().unwrap();
        let other = Connection::open(&temporary.path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let said = temporary.store.ready().unwrap_err().to_string();
        assert!(said.contains("another process keeps it locked"), "{said}");
        other.execute_batch("ROLLBACK").unwrap();
        temporary.store.ready().unwrap();
    }

    #[test]
    fn settling_leaves_nothing_beside_the_file() {
        let temporary = temporary();
        let log = temporary.path.with_file_name("state.db-wal");
        let size = || std::fs::metadata(&log).unwrap().len();
        temporary.store.prf_salt().unwrap();
        assert!(size() > 0);
        temporary.store.settle().unwrap();
        assert_eq!(size(), 0);
    }

    #[test]
    fn the_data_version_shows_what_others_change() {
        let temporary = temporary();
        let store = &temporary.store;
        let before = store.data_version().unwrap();
        store.prf_salt().unwrap();
        assert_eq!(store.data_version().unwrap(), before, "our own change");
        let other = Store::open_existing(&temporary.path).unwrap();
        other.invite_create("Bob", std::time::Duration::from_secs(60), 0).unwrap();
        assert_ne!(store.data_version().unwrap(), before);
    }
}
