//! Sessions on their way from one process to the next: bytes in RAM, wiped on both sides.
use super::sessions::{Account, Sessions};
use crate::http::client::{Client, Origin};
use crate::ops::encode;
use crate::posta::Server;
use crate::store::UserId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// One session, as it was.
#[derive(Serialize, Deserialize)]
pub struct Passed {
    /// Of the cookie, base64url.
    pub key: String,
    pub id: String,
    user: i64,
    tag: String,
    name: String,
    agent: String,
    tls: bool,
    host: String,
    port: u16,
    token: Zeroizing<String>,
    pub created_ms: u64,
    pub active_ms: u64,
}

impl Passed {
    pub fn user(&self) -> UserId {
        UserId(self.user)
    }

    /// Whether it is the account that its owner's browser knows by this name.
    pub fn is_of(&self, tag: &str) -> bool {
        self.tag == tag
    }
}

impl Sessions {
    /// All of them, for a successor.
    pub fn pass(&self) -> Vec<Passed> {
        let pass = |session: &super::Session| {
            let (origin, token) = session.server.credentials();
            let sign_in = session.sign_in();
            Passed {
                key: encode::b64url(&session.key),
                id: sign_in.id,
                user: session.user.0,
                tag: session.tag.clone(),
                name: session.name.clone(),
                agent: sign_in.agent,
                tls: origin.tls,
                host: origin.host,
                port: origin.port,
                token,
                created_ms: sign_in.created_ms,
                active_ms: sign_in.active_ms,
            }
        };
        self.all().iter().map(|session| pass(session)).collect()
    }

    /// Goes on with a predecessor's.
    pub fn receive(&self, passed: Vec<Passed>, client: &Client) {
        for one in passed {
            let Some(key) = encode::b64url_decode(&one.key).and_then(|key| key.try_into().ok())
            else {
                continue;
            };
            let origin = Origin { tls: one.tls, host: one.host, port: one.port };
            let account = Account {
                user: UserId(one.user),
                tag: one.tag,
                name: one.name,
                agent: one.agent,
                server: Server::new(client.clone(), origin, one.token),
            };
            self.restore(key, one.id, account, one.created_ms, one.active_ms);
        }
    }
}
