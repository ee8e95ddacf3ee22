//! Users: one for each identity of each posta-server.
use super::{Store, StoreError};
use rusqlite::{Connection, Row, TransactionBehavior};
use std::fmt;

/// Never given to two users, not even after one is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    /// WebAuthn's `user.id`.
    pub handle: [u8; 32],
    pub name: String,
    /// Canonical.
    pub identity_url: String,
    pub server_url: String,
    pub sealed_token: Vec<u8>,
    pub created_ms: u64,
    /// The last sign-in.
    pub seen_ms: u64,
}

#[derive(Debug)]
pub enum DeleteError {
    Unknown,
    /// Those who have that name.
    Ambiguous(Vec<User>),
    Store(StoreError),
}

impl fmt::Display for DeleteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeleteError::Unknown => f.write_str("there is no such user"),
            DeleteError::Ambiguous(users) => {
                f.write_str("several users have this name, give one's id:")?;
                let mut between = " ";
                for User { id, server_url, .. } in users {
                    write!(f, "{between}{} ({server_url})", id.0)?;
                    between = ", ";
                }
                Ok(())
            }
            DeleteError::Store(e) => e.fmt(f),
        }
    }
}

impl Store {
    /// All users, oldest first.
    pub fn user_list(&self) -> Result<Vec<User>, StoreError> {
        self.run(|db| Ok(select(db, "1 = 1", [])?))
    }

    pub fn user_find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.run(move |db| Ok(select(db, "id = ?1", [id.0])?.pop()))
    }

    /// Which of these users still exist.
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

    /// Removes the user with this id, or else the only one with this name, and their passkeys. An id
    /// goes first: people choose their own names, and could call themselves `3`.
    pub fn user_delete(&self, name_or_id: &str) -> Result<User, DeleteError> {
        let wanted = name_or_id.to_owned();
        let deleted = self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut found = match wanted.parse::<i64>() {
                Ok(id) => select(&transaction, "id = ?1", [id])?,
                Err(_) => Vec::new(),
            };
            if found.is_empty() {
                found = select(&transaction, "name = ?1", [wanted])?;
            }
            if found.len() > 1 {
                return Ok(Err(DeleteError::Ambiguous(found)));
            }
            let Some(user) = found.pop() else { return Ok(Err(DeleteError::Unknown)) };
            transaction.execute("DELETE FROM users WHERE id = ?1", [user.id.0])?;
            transaction.commit()?;
            Ok(Ok(user))
        });
        deleted.map_err(DeleteError::Store)?
    }
}

/// `condition` is ours, what it compares with may come from outside.
fn select(
    db: &Connection,
    condition: &'static str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Vec<User>> {
    let mut query = db.prepare(&format!("SELECT * FROM users WHERE {condition} ORDER BY id"))?;
    query.query_map(values, read)?.collect()
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get("id")?),
        handle: row.get("handle")?,
        name: row.get("name")?,
        identity_url: row.get("identity_url")?,
        server_url: row.get("server_url")?,
        sealed_token: row.get("sealed_token")?,
        created_ms: row.get("created_ms")?,
        seen_ms: row.get("seen_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Temporary, new_user, temporary};
    use super::*;

    fn add(temporary: &Temporary, name: &str, server: &str, credential: u8) -> UserId {
        let mut new = new_user(name, credential);
        new.server_url = format!("https://{server}");
        temporary.store.register(new, &temporary.invite(), 1).unwrap().user
    }

    #[test]
    fn users_are_listed_oldest_first() {
        let temporary = temporary();
        assert!(temporary.store.user_list().unwrap().is_empty());
        add(&temporary, "Zoe", "z.example", 1);
        add(&temporary, "Ann", "a.example", 2);
        let users = temporary.store.user_list().unwrap();
        let shown: Vec<_> =
            users.iter().map(|u| (u.id.0, &u.name[..], &u.server_url[..])).collect();
        assert_eq!(shown, [(1, "Zoe", "https://z.example"), (2, "Ann", "https://a.example")]);
        assert_eq!((users[0].created_ms, users[0].seen_ms), (1, 1));
    }

    #[test]
    fn a_user_goes_by_name_or_id_with_their_passkeys() {
        let temporary = temporary();
        let store = &temporary.store;
        let (a, b) = (add(&temporary, "Ann", "a", 1), add(&temporary, "Bob", "b", 2));
        assert_eq!(store.user_delete("Bob").unwrap().id, b);
        assert!(store.passkey_find(&[2; 16]).unwrap().is_none());
        assert_eq!(store.users_alive(&[b, a, UserId(99)]).unwrap(), [a]);
        assert_eq!(store.user_delete(&a.0.to_string()).unwrap().name, "Ann");
        for gone in ["Bob", "2", "", "bob", "Bob'--"] {
            assert!(matches!(store.user_delete(gone), Err(DeleteError::Unknown)), "{gone}");
        }
    }

    #[test]
    fn an_ambiguous_name_deletes_nobody_and_names_the_ids() {
        let temporary = temporary();
        add(&temporary, "Kim", "one.example", 1);
        add(&temporary, "Kim", "two.example", 2);
        let refused = temporary.store.user_delete("Kim").unwrap_err().to_string();
        assert!(refused.ends_with("1 (https://one.example), 2 (https://two.example)"), "{refused}");
        assert_eq!(temporary.store.user_list().unwrap().len(), 2);
        assert_eq!(temporary.store.user_delete("1").unwrap().id, UserId(1));
        assert_eq!(temporary.store.user_delete("Kim").unwrap().id, UserId(2));
    }

    #[test]
    fn nobody_hides_behind_a_name_that_is_a_number() {
        let temporary = temporary();
        let victim = add(&temporary, "Ann", "a", 1);
        let mimic = add(&temporary, &victim.0.to_string(), "b", 2);
        assert_eq!(temporary.store.user_delete("1").unwrap().id, victim);
        assert_eq!(temporary.store.user_delete("1").unwrap().id, mimic, "the name, now");
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let temporary = temporary();
        let first = add(&temporary, "Ann", "a", 1);
        temporary.store.user_delete("Ann").unwrap();
        assert!(add(&temporary, "Ann", "a", 1) > first);
    }
}
