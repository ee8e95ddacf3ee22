//! Verifying an assertion (§7.2).
use super::authenticator_data::{AuthenticatorData, AuthenticatorDataError};
use super::client_data::{self, ClientDataError};
use super::json::MalformedJson;
use super::{AuthenticationResponse, Policy};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// What the relying party remembers of the credential.
#[derive(Debug, Clone)]
pub struct StoredCredential {
    pub id: Vec<u8>,
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub user_handle: Vec<u8>,
}

/// Whether the user was known before the ceremony (step 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKnown {
    /// The options named the credential; a user handle may be missing.
    Before,
    /// The user handle says who it is; it must be there.
    ByTheAnswer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    pub sign_count: u32,
    pub backed_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionError {
    Json(MalformedJson),
    /// Step 5: not a credential that was asked for.
    CredentialId,
    /// Step 6: missing, or another user's.
    UserHandle,
    ClientData(ClientDataError),
    AuthenticatorData(AuthenticatorDataError),
    /// Step 19: the eligibility for backup never changes.
    BackupEligibility,
    /// Step 21.
    Signature,
    /// Step 22: perhaps a clone of the authenticator.
    SignCount,
}

impl fmt::Display for AssertionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AssertionError::Json(e) => return e.fmt(f),
            AssertionError::CredentialId => "the answer is of another credential",
            AssertionError::UserHandle => "the user handle is missing or another user's",
            AssertionError::ClientData(e) => return e.fmt(f),
            AssertionError::AuthenticatorData(e) => return e.fmt(f),
            AssertionError::BackupEligibility => "the credential's backup eligibility changed",
            AssertionError::Signature => "the signature is wrong",
            AssertionError::SignCount => "the signature counter did not grow: perhaps a clone",
        })
    }
}

impl From<MalformedJson> for AssertionError {
    fn from(e: MalformedJson) -> Self {
        AssertionError::Json(e)
    }
}

/// Steps 5 to 22 of §7.2. Steps 1 to 4 are the browser's and the caller's; so is step 23, storing
/// the new counter and backup state.
pub fn verify_assertion(
    policy: &Policy,
    challenge: &[u8],
    response: &AuthenticationResponse,
    stored: &StoredCredential,
    user: UserKnown,
) -> Result<Assertion, AssertionError> {
    // Step 5.
    if response.raw_id != stored.id {
        return Err(AssertionError::CredentialId);
    }
    // Step 6.
    match (&response.user_handle, user) {
        (Some(handle), _) if *handle == stored.user_handle => {}
        (None, UserKnown::Before) => {}
        _ => return Err(AssertionError::UserHandle),
    }
    // Steps 8 to 14.
    client_data::verify(&response.client_data, "webauthn.get", challenge, policy)
        .map_err(AssertionError::ClientData)?;
    // Steps 15 to 18.
    let data = AuthenticatorData::parse(&response.authenticator_data)
        .map_err(AssertionError::AuthenticatorData)?;
    data.verify(policy).map_err(AssertionError::AuthenticatorData)?;
    // Step 19.
    if data.backup_eligible() != stored.backup_eligible {
        return Err(AssertionError::BackupEligibility);
    }
    // Steps 20 and 21: over the authenticator data and the hash of the client data. The signature
    // is ASN.1 DER (§6.5.5), strictly; ES256 signatures need not have a low s.
    let key = VerifyingKey::from_sec1_bytes(&stored.public_key);
    let signature = Signature::from_der(&response.signature);
    let (Ok(key), Ok(signature)) = (key, signature) else { return Err(AssertionError::Signature) };
    let hash = Sha256::digest(&response.client_data);
    let signed = [&response.authenticator_data[..], &hash].concat();
    key.verify(&signed, &signature).map_err(|_| AssertionError::Signature)?;
    // Step 22: counters that both stand at zero are not in use.
    let counts = data.sign_count != 0 || stored.sign_count != 0;
    if counts && data.sign_count <= stored.sign_count {
        return Err(AssertionError::SignCount);
    }
    Ok(Assertion { sign_count: data.sign_count, backed_up: data.backed_up() })
}
