//! The client data (§5.8.1): what the browser says of the ceremony it ran.
use super::Policy;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use subtle::ConstantTimeEq;

/// Real ones are under 300 bytes; `topOrigin` and members of the future leave room.
pub const MAX_LENGTH: usize = 8 * 1024;

#[derive(Clone, Copy)]
pub enum Kind {
    Create,
    Get,
}

/// The members that the steps name. Others are ignored, as §5.8.1 demands of verifiers; one of
/// these twice is refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CollectedClientData<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    challenge: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default, deserialize_with = "present")]
    top_origin: Option<String>,
}

/// A member that is there must be a string: `null` is not how it is left out.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<String>, D::Error> {
    String::deserialize(member).map(Some)
}

/// One variant a step. The numbers are §7.1's; §7.2 has the same steps three further down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientDataError {
    /// Before step 5.
    TooLong,
    /// Step 5.
    NotUtf8,
    /// Step 6.
    NotJson,
    /// Step 7.
    Type,
    /// Step 8.
    Challenge,
    /// Step 9.
    Origin,
    /// Step 10.
    CrossOrigin,
    /// Step 11.
    TopOrigin,
}

impl ClientDataError {
    /// The step of §7.1 that failed.
    pub fn step(self) -> u8 {
        match self {
            ClientDataError::TooLong | ClientDataError::NotUtf8 => 5,
            ClientDataError::NotJson => 6,
            ClientDataError::Type => 7,
            ClientDataError::Challenge => 8,
            ClientDataError::Origin => 9,
            ClientDataError::CrossOrigin => 10,
            ClientDataError::TopOrigin => 11,
        }
    }
}

impl fmt::Display for ClientDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClientDataError::TooLong => "the client data is longer than any browser's",
            ClientDataError::NotUtf8 => "the client data is not UTF-8",
            ClientDataError::NotJson => "the client data is not JSON with the needed members",
            ClientDataError::Type => "the client data is of another kind of ceremony",
            ClientDataError::Challenge => "the challenge is not the one we gave",
            ClientDataError::Origin => "the ceremony ran on another origin",
            ClientDataError::CrossOrigin => "the ceremony ran in a frame of another origin",
            ClientDataError::TopOrigin => "the ceremony ran below a page of an unexpected origin",
        })
    }
}

/// Steps 5 to 11 of §7.1, which are steps 8 to 14 of §7.2.
pub fn verify(
    bytes: &[u8],
    kind: Kind,
    challenge: &[u8],
    policy: &Policy,
) -> Result<(), ClientDataError> {
    if bytes.len() > MAX_LENGTH {
        return Err(ClientDataError::TooLong);
    }
    // Step 5: "UTF-8 decode", which drops a byte order mark. DEPARTURE: it would also put U+FFFD in
    // the place of broken bytes; no browser sends such, so we refuse them.
    let text = std::str::from_utf8(bytes).map_err(|_| ClientDataError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Step 6.
    let data: CollectedClientData<'_> =
        serde_json::from_str(text).map_err(|_| ClientDataError::NotJson)?;
    // Step 7.
    let expected = match kind {
        Kind::Create => "webauthn.create",
        Kind::Get => "webauthn.get",
    };
    if data.kind != expected {
        return Err(ClientDataError::Type);
    }
    // Step 8. In constant time, although a challenge is used but once.
    let expected = crate::ops::encode::b64url(challenge);
    if !bool::from(data.challenge.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(ClientDataError::Challenge);
    }
    // Step 9: one origin, compared as a whole, the first of the ways that "Validating the origin of a
    // credential" in the security considerations knows.
    if data.origin != policy.origin {
        return Err(ClientDataError::Origin);
    }
    // Step 10.
    if data.cross_origin && !policy.allow_cross_origin {
        return Err(ClientDataError::CrossOrigin);
    }
    // Step 11.
    if let Some(top) = data.top_origin
        && !(policy.allow_cross_origin && policy.top_origins.contains(&top))
    {
        return Err(ClientDataError::TopOrigin);
    }
    Ok(())
}
