//! `GET /media/<mark>?u=<url>`: images of messages and contacts, fetched by us, so that looking at
//! a message does not tell its sender the reader's address.
//!
//! Only URLs that we put into a page of this user are fetched: the mark is a keyed hash over user
//! and URL, with a key that is new at every start.
use super::app::App;
use super::failure::{Answer, Failure};
use super::form::{self, Form};
use super::picture::{SNIFF, image_type};
use super::routes::Params;
use crate::http::client::{Call, CallBody, Deadlines, Origin};
use crate::http::{Body, Method, Request, Response};
use crate::ops::encode;
use crate::posta::{MAX_PICTURE, PeerUrl};
use crate::session::{Kind, Session};
use crate::store::UserId;
use hkdf::Hkdf;
use sha2::Sha256;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

const MAX_URL: usize = 2048;
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(10),
    total: Duration::from_secs(60),
};

impl App {
    /// Where a page of `user` finds the image at `url`; `None` when it can't be one.
    pub fn media_url(&self, user: UserId, url: &str) -> Option<String> {
        split(url)?;
        let mark = encode::b64url(&self.media_mark(user, url));
        Some(format!("/media/{mark}?u={}", form::encode(url)))
    }

    fn media_mark(&self, user: UserId, url: &str) -> [u8; 16] {
        let mut mark = [0; 16];
        Hkdf::<Sha256>::from_prk(&self.media_key)
            .and_then(|key| {
                let user = user.0.to_be_bytes();
                key.expand_multi_info(&[b"media", &user, url.as_bytes()], &mut mark)
                    .map_err(|_| hkdf::InvalidPrkLength)
            })
            .expect("a 32-byte key and a 16-byte output are within HKDF's limits");
        mark
    }
}

pub fn fetch(
    app: &App,
    session: &Arc<Session>,
    request: &mut Request<'_>,
    params: &Params<'_>,
) -> Answer {
    let query = Form::parse(request.query.as_deref().unwrap_or(""));
    let url = query.text("u");
    let mark = encode::b64url_decode(params.raw(0)).ok_or(Failure::NotFound)?;
    if !bool::from(mark.as_slice().ct_eq(&app.media_mark(session.user, url))) {
        return Err(Failure::NotFound);
    }
    let (origin, target) = split(url).ok_or(Failure::NotFound)?;
    app.limit(Kind::Media, session, request)?;
    let mut answer = app
        .client
        .call(Call {
            method: Method::Get,
            origin: &origin,
            target: &target,
            fields: &[("accept", "image/jpeg, image/png, image/webp, image/gif")],
            body: CallBody::Empty,
            deadlines: DEADLINES,
            max_answer: MAX_PICTURE,
        })
        .map_err(|e| {
            log::debug!("id={} media: {e}", request.id);
            Failure::NotFound
        })?;
    if answer.status != 200 {
        return Err(Failure::NotFound);
    }
    let length = answer.fields.get("content-length").and_then(|length| length.parse().ok());
    let mut first = Vec::with_capacity(SNIFF);
    (&mut answer).take(SNIFF as u64).read_to_end(&mut first).map_err(|_| Failure::NotFound)?;
    let content_type = image_type(&first).ok_or(Failure::NotFound)?;
    let mut response = Response::new(200)
        .with("content-type", content_type)
        // Opened by itself, a browser shows it in a page of its own making, with its own style.
        .with("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        .with("content-disposition", "inline");
    response.body = Body::Stream {
        length,
        write: Box::new(move |out| {
            out.write_all(&first)?;
            std::io::copy(&mut answer, out).map(|_| ())
        }),
    };
    Ok(response)
}

/// Origin and target of an image URL; the address guard decides where it may lead.
fn split(url: &str) -> Option<(Origin, String)> {
    if url.len() > MAX_URL || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let url = url.split('#').next().unwrap_or(url);
    let (base, query) = match url.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (url, None),
    };
    // An image's address follows the same rules as a participant's: https, or http on loopback.
    let base = PeerUrl::parse(base).ok()?;
    let (scheme, rest) = base.canonical().split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let tls = scheme == "https";
    let port = authority.strip_prefix(base.host())?.strip_prefix(':');
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => {
            if tls {
                443
            } else {
                80
            }
        }
    };
    let mut target = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    Some((Origin { tls, host: base.host().to_owned(), port }, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_urls_are_split_and_nothing_else_is() {
        for (url, expected) in [
            ("https://a.example/x.png", Some((true, "a.example", 443, "/x.png"))),
            ("https://A.example:8443", Some((true, "a.example", 8443, "/"))),
            ("https://a.example/x?y=1&z#f", Some((true, "a.example", 443, "/x?y=1&z"))),
            (
                "http://localhost:9101/upload-1.png",
                Some((false, "localhost", 9101, "/upload-1.png")),
            ),
            ("https://[2001:db8::1]:99/x", Some((true, "[2001:db8::1]", 99, "/x"))),
            ("http://a.example/x.png", None),
            ("ftp://a.example/x.png", None),
            ("javascript:alert(1)", None),
            ("https://user@a.example/x.png", None),
            ("https://a.example/x y.png", None),
            ("https://a.example/\r\nHost: b", None),
            ("", None),
        ] {
            let split = split(url);
            let split = split.as_ref().map(|(o, t)| (o.tls, o.host.as_str(), o.port, t.as_str()));
            assert_eq!(split, expected, "{url:?}");
        }
    }
}
