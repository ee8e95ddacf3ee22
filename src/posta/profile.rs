//! One's own name and picture, where the posta-server lets its clients change them. Call it from
//! coroutines only.
use super::server::{PostaError, Server, WRITE};
use crate::http::Method;
use crate::http::client::CallBody;

impl PostaError {
    /// The server has no such call, or not for this token, rather than anything against what was
    /// asked.
    pub fn is_not_offered(&self) -> bool {
        matches!(self, PostaError::Refused { status: 403 | 404 | 405 | 501, .. })
    }
}

impl Server {
    pub fn rename(&self, name: &str) -> Result<(), PostaError> {
        let body = serde_json::json!({ "name": name }).to_string();
        let body = CallBody::Bytes(body.as_bytes());
        let media_type = Some("application/json");
        self.change(Method::Patch, "/api/v1/identity", media_type, body, WRITE).map(drop)
    }

    pub fn remove_avatar(&self) -> Result<(), PostaError> {
        let target = "/api/v1/identity/avatar";
        self.change(Method::Delete, target, None, CallBody::Empty, WRITE).map(drop)
    }
}
