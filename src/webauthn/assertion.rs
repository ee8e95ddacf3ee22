//! Verifying an assertion (§7.2).
use super::authenticator_data::{AuthenticatorData, AuthenticatorDataError, LayoutError};
use super::client_data::{self, ClientDataError, Kind};
use super::json::JsonError;
use super::{AuthenticationResponse, Policy};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
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

/// What step 24 has the caller remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    pub sign_count: u32,
    pub backed_up: bool,
}

/// One variant a step; those that begin with the data's name carry several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionError {
    /// Step 3.
    Json(JsonError),
    /// Step 5.
    CredentialId,
    /// Step 6.
    NoUserHandle,
    /// Step 6.
    UserHandle,
    /// Steps 8 to 14.
    ClientData(ClientDataError),
    /// Step 15.
    Layout(LayoutError),
    /// Step 15.
    AttestedData,
    /// Steps 15 to 18.
    AuthenticatorData(AuthenticatorDataError),
    /// Step 19.
    BackupEligibility,
    /// Step 21: what we stored is no key.
    StoredKey,
    /// Step 21: not an ECDSA signature in DER.
    SignatureEncoding,
    /// Step 21.
    Signature,
    /// Step 22: perhaps a clone of the authenticator, perhaps an answer that came late.
    SignCount { stored: u32, received: u32 },
}

impl AssertionError {
    fn step(self) -> u8 {
        match self {
            AssertionError::Json(_) => 3,
            AssertionError::CredentialId => 5,
            AssertionError::NoUserHandle | AssertionError::UserHandle => 6,
            AssertionError::ClientData(e) => e.step() + 3,
            AssertionError::Layout(_) | AssertionError::AttestedData => 15,
            AssertionError::AuthenticatorData(e) => e.step() + 1,
            AssertionError::BackupEligibility => 19,
            AssertionError::StoredKey => 21,
            AssertionError::SignatureEncoding | AssertionError::Signature => 21,
            AssertionError::SignCount { .. } => 22,
        }
    }
}

impl fmt::Display for AssertionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebAuthn §7.2 step {}: ", self.step())?;
        f.write_str(match self {
            AssertionError::Json(e) => return e.fmt(f),
            AssertionError::CredentialId => "the answer is of another credential",
            AssertionError::NoUserHandle => "the answer does not say whose credential it is",
            AssertionError::UserHandle => "the credential is another user's",
            AssertionError::ClientData(e) => return e.fmt(f),
            AssertionError::Layout(e) => return e.fmt(f),
            AssertionError::AttestedData => "the authenticator data of an assertion holds a key",
            AssertionError::AuthenticatorData(e) => return e.fmt(f),
            AssertionError::BackupEligibility => "the credential's backup eligibility changed",
            AssertionError::StoredKey => "the stored public key is broken",
            AssertionError::SignatureEncoding => "the signature is not ECDSA's in DER",
            AssertionError::Signature => "the signature is wrong",
            AssertionError::SignCount { stored, received } => {
                return write!(f, "the signature counter went from {stored} to {received}");
            }
        })
    }
}

impl From<JsonError> for AssertionError {
    fn from(e: JsonError) -> Self {
        AssertionError::Json(e)
    }
}

/// Steps 5 to 22 of §7.2, in their order. Steps 1, 2 and 4 are the browser's and the caller's, step 3
/// is [`AuthenticationResponse::from_json`], and the caller's are also the PRF output of step 23 and
/// step 24, storing the new counter and backup state.
pub fn verify_assertion(
    policy: &Policy,
    challenge: &[u8],
    response: &AuthenticationResponse,
    stored: &StoredCredential,
    user: UserKnown,
) -> Result<Assertion, AssertionError> {
    // Step 5: the caller found `stored` by this id or by the options it gave.
    if response.raw_id != stored.id {
        return Err(AssertionError::CredentialId);
    }
    // Step 6.
    match (&response.user_handle, user) {
        (Some(handle), _) if *handle == stored.user_handle => {}
        (Some(_), _) => return Err(AssertionError::UserHandle),
        (None, UserKnown::Before) => {}
        (None, UserKnown::ByTheAnswer) => return Err(AssertionError::NoUserHandle),
    }
    // Step 7 only names things. Steps 8 to 14.
    client_data::verify(&response.client_data, Kind::Get, challenge, policy)
        .map_err(AssertionError::ClientData)?;
    // Before step 15 can look at it. An assertion's excludes attested credential data (§6.3.3).
    let data =
        AuthenticatorData::parse(&response.authenticator_data).map_err(AssertionError::Layout)?;
    if data.attested.is_some() {
        return Err(AssertionError::AttestedData);
    }
    // Steps 15 to 18.
    data.verify(policy).map_err(AssertionError::AuthenticatorData)?;
    // Step 19, first and second part; on the backup state we have no policy.
    if data.backup_eligible() != stored.backup_eligible {
        return Err(AssertionError::BackupEligibility);
    }
    // Step 20.
    let hash = Sha256::digest(&response.client_data);
    // Step 21.
    let signed: [&[u8]; 2] = [&response.authenticator_data, &hash];
    verify_signature(&stored.public_key, &signed, &response.signature)?;
    // Step 22: counters that both stand at zero are not in use. DEPARTURE: the text calls a counter
    // that did not grow a signal and leaves the verdict to us; ours is to refuse.
    let (stored, received) = (stored.sign_count, data.sign_count);
    if (stored != 0 || received != 0) && received <= stored {
        return Err(AssertionError::SignCount { stored, received });
    }
    Ok(Assertion { sign_count: received, backed_up: data.backed_up() })
}

/// ES256 over the concatenated parts. The signature is DER (§6.5.5) and nothing but DER; a high s is
/// fine, as ES256 has it.
pub(super) fn verify_signature(
    public_key: &[u8],
    signed: &[&[u8]],
    signature: &[u8],
) -> Result<(), AssertionError> {
    let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| AssertionError::StoredKey)?;
    let signature = Signature::from_der(signature);
    let signature = signature.map_err(|_| AssertionError::SignatureEncoding)?;
    let hash = signed.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    key.verify_prehash(&hash.finalize(), &signature).map_err(|_| AssertionError::Signature)
}
