//! What a successor needs to go on where this process stops: bytes in RAM, for a private descriptor.
use super::app::App;
use crate::ops::encode;
use crate::session::Passed;
use serde::{Deserialize, Serialize};
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

    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn media_key(&self) -> Option<[u8; 32]> {
        encode::b64url_decode(&self.media_key)?.try_into().ok()
    }

    pub(super) fn into_sessions(mut self) -> Vec<Passed> {
        std::mem::take(&mut self.sessions)
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
