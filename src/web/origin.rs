//! Where a request comes from. One that changes something must come from our own pages (cross-site
//! request forgery), and what only our pages may see is given to no other page, whatever that makes of
//! it (cross-site leaks): a foreign page may lead somebody here, and no more.
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

/// Whether somebody's own data may go out: to our own pages, to somebody who opens them, and to
/// programs that are no browsers. A page elsewhere may load none of it, into a frame or otherwise.
pub fn may_see(request: &Request<'_>) -> bool {
    let field = |name| request.fields.get(name);
    match field("sec-fetch-site") {
        None | Some("same-origin" | "none") => true,
        // Somebody followed a link.
        Some(_) => {
            field("sec-fetch-mode") == Some("navigate")
                && field("sec-fetch-dest") == Some("document")
        }
    }
}
