//! One person's posta-server: its client API as typed calls. Call it from coroutines only.
//!
//! Peers go out in display form, as the client API itself writes them. The token lives in one
//! wiped buffer shared by all clones and shows nowhere.
use super::EventStream;
use super::content::Content;
use super::json::{self, Value};
use super::model::{Contact, Identity, MAX_MESSAGES, Message, Sent, cut};
use super::url::{PeerUrl, percent_encode};
use crate::http::Method;
use crate::http::client::{Answer, Call, CallBody, CallError, Client, Deadlines, Opened, Origin};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// For calls that read, while a page or a trigger waits for them.
pub(super) const READ: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(8),
    total: Duration::from_secs(12),
};
/// For calls that change something: giving up early would leave the person guessing.
pub(super) const WRITE: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(15),
    total: Duration::from_secs(20),
};
/// Largest answers, in bytes: an identity or a receipt; 5,000 contacts; a page of messages that are
/// all as large as the wire allows (64 KiB, in base64 when a room passed them on).
pub(super) const MAX_SMALL: u64 = 64 << 10;
const MAX_CONTACTS: u64 = 4 << 20;
const MAX_PAGE: u64 = 20 << 20;
/// Longest error code and text of a posta-server passed on, in characters.
const MAX_CODE: usize = 64;
const MAX_TEXT: usize = 300;

#[derive(Clone)]
pub struct Server {
    pub(super) client: Client,
    /// Shared by all clones.
    access: Arc<Mutex<Arc<Access>>>,
}

/// Where the posta-server is, and what lets one in.
pub(super) struct Access {
    pub(super) origin: Origin,
    /// The value of the `Authorization` field.
    pub(super) bearer: Zeroizing<String>,
}

impl Access {
    fn new(origin: Origin, token: &str) -> Arc<Access> {
        // One allocation of the final size: a growing string would leave copies behind.
        let mut bearer = Zeroizing::new(String::with_capacity("Bearer ".len() + token.len()));
        bearer.push_str("Bearer ");
        bearer.push_str(token);
        Arc::new(Access { origin, bearer })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("origin", &self.access().origin).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum PostaError {
    /// No answer, or a proxy's word that there is none; the text is fit for a developer.
    Unreachable(String),
    /// 401: the token is no longer accepted.
    TokenRefused,
    /// The server answered and said no, in its own words, cleaned for display.
    Refused { status: u16, code: String, message: String },
    /// What was to be passed on to it stopped coming; says nothing about the server.
    SourceBroke,
    /// An answer came and made no sense.
    NotUnderstood(String),
}

impl fmt::Display for PostaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PostaError::Unreachable(why) => write!(f, "the posta-server can't be reached: {why}"),
            PostaError::TokenRefused => f.write_str("the posta-server no longer accepts the token"),
            PostaError::Refused { status, code, message } => {
                write!(f, "the posta-server refused ({status} {code})")?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            PostaError::NotUnderstood(why) => {
                write!(f, "the posta-server's answer was not understood: {why}")
            }
            PostaError::SourceBroke => f.write_str("what was to be passed on stopped coming"),
        }
    }
}

impl PostaError {
    /// What a refusal says for itself: its message, its code, or at least its status.
    pub fn words(&self) -> String {
        match self {
            PostaError::Refused { status, code, message } => {
                let said = [message, code].into_iter().find(|said| !said.is_empty());
                said.cloned().unwrap_or_else(|| format!("error {status}"))
            }
            other => other.to_string(),
        }
    }
}

impl std::error::Error for PostaError {}

impl Server {
    pub fn new(client: Client, origin: Origin, token: Zeroizing<String>) -> Server {
        Server { client, access: Arc::new(Mutex::new(Access::new(origin, &token))) }
    }

    /// From the next call on, this and all its clones call there, with that token.
    pub fn switch(&self, origin: Origin, token: &str) {
        *self.lock() = Access::new(origin, token);
    }

    /// Where this calls.
    pub fn origin(&self) -> Origin {
        self.access().origin.clone()
    }

    /// What another process needs to go on with it: where it is, and the token.
    pub fn credentials(&self) -> (Origin, Zeroizing<String>) {
        let access = self.access();
        let token = access.bearer.strip_prefix("Bearer ").unwrap_or_default();
        (access.origin.clone(), Zeroizing::new(token.to_owned()))
    }

    pub(super) fn access(&self) -> Arc<Access> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Access>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn identity(&self) -> Result<Identity, PostaError> {
        let answer = self.get("/api/v1/identity", MAX_SMALL)?;
        understood(answer, "identity", Identity::read)
    }

    pub fn contacts(&self) -> Result<Vec<Contact>, PostaError> {
        understood(self.get("/api/v1/contacts", MAX_CONTACTS)?, "contacts", Contact::read_list)
    }

    /// A page of a thread, newest first: the newest, or those before a row.
    pub fn messages(
        &self,
        peer: &PeerUrl,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, PostaError> {
        let limit = limit.min(MAX_MESSAGES as u32);
        let mut target =
            format!("/api/v1/messages?peer={}&limit={limit}", percent_encode(peer.display()));
        if let Some(before) = before {
            target.push_str(&format!("&before={before}"));
        }
        let peer = peer.clone();
        let answer = self.get(&target, MAX_PAGE)?;
        understood(answer, "messages", move |value| Message::read_list(value, Some(&peer)))
    }

    /// Messages that hold what is looked for, newest first; of one thread or of all.
    pub fn search(
        &self,
        words: &str,
        peer: Option<&PeerUrl>,
        limit: u32,
    ) -> Result<Vec<Message>, PostaError> {
        let limit = limit.min(MAX_MESSAGES as u32);
        let mut target = format!("/api/v1/search?q={}&limit={limit}", percent_encode(words));
        if let Some(peer) = peer {
            target.push_str(&format!("&peer={}", percent_encode(peer.display())));
        }
        let peer = peer.cloned();
        let answer = self.get(&target, MAX_PAGE)?;
        understood(answer, "search results", move |value| {
            let mut found = Message::read_list(value, None)?;
            match &peer {
                // Results of one thread need not say which.
                Some(_) if found.is_empty() => return Message::read_list(value, peer.as_ref()),
                Some(peer) => found.retain(|message| message.peer == *peer),
                None => {}
            }
            Some(found)
        })
    }

    /// Queues a message. `key` is a UUID v4 that stays the same when the same send is tried again.
    pub fn send(&self, peer: &PeerUrl, payload: &Value, key: &str) -> Result<Sent, PostaError> {
        let body = serde_json::json!({"peer": peer.display(), "payload": payload});
        let answer = self.posted("/api/v1/messages", &body, &[("idempotency-key", key)])?;
        let taken = answer.status == 202;
        let receipt = understood(accepted(answer)?, "receipt", |value| {
            value.is_object().then(|| Sent::read(value))
        });
        // A posta-server says 202, and all else changes nothing about that. Whatever stands in front
        // of one may say 200 with a page of its own: then it is sent again, which the key makes safe.
        receipt.or_else(|e| if taken { Ok(Sent { row_id: None, state: None }) } else { Err(e) })
    }

    pub fn send_text(&self, peer: &PeerUrl, text: &str, key: &str) -> Result<Sent, PostaError> {
        self.send(peer, &Content::text_payload(text), key)
    }

    /// Moves the read watermark; the server never moves it backwards.
    pub fn mark_read(&self, peer: &PeerUrl, row: i64) -> Result<(), PostaError> {
        let body = serde_json::json!({"url": peer.display(), "rowId": row});
        self.post("/api/v1/contacts/read", &body, &[]).map(drop)
    }

    /// Takes a contact off the list.
    pub fn remove_contact(&self, peer: &PeerUrl) -> Result<(), PostaError> {
        let target = format!("/api/v1/contacts?url={}", percent_encode(peer.display()));
        self.change(Method::Delete, &target, None, CallBody::Empty, WRITE).map(drop)
    }

    /// A call that changes something; `media_type` is its body's.
    pub(super) fn change(
        &self,
        method: Method,
        target: &str,
        media_type: Option<&str>,
        body: CallBody<'_>,
        deadlines: Deadlines,
    ) -> Result<Vec<u8>, PostaError> {
        let access = self.access();
        let mut fields =
            vec![("authorization", access.bearer.as_str()), ("accept", "application/json")];
        fields.extend(media_type.map(|kind| ("content-type", kind)));
        let (origin, fields, max_answer) = (&access.origin, fields.as_slice(), MAX_SMALL);
        // The same body, for as long as this call lasts.
        let body = match body {
            CallBody::Empty => CallBody::Empty,
            CallBody::Bytes(bytes) => CallBody::Bytes(bytes),
            CallBody::Stream { length, source } => CallBody::Stream { length, source },
        };
        let call = Call { method, origin, target, fields, body, deadlines, max_answer };
        accepted(self.client.call(call).map_err(unanswered)?)
    }

    /// Queues a failed message again.
    pub fn retry(&self, row: i64) -> Result<(), PostaError> {
        self.post(&format!("/api/v1/messages/{row}/retry"), &Value::Null, &[]).map(drop)
    }

    /// Opens the event stream, after the event named by `last_id` where that is still known.
    pub fn events(&self, last_id: Option<&str>) -> Result<EventStream, PostaError> {
        let access = self.access();
        let mut fields = vec![
            ("authorization", access.bearer.as_str()),
            ("accept", "text/event-stream"),
            ("cache-control", "no-store"),
        ];
        fields.extend(last_id.map(|id| ("last-event-id", id)));
        let call = Call {
            method: Method::Get,
            origin: &access.origin,
            target: "/api/v1/events",
            fields: &fields,
            body: CallBody::Empty,
            deadlines: READ,
            max_answer: MAX_SMALL,
        };
        match self.client.events(call).map_err(unanswered)? {
            Opened::Events(events) => Ok(EventStream(events)),
            Opened::Refused(answer) => {
                accepted(answer)?;
                Err(PostaError::NotUnderstood("no event stream where one should be".into()))
            }
        }
    }

    fn get(&self, target: &str, max_answer: u64) -> Result<Vec<u8>, PostaError> {
        let access = self.access();
        let fields = [("authorization", access.bearer.as_str()), ("accept", "application/json")];
        let call = Call {
            method: Method::Get,
            origin: &access.origin,
            target,
            fields: &fields,
            body: CallBody::Empty,
            deadlines: READ,
            max_answer,
        };
        accepted(self.client.call(call).map_err(unanswered)?)
    }

    /// Every POST of the client API may be repeated: sends carry an idempotency key, the others
    /// change nothing the second time. So one whose kept-alive connection turns out to be closed is
    /// tried again, which the client, not knowing this, may not do for a POST.
    fn post(
        &self,
        target: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Result<Vec<u8>, PostaError> {
        accepted(self.posted(target, body, more)?)
    }

    fn posted(
        &self,
        target: &str,
        body: &Value,
        more: &[(&str, &str)],
    ) -> Result<Answer, PostaError> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let access = self.access();
        let mut fields = vec![
            ("authorization", access.bearer.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        fields.extend(more);
        let call = || {
            self.client.call(Call {
                method: Method::Post,
                origin: &access.origin,
                target,
                fields: &fields,
                body: CallBody::Bytes(body.as_bytes()),
                deadlines: WRITE,
                max_answer: MAX_SMALL,
            })
        };
        let answer = match call() {
            Err(CallError::Closed) => call(),
            answer => answer,
        };
        answer.map_err(unanswered)
    }
}

/// What it means that a call got no answer.
pub(super) fn unanswered(error: CallError) -> PostaError {
    match error {
        CallError::Malformed(_) | CallError::TooLarge => {
            PostaError::NotUnderstood(error.to_string())
        }
        CallError::Source(_) => PostaError::SourceBroke,
        _ => PostaError::Unreachable(error.to_string()),
    }
}

/// The body of a 2xx answer; the error any other answer stands for.
pub(super) fn accepted(answer: Answer) -> Result<Vec<u8>, PostaError> {
    let status = answer.status;
    match status {
        401 => return Err(PostaError::TokenRefused),
        // A reverse proxy in front of a posta-server that is down.
        502..=504 => return Err(PostaError::Unreachable(format!("answered {status}"))),
        // Redirects are not followed, and no posta-server gives any.
        300..=399 => return Err(PostaError::NotUnderstood(format!("answered {status}"))),
        _ => {}
    }
    let body = answer.collect();
    if (200..300).contains(&status) {
        return body.map_err(unanswered);
    }
    let (code, message) = body
        .ok()
        .and_then(|body| json::read(body, |value| (clean(value, "error"), clean(value, "message"))))
        .unwrap_or_default();
    Err(PostaError::Refused {
        status,
        code: cut(&code, MAX_CODE),
        message: cut(&message, MAX_TEXT),
    })
}

/// A text for people from an error body, on one line.
fn clean(value: &Value, name: &str) -> String {
    json::text(value, &[name]).unwrap_or_default().replace(char::is_control, " ")
}

pub(super) fn understood<T: Send + 'static>(
    body: Vec<u8>,
    what: &str,
    convert: impl FnOnce(&Value) -> Option<T> + Send + 'static,
) -> Result<T, PostaError> {
    json::read(body, convert)
        .flatten()
        .ok_or_else(|| PostaError::NotUnderstood(format!("{what} in an unknown form")))
}
