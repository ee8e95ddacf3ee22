//! What `PublicKeyCredential.toJSON()` gives (§5.1.8, §5.1.9). Unknown members are ignored, the
//! extensions' results among them: a PRF output is not for these structs.
use crate::ops::encode::b64url_decode;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Transports kept of those a browser names, and how long a name may be.
const MAX_TRANSPORTS: usize = 8;
const MAX_TRANSPORT: usize = 32;

/// The JSON is not what a browser's `toJSON()` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedJson;

impl fmt::Display for MalformedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the credential's JSON is malformed")
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: Option<String>,
    #[serde(default)]
    transports: Vec<String>,
    authenticator_data: Option<String>,
    signature: Option<String>,
    user_handle: Option<String>,
}

fn read(json: &Value) -> Result<(Vec<u8>, Response), MalformedJson> {
    let json = Json::deserialize(json).map_err(|_| MalformedJson)?;
    if json.kind != "public-key" || json.id != json.raw_id {
        return Err(MalformedJson);
    }
    Ok((bytes(Some(&json.raw_id))?, json.response))
}

fn bytes(text: Option<&String>) -> Result<Vec<u8>, MalformedJson> {
    b64url_decode(text.ok_or(MalformedJson)?).ok_or(MalformedJson)
}

impl RegistrationResponse {
    pub fn from_json(json: &Value) -> Result<Self, MalformedJson> {
        let (raw_id, response) = read(json)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let known = |t: &String| t.len() <= MAX_TRANSPORT && t.chars().all(plain);
        let transports = response.transports.into_iter().filter(known);
        Ok(RegistrationResponse {
            raw_id,
            client_data: bytes(Some(&response.client_data))?,
            attestation_object: bytes(response.attestation_object.as_ref())?,
            transports: transports.take(MAX_TRANSPORTS).collect(),
        })
    }
}

impl AuthenticationResponse {
    pub fn from_json(json: &Value) -> Result<Self, MalformedJson> {
        let (raw_id, response) = read(json)?;
        Ok(AuthenticationResponse {
            raw_id,
            client_data: bytes(Some(&response.client_data))?,
            authenticator_data: bytes(response.authenticator_data.as_ref())?,
            signature: bytes(response.signature.as_ref())?,
            user_handle: response.user_handle.as_ref().map(|h| bytes(Some(h))).transpose()?,
        })
    }
}
