//! `POST /c/<peer>/messages`: one text message.
use super::app::App;
use super::failure::{Answer, Failure};
use super::form::Form;
use super::routes::Params;
use super::thread::peer_of;
use crate::http::{Request, Response};
use crate::session::Session;
use std::sync::Arc;

/// posta-servers take envelopes of at most 64 KiB; JSON and the envelope's own fields need room,
/// and a form's percent-encoding can triple the bytes on their way here.
pub const MAX_TEXT: usize = 48 * 1024;
const MAX_FORM: usize = 3 * MAX_TEXT + 1024;

pub fn text(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let peer = peer_of(params)?;
    let body = request.body.collect(MAX_FORM)?;
    let form = Form::parse(&String::from_utf8_lossy(&body));
    // Browsers send line breaks in forms as CRLF (WHATWG HTML §4.10.21.8).
    let text = form.text("text").replace("\r\n", "\n");
    let text = text.trim_end();
    if text.trim().is_empty() {
        return Err(Failure::Bad("There is nothing to send yet."));
    }
    if text.len() > MAX_TEXT {
        return Err(Failure::Bad("This message is too long. Send it in parts."));
    }
    let key = form.text("key");
    if !is_uuid_v4(key) {
        return Err(Failure::Bad("The page lost track of this message. Reload it and try again."));
    }
    app.account(session).send_text(&peer, text, key)?;
    Ok(Response::new(204))
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
    use super::is_uuid_v4;

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
}
