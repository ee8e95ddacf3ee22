//! The invite of a set-up link: looked at as often as one likes, exchanged for a token once. Call it
//! from coroutines only.
//!
//! POSTA has unknown, expired and used invites answered alike, with 410.
use super::json;
use super::model::short_text;
use super::pairing::{Pairing, SetupInvite, is_secret};
use super::server::{self, MAX_SMALL, PostaError, READ, WRITE};
use super::url::{PeerUrl, percent_encode};
use crate::http::Method;
use crate::http::client::{Call, CallBody, Client};
use crate::http::deep::{self, Lane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Longest name of a device, in characters.
pub const MAX_DEVICE: usize = 80;

/// What an invite says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct InviteInfo {
    /// Whom its token will speak for.
    pub identity: PeerUrl,
    /// What its maker called the device; may be empty.
    pub device_name: String,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SetupError {
    /// Unknown, expired or used.
    Gone,
    Posta(PostaError),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetupError::Gone => f.write_str("the set-up link is unknown, expired or used"),
            SetupError::Posta(e) => e.fmt(f),
        }
    }
}

impl From<PostaError> for SetupError {
    fn from(e: PostaError) -> Self {
        match e {
            PostaError::Refused { status: 410, .. } => SetupError::Gone,
            e => SetupError::Posta(e),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    invite: &'a str,
    device_name: &'a str,
}

#[derive(Deserialize)]
struct Given {
    token: Zeroizing<String>,
    identity: String,
}

impl SetupInvite {
    /// Looks at the invite, which stays as it is.
    pub fn look(&self, client: &Client) -> Result<InviteInfo, SetupError> {
        let invite = percent_encode(&self.secret);
        let target = Zeroizing::new(format!("/api/v1/invite/info?invite={invite}"));
        let answer = client.call(Call {
            method: Method::Get,
            origin: &self.origin,
            target: &target,
            fields: &[("accept", "application/json")],
            body: CallBody::Empty,
            deadlines: READ,
            max_answer: MAX_SMALL,
        });
        let lane = Lane::default();
        let body = server::accepted(&lane, answer.map_err(server::unanswered)?)?;
        Ok(server::understood(&lane, body, "invite", |value| {
            Some(InviteInfo {
                identity: json::peer(value, &["identity", "url"])?,
                device_name: short_text(value, &["deviceName"], MAX_DEVICE),
                expires_at: json::time(value, &["expiresAt"]),
            })
        })?)
    }

    /// Uses the invite up: a token of the participant it was made by, under the name of a device.
    pub fn redeem(
        &self,
        client: &Client,
        device_name: &str,
    ) -> Result<(Pairing, PeerUrl), SetupError> {
        let asked = Asked { invite: &self.secret, device_name };
        let asked = serde_json::to_vec(&asked)
            .map_err(|_| PostaError::NotUnderstood("the device's name".into()))?;
        let asked = Zeroizing::new(asked);
        let mut source = asked.as_slice();
        let answer = client.call(Call {
            method: Method::Post,
            origin: &self.origin,
            target: "/api/v1/invite/redeem",
            fields: &[("accept", "application/json"), ("content-type", "application/json")],
            // Streamed, so that it goes out on a connection of its own: on a pooled one that turns
            // out closed nobody could tell whether the invite is used up.
            body: CallBody::Stream { length: Some(asked.len() as u64), source: &mut source },
            deadlines: WRITE,
            max_answer: MAX_SMALL,
        });
        let answer = answer.map_err(server::unanswered)?;
        let body = Zeroizing::new(server::accepted(&Lane::default(), answer)?);
        let given: Option<Given> = deep::run(move || serde_json::from_slice(&body).ok());
        let unknown = || PostaError::NotUnderstood("a token in an unknown form".into());
        let Given { token, identity } = given.ok_or_else(unknown)?;
        let identity = PeerUrl::parse(&identity).map_err(|_| unknown())?;
        if !is_secret(&token) {
            return Err(unknown().into());
        }
        Ok((Pairing { origin: self.origin.clone(), token }, identity))
    }
}
