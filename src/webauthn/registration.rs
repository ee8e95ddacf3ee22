//! Registering a new credential (§7.1).
use super::attestation;
use super::authenticator_data::{AuthenticatorData, AuthenticatorDataError};
use super::client_data::{self, ClientDataError};
use super::json::MalformedJson;
use super::{Policy, RegistrationResponse};
use std::fmt;

/// A credential that was verified.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationError {
    Json(MalformedJson),
    ClientData(ClientDataError),
    /// Step 13: not an attestation object.
    AttestationObject,
    AuthenticatorData(AuthenticatorDataError),
    /// Step 13: the authenticator data holds no credential.
    NoCredential,
    /// The id beside the answer is not the one inside it.
    CredentialId,
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegistrationError::Json(e) => e.fmt(f),
            RegistrationError::ClientData(e) => e.fmt(f),
            RegistrationError::AttestationObject => f.write_str("the attestation is malformed"),
            RegistrationError::AuthenticatorData(e) => e.fmt(f),
            RegistrationError::NoCredential => f.write_str("the answer holds no credential"),
            RegistrationError::CredentialId => f.write_str("the answer names another credential"),
        }
    }
}

impl From<MalformedJson> for RegistrationError {
    fn from(e: MalformedJson) -> Self {
        RegistrationError::Json(e)
    }
}

/// Steps 5 to 25 of §7.1. Steps 1 to 4 are the browser's and the caller's; step 26, that the
/// credential id is nobody's yet, and step 27, storing it, are the caller's.
pub fn verify_registration(
    policy: &Policy,
    challenge: &[u8],
    response: &RegistrationResponse,
) -> Result<Credential, RegistrationError> {
    // Steps 5 to 11.
    client_data::verify(&response.client_data, "webauthn.create", challenge, policy)
        .map_err(RegistrationError::ClientData)?;
    // Step 12, the hash of the client data, serves the statement, which we do not verify.
    // Step 13.
    let object = attestation::parse(&response.attestation_object)
        .ok_or(RegistrationError::AttestationObject)?;
    // Step 20 (the algorithm) and step 25 (the id's length) come with the parsing.
    let data = AuthenticatorData::parse(object.authenticator_data)
        .map_err(RegistrationError::AuthenticatorData)?;
    // Steps 14 to 17. Step 18 and 19: we accept credentials that are backed up and others alike.
    data.verify(policy).map_err(RegistrationError::AuthenticatorData)?;
    // Step 21: extension outputs are the caller's (PRF); unsolicited ones are ignored.
    // Steps 22 to 24: the statement is of a known shape and proves nothing to us.
    let attested = data.attested.as_ref().ok_or(RegistrationError::NoCredential)?;
    if attested.credential_id != response.raw_id {
        return Err(RegistrationError::CredentialId);
    }
    Ok(Credential {
        id: attested.credential_id.to_vec(),
        public_key: attested.public_key.clone(),
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        transports: response.transports.clone(),
        aaguid: attested.aaguid,
        attestation: object.format.to_owned(),
    })
}
