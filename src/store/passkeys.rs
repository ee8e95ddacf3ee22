//! Passkeys: how a user signs in, and the data key each of them wraps.
use super::users::{self, User};
use super::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

pub struct NewPasskey {
    pub credential_id: Vec<u8>,
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub transports: Vec<String>,
    pub aaguid: [u8; 16],
    pub wrapped_key: Vec<u8>,
}

/// A passkey with the user it belongs to.
pub struct Passkey {
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub wrapped_key: Vec<u8>,
    pub user: User,
}

impl Store {
    pub fn passkey_find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            let query = "SELECT users.*, passkeys.credential_id, public_key, sign_count,
                                backup_eligible, wrapped_key
                         FROM passkeys JOIN users ON users.id = user_id WHERE credential_id = ?1";
            let passkey = db.query_row(query, params![credential_id], |row| {
                Ok(Passkey {
                    credential_id: row.get("credential_id")?,
                    public_key: row.get("public_key")?,
                    sign_count: row.get("sign_count")?,
                    backup_eligible: row.get("backup_eligible")?,
                    wrapped_key: row.get("wrapped_key")?,
                    user: users::read(row)?,
                })
            });
            Ok(passkey.optional()?)
        })
    }

    /// A sign-in with this passkey: its counter and backup state as they are now.
    pub fn passkey_used(
        &self,
        credential_id: &[u8],
        sign_count: u32,
        backed_up: bool,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            let transaction = db.transaction()?;
            transaction.execute(
                "UPDATE passkeys SET sign_count = ?2, backed_up = ?3, used_ms = ?4
                 WHERE credential_id = ?1",
                params![credential_id, sign_count, backed_up, now_ms as i64],
            )?;
            transaction.execute(
                "UPDATE users SET seen_ms = ?2
                 WHERE id = (SELECT user_id FROM passkeys WHERE credential_id = ?1)",
                params![credential_id, now_ms as i64],
            )?;
            Ok(transaction.commit()?)
        })
    }
}

/// Inserts inside the caller's transaction.
pub(super) fn insert(
    db: &Connection,
    user: i64,
    passkey: &NewPasskey,
    now_ms: u64,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO passkeys (credential_id, user_id, public_key, sign_count, backup_eligible,
             backed_up, transports, aaguid, wrapped_key, created_ms, used_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        params![
            passkey.credential_id,
            user,
            passkey.public_key,
            passkey.sign_count,
            passkey.backup_eligible,
            passkey.backed_up,
            passkey.transports.join(" "),
            passkey.aaguid,
            passkey.wrapped_key,
            now_ms as i64,
        ],
    )?;
    Ok(())
}
