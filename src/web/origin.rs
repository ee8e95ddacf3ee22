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
    let origin = request.fields.get("origin");
    if origin.is_some_and(|origin| origin != own_origin) {
        return false;
    }
    match request.fields.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => origin.is_some(),
    }
}
