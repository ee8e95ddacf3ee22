//! What every answer carries, whatever it is.
use crate::http::Response;

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

pub fn add(response: &mut Response, https: bool) {
    let mut put = |name: &'static str, value: &'static str| {
        if !response.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
            response.fields.push((name, value.into()));
        }
    };
    put("content-security-policy", CONTENT_SECURITY_POLICY);
    put("x-content-type-options", "nosniff");
    put("referrer-policy", "same-origin");
    put("cross-origin-opener-policy", "same-origin");
    put("cross-origin-resource-policy", "same-origin");
    put("permissions-policy", PERMISSIONS_POLICY);
    put("cache-control", "no-store");
    if https {
        put("strict-transport-security", STRICT_TRANSPORT_SECURITY);
    }
}
