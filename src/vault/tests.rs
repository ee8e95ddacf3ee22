//! What opens, and all that must not.
use super::*;

const PRF: [u8; 32] = [1; 32];
const USER: [u8; 32] = [2; 32];
const URL: &str = "https://alice.example";
const CREDENTIAL: &[u8] = &[3; 16];
const TOKEN: &str = "mst_secret";

fn sealed() -> Sealed {
    seal_new(&PRF, TOKEN, &USER, URL, CREDENTIAL)
}

fn opened(sealed: &Sealed) -> Result<String, VaultError> {
    let opened = open(&PRF, &sealed.wrapped_key, &sealed.sealed_token, &USER, URL, CREDENTIAL);
    opened.map(|token| token.to_string())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

#[test]
fn what_is_sealed_opens_again_and_shows_nothing() {
    let sealed = sealed();
    assert_eq!(opened(&sealed).as_deref(), Ok(TOKEN));
    let holds = |blob: &[u8]| blob.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes());
    assert!(!holds(&sealed.sealed_token) && !holds(&sealed.wrapped_key));
    for token in ["", "ø", &"x".repeat(10_000)] {
        let Sealed { sealed_token, wrapped_key } = seal_new(&PRF, token, &USER, URL, CREDENTIAL);
        let opened = open(&PRF, &wrapped_key, &sealed_token, &USER, URL, CREDENTIAL);
        assert_eq!(opened.unwrap().as_str(), token);
    }
}

#[test]
fn each_seal_has_its_own_key_and_nonce() {
    let (one, other) = (sealed(), sealed());
    assert_ne!(one.sealed_token[1..13], other.sealed_token[1..13]);
    assert_ne!(one.wrapped_key[1..13], other.wrapped_key[1..13]);
    let key = |s: &Sealed| unwrap_key(&PRF, &s.wrapped_key, &USER, CREDENTIAL).unwrap();
    assert_ne!(key(&one), key(&other));
    assert_ne!(key(&one)[..], PRF[..]);
}

/// Blobs of version 1 made by another implementation (Python's `cryptography`): what lies in
/// databases must open for as long as the version is known.
#[test]
fn version_1_stays_what_it_is() {
    let sealed = Sealed {
        sealed_token: unhex(
            "0104040404040404040404040409f4bad75a30f2efaf71cbd1d6f51549a186449f9360dded8e55",
        ),
        wrapped_key: unhex(
            "0105050505050505050505050571eaf50e636bfff92b768ef439b24f198a8abdf8f5b8e78cc464153e4d5c1fa8\
             c871d211a518fb1358aaf25a49f0df69",
        ),
    };
    assert_eq!(opened(&sealed).as_deref(), Ok(TOKEN));
    let key = unwrap_key(&PRF, &sealed.wrapped_key, &USER, CREDENTIAL).unwrap();
    assert!(key.iter().copied().eq(0..32));
}

#[test]
fn another_place_or_key_does_not_open() {
    let Sealed { sealed_token, wrapped_key } = sealed();
    let tries = [
        ("prf", open(&[9; 32], &wrapped_key, &sealed_token, &USER, URL, CREDENTIAL)),
        ("user", open(&PRF, &wrapped_key, &sealed_token, &[9; 32], URL, CREDENTIAL)),
        ("server", open(&PRF, &wrapped_key, &sealed_token, &USER, "https://b.example", CREDENTIAL)),
        ("no server", open(&PRF, &wrapped_key, &sealed_token, &USER, "", CREDENTIAL)),
        ("credential", open(&PRF, &wrapped_key, &sealed_token, &USER, URL, &[9; 16])),
        ("longer credential", open(&PRF, &wrapped_key, &sealed_token, &USER, URL, &[3; 17])),
        ("swapped", open(&PRF, &sealed_token, &wrapped_key, &USER, URL, CREDENTIAL)),
        ("other key", open(&PRF, &sealed().wrapped_key, &sealed_token, &USER, URL, CREDENTIAL)),
    ];
    for (what, opened) in tries {
        assert_eq!(opened, Err(VaultError::Refused), "{what}");
    }
    // The token's blob is bound to the user by itself, not only through the wrapped key.
    let data_key = unwrap_key(&PRF, &wrapped_key, &USER, CREDENTIAL).unwrap();
    let moved = wrap_key(&PRF, &data_key, &[9; 32], CREDENTIAL);
    let opened = open(&PRF, &moved, &sealed_token, &[9; 32], URL, CREDENTIAL);
    assert_eq!(opened, Err(VaultError::Refused));
}

#[test]
fn places_cannot_be_confused() {
    // The same bytes, differently divided between label and the rest.
    assert_ne!(place(b"ab", &USER, b""), place(b"a", &USER, b"b"));
    assert_ne!(place(TOKEN_LABEL, &USER, CREDENTIAL), place(DATA_KEY_LABEL, &USER, CREDENTIAL));
    let mut shifted = USER;
    shifted[0] = b'b';
    assert_ne!(place(b"ab", &USER, b"c"), place(b"a", &shifted, b"c"));
}

/// Both blobs, each changed by `change`.
fn each_changed(change: impl Fn(&mut Vec<u8>), expected: VaultError) {
    let (mut token, mut key) = (sealed(), sealed());
    change(&mut token.sealed_token);
    change(&mut key.wrapped_key);
    assert_eq!(opened(&token), Err(expected), "token");
    assert_eq!(opened(&key), Err(expected), "key");
}

#[test]
fn one_flipped_bit_anywhere_is_noticed() {
    let mut sealed = sealed();
    let blobs: [fn(&mut Sealed) -> &mut Vec<u8>; 2] =
        [|sealed| &mut sealed.sealed_token, |sealed| &mut sealed.wrapped_key];
    for blob in blobs {
        for bit in 0..8 * blob(&mut sealed).len() {
            let (at, flip) = (bit / 8, 1 << (bit % 8));
            blob(&mut sealed)[at] ^= flip;
            let expected = match at {
                0 => VaultError::Version(VERSION ^ flip),
                _ => VaultError::Refused,
            };
            assert_eq!(opened(&sealed), Err(expected), "bit {bit}");
            blob(&mut sealed)[at] ^= flip;
        }
        assert_eq!(opened(&sealed).as_deref(), Ok(TOKEN));
    }
}

#[test]
fn what_is_cut_off_or_longer_does_not_open() {
    for length in 0..1 + NONCE + TAG {
        each_changed(|blob| blob.truncate(length), VaultError::CutOff);
    }
    each_changed(|blob| blob.truncate(1 + NONCE + TAG), VaultError::Refused);
    each_changed(|blob| blob.truncate(blob.len() - 1), VaultError::Refused);
    each_changed(|blob| blob.push(0), VaultError::Refused);
}

#[test]
fn an_unknown_version_is_named() {
    for version in [0, 2, 255] {
        each_changed(|blob| blob[0] = version, VaultError::Version(version));
    }
    assert!(VaultError::Version(2).to_string().contains("version 2"));
}

#[test]
fn a_wrapped_key_of_another_size_is_refused() {
    let place = place(DATA_KEY_LABEL, &USER, CREDENTIAL);
    let short = encrypt(&wrapping_key(&PRF), &[0; 16], &place);
    assert_eq!(unwrap_key(&PRF, &short, &USER, CREDENTIAL), Err(VaultError::Refused));
}

#[test]
fn a_second_passkey_opens_the_same_token_also_after_it_was_renewed() {
    let first = sealed();
    let data_key = unwrap_key(&PRF, &first.wrapped_key, &USER, CREDENTIAL).unwrap();
    let (prf, credential) = ([7; 32], [8; 16]);
    let second = wrap_key(&prf, &data_key, &USER, &credential);
    let by_second = |token: &[u8]| open(&prf, &second, token, &USER, URL, &credential);
    assert_eq!(by_second(&first.sealed_token).unwrap().as_str(), TOKEN);
    // Re-paired in the presence of the second alone.
    let data_key = unwrap_key(&prf, &second, &USER, &credential).unwrap();
    let renewed = seal_token(&data_key, "mst_new", &USER, URL);
    assert_eq!(by_second(&renewed).unwrap().as_str(), "mst_new");
    let by_first = open(&PRF, &first.wrapped_key, &renewed, &USER, URL, CREDENTIAL);
    assert_eq!(by_first.unwrap().as_str(), "mst_new");
    // Neither opens what was wrapped for the other.
    assert!(open(&PRF, &second, &renewed, &USER, URL, &credential).is_err());
    assert!(open(&prf, &first.wrapped_key, &renewed, &USER, URL, CREDENTIAL).is_err());
}
