//! Cross-site request forgery: a request that changes something must come from our own pages.
//!
//! Browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata) and, older ones
//! too, in `Origin` (RFC 6454 §7). One that says neither is not a browser showing our page.
use crate::http::{Method, Request};

/// Whether the request may change state.
pub fn is_own(request: &Request<'_>, own_origin: &str) -> bool {
    if matches!(request.method, Method::Get | Method::Head | Method::Options) {
        return true;
    }
    // A field that comes twice must be right twice: nobody may add theirs to a browser's.
    let mut said = false;
    let mut right = |value: &str, own: &str| {
        said = true;
        value == own
    };
    request.fields.all("origin").all(|origin| right(origin, own_origin))
        && request.fields.all("sec-fetch-site").all(|site| right(site, "same-origin"))
        && said
}
