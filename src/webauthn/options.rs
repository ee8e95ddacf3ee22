//! What an authenticator is asked with (§5.4, §5.5), as JSON that
//! `PublicKeyCredential.parseCreationOptionsFromJSON()` and `parseRequestOptionsFromJSON()` take
//! (§5.1.8, §5.1.9).
use super::Policy;
use super::cose::ES256;
use crate::ops::encode::b64url;
use serde_json::{Value, json};

/// How long a person may look for their authenticator; our challenges live as long.
const TIMEOUT_MS: u32 = 5 * 60 * 1000;
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
///
/// Nothing is excluded: whoever signs up is new here, and whoever signs up again after losing all
/// passkeys must be able to use the same authenticator.
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
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required",
            // What clients of Level 1 read instead.
            "requireResidentKey": true,
            "userVerification": user_verification(policy),
        },
        "attestation": "none",
        "extensions": {
            "credProps": true,
            "prf": prf(prf_salt),
        },
    })
}

/// The same for a user who has passkeys already: not on an authenticator that has one of `own` (ids
/// and transports), and rather on one of the kinds that `hints` name (§5.8.7).
pub fn further_options(
    policy: &Policy,
    challenge: &[u8],
    user: &User<'_>,
    prf_salt: &[u8],
    own: &[(&[u8], &[String])],
    hints: &[&str],
) -> Value {
    let mut options = creation_options(policy, challenge, user, prf_salt);
    options["excludeCredentials"] = own.iter().map(descriptor).collect();
    options["hints"] = json!(hints);
    options
}

/// `PublicKeyCredentialDescriptorJSON`
fn descriptor((id, transports): &(&[u8], &[String])) -> Value {
    let mut descriptor = json!({ "type": "public-key", "id": b64url(id) });
    // An empty list is left out: some clients take it for "by no transport".
    if !transports.is_empty() {
        descriptor["transports"] = json!(transports);
    }
    descriptor
}

/// For `navigator.credentials.get()`. `allowed` holds ids and transports; empty lets any
/// discoverable credential answer.
pub fn request_options(
    policy: &Policy,
    challenge: &[u8],
    allowed: &[(&[u8], &[String])],
    prf_salt: &[u8],
) -> Value {
    json!({
        "challenge": b64url(challenge),
        "rpId": policy.rp_id,
        "timeout": TIMEOUT_MS,
        "userVerification": user_verification(policy),
        "allowCredentials": allowed.iter().map(descriptor).collect::<Vec<Value>>(),
        "extensions": { "prf": prf(prf_salt) },
    })
}

/// What is verified is what was asked for (§7.1 step 16, §7.2 step 17).
fn user_verification(policy: &Policy) -> &'static str {
    if policy.require_uv { "required" } else { "preferred" }
}

/// One input for all credentials (§10.1.4): who signs in without a name has no other.
fn prf(salt: &[u8]) -> Value {
    json!({ "eval": { "first": b64url(salt) } })
}
