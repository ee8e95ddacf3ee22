//! What a person changes of their whole account: which token it holds, and that it is there.
use super::users::UserId;
use super::{Store, StoreError};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repaired {
    Done,
    /// Another account is of the same identity at that server.
    Taken,
    /// The account was deleted meanwhile.
    NoUser,
}

impl Store {
    /// Puts another sealed token in the place of a user's, and where it is good.
    pub fn user_repair(
        &self,
        user: UserId,
        server_url: &str,
        sealed_token: Vec<u8>,
    ) -> Result<Repaired, StoreError> {
        let server_url = server_url.to_owned();
        self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let other: Option<i64> = transaction
                .query_row(
                    "SELECT others.id FROM users JOIN users AS others USING (identity_url)
                     WHERE users.id = ?1 AND others.id <> ?1 AND others.server_url = ?2",
                    params![user.0, server_url],
                    |row| row.get(0),
                )
                .optional()?;
            if other.is_some() {
                return Ok(Repaired::Taken);
            }
            let changed = transaction.execute(
                "UPDATE users SET server_url = ?2, sealed_token = ?3 WHERE id = ?1",
                params![user.0, server_url, sealed_token],
            )?;
            transaction.commit()?;
            Ok(if changed == 1 { Repaired::Done } else { Repaired::NoUser })
        })
    }

    /// Removes a user with all that is about them, also from the log that SQLite keeps beside the
    /// file. Says whether they were there.
    pub fn user_remove(&self, user: UserId) -> Result<bool, StoreError> {
        let removed =
            self.run(move |db| Ok(db.execute("DELETE FROM users WHERE id = ?1", [user.0])? == 1))?;
        self.settle()?;
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{new_user, temporary};
    use super::*;

    #[test]
    fn a_new_token_takes_the_old_one_s_place() {
        let temporary = temporary();
        let store = &temporary.store;
        let user = store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap().user;
        let moved = "https://new.example";
        assert_eq!(store.user_repair(user, moved, vec![9; 40]).unwrap(), Repaired::Done);
        let found = store.user_find(user).unwrap().unwrap();
        assert_eq!((&*found.server_url, &*found.sealed_token), (moved, &[9; 40][..]));
        assert_eq!(store.user_repair(UserId(9), moved, vec![]).unwrap(), Repaired::NoUser);
    }

    #[test]
    fn two_accounts_are_never_the_same_participant_s() {
        let temporary = temporary();
        let store = &temporary.store;
        let first = store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap().user;
        let mut other = new_user("Ann", 2);
        other.server_url = "https://other.example".into();
        store.register(other, &temporary.invite(), 1).unwrap();
        let taken = store.user_repair(first, "https://other.example", vec![9; 40]).unwrap();
        assert_eq!(taken, Repaired::Taken);
        assert_eq!(store.user_find(first).unwrap().unwrap().sealed_token, [1, 2, 3]);
    }

    /// Every byte of the files beside each other, as a thief of the disk would read them.
    #[test]
    fn nothing_of_a_removed_user_is_left_in_any_file() {
        let temporary = temporary();
        let store = &temporary.store;
        let code = store.invite_create("Anneliese's invite", std::time::Duration::from_secs(9), 0);
        let mut new = new_user("Anneliese", 0xa7);
        new.sealed_token = b"sealed-token-of-hers".to_vec();
        new.passkey.wrapped_key = b"wrapped-key-of-hers".to_vec();
        let handle = new.handle.to_vec();
        let mut second = new_user("x", 0xa8).passkey;
        second.public_key = b"public-key-of-hers".to_vec();
        let user = store.register(new, &code.unwrap(), 1).unwrap().user;
        store.passkey_add(user, second, 2).unwrap();
        store.passkey_rename(user, &[0xa7; 16], "Her old phone").unwrap();
        store.passkey_remove(user, &[0xa8; 16], 3).unwrap();
        store.register(new_user("Bob", 2), &temporary.invite(), 1).unwrap();
        let bytes = || -> Vec<u8> {
            let folder = temporary.path.parent().unwrap().read_dir().unwrap();
            folder.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
        };
        let traces: [&[u8]; 8] = [
            b"Anneliese",
            b"https://anneliese.example",
            b"sealed-token-of-hers",
            b"wrapped-key-of-hers",
            b"public-key-of-hers",
            b"Her old phone",
            &handle,
            &[0xa7; 16],
        ];
        let found = |bytes: &[u8], trace: &[u8]| bytes.windows(trace.len()).any(|w| w == trace);
        let before = bytes();
        assert!(traces.iter().all(|trace| found(&before, trace)));
        assert!(store.user_remove(user).unwrap());
        let after = bytes();
        for trace in traces {
            assert!(!found(&after, trace), "{}", String::from_utf8_lossy(trace));
        }
        assert!(found(&after, b"https://bob.example"), "others stay");
        assert!(!store.user_remove(user).unwrap());
    }
}
