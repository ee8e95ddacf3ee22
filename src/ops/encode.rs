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

/// A whole number as text, written from the end of `room`.
pub fn decimal(number: u64, room: &mut [u8; 20]) -> &str {
    let (mut at, mut left) = (room.len(), number);
    loop {
        at -= 1;
        room[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    std::str::from_utf8(&room[at..]).unwrap_or_default()
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

    #[test]
    fn whole_numbers_are_written_as_ever() {
        for number in [0, 7, 10, 99, 100, 65_535, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string());
        }
    }
}
