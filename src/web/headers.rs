//! What every answer carries, whatever it is.
use crate::http::Response;
use std::sync::LazyLock;

/// Only what is used: our own scripts, styles, fonts, images (`/media/` included) and requests.
/// No inline anything, no eval, no frames, no plugins, no `<base>`; forms go home.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     font-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; manifest-src 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Passkeys and the clipboard for ourselves; every sensor and the like for nobody.
macro_rules! permissions {
    ($camera:literal) => {
        concat!(
            "publickey-credentials-create=(self), publickey-credentials-get=(self), \
             clipboard-write=(self), clipboard-read=(self), accelerometer=(), autoplay=(), \
             browsing-topics=(), camera=",
            $camera,
            ", display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), \
             gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), \
             serial=(), storage-access=(), usb=(), xr-spatial-tracking=()"
        )
    };
}

pub const PERMISSIONS_POLICY: &str = permissions!("()");
/// For the pages where a QR code may be read.
pub const WITH_CAMERA: &str = permissions!("(self)");

/// Two years, for this host only: the operator's other hosts are none of our business.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000";

/// Fields, and whether an answer may have its own in their place.
const FIELDS: [(&str, &str, bool); 8] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY, true),
    ("permissions-policy", PERMISSIONS_POLICY, true),
    ("cache-control", "no-store", true),
    ("x-content-type-options", "nosniff", false),
    ("referrer-policy", "same-origin", false),
    ("cross-origin-opener-policy", "same-origin", false),
    ("cross-origin-resource-policy", "same-origin", false),
    ("strict-transport-security", STRICT_TRANSPORT_SECURITY, false),
];

/// Of the fields that may be replaced, how many choices there are; and with https or without.
const CHOICES: usize = 1 << 4;

pub fn add(response: &mut Response, https: bool) {
    static BLOCKS: LazyLock<[String; CHOICES]> = LazyLock::new(|| std::array::from_fn(block));
    let mut choice = usize::from(https) << 3;
    for (name, _) in &response.fields {
        let own = FIELDS[..3].iter().position(|(own, ..)| own.eq_ignore_ascii_case(name));
        choice |= own.map_or(0, |own| 1 << own);
    }
    response.common = &BLOCKS[choice];
}

/// The field lines of one choice.
fn block(choice: usize) -> String {
    let there = |at: usize| match at {
        0..3 => choice & 1 << at == 0,
        7 => choice & 1 << 3 != 0,
        _ => true,
    };
    let lines = FIELDS.iter().enumerate().filter(|(at, _)| there(*at));
    lines.map(|(_, (name, value, _))| format!("{name}: {value}\r\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(response: &mut Response, https: bool) -> Vec<&'static str> {
        add(response, https);
        let text = response.common.strip_suffix("\r\n").unwrap();
        text.split("\r\n").map(|line| line.split_once(": ").unwrap().0).collect()
    }

    #[test]
    fn every_answer_has_them_and_may_have_some_of_its_own() {
        let plain = lines(&mut Response::new(200), false);
        let names: Vec<&str> = FIELDS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(plain, names[..7]);
        assert_eq!(lines(&mut Response::new(200), true), names);
        let mut own = Response::new(200).with("Cache-Control", "no-cache").with("x", "y");
        let left: Vec<_> = names.iter().copied().filter(|name| *name != "cache-control").collect();
        assert_eq!(lines(&mut own, true), left);
        for (at, (name, ..)) in FIELDS.iter().enumerate().filter(|(_, field)| field.2) {
            let mut own = Response::new(200).with(name, "own");
            assert!(!lines(&mut own, true).contains(name) && at < 3, "{name}");
        }
    }

    #[test]
    fn what_is_sent_as_it_stands_is_well_formed() {
        for (name, value, _) in FIELDS {
            let token = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(name.bytes().all(token), "{name}");
            assert!(value.bytes().all(|b| (b' '..=b'~').contains(&b)), "{value}");
        }
    }
}
