//! Registering a new credential (§7.1).
use super::attestation;
use super::authenticator_data::{AuthenticatorData, AuthenticatorDataError, LayoutError};
use super::client_data::{self, ClientDataError, Kind};
use super::cose::{self, KeyError};
use super::json::JsonError;
use super::{Policy, RegistrationResponse};
use std::fmt;

/// Step 25.
pub const MAX_CREDENTIAL_ID: usize = 1023;

/// A credential that was verified: the credential record of step 27.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: Vec<u8>,
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub transports: Vec<String>,
    pub aaguid: [u8; 16],
    /// The attestation statement's format, which we know but do not trust.
    pub attestation: String,
}

/// One variant a step; those that begin with the data's name carry several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationError {
    /// Step 3.
    Json(JsonError),
    /// Steps 5 to 11.
    ClientData(ClientDataError),
    /// Step 13.
    AttestationObject,
    /// Step 13.
    Layout(LayoutError),
    /// Step 13.
    NoCredential,
    /// Steps 14 to 17.
    AuthenticatorData(AuthenticatorDataError),
    /// Step 20.
    Key(KeyError),
    /// Step 21.
    Format,
    /// Step 22.
    Statement,
    /// Step 25.
    CredentialIdLength,
    /// Step 27.
    CredentialId,
}

impl RegistrationError {
    fn step(self) -> u8 {
        match self {
            RegistrationError::Json(_) => 3,
            RegistrationError::ClientData(e) => e.step(),
            RegistrationError::AttestationObject => 13,
            RegistrationError::Layout(_) | RegistrationError::NoCredential => 13,
            RegistrationError::AuthenticatorData(e) => e.step(),
            RegistrationError::Key(_) => 20,
            RegistrationError::Format => 21,
            RegistrationError::Statement => 22,
            RegistrationError::CredentialIdLength => 25,
            RegistrationError::CredentialId => 27,
        }
    }
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebAuthn §7.1 step {}: ", self.step())?;
        f.write_str(match self {
            RegistrationError::Json(e) => return e.fmt(f),
            RegistrationError::ClientData(e) => return e.fmt(f),
            RegistrationError::AttestationObject => "the attestation object is malformed",
            RegistrationError::Layout(e) => return e.fmt(f),
            RegistrationError::NoCredential => "the authenticator data holds no credential",
            RegistrationError::AuthenticatorData(e) => return e.fmt(f),
            RegistrationError::Key(e) => return e.fmt(f),
            RegistrationError::Format => "the attestation format is no identifier",
            RegistrationError::Statement => "an attestation of format none makes a statement",
            RegistrationError::CredentialIdLength => "the credential id's length is not 1 to 1023",
            RegistrationError::CredentialId => "the id beside the answer is not the one inside it",
        })
    }
}

impl From<JsonError> for RegistrationError {
    fn from(e: JsonError) -> Self {
        RegistrationError::Json(e)
    }
}

/// Steps 5 to 27 of §7.1, in their order. Steps 1, 2 and 4 are the browser's and the caller's, and
/// step 3 is [`RegistrationResponse::from_json`]. The caller's are also step 26, that the credential
/// id is nobody's yet, and of step 28 the PRF output.
pub fn verify_registration(
    policy: &Policy,
    challenge: &[u8],
    response: &RegistrationResponse,
) -> Result<Credential, RegistrationError> {
    // Steps 5 to 11.
    client_data::verify(&response.client_data, Kind::Create, challenge, policy)
        .map_err(RegistrationError::ClientData)?;
    // Step 12: the hash is for the statement's verification, which we do not do.
    // Step 13.
    let object = attestation::parse(&response.attestation_object)
        .map_err(|_| RegistrationError::AttestationObject)?;
    let data =
        AuthenticatorData::parse(object.authenticator_data).map_err(RegistrationError::Layout)?;
    let attested = data.attested.as_ref().ok_or(RegistrationError::NoCredential)?;
    // Steps 14 to 17.
    data.verify(policy).map_err(RegistrationError::AuthenticatorData)?;
    // Steps 18 and 19: passkeys that are backed up and others are equally welcome.
    // Step 20.
    let public_key = cose::es256_key(attested.public_key).map_err(RegistrationError::Key)?;
    // Step 21.
    if !object.has_format() {
        return Err(RegistrationError::Format);
    }
    // Step 22. DEPARTURE: signatures and certificates in the statement are not verified.
    if !object.has_statement() {
        return Err(RegistrationError::Statement);
    }
    // Steps 23 and 24: with no trust anchors, every credential is treated as one without
    // attestation, which step 24 permits.
    // Step 25; an id of no bytes identifies nothing.
    if !(1..=MAX_CREDENTIAL_ID).contains(&attested.credential_id.len()) {
        return Err(RegistrationError::CredentialIdLength);
    }
    // Step 27 calls both `credential.rawId` and the id in the authenticator data the credential's:
    // were they two, which one would a later assertion name?
    if attested.credential_id != response.raw_id {
        return Err(RegistrationError::CredentialId);
    }
    Ok(Credential {
        id: attested.credential_id.to_vec(),
        public_key,
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        transports: response.transports.clone(),
        aaguid: attested.aaguid,
        attestation: object.format.to_owned(),
    })
}
