//! base64url without padding (RFC 4648 §5), strictly: one value has one spelling, so that a cookie
//! or a code cannot be varied and still mean the same.
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

pub fn b64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` for padding, white space, the other alphabet, and trailing bits that no encoder leaves.
pub fn b64url_decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfc_s_vectors_without_their_padding() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(b64url(plain.as_bytes()), encoded);
            assert_eq!(b64url_decode(encoded).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(b64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn a_second_spelling_is_no_spelling() {
        for bad in ["Zg==", "Zh", "Z", "Z g", "__9=", "/+8", "Zg\n", "Zm9v\0", "Zgé"] {
            assert_eq!(b64url_decode(bad), None, "{bad:?}");
        }
    }
}
