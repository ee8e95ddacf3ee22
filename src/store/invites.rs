//! Invites: one code, one sign-up.
//!
//! A code is 32 random bytes, so its plain SHA-256 cannot be searched for; that hash is what is
//! kept, with the code's first characters to name it by.
use super::{Store, StoreError};
use crate::ops::clock::millis;
use crate::ops::{encode, random};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// Characters of a code that name it; the other 35 are its secret, 208 bits.
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
    /// The short codes that begin so.
    Ambiguous(Vec<String>),
    Store(StoreError),
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RevokeError::Unknown => f.write_str("no invite has this code"),
            RevokeError::Consumed => f.write_str("this invite has been used, it can't be revoked"),
            RevokeError::Ambiguous(codes) => {
                write!(f, "several invites begin so, give more of the code: {}", codes.join(", "))
            }
            RevokeError::Store(e) => e.fmt(f),
        }
    }
}

impl Store {
    /// Makes an invite. Its code is given here and never again.
    pub fn invite_create(
        &self,
        name: &str,
        ttl: Duration,
        now_ms: u64,
    ) -> Result<String, StoreError> {
        let (code, hash) = fresh_code();
        let (name, short) = (name.to_owned(), code[..SHORT].to_owned());
        let expires_ms = now_ms.saturating_add(millis(ttl));
        self.run(move |db| {
            db.execute(
                "INSERT INTO invites (code_hash, short_code, name, created_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![hash, short, name, now_ms, expires_ms],
            )?;
            Ok(())
        })?;
        Ok(code)
    }

    /// The invite of a code that can be used now; unknown, expired and used ones are `None` alike.
    pub fn invite_check(&self, code: &str, now_ms: u64) -> Result<Option<Invite>, StoreError> {
        let Some(hash) = hash_of(code) else { return Ok(None) };
        self.run(move |db| {
            let mut query = db.prepare_cached(
                "SELECT * FROM invites
                 WHERE code_hash = ?1 AND consumed_ms IS NULL AND expires_ms > ?2",
            )?;
            Ok(query.query_row(params![hash, now_ms], read).optional()?)
        })
    }

    /// Used invites, or the unused ones, expired among them; newest first.
    pub fn invite_list(&self, consumed: bool) -> Result<Vec<Invite>, StoreError> {
        self.run(move |db| {
            let mut query = db.prepare(
                "SELECT * FROM invites WHERE (consumed_ms IS NOT NULL) = ?1 ORDER BY id DESC",
            )?;
            Ok(query.query_map([consumed], read)?.collect::<Result<_, _>>()?)
        })
    }

    /// Takes an unused invite back. `code` is the whole code, or as much of the short one as tells
    /// it from all others. In between nothing can be compared, so nothing matches.
    pub fn invite_revoke(&self, code: &str) -> Result<Invite, RevokeError> {
        let (hash, prefix) = (hash_of(code), code.to_owned());
        let done = self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut found = matching(&transaction, hash, &prefix)?;
            let Some((id, invite)) = found.pop() else { return Ok(Err(RevokeError::Unknown)) };
            if !found.is_empty() {
                let all = found.into_iter().map(|(_, other)| other).chain([invite]);
                let codes = all.map(|invite| invite.short_code).collect();
                return Ok(Err(RevokeError::Ambiguous(codes)));
            }
            if invite.consumed_ms.is_some() {
                return Ok(Err(RevokeError::Consumed));
            }
            transaction.execute("DELETE FROM invites WHERE id = ?1", [id])?;
            transaction.commit()?;
            Ok(Ok(invite))
        });
        done.map_err(RevokeError::Store)?
    }
}

/// The invites that a whole code or a prefix of a short one names.
fn matching(
    db: &Connection,
    hash: Option<[u8; 32]>,
    prefix: &str,
) -> rusqlite::Result<Vec<(i64, Invite)>> {
    // Not LIKE, in which the `_` of base64url stands for any character.
    let mut query = db.prepare(
        "SELECT * FROM invites
         WHERE code_hash = ?1 OR (?2 <> '' AND substr(short_code, 1, length(?2)) = ?2)
         ORDER BY id",
    )?;
    query.query_map(params![hash, prefix], |row| Ok((row.get("id")?, read(row)?)))?.collect()
}

/// Notes whose account an invite was used for, with which it will go.
pub(super) fn consumed_by(db: &Connection, code: &str, user: i64) -> rusqlite::Result<()> {
    let hash = hash_of(code);
    db.execute("UPDATE invites SET consumed_by = ?2 WHERE code_hash = ?1", params![hash, user])?;
    Ok(())
}

/// Uses an invite up, inside the caller's transaction; says whether it was there to use.
pub(super) fn consume(db: &Connection, code: &str, now_ms: u64) -> rusqlite::Result<bool> {
    let Some(hash) = hash_of(code) else { return Ok(false) };
    let changed = db.execute(
        "UPDATE invites SET consumed_ms = ?2
         WHERE code_hash = ?1 AND consumed_ms IS NULL AND expires_ms > ?2",
        params![hash, now_ms],
    )?;
    Ok(changed == 1)
}

/// A code and its hash. None begins with `-`, which a command line would take for an option; that
/// costs a fortieth of a bit.
fn fresh_code() -> (String, [u8; 32]) {
    loop {
        let secret = random::bytes::<32>();
        let code = encode::b64url(&secret);
        if !code.starts_with('-') {
            return (code, Sha256::digest(secret).into());
        }
    }
}

/// `None` for what cannot be a code.
fn hash_of(code: &str) -> Option<[u8; 32]> {
    let secret = encode::b64url_decode(code).filter(|secret| secret.len() == 32)?;
    Some(Sha256::digest(secret).into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        short_code: row.get("short_code")?,
        name: row.get("name")?,
        created_ms: row.get("created_ms")?,
        expires_ms: row.get("expires_ms")?,
        consumed_ms: row.get("consumed_ms")?,
    })
}

#[cfg(test)]
mod tests;
