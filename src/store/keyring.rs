//! A user's own passkeys, as they see and change them. One always stays: without any, nobody could
//! open the account again.
use super::users::UserId;
use super::{NewPasskey, Store, StoreError, passkeys};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// More than anybody has authenticators.
const MAX_PASSKEYS: i64 = 20;
/// Removed ones that are remembered, the latest.
const MAX_REMOVED: i64 = 20;

/// A passkey as its owner sees it.
#[derive(Debug, Clone)]
pub struct PasskeyRow {
    pub credential_id: Vec<u8>,
    /// What its owner calls it; may be empty.
    pub name: String,
    pub transports: Vec<String>,
    pub aaguid: [u8; 16],
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub created_ms: u64,
    pub used_ms: u64,
}

/// A passkey that opened an account once: enough to know its holder by.
pub struct RemovedPasskey {
    pub public_key: Vec<u8>,
    pub backup_eligible: bool,
    /// WebAuthn's `user.id`.
    pub handle: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Done,
    /// The credential id is in use (WebAuthn Level 3 §7.1 step 26).
    Taken,
    TooMany,
    /// The account was deleted meanwhile.
    NoUser,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    Done,
    /// It is the only one.
    Last,
    Unknown,
}

impl Store {
    /// A user's passkeys, oldest first.
    pub fn passkey_list(&self, user: UserId) -> Result<Vec<PasskeyRow>, StoreError> {
        self.run(move |db| {
            let mut query = db.prepare_cached(
                "SELECT * FROM passkeys WHERE user_id = ?1 ORDER BY created_ms, credential_id",
            )?;
            let rows = query.query_map([user.0], |row| {
                let transports: String = row.get("transports")?;
                Ok(PasskeyRow {
                    credential_id: row.get("credential_id")?,
                    name: row.get("name")?,
                    transports: transports.split_whitespace().map(str::to_owned).collect(),
                    aaguid: row.get("aaguid")?,
                    backup_eligible: row.get("backup_eligible")?,
                    backed_up: row.get("backed_up")?,
                    created_ms: row.get("created_ms")?,
                    used_ms: row.get("used_ms")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub fn passkey_add(
        &self,
        user: UserId,
        new: NewPasskey,
        now_ms: u64,
    ) -> Result<Added, StoreError> {
        self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let is_there =
                transaction.prepare("SELECT 1 FROM users WHERE id = ?1")?.exists([user.0])?;
            if !is_there {
                return Ok(Added::NoUser);
            }
            if count(&transaction, user)? >= MAX_PASSKEYS {
                return Ok(Added::TooMany);
            }
            if passkeys::exists(&transaction, &new.credential_id)? {
                return Ok(Added::Taken);
            }
            passkeys::insert(&transaction, user.0, &new, now_ms)?;
            transaction.commit()?;
            Ok(Added::Done)
        })
    }

    /// Whether the user has that passkey, which is now called so.
    pub fn passkey_rename(
        &self,
        user: UserId,
        credential_id: &[u8],
        name: &str,
    ) -> Result<bool, StoreError> {
        let (credential_id, name) = (credential_id.to_vec(), name.to_owned());
        self.run(move |db| {
            let renamed = db.execute(
                "UPDATE passkeys SET name = ?3 WHERE user_id = ?1 AND credential_id = ?2",
                params![user.0, credential_id, name],
            )?;
            Ok(renamed == 1)
        })
    }

    /// Takes a passkey away, and remembers its holder by it.
    pub fn passkey_remove(
        &self,
        user: UserId,
        credential_id: &[u8],
        now_ms: u64,
    ) -> Result<Removed, StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            // Writing from the start: of two who remove the last two, one finds one left.
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let place = params![user.0, credential_id];
            let mut query = transaction
                .prepare("SELECT 1 FROM passkeys WHERE user_id = ?1 AND credential_id = ?2")?;
            if !query.exists(place)? {
                return Ok(Removed::Unknown);
            }
            drop(query);
            if count(&transaction, user)? <= 1 {
                return Ok(Removed::Last);
            }
            transaction.execute(
                "INSERT OR REPLACE INTO removed_passkeys
                 SELECT credential_id, user_id, public_key, backup_eligible, ?3
                 FROM passkeys WHERE user_id = ?1 AND credential_id = ?2",
                params![user.0, credential_id, now_ms],
            )?;
            transaction
                .execute("DELETE FROM passkeys WHERE user_id = ?1 AND credential_id = ?2", place)?;
            transaction.execute(
                "DELETE FROM removed_passkeys WHERE user_id = ?1 AND credential_id NOT IN (
                     SELECT credential_id FROM removed_passkeys WHERE user_id = ?1
                     ORDER BY removed_ms DESC, credential_id LIMIT ?2)",
                params![user.0, MAX_REMOVED],
            )?;
            transaction.commit()?;
            Ok(Removed::Done)
        })
    }

    pub fn passkey_removed(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<RemovedPasskey>, StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            let mut query = db.prepare_cached(
                "SELECT public_key, backup_eligible, handle
                 FROM removed_passkeys JOIN users ON users.id = user_id WHERE credential_id = ?1",
            )?;
            let removed = query.query_row([credential_id], |row| {
                Ok(RemovedPasskey {
                    public_key: row.get("public_key")?,
                    backup_eligible: row.get("backup_eligible")?,
                    handle: row.get("handle")?,
                })
            });
            Ok(removed.optional()?)
        })
    }
}

fn count(db: &Connection, user: UserId) -> rusqlite::Result<i64> {
    let query = "SELECT count(*) FROM passkeys WHERE user_id = ?1";
    db.query_row(query, [user.0], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Temporary, new_user, temporary};
    use super::*;

    fn ann(temporary: &Temporary) -> UserId {
        temporary.store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap().user
    }

    fn add(temporary: &Temporary, user: UserId, credential: u8) -> Added {
        let new = new_user("x", credential).passkey;
        temporary.store.passkey_add(user, new, u64::from(credential)).unwrap()
    }

    fn ids(temporary: &Temporary, user: UserId) -> Vec<u8> {
        temporary.store.passkey_list(user).unwrap().iter().map(|row| row.credential_id[0]).collect()
    }

    #[test]
    fn passkeys_are_added_up_to_a_limit_and_never_twice() {
        let temporary = temporary();
        let user = ann(&temporary);
        assert_eq!(add(&temporary, user, 2), Added::Done);
        assert_eq!(add(&temporary, user, 2), Added::Taken);
        assert_eq!(add(&temporary, UserId(99), 3), Added::NoUser);
        assert_eq!(ids(&temporary, user), [1, 2]);
        for credential in 3..=20 {
            assert_eq!(add(&temporary, user, credential), Added::Done);
        }
        assert_eq!(add(&temporary, user, 21), Added::TooMany);
        let row = &temporary.store.passkey_list(user).unwrap()[0];
        assert_eq!((row.transports.join("+"), row.aaguid), ("internal+hybrid".into(), [7; 16]));
    }

    #[test]
    fn a_passkey_is_renamed_by_its_owner_only() {
        let temporary = temporary();
        let store = &temporary.store;
        let user = ann(&temporary);
        assert!(store.passkey_rename(user, &[1; 16], "Phone").unwrap());
        assert!(!store.passkey_rename(UserId(99), &[1; 16], "Mine").unwrap());
        assert!(!store.passkey_rename(user, &[2; 16], "None").unwrap());
        assert_eq!(store.passkey_list(user).unwrap()[0].name, "Phone");
    }

    #[test]
    fn the_last_passkey_stays_and_removed_ones_are_remembered() {
        let temporary = temporary();
        let store = &temporary.store;
        let user = ann(&temporary);
        let remove = |user, credential| store.passkey_remove(user, &[credential; 16], 9).unwrap();
        assert_eq!(remove(user, 1), Removed::Last);
        add(&temporary, user, 2);
        assert_eq!(remove(UserId(99), 1), Removed::Unknown, "somebody else's");
        assert_eq!(remove(user, 7), Removed::Unknown);
        assert_eq!(remove(user, 1), Removed::Done);
        assert_eq!(remove(user, 2), Removed::Last);
        assert_eq!(ids(&temporary, user), [2]);
        assert!(store.passkey_find(&[1; 16]).unwrap().is_none());
        let removed = store.passkey_removed(&[1; 16]).unwrap().unwrap();
        assert_eq!((removed.public_key, removed.backup_eligible), (vec![4; 65], true));
        assert!(store.passkey_removed(&[2; 16]).unwrap().is_none());
        store.user_delete("Ann").unwrap();
        assert!(store.passkey_removed(&[1; 16]).unwrap().is_none(), "it goes with its user");
    }

    #[test]
    fn only_the_latest_removed_ones_are_remembered() {
        let temporary = temporary();
        let user = ann(&temporary);
        for credential in 2..=30 {
            add(&temporary, user, credential);
            let now = u64::from(credential);
            temporary.store.passkey_remove(user, &[credential; 16], now).unwrap();
        }
        let known =
            |credential: u8| temporary.store.passkey_removed(&[credential; 16]).unwrap().is_some();
        assert_eq!(
            (2..=30).filter(|n| known(*n)).collect::<Vec<_>>(),
            (11..=30).collect::<Vec<_>>()
        );
    }
}
