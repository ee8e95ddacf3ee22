//! What an authenticator is asked with, as JSON that `PublicKeyCredential.parse…OptionsFromJSON`
//! takes (§5.1.10, §5.1.11).
use super::Policy;
use crate::ops::encode::b64url;
use serde_json::{Value, json};

/// How long a person may look for their authenticator; our challenges live as long.
const TIMEOUT_MS: u32 = 5 * 60 * 1000;
const ES256: i32 = -7;
const RP_NAME: &str = "chat-posta";

/// For whom a credential is made.
pub struct User<'a> {
    pub handle: &'a [u8],
    /// What tells accounts apart: the address.
    pub name: &'a str,
    pub display_name: &'a str,
}

/// For `navigator.credentials.create()`: a discoverable ES256 credential with user verification,
/// no attestation, and a PRF output where it can be had at once.
pub fn creation_options(
    policy: &Policy,
    challenge: &[u8],
    user: &User<'_>,
    prf_salt: &[u8],
) -> Value {
    json!({
        "rp": { "id": policy.rp_id, "name": RP_NAME },
        "user": {
            "id": b64url(user.handle),
            "name": user.name,
            "displayName": user.display_name,
        },
        "challenge": b64url(challenge),
        "pubKeyCredParams": [{ "type": "public-key", "alg": ES256 }],
        "timeout": TIMEOUT_MS,
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": { "prf": { "eval": { "first": b64url(prf_salt) } } },
    })
}

/// For `navigator.credentials.get()`. `allowed` holds ids and transports; empty lets any
/// discoverable credential answer.
pub fn request_options(
    policy: &Policy,
    challenge: &[u8],
    allowed: &[(&[u8], &[String])],
    prf_salt: &[u8],
) -> Value {
    let allowed: Vec<Value> = allowed
        .iter()
        .map(|(id, transports)| {
            json!({ "type": "public-key", "id": b64url(id), "transports": transports })
        })
        .collect();
    json!({
        "challenge": b64url(challenge),
        "rpId": policy.rp_id,
        "timeout": TIMEOUT_MS,
        "userVerification": "required",
        "allowCredentials": allowed,
        "extensions": { "prf": { "eval": { "first": b64url(prf_salt) } } },
    })
}
