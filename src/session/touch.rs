//! Fresh touches: whoever is signed in and about to do something that cannot be undone by signing
//! out proves anew that the passkey is theirs. A touch is bound to the sign-in that asked and to
//! what it was asked for, and its challenge is answered once.
use crate::posta::Offer;
use crate::store::UserId;
use crate::vault::DataKey;
use crate::webauthn::Credential;

/// What a touch is for.
pub enum Purpose {
    /// `elsewhere`: on a device other than this one.
    AddPasskey {
        elsewhere: bool,
    },
    RemovePasskey {
        credential_id: Vec<u8>,
    },
    /// Holds the new token or what it is to be had for, which is wiped with it.
    Pair {
        offer: Offer,
        /// What the posta-server shall call this device, for a set-up link.
        device: String,
    },
    DeleteAccount,
}

/// The touch is asked for.
pub struct Touch {
    /// The key of the session that asked.
    pub session: [u8; 32],
    pub user: UserId,
    pub purpose: Purpose,
    pub challenge: [u8; 32],
}

/// A touch gave the data key; the further passkey is to be made.
pub struct Adding {
    pub session: [u8; 32],
    pub user: UserId,
    /// WebAuthn's `user.id`.
    pub handle: [u8; 32],
    pub data_key: DataKey,
    pub challenge: [u8; 32],
}

/// The further passkey is made; it is to show that it gives a PRF output.
pub struct Trying {
    pub adding: Adding,
    pub credential: Credential,
    pub challenge: [u8; 32],
}
