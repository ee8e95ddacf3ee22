//! Idempotency keys: what makes sending the same message again harmless.
use crate::ops::random;
use sha2::{Digest, Sha256};

/// A fresh UUID v4 (RFC 9562 §5.4), for a form that no script fills in.
pub fn fresh() -> String {
    uuid(random::bytes())
}

/// The key of a plain form's message. One form is one message, however often it is submitted; but
/// words that were changed after a failure are another message, and the first one may have arrived.
pub fn of(form: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"plain form");
    hash.update((form.len() as u64).to_be_bytes());
    hash.update(form);
    hash.update(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid(bytes)
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        text.extend(digits.into_iter().flatten());
    }
    text
}

/// RFC 9562 §5.4, lower or upper case.
pub fn is_uuid_v4(key: &str) -> bool {
    let bytes = key.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_four_uuids_are_idempotency_keys() {
        for (key, good) in [
            ("9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77", true),
            ("9B2F3F2E-6A53-4D5E-BA58-0D5B2C1C9B77", true),
            ("9b2f3f2e-6a53-1d5e-8a58-0d5b2c1c9b77", false),
            ("9b2f3f2e-6a53-4d5e-7a58-0d5b2c1c9b77", false),
            ("9b2f3f2e6a534d5e8a580d5b2c1c9b77", false),
            ("", false),
            ("zb2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77", false),
            ("9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b7\u{e9}", false),
        ] {
            assert_eq!(is_uuid_v4(key), good, "{key}");
        }
    }

    #[test]
    fn a_form_and_its_words_have_one_key() {
        let form = fresh();
        assert_ne!(form, fresh());
        let key = of(&form, "hello");
        assert!(is_uuid_v4(&form) && is_uuid_v4(&key), "{form} {key}");
        assert_eq!(key, of(&form, "hello"));
        assert_ne!(key, of(&form, "hello there"));
        assert_ne!(key, of(&fresh(), "hello"));
        assert_ne!(of("a", "bc"), of("ab", "c"));
    }
}
