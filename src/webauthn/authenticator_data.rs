//! The authenticator data (§6.1): what the authenticator says, under its signature.
use super::Policy;
use super::cbor::{self, Malformed};
use minicbor::Decoder;
use sha2::{Digest, Sha256};
use std::fmt;

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED_DATA: u8 = 1 << 6;
const EXTENSION_DATA: u8 = 1 << 7;

#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8; 32],
    flags: u8,
    pub sign_count: u32,
    pub attested: Option<Attested<'a>>,
}

/// Attested credential data (§6.5.1).
#[derive(Debug)]
pub struct Attested<'a> {
    pub aaguid: [u8; 16],
    pub credential_id: &'a [u8],
    /// A COSE key that is well-formed CBOR, and no more than that yet.
    pub public_key: &'a [u8],
}

/// The bytes are not what §6.1 lays out. §7.1 decodes them in step 13; §7.2 has no step for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutError {
    TooShort,
    AttestedData,
    PublicKey,
    Extensions,
    TrailingBytes,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LayoutError::TooShort => "the authenticator data is too short",
            LayoutError::AttestedData => "the attested credential data is cut off",
            LayoutError::PublicKey => "the credential public key is not CBOR",
            LayoutError::Extensions => "the extension data is not a CBOR map of named members",
            LayoutError::TrailingBytes => "the authenticator data is longer than its flags say",
        })
    }
}

/// One variant a step. The numbers are §7.1's; §7.2 has the same steps one further down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatorDataError {
    /// Step 14.
    RpId,
    /// Step 15.
    UserPresent,
    /// Step 16.
    UserVerified,
    /// Step 17.
    BackupState,
}

impl AuthenticatorDataError {
    /// The step of §7.1 that failed.
    pub fn step(self) -> u8 {
        match self {
            AuthenticatorDataError::RpId => 14,
            AuthenticatorDataError::UserPresent => 15,
            AuthenticatorDataError::UserVerified => 16,
            AuthenticatorDataError::BackupState => 17,
        }
    }
}

impl fmt::Display for AuthenticatorDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthenticatorDataError::RpId => "the credential belongs to another relying party",
            AuthenticatorDataError::UserPresent => "nobody was present at the authenticator",
            AuthenticatorDataError::UserVerified => "the authenticator did not verify its user",
            AuthenticatorDataError::BackupState => "backed up, though not eligible for backup",
        })
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of `bytes`; anything its flags do not account for is refused. Nothing is judged.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LayoutError> {
        use LayoutError::TooShort;
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(TooShort)?;
        let (&[flags], rest) = rest.split_first_chunk().ok_or(TooShort)?;
        let (count, mut rest) = rest.split_first_chunk().ok_or(TooShort)?;
        let mut attested = None;
        if flags & ATTESTED_DATA != 0 {
            let (data, after) = Attested::parse(rest)?;
            (attested, rest) = (Some(data), after);
        }
        if flags & EXTENSION_DATA != 0 {
            rest = pass_extensions(rest).map_err(|Malformed| LayoutError::Extensions)?;
        }
        if !rest.is_empty() {
            return Err(LayoutError::TrailingBytes);
        }
        let sign_count = u32::from_be_bytes(*count);
        Ok(AuthenticatorData { rp_id_hash, flags, sign_count, attested })
    }

    pub fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }

    /// Steps 14 to 17 of §7.1, which are steps 15 to 18 of §7.2.
    pub fn verify(&self, policy: &Policy) -> Result<(), AuthenticatorDataError> {
        // Step 14.
        if self.rp_id_hash[..] != Sha256::digest(&policy.rp_id)[..] {
            return Err(AuthenticatorDataError::RpId);
        }
        // Step 15. We never create a passkey in passing (conditional mediation): it always applies.
        if self.flags & USER_PRESENT == 0 {
            return Err(AuthenticatorDataError::UserPresent);
        }
        // Step 16.
        if policy.require_uv && self.flags & USER_VERIFIED == 0 {
            return Err(AuthenticatorDataError::UserVerified);
        }
        // Step 17.
        if self.backed_up() && !self.backup_eligible() {
            return Err(AuthenticatorDataError::BackupState);
        }
        Ok(())
    }
}

impl<'a> Attested<'a> {
    /// Reads the attested credential data that `bytes` begin with; gives what follows it as well.
    fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), LayoutError> {
        use LayoutError::AttestedData;
        let (&aaguid, rest) = bytes.split_first_chunk().ok_or(AttestedData)?;
        let (&length, rest) = rest.split_first_chunk().ok_or(AttestedData)?;
        let length = usize::from(u16::from_be_bytes(length));
        let (credential_id, rest) = rest.split_at_checked(length).ok_or(AttestedData)?;
        let key = cbor::item(&mut Decoder::new(rest)).map_err(|_| LayoutError::PublicKey)?;
        let (public_key, rest) = rest.split_at(key.len());
        Ok((Attested { aaguid, credential_id, public_key }, rest))
    }
}

/// Extension data is one map from extension names to whatever they put out (§9.5). We ask for none
/// that puts something out here, and ignore what came unasked, as §7.1 step 28 lets us.
fn pass_extensions(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let mut cbor = Decoder::new(bytes);
    for _ in 0..cbor::map(&mut cbor)? {
        cbor.str()?;
        cbor::item(&mut cbor)?;
    }
    bytes.get(cbor.position()..).ok_or(Malformed)
}
