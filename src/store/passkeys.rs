//! Passkeys: how a user signs in, and the data key that each of them wraps.
use super::open::BUSY;
use super::users::{self, User};
use super::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

pub struct NewPasskey {
    pub credential_id: Vec<u8>,
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub transports: Vec<String>,
    pub aaguid: [u8; 16],
    /// The user's data key, sealed under this passkey's PRF output.
    pub wrapped_key: Vec<u8>,
}

/// What a sign-in needs of a passkey, with the user it belongs to.
pub struct Passkey {
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub wrapped_key: Vec<u8>,
    pub user: User,
}

/// How long a sign-in waits for another process that keeps the database locked.
const BRIEFLY: Duration = Duration::from_millis(500);

fn note_use(
    db: &mut Connection,
    credential_id: &[u8],
    sign_count: u32,
    backed_up: bool,
    now_ms: u64,
) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    transaction.execute(
        "UPDATE passkeys SET sign_count = max(sign_count, ?2), backed_up = ?3, used_ms = ?4
         WHERE credential_id = ?1",
        params![credential_id, sign_count, backed_up, now_ms],
    )?;
    transaction.execute(
        "UPDATE users SET seen_ms = ?2
         WHERE id = (SELECT user_id FROM passkeys WHERE credential_id = ?1)",
        params![credential_id, now_ms],
    )?;
    transaction.commit()
}

impl Store {
    pub fn passkey_find(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            let mut query = db.prepare_cached(
                "SELECT users.*, credential_id, public_key, sign_count, backup_eligible, wrapped_key
                 FROM passkeys JOIN users ON users.id = user_id WHERE credential_id = ?1",
            )?;
            let passkey = query.query_row([credential_id], |row| {
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

    /// A sign-in with this passkey (WebAuthn Level 3 §7.2 step 25): keeps its counter and backup
    /// state, and that its user was here. Of two sign-ins at once the higher counter stays.
    pub fn passkey_used(
        &self,
        credential_id: &[u8],
        sign_count: u32,
        backed_up: bool,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let credential_id = credential_id.to_vec();
        self.run(move |db| {
            db.busy_timeout(BRIEFLY)?;
            let noted = note_use(db, &credential_id, sign_count, backed_up, now_ms);
            db.busy_timeout(BUSY)?;
            Ok(noted?)
        })
    }
}

/// Inserts, inside the caller's transaction.
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
            now_ms,
        ],
    )?;
    Ok(())
}

/// Whether anybody has a passkey of that id.
pub(super) fn exists(db: &Connection, credential_id: &[u8]) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM passkeys WHERE credential_id = ?1")?.exists([credential_id])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{new_user, temporary};

    #[test]
    fn a_passkey_comes_with_its_user() {
        let temporary = temporary();
        let new = new_user("Ann", 1);
        let handle = new.handle;
        temporary.store.register(new, &temporary.invite(), 5).unwrap();
        let passkey = temporary.store.passkey_find(&[1; 16]).unwrap().unwrap();
        assert_eq!(passkey.credential_id, [1; 16]);
        assert_eq!(
            (&passkey.public_key[..], &passkey.wrapped_key[..]),
            (&[4; 65][..], &[9; 61][..])
        );
        assert_eq!((passkey.sign_count, passkey.backup_eligible), (0, true));
        assert_eq!((passkey.user.handle, &passkey.user.sealed_token[..]), (handle, &[1, 2, 3][..]));
        for other in [&[1; 15][..], &[2; 16], &[]] {
            assert!(temporary.store.passkey_find(other).unwrap().is_none());
        }
    }

    #[test]
    fn a_use_is_kept_and_the_counter_never_goes_back() {
        let temporary = temporary();
        let store = &temporary.store;
        store.register(new_user("Ann", 1), &temporary.invite(), 5).unwrap();
        store.register(new_user("Bob", 2), &temporary.invite(), 5).unwrap();
        store.passkey_used(&[1; 16], u32::MAX, true, 70).unwrap();
        store.passkey_used(&[1; 16], 7, true, 80).unwrap();
        store.passkey_used(&[3; 16], 7, true, 90).unwrap();
        assert_eq!(store.passkey_find(&[1; 16]).unwrap().unwrap().sign_count, u32::MAX);
        assert_eq!(store.passkey_find(&[2; 16]).unwrap().unwrap().sign_count, 0);
        let seen: Vec<u64> = store.user_list().unwrap().iter().map(|user| user.seen_ms).collect();
        assert_eq!(seen, [80, 5]);
    }
}
