//! The client API: what this participant's own clients may ask.
pub mod contacts;
pub mod events;
pub mod identity;
pub mod invites;
pub mod messages;
pub mod uploads;

use super::Participant;
use super::address::Address;
use super::db::{DbError, tokens};
use super::query;
use super::refusal::error;
use crate::http::{Method, Request, Response, deep};
use serde_json::Value;
use std::sync::Arc;

/// Largest JSON body, in bytes: a payload that fills an envelope, escaped.
const MAX_JSON: usize = 256 * 1024;

/// One call as its handler sees it.
pub struct Call<'a, 'r> {
    pub participant: &'a Arc<Participant>,
    pub request: &'a mut Request<'r>,
    /// What stands in the path's `*`.
    pub part: &'a str,
    /// The token that was shown; 0 for calls that need none.
    pub token: i64,
}

type Handler = fn(&mut Call<'_, '_>) -> Result<Response, Failure>;

/// Who may call.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Token,
    Open,
}

/// Every call there is.
#[rustfmt::skip]
const ROUTES: &[(Method, &str, Door, Handler)] = &[
    (Method::Get,    "/api/v1/identity",         Door::Token, identity::show),
    (Method::Patch,  "/api/v1/identity",         Door::Token, identity::change),
    (Method::Put,    "/api/v1/identity/avatar",  Door::Token, identity::set_avatar),
    (Method::Delete, "/api/v1/identity/avatar",  Door::Token, identity::remove_avatar),
    (Method::Get,    "/api/v1/contacts",         Door::Token, contacts::list),
    (Method::Post,   "/api/v1/contacts",         Door::Token, contacts::add),
    (Method::Delete, "/api/v1/contacts",         Door::Token, contacts::remove),
    (Method::Post,   "/api/v1/contacts/read",    Door::Token, contacts::read),
    (Method::Get,    "/api/v1/messages",         Door::Token, messages::page),
    (Method::Post,   "/api/v1/messages",         Door::Token, messages::send),
    (Method::Post,   "/api/v1/messages/*/retry", Door::Token, messages::retry),
    (Method::Get,    "/api/v1/search",           Door::Token, messages::search),
    (Method::Post,   "/api/v1/uploads",          Door::Token, uploads::take),
    (Method::Get,    "/api/v1/events",           Door::Token, events::stream),
    (Method::Get,    "/api/v1/invite/info",      Door::Open,  invites::info),
    (Method::Post,   "/api/v1/invite/redeem",    Door::Open,  invites::redeem),
];

/// Why a call was not answered with what it asked for.
#[derive(Debug)]
pub enum Failure {
    Token,
    NotFound,
    /// 400: what is wrong with the request.
    Bad(&'static str),
    /// Any other refusal: status, code, words.
    Refused(u16, &'static str, &'static str),
    Db(DbError),
}

impl From<DbError> for Failure {
    fn from(e: DbError) -> Self {
        Failure::Db(e)
    }
}

impl Failure {
    fn answer(self) -> Response {
        match self {
            Failure::Token => error(401, "unauthorized", "this token is not accepted")
                .with("www-authenticate", "Bearer"),
            Failure::NotFound => error(404, "not-found", "there is nothing here"),
            Failure::Bad(what) => error(400, "bad-request", what),
            Failure::Refused(status, code, words) => error(status, code, words),
            Failure::Db(e) => {
                log::error!("a demo posta-server failed: {e}");
                error(500, "internal", "the posta-server failed")
            }
        }
    }
}

pub fn answer(participant: &Arc<Participant>, request: &mut Request<'_>) -> Response {
    let path = request.path.clone();
    let here: Vec<_> = ROUTES.iter().filter_map(|r| Some((r, part(r.1, &path)?))).collect();
    let route = here.iter().find(|((method, ..), _)| *method == request.method);
    let Some(((_, _, door, handler), part)) = route else {
        if here.is_empty() {
            return Failure::NotFound.answer();
        }
        let allowed: Vec<_> = here.iter().map(|((method, ..), _)| method.as_str()).collect();
        return error(405, "method-not-allowed", "not with this method")
            .with("allow", allowed.join(", "));
    };
    let token = match door {
        Door::Open => Ok(0),
        Door::Token => authenticate(participant, request),
    };
    let outcome = token.and_then(|token| handler(&mut Call { participant, request, part, token }));
    outcome.unwrap_or_else(Failure::answer)
}

/// What `*` stands for when `path` fits; the empty string where there is none.
fn part<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    match pattern.split_once('*') {
        None => (pattern == path).then_some(""),
        Some((before, after)) => {
            let part = path.strip_prefix(before)?.strip_suffix(after)?;
            (!part.is_empty() && !part.contains('/')).then_some(part)
        }
    }
}

fn authenticate(participant: &Participant, request: &Request<'_>) -> Result<i64, Failure> {
    let field = request.fields.get("authorization").ok_or(Failure::Token)?;
    let (scheme, token) = field.split_once(' ').ok_or(Failure::Token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Failure::Token);
    }
    let token = token.trim().to_owned();
    participant.db.run(move |t| tokens::find(t, &token))?.ok_or(Failure::Token)
}

impl Call<'_, '_> {
    fn query(&self, name: &str) -> Option<String> {
        query::get(self.request.query.as_deref(), name)
    }

    fn query_peer(&self, name: &str) -> Result<Address, Failure> {
        let text = self.query(name).ok_or(Failure::Bad("the query names no participant"))?;
        Address::parse(&text).ok_or(Failure::Bad("that is not the URL of a participant"))
    }

    /// A page's size within bounds.
    fn limit(&self) -> Result<i64, Failure> {
        let Some(text) = self.query("limit") else { return Ok(50) };
        let limit: i64 = text.parse().map_err(|_| Failure::Bad("limit is not a number"))?;
        Ok(limit.clamp(1, super::db::messages::MAX_PAGE))
    }

    fn body(&mut self) -> Result<Value, Failure> {
        let bytes = self.request.body.collect(MAX_JSON).map_err(|e| match e.status() {
            413 => Failure::Refused(413, "too-large", "the body is too large"),
            _ => Failure::Bad("the body did not arrive whole"),
        })?;
        deep::run(move || serde_json::from_slice(&bytes).ok())
            .ok_or(Failure::Bad("the body is not JSON"))
    }
}

/// A participant's URL in a body.
fn peer_in(body: &Value, name: &str) -> Result<Address, Failure> {
    let text = body.get(name).and_then(Value::as_str);
    text.and_then(Address::parse).ok_or(Failure::Bad("the body names no participant"))
}

pub fn json(status: u16, value: &Value) -> Response {
    Response::new(status)
        .bytes("application/json", value.to_string().into_bytes())
        .with("cache-control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_whole() {
        assert_eq!(part("/api/v1/contacts", "/api/v1/contacts"), Some(""));
        assert_eq!(part("/api/v1/contacts", "/api/v1/contacts/"), None);
        assert_eq!(part("/m/*/retry", "/m/12/retry"), Some("12"));
        for path in ["/m//retry", "/m/1/2/retry", "/m/retry", "/m/12", "/m/12/retry/"] {
            assert_eq!(part("/m/*/retry", path), None, "{path}");
        }
    }
}
