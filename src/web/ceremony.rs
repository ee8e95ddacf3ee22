//! What sign-up and sign-in share: the JSON that travels, and how a ceremony may end.
use super::agent;
use super::app::App;
use super::failure::{Answer, Failure};
use crate::http::client::Origin;
use crate::http::{Request, Response, deep};
use crate::ops::encode;
use crate::posta::Server;
use crate::session::Account;
use crate::store::UserId;
use crate::webauthn::CredentialJson;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt::Display;
use zeroize::Zeroizing;

/// An attestation with a certificate chain is a few kilobytes; this leaves room for odd ones.
const MAX_JSON: usize = 64 * 1024;
/// A PRF output (WebAuthn Level 3 §10.1.4).
const PRF: usize = 32;

/// What the scripts post.
#[derive(Deserialize)]
pub struct Json {
    pub ceremony: String,
    /// `PublicKeyCredential.toJSON()`, less its extensions' results.
    pub credential: CredentialJson,
    /// The PRF output, base64url.
    prf: Option<Zeroizing<String>>,
    /// Where to go after signing in.
    #[serde(default)]
    pub next: String,
    /// What the posta-server shall call this device.
    #[serde(default)]
    pub device: String,
}

impl Json {
    /// The PRF output, when there is one of the right size.
    pub fn take_prf(&mut self) -> Option<Zeroizing<[u8; PRF]>> {
        let bytes = Zeroizing::new(encode::b64url_decode(&self.prf.take()?)?);
        let mut prf = Zeroizing::new([0; PRF]);
        (bytes.len() == PRF).then(|| prf.copy_from_slice(&bytes))?;
        Some(prf)
    }
}

/// Reads the body of a ceremony's step; its buffer is wiped.
pub fn read(request: &mut Request<'_>) -> Result<Json, Failure> {
    let body = Zeroizing::new(request.body.collect(MAX_JSON)?);
    deep::run(move || serde_json::from_slice(&body))
        .map_err(|_| Failure::Bad("The page sent something that could not be read. Reload it."))
}

pub fn json(status: u16, value: &Value) -> Response {
    Response::new(status).bytes("application/json", value.to_string().into_bytes())
}

/// The end of a ceremony: where the page goes now.
pub fn located(location: &str) -> Response {
    json(200, &serde_json::json!({ "location": location }))
}

/// Why a ceremony did not go on.
pub enum Ending {
    /// A status and the sentence for the person.
    Told(u16, &'static str),
    /// As above, to somebody who holds a passkey that opens nothing here: what keeps it may let
    /// go of it.
    Unknown(u16, &'static str),
    /// As above; the reason is for the log only.
    Refused {
        status: u16,
        sentence: &'static str,
        why: String,
    },
    /// As above; nothing is lost, and `next` is the question with which it goes on.
    Again {
        status: u16,
        sentence: &'static str,
        next: Value,
    },
    Failed(Failure),
}

impl From<Failure> for Ending {
    fn from(failure: Failure) -> Self {
        Ending::Failed(failure)
    }
}

impl Ending {
    pub fn refused(status: u16, sentence: &'static str, why: impl Display) -> Self {
        Ending::Refused { status, sentence, why: why.to_string() }
    }

    /// The answer to the script; `what` names the ceremony in the log.
    pub fn answer(self, request_id: u64, what: &str) -> Answer {
        let (status, sentence, more) = match self {
            Ending::Failed(failure) => return Err(failure),
            Ending::Told(status, sentence) => (status, sentence, None),
            Ending::Unknown(status, sentence) => (status, sentence, Some(("unknown", true.into()))),
            Ending::Again { status, sentence, next } => (status, sentence, Some(("next", next))),
            Ending::Refused { status, sentence, why } => {
                log::info!("id={request_id} {what} refused: {why}");
                (status, sentence, None)
            }
        };
        let mut answer = serde_json::json!({ "error": sentence });
        if let Some((name, value)) = more {
            answer[name] = value;
        }
        Ok(json(status, &answer))
    }
}

/// A posta-server's base URL: what a sealed token is bound to.
pub fn server_url(origin: &Origin) -> String {
    let (scheme, default) = if origin.tls { ("https", 443) } else { ("http", 80) };
    if origin.port == default {
        format!("{scheme}://{}", origin.host)
    } else {
        format!("{scheme}://{}:{}", origin.host, origin.port)
    }
}

/// The inverse of [`server_url`].
pub fn origin_of(server_url: &str) -> Option<Origin> {
    let (scheme, authority) = server_url.split_once("://")?;
    let (tls, default) = match scheme {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    // The last colon is the port's, unless it stands inside an IPv6 literal.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    Some(Origin { tls, host: host.to_owned(), port })
}

/// Bytes of an account's name in its owner's browser.
const TAG: usize = 12;

/// Names an account to its owner's browser, always the same; tells nothing else.
pub(super) fn tag(handle: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"account").chain_update(handle).finalize();
    encode::b64url(&digest[..TAG])
}

impl App {
    /// Begins a session and gives its cookie's value. The session that this browser had, if it had
    /// one, ends: nobody could reach it any more.
    pub fn sign_in(
        &self,
        request: &Request<'_>,
        user: UserId,
        handle: &[u8; 32],
        name: &str,
        server: Server,
    ) -> String {
        if let Some(before) = self.session(request) {
            self.end_session(&before);
        }
        let agent = agent::in_words(request.fields.get("user-agent").unwrap_or(""));
        let tag = tag(handle);
        self.sessions.create(Account { user, tag, name: name.to_owned(), agent, server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_urls_round_trip() {
        for url in [
            "https://alice.example",
            "https://alice.example:8443",
            "http://localhost:9101",
            "https://[2001:db8::1]",
            "https://[2001:db8::1]:99",
        ] {
            let origin = origin_of(url).expect(url);
            assert_eq!(server_url(&origin), url);
        }
        assert!(origin_of("ftp://a.example").is_none());
        assert!(origin_of("https://a.example:x").is_none());
    }
}
