//! Settings that the deployment makes for itself.
use super::{Store, StoreError};
use crate::ops::random;

impl Store {
    /// The PRF input of every passkey here, made at the first call and kept for ever: under another
    /// one no passkey would open what it sealed.
    pub fn prf_salt(&self) -> Result<[u8; 32], StoreError> {
        self.run(|db| {
            db.execute(
                "INSERT OR IGNORE INTO settings (name, value) VALUES ('prf_salt', ?1)",
                [random::bytes::<32>()],
            )?;
            let query = "SELECT value FROM settings WHERE name = 'prf_salt'";
            Ok(db.query_row(query, [], |row| row.get(0))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::temporary;
    use super::*;

    #[test]
    fn the_salt_is_made_once_for_each_deployment() {
        let (ours, theirs) = (temporary(), temporary());
        let salt = ours.store.prf_salt().unwrap();
        assert_eq!(ours.store.prf_salt().unwrap(), salt);
        assert_eq!(Store::open(&ours.path).unwrap().prf_salt().unwrap(), salt);
        assert_ne!(theirs.store.prf_salt().unwrap(), salt);
    }
}
