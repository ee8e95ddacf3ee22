//! Sign-up as one transaction: the invite is used up, user and first passkey are there, or nothing
//! has happened.
use super::{NewPasskey, Store, StoreError, UserId, invites, passkeys};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::fmt;

pub struct NewUser {
    /// WebAuthn's `user.id`.
    pub handle: [u8; 32],
    pub name: String,
    pub identity_url: String,
    pub server_url: String,
    pub sealed_token: Vec<u8>,
    pub passkey: NewPasskey,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Registered {
    pub user: UserId,
    /// The user of the same identity whose place this one takes.
    pub replaced: Option<UserId>,
}

#[derive(Debug)]
pub enum RegisterError {
    /// Used, expired or revoked since it was looked at.
    InviteGone,
    /// The credential id belongs to somebody else (WebAuthn Level 3 §7.1 step 26).
    CredentialTaken,
    Store(StoreError),
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterError::InviteGone => f.write_str("the invite has been used or has expired"),
            RegisterError::CredentialTaken => f.write_str("the passkey belongs to somebody else"),
            RegisterError::Store(e) => e.fmt(f),
        }
    }
}

impl From<rusqlite::Error> for RegisterError {
    fn from(e: rusqlite::Error) -> Self {
        RegisterError::Store(e.into())
    }
}

impl Store {
    /// Signs somebody up. An earlier user of the same posta-server and identity goes, with their
    /// passkeys, none of which could open the new token: this is how one recovers after losing them.
    pub fn register(
        &self,
        new: NewUser,
        invite: &str,
        now_ms: u64,
    ) -> Result<Registered, RegisterError> {
        let invite = invite.to_owned();
        let done = self.run(move |db| Ok(register(db, &new, &invite, now_ms)));
        done.map_err(RegisterError::Store)?
    }
}

fn register(
    db: &mut Connection,
    new: &NewUser,
    invite: &str,
    now_ms: u64,
) -> Result<Registered, RegisterError> {
    // Writing from the start, so that of two sign-ups one waits for the other. Every early return
    // rolls back.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !invites::consume(&transaction, invite, now_ms)? {
        return Err(RegisterError::InviteGone);
    }
    let replaced: Option<i64> = transaction
        .query_row(
            "DELETE FROM users WHERE server_url = ?1 AND identity_url = ?2 RETURNING id",
            [&new.server_url, &new.identity_url],
            |row| row.get(0),
        )
        .optional()?;
    if passkeys::exists(&transaction, &new.passkey.credential_id)? {
        return Err(RegisterError::CredentialTaken);
    }
    transaction.execute(
        "INSERT INTO users
             (handle, name, identity_url, server_url, sealed_token, created_ms, seen_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![new.handle, new.name, new.identity_url, new.server_url, new.sealed_token, now_ms],
    )?;
    let user = transaction.last_insert_rowid();
    passkeys::insert(&transaction, user, &new.passkey, now_ms)?;
    invites::consumed_by(&transaction, invite, user)?;
    transaction.commit()?;
    Ok(Registered { user: UserId(user), replaced: replaced.map(UserId) })
}

#[cfg(test)]
mod tests;
