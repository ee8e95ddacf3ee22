//! Users: one for each identity of each posta-server.
use super::{NewPasskey, Store, StoreError, invites, passkeys};
use rusqlite::{ErrorCode, OptionalExtension, Row, TransactionBehavior, params};
use std::fmt;

/// Never given to two users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    /// WebAuthn's `user.id`.
    pub handle: [u8; 32],
    pub name: String,
    pub server_url: String,
    pub sealed_token: Vec<u8>,
    pub created_ms: u64,
    pub seen_ms: u64,
}

pub struct NewUser {
    pub handle: [u8; 32],
    pub name: String,
    pub identity_url: String,
    pub server_url: String,
    pub sealed_token: Vec<u8>,
    pub passkey: NewPasskey,
}

#[derive(Debug)]
pub struct Registered {
    pub user: UserId,
    /// The user of the same identity whose place this one takes.
    pub replaced: Option<UserId>,
}

#[derive(Debug)]
pub enum RegisterError {
    /// Used, expired or revoked since it was looked at.
    InviteGone,
    /// The credential id belongs to another user (WebAuthn Level 3 §7.1 step 26).
    CredentialTaken,
    Store(StoreError),
}

impl From<rusqlite::Error> for RegisterError {
    fn from(e: rusqlite::Error) -> Self {
        RegisterError::Store(e.into())
    }
}

#[derive(Debug)]
pub enum DeleteError {
    Unknown,
    /// The users who have that name.
    Ambiguous(Vec<UserId>),
    Store(StoreError),
}

impl fmt::Display for DeleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeleteError::Unknown => f.write_str("there is no such user"),
            DeleteError::Ambiguous(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
                write!(f, "several users have this name; give an id: {}", ids.join(", "))
            }
            DeleteError::Store(e) => e.fmt(f),
        }
    }
}

impl Store {
    /// Uses the invite up and inserts user and passkey, all or nothing. An earlier user of the same
    /// posta-server and identity goes: their passkeys could not open the new token.
    pub fn register(
        &self,
        new: NewUser,
        invite: &str,
        now_ms: u64,
    ) -> Result<Registered, RegisterError> {
        let invite = invite.to_owned();
        let done = self.run(move |db| {
            let register = |db: &mut rusqlite::Connection| {
                let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                if !invites::consume(&transaction, &invite, now_ms)? {
                    return Err(RegisterError::InviteGone);
                }
                let same = "server_url = ?1 AND identity_url = ?2";
                let replaced = transaction
                    .query_row(
                        &format!("SELECT id FROM users WHERE {same}"),
                        params![new.server_url, new.identity_url],
                        |row| row.get(0).map(UserId),
                    )
                    .optional()?;
                if let Some(UserId(old)) = replaced {
                    transaction.execute("DELETE FROM users WHERE id = ?1", [old])?;
                }
                transaction.execute(
                    "INSERT INTO users (handle, name, identity_url, server_url, sealed_token,
                         created_ms, seen_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                    params![
                        new.handle,
                        new.name,
                        new.identity_url,
                        new.server_url,
                        new.sealed_token,
                        now_ms as i64
                    ],
                )?;
                let user = UserId(transaction.last_insert_rowid());
                passkeys::insert(&transaction, user.0, &new.passkey, now_ms).map_err(
                    |e| match e.sqlite_error_code() {
                        Some(ErrorCode::ConstraintViolation) => RegisterError::CredentialTaken,
                        _ => e.into(),
                    },
                )?;
                transaction.commit()?;
                Ok(Registered { user, replaced })
            };
            Ok(register(db))
        });
        done.map_err(RegisterError::Store)?
    }

    /// All users, oldest first.
    pub fn user_list(&self) -> Result<Vec<User>, StoreError> {
        self.run(|db| {
            let mut query = db.prepare("SELECT * FROM users ORDER BY id")?;
            let users = query.query_map([], read)?.collect::<Result<_, _>>()?;
            Ok(users)
        })
    }

    /// Which of these users still are.
    pub fn users_alive(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let ids = ids.to_vec();
        self.run(move |db| {
            let mut query = db.prepare_cached("SELECT 1 FROM users WHERE id = ?1")?;
            let mut alive = Vec::with_capacity(ids.len());
            for id in ids {
                if query.exists([id.0])? {
                    alive.push(id);
                }
            }
            Ok(alive)
        })
    }

    /// Removes the user with this id, or the only one with this name.
    pub fn user_delete(&self, name_or_id: &str) -> Result<User, DeleteError> {
        let wanted = name_or_id.to_owned();
        let deleted = self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let by = |column: &str| -> rusqlite::Result<Vec<User>> {
                let mut query =
                    transaction.prepare(&format!("SELECT * FROM users WHERE {column} = ?1"))?;
                query.query_map([&wanted], read)?.collect()
            };
            let mut found = match wanted.parse::<i64>() {
                Ok(_) => by("id")?,
                Err(_) => Vec::new(),
            };
            if found.is_empty() {
                found = by("name")?;
            }
            if found.len() > 1 {
                return Ok(Err(DeleteError::Ambiguous(found.iter().map(|user| user.id).collect())));
            }
            let Some(user) = found.pop() else { return Ok(Err(DeleteError::Unknown)) };
            transaction.execute("DELETE FROM users WHERE id = ?1", [user.id.0])?;
            transaction.commit()?;
            Ok(Ok(user))
        });
        deleted.map_err(DeleteError::Store)?
    }
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get("id")?),
        handle: row.get("handle")?,
        name: row.get("name")?,
        server_url: row.get("server_url")?,
        sealed_token: row.get("sealed_token")?,
        created_ms: row.get::<_, i64>("created_ms")? as u64,
        seen_ms: row.get::<_, i64>("seen_ms")? as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{Temporary, temporary};
    use super::*;
    use std::thread;
    use std::time::Duration;

    fn new_user(name: &str, identity: &str, credential: u8) -> NewUser {
        NewUser {
            handle: crate::ops::random::bytes(),
            name: name.into(),
            identity_url: identity.into(),
            server_url: "https://server.example".into(),
            sealed_token: vec![1, 2, 3],
            passkey: NewPasskey {
                credential_id: vec![credential; 16],
                public_key: vec![4; 65],
                sign_count: 0,
                backup_eligible: true,
                backed_up: false,
                transports: vec!["internal".into(), "hybrid".into()],
                aaguid: [0; 16],
                wrapped_key: vec![9; 61],
            },
        }
    }

    fn invite(temporary: &Temporary) -> String {
        temporary.store.invite_create("X", Duration::from_secs(60), 0).unwrap()
    }

    #[test]
    fn registering_uses_the_invite_up_once() {
        let temporary = temporary();
        let (store, code) = (&temporary.store, invite(&temporary));
        let done = store.register(new_user("Alice", "https://a.example", 1), &code, 5).unwrap();
        assert!(done.replaced.is_none());
        let again = store.register(new_user("Bob", "https://b.example", 2), &code, 6);
        assert!(matches!(again, Err(RegisterError::InviteGone)));
        assert_eq!(store.user_list().unwrap().len(), 1);
        let passkey = store.passkey_find(&[1; 16]).unwrap().unwrap();
        assert_eq!((passkey.user.id, passkey.user.name.as_str()), (done.user, "Alice"));
        assert!(store.passkey_find(&[2; 16]).unwrap().is_none());
        store.passkey_used(&[1; 16], 7, true, 99).unwrap();
        assert_eq!(store.passkey_find(&[1; 16]).unwrap().unwrap().sign_count, 7);
        assert_eq!(store.user_list().unwrap()[0].seen_ms, 99);
    }

    #[test]
    fn a_taken_credential_leaves_the_invite_usable() {
        let temporary = temporary();
        let store = &temporary.store;
        store.register(new_user("A", "https://a.example", 1), &invite(&temporary), 1).unwrap();
        let code = invite(&temporary);
        let taken = store.register(new_user("B", "https://b.example", 1), &code, 1);
        assert!(matches!(taken, Err(RegisterError::CredentialTaken)));
        assert!(store.invite_check(&code, 1).unwrap().is_some());
        assert_eq!(store.user_list().unwrap().len(), 1);
    }

    #[test]
    fn the_same_identity_replaces_and_ids_are_never_given_twice() {
        let temporary = temporary();
        let store = &temporary.store;
        let a = new_user("A", "https://a.example", 1);
        let first = store.register(a, &invite(&temporary), 1).unwrap();
        let b = new_user("A", "https://a.example", 1);
        let second = store.register(b, &invite(&temporary), 1).unwrap();
        assert_eq!(second.replaced, Some(first.user));
        assert_ne!(second.user, first.user);
        store.user_delete(&second.user.0.to_string()).unwrap();
        let c = new_user("A", "https://a.example", 1);
        let third = store.register(c, &invite(&temporary), 1).unwrap();
        assert!(third.user > second.user);
        assert!(store.users_alive(&[first.user, third.user]).unwrap() == [third.user]);
    }

    #[test]
    fn an_ambiguous_name_deletes_nobody() {
        let temporary = temporary();
        let store = &temporary.store;
        for n in 1..=2 {
            let new = new_user("Kim", &format!("https://k{n}.example"), n);
            store.register(new, &invite(&temporary), 1).unwrap();
        }
        assert!(
            matches!(store.user_delete("Kim"), Err(DeleteError::Ambiguous(ids)) if ids.len() == 2)
        );
        assert!(matches!(store.user_delete("Nobody"), Err(DeleteError::Unknown)));
        assert_eq!(store.user_delete("1").unwrap().id, UserId(1));
        assert_eq!(store.user_delete("Kim").unwrap().id, UserId(2));
        assert!(store.passkey_find(&[1; 16]).unwrap().is_none(), "passkeys go with their user");
    }

    #[test]
    fn two_racing_sign_ups_on_one_invite_give_one_user() {
        let temporary = temporary();
        let code = invite(&temporary);
        let racers: Vec<_> = (1..=8)
            .map(|n| {
                let (store, code) = (Store::open(&temporary.path).unwrap(), code.clone());
                thread::spawn(move || {
                    let new = new_user("R", &format!("https://r{n}.example"), n);
                    store.register(new, &code, 1).is_ok()
                })
            })
            .collect();
        let won = racers.into_iter().map(|r| r.join().unwrap()).filter(|w| *w);
        assert_eq!(won.count(), 1);
        assert_eq!(temporary.store.user_list().unwrap().len(), 1);
    }

    #[test]
    fn another_process_s_changes_show_in_the_data_version() {
        let temporary = temporary();
        let before = temporary.store.data_version().unwrap();
        assert_eq!(temporary.store.data_version().unwrap(), before);
        invite(&Temporary {
            store: Store::open(&temporary.path).unwrap(),
            path: "/nonexistent/x".into(),
        });
        assert_ne!(temporary.store.data_version().unwrap(), before);
    }
}
