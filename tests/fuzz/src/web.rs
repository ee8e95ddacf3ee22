//! What pages read of a request.
#[path = "../../../src/web/cookie.rs"]
pub mod cookie;
#[path = "../../../src/web/form.rs"]
pub mod form;
