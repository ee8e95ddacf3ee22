//! SQLite: invites, users, passkeys, settings. One thread of its own runs every statement.
//!
//! In scope: opening and migrating, one entity a file, transactions. Out of scope: what is in a
//! sealed token, who is signed in.
//!
//! Methods may be called from coroutines and threads alike: the work goes to the thread `store`
//! over a channel, and the caller waits without blocking an OS thread that other coroutines need.
mod invites;
mod open;
mod passkeys;
mod settings;
mod users;

pub use invites::{Invite, RevokeError};
pub use passkeys::{NewPasskey, Passkey};
pub use users::{DeleteError, NewUser, RegisterError, Registered, User, UserId};

use rusqlite::Connection;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::thread;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// Cheap to clone; the thread ends with the last clone.
#[derive(Clone)]
pub struct Store(mpsc::Sender<Work>);

#[derive(Debug)]
pub enum StoreError {
    /// The database could not be opened; the text says what to do.
    Open(String),
    Sql(rusqlite::Error),
    /// A statement panicked; the log says where.
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
            StoreError::Sql(e) => write!(f, "the database: {e}"),
            StoreError::Panicked => f.write_str("the database thread ran into a bug"),
        }
    }
}

impl Store {
    /// Opens (or creates) and migrates the database.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let mut connection = open::open(path)?;
        let (sender, receiver) = mpsc::channel::<Work>();
        thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                for work in receiver {
                    work(&mut connection);
                }
            })
            .map_err(|e| StoreError::Open(format!("no thread for the database: {e}")))?;
        Ok(Store(sender))
    }

    /// Runs `work` on the store's thread and waits for what it gives.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, receiver) = may::sync::mpsc::channel();
        let work: Work = Box::new(move |connection| {
            // A transaction that was open rolls back as the panic passes through it.
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            // The caller may be gone; then nobody needs the answer.
            let _ = answer.send(done.unwrap_or(Err(StoreError::Panicked)));
        });
        self.0.send(work).map_err(|_| StoreError::Panicked)?;
        receiver.recv().map_err(|_| StoreError::Panicked)?
    }

    /// Changes when another process has changed the database (SQLite's `data_version`).
    pub fn data_version(&self) -> Result<i64, StoreError> {
        self.run(|db| Ok(db.query_row("PRAGMA data_version", [], |row| row.get(0))?))
    }
}

/// A store in a file of its own, for tests.
#[cfg(test)]
pub mod tests_support {
    use super::Store;
    use crate::ops::{encode, random};
    use std::path::PathBuf;

    pub struct Temporary {
        pub store: Store,
        pub path: PathBuf,
    }

    pub fn temporary() -> Temporary {
        let name = format!("chat-posta-store-{}", encode::b64url(&random::bytes::<9>()));
        let path = std::env::temp_dir().join(name).join("state.db");
        Temporary { store: Store::open(&path).expect("opens"), path }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            if let Some(folder) = self.path.parent() {
                let _ = std::fs::remove_dir_all(folder);
            }
        }
    }
}
