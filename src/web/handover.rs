//! What a successor needs to go on where this process stops: bytes in RAM, for a private descriptor.
use super::app::App;
use super::ceremony;
use crate::ops::encode;
use crate::session::Passed;
use crate::store::{Store, StoreError, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use zeroize::{Zeroize, Zeroizing};

#[derive(Serialize, Deserialize)]
pub struct Handover {
    /// Pages that are open name their pictures with it.
    media_key: String,
    sessions: Vec<Passed>,
}

impl Handover {
    pub fn read(bytes: &[u8]) -> Result<Handover, String> {
        serde_json::from_slice(bytes).map_err(|e| format!("what was handed over: {e}"))
    }

    pub(super) fn media_key(&self) -> Option<[u8; 32]> {
        encode::b64url_decode(&self.media_key)?.try_into().ok()
    }

    /// The sessions of those whom this database knows. It may be another one than the predecessor's,
    /// where the same number is another person.
    pub(super) fn into_sessions(mut self, store: &Store) -> Result<Vec<Passed>, StoreError> {
        let users = store.user_list()?;
        let known: HashMap<UserId, String> =
            users.iter().map(|user| (user.id, ceremony::tag(&user.handle))).collect();
        let mut passed = std::mem::take(&mut self.sessions);
        let all = passed.len();
        passed.retain(|session| known.get(&session.user()).is_some_and(|tag| session.is_of(tag)));
        log::info!("sessions={} taken over", passed.len());
        if passed.len() < all {
            log::warn!("sessions={} not taken over: of nobody known here", all - passed.len());
        }
        Ok(passed)
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        self.media_key.zeroize();
    }
}

impl App {
    pub fn hand_over(&self) -> Zeroizing<Vec<u8>> {
        let media_key = encode::b64url(&self.media_key);
        let handover = Handover { media_key, sessions: self.sessions.pass() };
        // Of the right size from the start: growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096 + 4096 * handover.sessions.len()));
        serde_json::to_writer(&mut *bytes, &handover).expect("texts and numbers become JSON");
        bytes
    }
}
