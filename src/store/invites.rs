//! Invites: one code, one sign-up.
use super::{Store, StoreError};
use crate::ops::{encode, random};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// Characters of a code that name it in lists.
const SHORT: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub short_code: String,
    pub name: String,
    pub created_ms: u64,
    pub expires_ms: u64,
    pub consumed_ms: Option<u64>,
}

#[derive(Debug)]
pub enum RevokeError {
    Unknown,
    Consumed,
    /// How many invites begin so.
    Ambiguous(usize),
    Store(StoreError),
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RevokeError::Unknown => f.write_str("no invite has this code"),
            RevokeError::Consumed => f.write_str("this invite has been used already"),
            RevokeError::Ambiguous(n) => write!(f, "{n} invites begin so: give more characters"),
            RevokeError::Store(e) => e.fmt(f),
        }
    }
}

impl From<StoreError> for RevokeError {
    fn from(e: StoreError) -> Self {
        RevokeError::Store(e)
    }
}

impl Store {
    /// Makes an invite; the code is not kept, and shown only now.
    pub fn invite_create(
        &self,
        name: &str,
        ttl: Duration,
        now_ms: u64,
    ) -> Result<String, StoreError> {
        let secret = random::bytes::<32>();
        let code = encode::b64url(&secret);
        let (name, short) = (name.to_owned(), code[..SHORT].to_owned());
        let expires_ms = now_ms.saturating_add(ttl.as_millis() as u64);
        self.run(move |db| {
            db.execute(
                "INSERT INTO invites (code_hash, short_code, name, created_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![hash(&secret), short, name, now_ms as i64, expires_ms as i64],
            )?;
            Ok(())
        })?;
        Ok(code)
    }

    /// The invite of a code that can be used now; `None` for unknown, expired and used ones alike.
    pub fn invite_check(&self, code: &str, now_ms: u64) -> Result<Option<Invite>, StoreError> {
        let Some(hash) = hash_of_code(code) else { return Ok(None) };
        self.run(move |db| {
            let query = "SELECT * FROM invites
                         WHERE code_hash = ?1 AND consumed_ms IS NULL AND expires_ms > ?2";
            Ok(db.query_row(query, params![hash, now_ms as i64], read).optional()?)
        })
    }

    /// Used invites, or those that are not, expired ones among them; newest first.
    pub fn invite_list(&self, consumed: bool) -> Result<Vec<Invite>, StoreError> {
        self.run(move |db| {
            let mut query = db.prepare(
                "SELECT * FROM invites WHERE (consumed_ms IS NOT NULL) = ?1
                 ORDER BY created_ms DESC, id DESC",
            )?;
            let invites = query.query_map([consumed], read)?.collect::<Result<_, _>>()?;
            Ok(invites)
        })
    }

    /// Takes an unused invite back, named by its code, its short code, or the beginning of either.
    pub fn invite_revoke(&self, code: &str) -> Result<Invite, RevokeError> {
        let hash = hash_of_code(code);
        let prefix = code.get(..SHORT.min(code.len())).unwrap_or(code).to_owned();
        let whole = code.len() > SHORT;
        self.run(move |db| {
            let mut query = db.prepare(
                "SELECT id, code_hash, * FROM invites WHERE substr(short_code, 1, ?1) = ?2",
            )?;
            let rows = query.query_map(params![prefix.len() as i64, prefix], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, read(row)?))
            })?;
            let mut found = rows.collect::<Result<Vec<_>, _>>()?;
            if whole {
                found.retain(|(_, stored, _)| hash.is_some_and(|hash| stored[..] == hash));
            }
            Ok(match (found.len(), found.pop()) {
                _ if prefix.is_empty() => Err(RevokeError::Unknown),
                (1, Some((_, _, invite))) if invite.consumed_ms.is_some() => {
                    Err(RevokeError::Consumed)
                }
                (1, Some((id, _, invite))) => {
                    db.execute("DELETE FROM invites WHERE id = ?1 AND consumed_ms IS NULL", [id])?;
                    Ok(invite)
                }
                (_, None) => Err(RevokeError::Unknown),
                (n, Some(_)) => Err(RevokeError::Ambiguous(n)),
            })
        })?
    }
}

/// Uses an invite up, inside the caller's transaction; says whether it was there to use.
pub(super) fn consume(db: &Connection, code: &str, now_ms: u64) -> rusqlite::Result<bool> {
    let Some(hash) = hash_of_code(code) else { return Ok(false) };
    let changed = db.execute(
        "UPDATE invites SET consumed_ms = ?2
         WHERE code_hash = ?1 AND consumed_ms IS NULL AND expires_ms > ?2",
        params![hash, now_ms as i64],
    )?;
    Ok(changed == 1)
}

fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn hash_of_code(code: &str) -> Option<[u8; 32]> {
    let secret = encode::b64url_decode(code)?;
    (secret.len() == 32).then(|| hash(&secret))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Invite> {
    let ms = |name| row.get::<_, i64>(name).map(|ms| ms as u64);
    Ok(Invite {
        short_code: row.get("short_code")?,
        name: row.get("name")?,
        created_ms: ms("created_ms")?,
        expires_ms: ms("expires_ms")?,
        consumed_ms: row.get::<_, Option<i64>>("consumed_ms")?.map(|ms| ms as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::temporary;
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_code_is_good_until_it_expires() {
        let store = temporary();
        let code = store.store.invite_create("Bob", DAY, 1000).unwrap();
        assert_eq!(code.len(), 43);
        assert_eq!(store.store.invite_check(&code, 1000).unwrap().unwrap().name, "Bob");
        assert!(store.store.invite_check(&code, 1000 + 86_400_000).unwrap().is_none());
        for wrong in ["", "x", &code[..42], &code[..8]] {
            assert!(store.store.invite_check(wrong, 1000).unwrap().is_none());
        }
    }

    #[test]
    fn the_code_itself_is_not_in_the_database() {
        let temporary = temporary();
        let code = temporary.store.invite_create("Bob", DAY, 0).unwrap();
        temporary.store.data_version().unwrap();
        for file in std::fs::read_dir(temporary.path.parent().unwrap()).unwrap().flatten() {
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(!bytes.windows(code.len()).any(|w| w == code.as_bytes()));
            let secret = encode::b64url_decode(&code).unwrap();
            assert!(!bytes.windows(32).any(|w| w == secret));
        }
    }

    #[test]
    fn revoking_takes_a_unique_prefix_and_only_unused_invites() {
        let temporary = temporary();
        let store = &temporary.store;
        let code = store.invite_create("Bob", DAY, 0).unwrap();
        assert!(matches!(store.invite_revoke(""), Err(RevokeError::Unknown)));
        assert!(matches!(store.invite_revoke("????"), Err(RevokeError::Unknown)));
        assert_eq!(store.invite_revoke(&code[..4]).unwrap().name, "Bob");
        assert!(matches!(store.invite_revoke(&code), Err(RevokeError::Unknown)));

        let code = store.invite_create("Eve", DAY, 0).unwrap();
        let mut other = code.clone().into_bytes();
        other[20] = if other[20] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).unwrap();
        assert!(matches!(store.invite_revoke(&other), Err(RevokeError::Unknown)));
        let consumed = code.clone();
        store.run(move |db| Ok(consume(db, &consumed, 1)?)).unwrap();
        assert!(matches!(store.invite_revoke(&code), Err(RevokeError::Consumed)));
        assert_eq!(store.invite_list(true).unwrap().len(), 1);
        assert!(store.invite_list(false).unwrap().is_empty());
    }

    #[test]
    fn an_ambiguous_prefix_is_refused() {
        let temporary = temporary();
        for _ in 0..80 {
            temporary.store.invite_create("Bob", DAY, 0).unwrap();
        }
        let invites = temporary.store.invite_list(false).unwrap();
        let twice = invites
            .iter()
            .map(|i| &i.short_code[..1])
            .find(|first| invites.iter().filter(|i| i.short_code.starts_with(first)).count() > 1);
        let revoked = temporary.store.invite_revoke(twice.expect("80 codes, 64 first letters"));
        assert!(matches!(revoked, Err(RevokeError::Ambiguous(2..))));
    }
}
