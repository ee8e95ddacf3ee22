//! What `PublicKeyCredential.toJSON()` gives (§5.1).
//!
//! Unknown members are passed over while they are parsed, and so are the extensions' results: they
//! may hold the PRF output, of which no copy must be made here, let alone be shown.
use super::registration::MAX_CREDENTIAL_ID;
use super::{attestation, client_data};
use crate::ops::encode::b64url_decode;
use serde::Deserialize;
use std::fmt;

/// Five fixed parts, a credential with the longest id and an RSA key, and some extensions.
const MAX_AUTHENTICATOR_DATA: usize = 8 * 1024;
/// An ES256 signature in DER has at most 72 bytes, an RSA one, refused elsewhere, 512.
const MAX_SIGNATURE: usize = 1024;
/// §5.4.3.
const MAX_USER_HANDLE: usize = 64;
/// Transports kept of those a browser names, and how long a name may be.
const MAX_TRANSPORTS: usize = 8;
const MAX_TRANSPORT: usize = 32;

/// The JSON is not what a browser's `toJSON()` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// `type` is not `public-key`.
    Type,
    /// `id` and `rawId` differ.
    Id,
    /// The member is missing: the answer is of the other ceremony.
    Missing(&'static str),
    /// The member is not base64url.
    Encoding(&'static str),
    /// The member is longer than any authenticator's.
    TooLong(&'static str),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::Type => f.write_str("the credential is not a public key"),
            JsonError::Id => f.write_str("the credential's id and rawId differ"),
            JsonError::Missing(member) => write!(f, "the credential's {member} is missing"),
            JsonError::Encoding(member) => write!(f, "the credential's {member} is not base64url"),
            JsonError::TooLong(member) => write!(f, "the credential's {member} is too long"),
        }
    }
}

pub struct RegistrationResponse {
    pub raw_id: Vec<u8>,
    pub client_data: Vec<u8>,
    pub attestation_object: Vec<u8>,
    pub transports: Vec<String>,
}

pub struct AuthenticationResponse {
    pub raw_id: Vec<u8>,
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
}

/// `RegistrationResponseJSON` and `AuthenticationResponseJSON` as one, so that a body can be parsed
/// before it is known which is due.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialJson {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: ResponseJson,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseJson {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: Option<String>,
    transports: Option<Vec<String>>,
    authenticator_data: Option<String>,
    signature: Option<String>,
    user_handle: Option<String>,
}

impl CredentialJson {
    /// What both ceremonies share: the credential's id and the client data.
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), JsonError> {
        if self.kind != "public-key" {
            return Err(JsonError::Type);
        }
        if self.id != self.raw_id {
            return Err(JsonError::Id);
        }
        let client_data = &self.response.client_data;
        Ok((
            decode("rawId", &self.raw_id, MAX_CREDENTIAL_ID)?,
            decode("clientDataJSON", client_data, client_data::MAX_LENGTH)?,
        ))
    }
}

/// Decodes a member that may have up to `max` bytes.
fn decode(member: &'static str, text: &str, max: usize) -> Result<Vec<u8>, JsonError> {
    if text.len() / 4 * 3 > max {
        return Err(JsonError::TooLong(member));
    }
    b64url_decode(text).ok_or(JsonError::Encoding(member))
}

/// Decodes a member that this ceremony's answers have.
fn needed(member: &'static str, text: &Option<String>, max: usize) -> Result<Vec<u8>, JsonError> {
    decode(member, text.as_ref().ok_or(JsonError::Missing(member))?, max)
}

impl RegistrationResponse {
    /// Takes it for a `RegistrationResponseJSON` (§7.1 step 3).
    pub fn from_json(json: &CredentialJson) -> Result<Self, JsonError> {
        let (raw_id, client_data) = json.read()?;
        let object = &json.response.attestation_object;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let known = |t: &&String| t.len() <= MAX_TRANSPORT && t.chars().all(plain);
        let transports = json.response.transports.iter().flatten().filter(known);
        Ok(RegistrationResponse {
            raw_id,
            client_data,
            attestation_object: needed("attestationObject", object, attestation::MAX_LENGTH)?,
            transports: transports.take(MAX_TRANSPORTS).cloned().collect(),
        })
    }
}

impl AuthenticationResponse {
    /// Takes it for an `AuthenticationResponseJSON` (§7.2 step 3).
    pub fn from_json(json: &CredentialJson) -> Result<Self, JsonError> {
        let (raw_id, client_data) = json.read()?;
        let ResponseJson { authenticator_data, signature, user_handle, .. } = &json.response;
        let handle = |text| decode("userHandle", text, MAX_USER_HANDLE);
        Ok(AuthenticationResponse {
            raw_id,
            client_data,
            authenticator_data: needed(
                "authenticatorData",
                authenticator_data,
                MAX_AUTHENTICATOR_DATA,
            )?,
            signature: needed("signature", signature, MAX_SIGNATURE)?,
            user_handle: user_handle.as_deref().map(handle).transpose()?,
        })
    }
}
