//! What this deployment made for itself once.
use super::{Store, StoreError};
use crate::ops::random;
use rusqlite::params;

impl Store {
    /// The PRF input of all passkeys here, made at the first call and kept for ever: with another
    /// one no passkey would open anything.
    pub fn prf_salt(&self) -> Result<[u8; 32], StoreError> {
        self.run(|db| {
            let fresh = random::bytes::<32>();
            db.execute(
                "INSERT OR IGNORE INTO settings (name, value) VALUES ('prf_salt', ?1)",
                params![fresh],
            )?;
            let query = "SELECT value FROM settings WHERE name = 'prf_salt'";
            Ok(db.query_row(query, [], |row| row.get(0))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::temporary;

    #[test]
    fn the_salt_is_made_once() {
        let (a, b) = (temporary(), temporary());
        let salt = a.store.prf_salt().unwrap();
        assert_eq!(a.store.prf_salt().unwrap(), salt);
        assert_ne!(b.store.prf_salt().unwrap(), salt);
        assert_eq!(super::Store::open(&a.path).unwrap().prf_salt().unwrap(), salt);
    }
}
