//! The authenticator data (§6.1): what the authenticator says, under its signature.
use super::Policy;
use super::cose::{self, CoseError};
use minicbor::Decoder;
use minicbor::data::Type;
use sha2::{Digest, Sha256};
use std::fmt;

const USER_PRESENT: u8 = 1 << 0;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED_DATA: u8 = 1 << 6;
const EXTENSION_DATA: u8 = 1 << 7;

/// §7.1 step 25.
const MAX_CREDENTIAL_ID: usize = 1023;

#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8],
    flags: u8,
    pub sign_count: u32,
    pub attested: Option<Attested<'a>>,
}

/// Attested credential data (§6.5.1).
#[derive(Debug)]
pub struct Attested<'a> {
    pub aaguid: [u8; 16],
    pub credential_id: &'a [u8],
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatorDataError {
    /// Too short, too long, or not what its flags say (§6.1).
    Malformed,
    /// §7.1 step 14, §7.2 step 15.
    RpId,
    /// §7.1 step 15, §7.2 step 16.
    UserPresent,
    /// §7.1 step 16, §7.2 step 17.
    UserVerified,
    /// §7.1 step 17, §7.2 step 18: backed up without being eligible.
    BackupState,
    /// §7.1 step 25.
    CredentialIdTooLong,
    Key(CoseError),
}

impl fmt::Display for AuthenticatorDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthenticatorDataError::Malformed => "the authenticator data is malformed",
            AuthenticatorDataError::RpId => "the credential belongs to another relying party",
            AuthenticatorDataError::UserPresent => "nobody touched the authenticator",
            AuthenticatorDataError::UserVerified => "the authenticator did not verify its user",
            AuthenticatorDataError::BackupState => "backed up, though not eligible for it",
            AuthenticatorDataError::CredentialIdTooLong => "the credential id is too long",
            AuthenticatorDataError::Key(e) => return e.fmt(f),
        })
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of `bytes`; what its flags do not account for makes it malformed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AuthenticatorDataError> {
        use AuthenticatorDataError::Malformed;
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or(Malformed)?;
        let ([flags], rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let (count, mut rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let mut attested = None;
        if flags & ATTESTED_DATA != 0 {
            let (aaguid, after) = rest.split_first_chunk().ok_or(Malformed)?;
            let (length, after) = after.split_first_chunk().ok_or(Malformed)?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length > MAX_CREDENTIAL_ID {
                return Err(AuthenticatorDataError::CredentialIdTooLong);
            }
            let (credential_id, after) = after.split_at_checked(length).ok_or(Malformed)?;
            let (public_key, used) = cose::es256_key(after).map_err(AuthenticatorDataError::Key)?;
            rest = &after[used..];
            attested = Some(Attested { aaguid: *aaguid, credential_id, public_key });
        }
        if flags & EXTENSION_DATA != 0 {
            // One CBOR map (§6.1); we ask for no extension whose output would be in it.
            let mut cbor = Decoder::new(rest);
            if !matches!(cbor.datatype(), Ok(Type::Map)) || cbor.skip().is_err() {
                return Err(Malformed);
            }
            rest = &rest[cbor.position()..];
        }
        if !rest.is_empty() {
            return Err(Malformed);
        }
        let sign_count = u32::from_be_bytes(*count);
        Ok(AuthenticatorData { rp_id_hash, flags: *flags, sign_count, attested })
    }

    pub fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    pub fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }

    /// Steps 14 to 17 of §7.1, which are steps 15 to 18 of §7.2.
    pub fn verify(&self, policy: &Policy) -> Result<(), AuthenticatorDataError> {
        if self.rp_id_hash != Sha256::digest(&policy.rp_id).as_slice() {
            return Err(AuthenticatorDataError::RpId);
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(AuthenticatorDataError::UserPresent);
        }
        if policy.require_uv && self.flags & USER_VERIFIED == 0 {
            return Err(AuthenticatorDataError::UserVerified);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(AuthenticatorDataError::BackupState);
        }
        Ok(())
    }
}
