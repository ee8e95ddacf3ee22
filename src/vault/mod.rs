//! Seals the bearer token, so that what is on disk opens only under a passkey's PRF output.
//!
//! A random data key of the user seals the token; each passkey's PRF output wraps that data key. A
//! second passkey, or a new token, never needs the other passkeys present. In scope: pure functions
//! over bytes, which wipe the keys and plaintexts they held. Out of scope: where blobs are kept, and
//! who may ask.
//!
//! A blob is `version (1) | nonce (12) | AES-256-GCM ciphertext | tag (16)`. Associated data binds it
//! to its place: a row copied to another user, server or credential does not open. A version stands
//! for the cipher, the derivation and the labels together, which name it; a blob whose version byte
//! was changed is thus another blob, and does not open either.
use crate::ops::random;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

const VERSION: u8 = 1;
/// 96 random bits, for a key that seals a handful of blobs in its life (NIST SP 800-38D §8.3
/// allows 2³²).
const NONCE: usize = 12;
const TAG: usize = 16;
const KEY: usize = 32;

/// HKDF's info (RFC 5869 §3.2): what the derived key is for.
const WRAPPING_LABEL: &[u8] = b"chat-posta/v1/wrap-data-key";
/// What a blob is, as the first part of its associated data.
const TOKEN_LABEL: &[u8] = b"chat-posta/v1/token";
const DATA_KEY_LABEL: &[u8] = b"chat-posta/v1/data-key";

type Key = Zeroizing<[u8; KEY]>;
/// What seals a user's token, and what each of their passkeys wraps.
pub type DataKey = Key;

/// A user's new data key, twice put away.
pub struct Sealed {
    pub sealed_token: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultError {
    /// Too short for a blob.
    CutOff,
    /// Made by another version of this program.
    Version(u8),
    /// Another key, another place or other bytes: which of them, the cipher does not tell.
    Refused,
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::CutOff => f.write_str("the sealed bytes are cut off"),
            VaultError::Version(version) => {
                write!(f, "sealed in version {version}; this program knows version {VERSION}")
            }
            VaultError::Refused => f.write_str("what is sealed does not open with this passkey"),
        }
    }
}

/// Seals a token under a fresh data key, and wraps that under a passkey's PRF output.
pub fn seal_new(
    prf: &[u8; 32],
    token: &str,
    user_handle: &[u8; 32],
    server_url: &str,
    credential_id: &[u8],
) -> Sealed {
    let data_key: Key = Zeroizing::new(random::bytes());
    Sealed {
        sealed_token: seal_token(&data_key, token, user_handle, server_url),
        wrapped_key: wrap_key(prf, &data_key, user_handle, credential_id),
    }
}

/// Opens the token with the PRF output of one of the user's passkeys.
pub fn open(
    prf: &[u8; 32],
    wrapped_key: &[u8],
    sealed_token: &[u8],
    user_handle: &[u8; 32],
    server_url: &str,
    credential_id: &[u8],
) -> Result<Zeroizing<String>, VaultError> {
    let data_key = unwrap_key(prf, wrapped_key, user_handle, credential_id)?;
    let place = place(TOKEN_LABEL, user_handle, server_url.as_bytes());
    let token = decrypt(&data_key, sealed_token, &place)?;
    let token = std::str::from_utf8(&token).map_err(|_| VaultError::Refused)?;
    Ok(Zeroizing::new(token.to_owned()))
}

/// Seals a token of this user at this server; also the new one of a re-pairing.
pub fn seal_token(
    data_key: &Key,
    token: &str,
    user_handle: &[u8; 32],
    server_url: &str,
) -> Vec<u8> {
    let place = place(TOKEN_LABEL, user_handle, server_url.as_bytes());
    encrypt(data_key, token.as_bytes(), &place)
}

/// Wraps the data key for one of the user's passkeys.
pub fn wrap_key(
    prf: &[u8; 32],
    data_key: &Key,
    user_handle: &[u8; 32],
    credential_id: &[u8],
) -> Vec<u8> {
    let place = place(DATA_KEY_LABEL, user_handle, credential_id);
    encrypt(&wrapping_key(prf), data_key.as_slice(), &place)
}

/// The inverse of [`wrap_key`].
pub fn unwrap_key(
    prf: &[u8; 32],
    wrapped_key: &[u8],
    user_handle: &[u8; 32],
    credential_id: &[u8],
) -> Result<Key, VaultError> {
    let place = place(DATA_KEY_LABEL, user_handle, credential_id);
    let bytes = decrypt(&wrapping_key(prf), wrapped_key, &place)?;
    let mut key = Key::default();
    if bytes.len() != KEY {
        return Err(VaultError::Refused);
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

/// HKDF-SHA-256 without salt: a PRF output is as random as a salt would make it (RFC 5869 §3.1).
fn wrapping_key(prf: &[u8; 32]) -> Key {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(None, prf);
    extracted.as_mut_slice().zeroize();
    let mut key = Key::default();
    hkdf.expand(WRAPPING_LABEL, key.as_mut_slice())
        .expect("32 bytes are within HKDF-SHA-256's limit");
    key
}

/// Associated data: the label, the user and the rest of the place, each behind its length, so that
/// no two places look alike.
fn place(label: &[u8], user_handle: &[u8; 32], rest: &[u8]) -> Vec<u8> {
    let mut place = Vec::new();
    for part in [label, user_handle, rest] {
        place.extend_from_slice(&(part.len() as u64).to_be_bytes());
        place.extend_from_slice(part);
    }
    place
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key.as_slice()).expect("the key has the cipher's size")
}

fn encrypt(key: &Key, plain: &[u8], place: &[u8]) -> Vec<u8> {
    encrypt_with(random::bytes(), key, plain, place)
}

fn encrypt_with(nonce: [u8; NONCE], key: &Key, plain: &[u8], place: &[u8]) -> Vec<u8> {
    // The buffer it makes is large enough from the start: no copy of the plaintext stays behind.
    let sealed = cipher(key).encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: place });
    let sealed = sealed.expect("AES-GCM takes messages of this size");
    [&[VERSION][..], &nonce, &sealed].concat()
}

fn decrypt(key: &Key, blob: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (version, rest) = blob.split_first().ok_or(VaultError::CutOff)?;
    if *version != VERSION {
        return Err(VaultError::Version(*version));
    }
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::CutOff)?;
    if sealed.len() < TAG {
        return Err(VaultError::CutOff);
    }
    let plain = cipher(key).decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: place });
    plain.map(Zeroizing::new).map_err(|_| VaultError::Refused)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;
