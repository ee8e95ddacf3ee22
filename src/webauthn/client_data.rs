//! The client data (§5.8.1): what the browser says of the ceremony it ran.
use super::Policy;
use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// Real ones are under 300 bytes; `topOrigin` and future members leave room.
const MAX_LENGTH: usize = 8 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CollectedClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientDataError {
    /// §7.1 steps 5 and 6, §7.2 steps 8 and 9.
    Malformed,
    /// §7.1 step 7, §7.2 step 10.
    Type,
    /// §7.1 step 8, §7.2 step 11.
    Challenge,
    /// §7.1 step 9, §7.2 step 12.
    Origin,
    /// §7.1 step 10, §7.2 step 13.
    CrossOrigin,
    /// §7.1 step 11, §7.2 step 14.
    TopOrigin,
}

impl fmt::Display for ClientDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClientDataError::Malformed => "the client data is not JSON with the needed members",
            ClientDataError::Type => "the client data is of another kind of ceremony",
            ClientDataError::Challenge => "the challenge is not the one we gave",
            ClientDataError::Origin => "the ceremony ran on another origin",
            ClientDataError::CrossOrigin => "the ceremony ran in a frame of another origin",
            ClientDataError::TopOrigin => "the ceremony ran below a page of another origin",
        })
    }
}

/// Steps 5 to 11 of §7.1, which are steps 8 to 14 of §7.2. `kind` is `webauthn.create` or
/// `webauthn.get`.
pub fn verify(
    bytes: &[u8],
    kind: &str,
    challenge: &[u8],
    policy: &Policy,
) -> Result<(), ClientDataError> {
    // UTF-8 decode: a byte order mark is dropped. (Strictly: invalid UTF-8 is refused, not mended.)
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > MAX_LENGTH {
        return Err(ClientDataError::Malformed);
    }
    // Unknown members are ignored, as §5.8.1 demands of verifiers.
    let data: CollectedClientData =
        serde_json::from_slice(bytes).map_err(|_| ClientDataError::Malformed)?;
    if data.kind != kind {
        return Err(ClientDataError::Type);
    }
    let expected = crate::ops::encode::b64url(challenge);
    if !bool::from(data.challenge.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(ClientDataError::Challenge);
    }
    if data.origin != policy.origin {
        return Err(ClientDataError::Origin);
    }
    if data.cross_origin == Some(true) && !policy.allow_cross_origin {
        return Err(ClientDataError::CrossOrigin);
    }
    if data.top_origin.is_some() && !policy.allow_cross_origin {
        return Err(ClientDataError::TopOrigin);
    }
    Ok(())
}
