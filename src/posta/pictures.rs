//! Pictures on their way to a posta-server: each is passed on as it comes and never held. Call it
//! from coroutines only.
use super::content::{self, Image};
use super::json;
use super::server::{PostaError, Server, WRITE, understood};
use crate::http::Method;
use crate::http::client::{CallBody, Deadlines};
use std::io::Read;
use std::time::Duration;

/// The largest picture a posta-server takes, in bytes.
pub const MAX_PICTURE: u64 = 10 * 1024 * 1024;

/// A picture comes through at the pace of the person's own connection: their deadlines are the
/// public server's, this one is for a posta-server that stopped reading.
const PICTURE: Deadlines =
    Deadlines { first_byte: Duration::from_secs(30), total: Duration::from_secs(15 * 60), ..WRITE };

/// One picture, read as it is passed on.
pub struct Picture<'a> {
    /// `image/jpeg` or `image/png`.
    pub media_type: &'static str,
    /// In bytes.
    pub length: u64,
    pub source: &'a mut dyn Read,
}

impl Picture<'_> {
    fn body(&mut self) -> CallBody<'_> {
        CallBody::Stream { length: Some(self.length), source: self.source }
    }
}

impl Server {
    /// Stores a picture where everybody can fetch it who knows its URL. The same bytes get the same
    /// URL again.
    pub fn upload(&self, mut picture: Picture<'_>) -> Result<Image, PostaError> {
        let (media_type, length) = (picture.media_type, picture.length);
        let target = "/api/v1/uploads";
        let answer =
            self.change(Method::Post, target, Some(media_type), picture.body(), PICTURE)?;
        let url = understood(&self.lane, answer, "upload", |value| json::text(value, &["url"]))?;
        if !content::is_web_url(&url) {
            return Err(PostaError::NotUnderstood("the upload's URL".into()));
        }
        let media_type = Some(media_type.to_owned());
        Ok(Image { url, media_type, size: Some(length), ..Image::default() })
    }

    /// Puts a picture in the place of the person's own.
    pub fn set_avatar(&self, mut picture: Picture<'_>) -> Result<(), PostaError> {
        let media_type = Some(picture.media_type);
        let target = "/api/v1/identity/avatar";
        self.change(Method::Put, target, media_type, picture.body(), PICTURE).map(drop)
    }
}
