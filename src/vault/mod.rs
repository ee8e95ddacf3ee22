//! Seals the bearer token, so that what is on disk opens only under a passkey's PRF output.
//!
//! A random data key of the user seals the token; each passkey's PRF output wraps that data key. A
//! second passkey, or a new token, never needs the other passkeys present. In scope: pure functions
//! over bytes. Out of scope: where blobs are kept.
//!
//! A blob is `version (1) | nonce (12) | AES-256-GCM ciphertext and tag`. Associated data binds it
//! to its place: a row copied to another user, server or credential does not open.
use crate::ops::random;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const KEY: usize = 32;

/// HKDF's info (RFC 5869 §3.2): what the derived key is for, and its version.
const WRAPPING_LABEL: &[u8] = b"chat-posta/v1/wrap-data-key";
const TOKEN_LABEL: &[u8] = b"chat-posta/v1/token";
const DATA_KEY_LABEL: &[u8] = b"chat-posta/v1/data-key";

type Key = Zeroizing<[u8; KEY]>;

/// A user's new data key, twice put away.
pub struct Sealed {
    pub sealed_token: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

/// It does not open: another key, another place, or other bytes. Which one is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultError;

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what is sealed does not open with this passkey")
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
    let bound = bound_to(TOKEN_LABEL, &[user_handle, server_url.as_bytes()]);
    let token = Zeroizing::new(decrypt(&data_key, sealed_token, &bound)?);
    let token = std::str::from_utf8(&token).map_err(|_| VaultError)?;
    Ok(Zeroizing::new(token.to_owned()))
}

fn seal_token(data_key: &Key, token: &str, user_handle: &[u8; 32], server_url: &str) -> Vec<u8> {
    let bound = bound_to(TOKEN_LABEL, &[user_handle, server_url.as_bytes()]);
    encrypt(data_key, token.as_bytes(), &bound)
}

/// Wraps the data key for one passkey.
fn wrap_key(
    prf: &[u8; 32],
    data_key: &Key,
    user_handle: &[u8; 32],
    credential_id: &[u8],
) -> Vec<u8> {
    let bound = bound_to(DATA_KEY_LABEL, &[user_handle, credential_id]);
    encrypt(&wrapping_key(prf), data_key.as_slice(), &bound)
}

/// The inverse of [`wrap_key`].
fn unwrap_key(
    prf: &[u8; 32],
    wrapped_key: &[u8],
    user_handle: &[u8; 32],
    credential_id: &[u8],
) -> Result<Key, VaultError> {
    let bound = bound_to(DATA_KEY_LABEL, &[user_handle, credential_id]);
    let bytes = Zeroizing::new(decrypt(&wrapping_key(prf), wrapped_key, &bound)?);
    let mut key = Key::default();
    if bytes.len() != KEY {
        return Err(VaultError);
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

fn wrapping_key(prf: &[u8; 32]) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, prf)
        .expand(WRAPPING_LABEL, key.as_mut_slice())
        .expect("32 bytes are within HKDF-SHA-256's limit");
    key
}

/// Associated data: the label and each part behind its length, so that no two lists look alike.
fn bound_to(label: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in [label].iter().chain(parts) {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key.as_slice()).expect("the key has the cipher's size")
}

fn encrypt(key: &Key, plain: &[u8], bound: &[u8]) -> Vec<u8> {
    let nonce = random::bytes::<NONCE>();
    let payload = Payload { msg: plain, aad: bound };
    let sealed = cipher(key).encrypt(&Nonce::from(nonce), payload);
    let sealed = sealed.expect("AES-GCM takes messages of this size");
    [&[VERSION][..], &nonce, &sealed].concat()
}

fn decrypt(key: &Key, blob: &[u8], bound: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (version, rest) = blob.split_first().ok_or(VaultError)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultError)?;
    if *version != VERSION {
        return Err(VaultError);
    }
    let payload = Payload { msg: sealed, aad: bound };
    cipher(key).decrypt(&Nonce::from(*nonce), payload).map_err(|_| VaultError)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRF: [u8; 32] = [1; 32];
    const USER: [u8; 32] = [2; 32];
    const URL: &str = "https://alice.example";
    const CREDENTIAL: &[u8] = &[3; 16];
    const TOKEN: &str = "mst_secret";

    fn sealed() -> Sealed {
        seal_new(&PRF, TOKEN, &USER, URL, CREDENTIAL)
    }

    fn opened(sealed: &Sealed) -> Option<String> {
        let opened = open(&PRF, &sealed.wrapped_key, &sealed.sealed_token, &USER, URL, CREDENTIAL);
        opened.ok().map(|token| token.to_string())
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing() {
        let sealed = sealed();
        assert_eq!(opened(&sealed).as_deref(), Some(TOKEN));
        let holds = |blob: &[u8]| blob.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes());
        assert!(!holds(&sealed.sealed_token));
        let other = self::sealed();
        assert_ne!(sealed.sealed_token, other.sealed_token, "fresh key and nonce each time");
    }

    #[test]
    fn another_place_does_not_open() {
        let Sealed { sealed_token, wrapped_key } = sealed();
        let tries = [
            open(&[9; 32], &wrapped_key, &sealed_token, &USER, URL, CREDENTIAL),
            open(&PRF, &wrapped_key, &sealed_token, &[9; 32], URL, CREDENTIAL),
            open(&PRF, &wrapped_key, &sealed_token, &USER, "https://b.example", CREDENTIAL),
            open(&PRF, &wrapped_key, &sealed_token, &USER, URL, &[9; 16]),
            open(&PRF, &sealed_token, &wrapped_key, &USER, URL, CREDENTIAL),
            open(&PRF, &sealed().wrapped_key, &sealed_token, &USER, URL, CREDENTIAL),
        ];
        assert!(tries.iter().all(|opened| *opened == Err(VaultError)));
    }

    #[test]
    fn one_flipped_bit_anywhere_is_noticed() {
        let mut sealed = sealed();
        for bit in 0..sealed.sealed_token.len() * 8 {
            sealed.sealed_token[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&sealed), None, "token, bit {bit}");
            sealed.sealed_token[bit / 8] ^= 1 << (bit % 8);
        }
        for bit in 0..sealed.wrapped_key.len() * 8 {
            sealed.wrapped_key[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&sealed), None, "key, bit {bit}");
            sealed.wrapped_key[bit / 8] ^= 1 << (bit % 8);
        }
        let whole = sealed.sealed_token.clone();
        for length in 0..whole.len() {
            sealed.sealed_token = whole[..length].to_vec();
            assert_eq!(opened(&sealed), None, "{length} bytes");
        }
    }

    #[test]
    fn a_second_passkey_opens_the_same_token_also_after_it_was_renewed() {
        let first = sealed();
        let data_key = unwrap_key(&PRF, &first.wrapped_key, &USER, CREDENTIAL).unwrap();
        let (prf, credential) = ([7; 32], [8; 16]);
        let wrapped_key = wrap_key(&prf, &data_key, &USER, &credential);
        let token = open(&prf, &wrapped_key, &first.sealed_token, &USER, URL, &credential);
        assert_eq!(token.unwrap().as_str(), TOKEN);
        let renewed = seal_token(&data_key, "mst_new", &USER, URL);
        let token = open(&prf, &wrapped_key, &renewed, &USER, URL, &credential);
        assert_eq!(token.unwrap().as_str(), "mst_new");
        let token = open(&PRF, &first.wrapped_key, &renewed, &USER, URL, CREDENTIAL);
        assert_eq!(token.unwrap().as_str(), "mst_new");
    }
}
