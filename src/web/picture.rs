//! A picture as the body of a request: looked at, never held.
use super::failure::Failure;
use crate::http::{BodyError, Request, RequestBody};
use crate::posta::{MAX_PICTURE, Picture};
use std::io::{Cursor, Read};

/// Enough first bytes to know each type.
pub const SNIFF: usize = 12;

/// By its first bytes (WHATWG MIME Sniffing §6.1): what it says of itself does not count.
pub fn image_type(first: &[u8]) -> Option<&'static str> {
    match first {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The body, from its first byte, with what was looked at put back.
pub struct Incoming<'r, 'b> {
    media_type: &'static str,
    length: u64,
    source: std::io::Chain<Cursor<Vec<u8>>, &'r mut RequestBody<'b>>,
}

impl<'r, 'b> Incoming<'r, 'b> {
    /// Refuses what a posta-server would, before it is passed on.
    pub fn look(request: &'r mut Request<'b>) -> Result<Self, Failure> {
        let body = &mut request.body;
        let length = body.length.ok_or(Failure::Bad("The size of the picture is not known."))?;
        if length > MAX_PICTURE {
            return Err(BodyError::TooLarge { limit: MAX_PICTURE as usize }.into());
        }
        let mut first = Vec::with_capacity(SNIFF);
        body.take(SNIFF as u64).read_to_end(&mut first).map_err(BodyError::from)?;
        match image_type(&first) {
            Some(media_type @ ("image/jpeg" | "image/png")) => {
                Ok(Incoming { media_type, length, source: Cursor::new(first).chain(body) })
            }
            _ => Err(Failure::Bad("Only JPEG and PNG pictures can be sent.")),
        }
    }

    pub fn picture(&mut self) -> Picture<'_> {
        Picture { media_type: self.media_type, length: self.length, source: &mut self.source }
    }
}

#[cfg(test)]
mod tests {
    use super::image_type;

    #[test]
    fn only_real_images_pass_whatever_they_say() {
        assert_eq!(image_type(b"\x89PNG\r\n\x1a\n1234"), Some("image/png"));
        assert_eq!(image_type(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
        assert_eq!(image_type(b"GIF89a"), Some("image/gif"));
        assert_eq!(image_type(b"RIFF1234WEBP"), Some("image/webp"));
        for other in [&b"<svg xmlns="[..], b"<!doctype html>", b"RIFF1234WAVE", b"", b"\x89PN"] {
            assert_eq!(image_type(other), None);
        }
    }
}
