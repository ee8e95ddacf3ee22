//! A state file as seen from beside: by the commands about tokens, whether a process serves it or
//! none does.
use super::address::Address;
use super::db::{self, DbError, meta, tokens};
use super::{new_token, pairing_uri};
use rusqlite::Connection;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub struct StateFile(Connection);

impl StateFile {
    pub fn open(path: &Path) -> Result<StateFile, DbError> {
        db::open(path).map(StateFile)
    }

    /// `None` when the file was never served.
    pub(super) fn url(&self) -> Result<Option<Address>, DbError> {
        Ok(Address::parse(&meta::text(&self.0, "url")?))
    }

    /// A pairing URI with a new token; `None` when the file was never served.
    pub fn create_token(&self, name: &str) -> Result<Option<String>, DbError> {
        let Some(me) = self.url()? else { return Ok(None) };
        let token = new_token();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        tokens::create(&self.0, name, &token, now.as_millis() as i64)?;
        Ok(Some(pairing_uri(&me, &token)))
    }

    /// How many tokens of that name there were.
    pub fn revoke_token(&self, name: &str) -> Result<usize, DbError> {
        Ok(tokens::revoke(&self.0, name)?)
    }
}
