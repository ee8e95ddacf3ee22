//! `/test`, open only with `--admin`: lets a test look inside and misconfigure a running server.
//!
//! `POST` a JSON object; each member is one thing to do, done in the order of the table, and the
//! answer has a member for each that has something to say. `GET` tells how things stand. Faults never
//! touch this endpoint.
use super::Participant;
use super::address::Address;
use super::compose::uuid;
use super::db::messages::New;
use super::db::{DbError, contacts, tokens};
use super::faults::{Failure, Pattern};
use super::node::Node;
use super::refusal::error;
use super::seed::{self, Cast, Role};
use super::{api, payload};
use crate::http::{Method, Request, Response, deep};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Largest request, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// Lifetime of a set-up invite unless the test says another.
const INVITE_LIFETIME_MS: i64 = 24 * 3600 * 1000;

type Step = fn(&Test<'_>, &Value) -> Result<Value, Wrong>;

struct Test<'a> {
    node: &'a Arc<Node>,
    participant: &'a Arc<Participant>,
}

enum Wrong {
    /// The test asked for something that makes no sense.
    Asked(&'static str),
    Db(DbError),
}

impl From<DbError> for Wrong {
    fn from(e: DbError) -> Self {
        Wrong::Db(e)
    }
}

/// Everything a test can ask for, in the order it is done.
#[rustfmt::skip]
const STEPS: &[(&str, Step)] = &[
    // {"seed": 7, "peers": {"bob": "http://localhost:9102"}}: fills the state.
    ("seed", fill),
    // "name": the answer has `token` and `pairing`.
    ("mintToken", mint_token),
    // {"deviceName", "lifetimeMs"?}: the answer is the link.
    ("mintInvite", mint_invite),
    // true: no token is accepted any more.
    ("revokeTokens", revoke_tokens),
    // [{"peer", "payload", "id"?, "at"?}]: inbound messages that no one sent; answers their rows.
    ("inject", inject),
    // ["url"]: refuses what they send (403), or takes it again.
    ("block", |test, peers| block(test, peers, true)),
    ("unblock", |test, peers| block(test, peers, false)),
    // Milliseconds that every request waits.
    ("latencyMs", latency),
    // [{"path", "status", "code"?, "times"?}]: these requests fail; see `Pattern`.
    ("failures", failures),
    // "pattern" or null: these requests get no answer until told otherwise.
    ("hang", hang),
    // {"name", "data"}: an event as it stands.
    ("event", event),
    // true: forgets what streams could resume from.
    ("forgetEvents", |test, _| { test.participant.events.forget(); Ok(Value::Null) }),
    // true: ends every open stream.
    ("dropStreams", |test, _| { test.participant.events.end_streams(); Ok(Value::Null) }),
    // true: counts calls from nought again.
    ("forgetCalls", |test, _| { test.participant.faults.forget_calls(); Ok(Value::Null) }),
    // Milliseconds for which no connection is accepted, this endpoint's included.
    ("refuseMs", refuse),
];

pub fn answer(
    node: &Arc<Node>,
    participant: &Arc<Participant>,
    request: &mut Request<'_>,
) -> Response {
    let test = Test { node, participant };
    match request.method {
        Method::Get => api::json(200, &test.report()),
        Method::Post => match test.run(request) {
            Ok(done) => api::json(200, &done),
            Err(Wrong::Asked(what)) => error(400, "bad-test", what),
            Err(Wrong::Db(e)) => error(500, "internal", &e.to_string()),
        },
        _ => error(405, "method-not-allowed", "GET or POST"),
    }
}

impl Test<'_> {
    fn report(&self) -> Value {
        let participant = self.participant;
        json!({
            "url": participant.me.canonical(),
            "streams": participant.events.streams(),
            "lastEvent": participant.events.id(participant.events.last()),
            "calls": participant.faults.calls(),
        })
    }

    fn run(&self, request: &mut Request<'_>) -> Result<Value, Wrong> {
        let bytes =
            request.body.collect(MAX_BODY).map_err(|_| Wrong::Asked("the body is too large"))?;
        let asked: Option<Map<String, Value>> =
            deep::run(move || serde_json::from_slice(&bytes).ok());
        let asked = asked.ok_or(Wrong::Asked("the body is not a JSON object"))?;
        if asked.keys().any(|name| STEPS.iter().all(|(known, _)| known != name)) {
            return Err(Wrong::Asked("there is no such step"));
        }
        let mut done = Map::new();
        for (name, step) in STEPS {
            if let Some(value) = asked.get(*name) {
                let said = step(self, value)?;
                if !said.is_null() {
                    done.insert((*name).to_owned(), said);
                }
            }
        }
        Ok(Value::Object(done))
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, Wrong> {
    value.get(name).and_then(Value::as_str).ok_or(Wrong::Asked("a text is missing"))
}

fn number(value: &Value, what: &'static str) -> Result<u64, Wrong> {
    value.as_u64().ok_or(Wrong::Asked(what))
}

fn address(value: &Value) -> Result<Address, Wrong> {
    value.as_str().and_then(Address::parse).ok_or(Wrong::Asked("that is no participant"))
}

fn list(value: &Value) -> Result<&Vec<Value>, Wrong> {
    value.as_array().ok_or(Wrong::Asked("that is no list"))
}

fn fill(test: &Test<'_>, asked: &Value) -> Result<Value, Wrong> {
    let seed = number(&asked["seed"], "seed is a number")?;
    let mut cast = Cast::default();
    for (name, url) in asked.get("peers").and_then(Value::as_object).into_iter().flatten() {
        let role = Role::parse(name).ok_or(Wrong::Asked("nobody of that name is in the cast"))?;
        cast.set(role, url.as_str().unwrap_or_default())
            .map_err(|()| Wrong::Asked("that is no participant"))?;
    }
    seed::fill(test.participant, seed, &cast)?;
    Ok(Value::Null)
}

fn mint_token(test: &Test<'_>, name: &Value) -> Result<Value, Wrong> {
    let (token, pairing) = test.participant.create_token(name.as_str().unwrap_or("test"))?;
    Ok(json!({"token": token, "pairing": pairing}))
}

fn mint_invite(test: &Test<'_>, asked: &Value) -> Result<Value, Wrong> {
    let lifetime = asked.get("lifetimeMs").and_then(Value::as_i64).unwrap_or(INVITE_LIFETIME_MS);
    Ok(json!(test.participant.create_invite(text(asked, "deviceName")?, lifetime)?))
}

fn revoke_tokens(test: &Test<'_>, _: &Value) -> Result<Value, Wrong> {
    let revoked = test.participant.db.run(|t| tokens::revoke_all(t))?;
    test.participant.events.end_streams();
    Ok(json!(revoked))
}

fn inject(test: &Test<'_>, messages: &Value) -> Result<Value, Wrong> {
    let mut rows = Vec::new();
    for message in list(messages)? {
        let body = message.get("payload").cloned().and_then(payload::checked);
        let new = New {
            id: message.get("id").and_then(Value::as_str).map_or_else(uuid, str::to_owned),
            peer: address(&message["peer"])?,
            outbound: false,
            payload: body.ok_or(Wrong::Asked("a message has no payload"))?,
            state: None,
            error: None,
            created_at: message
                .get("at")
                .and_then(Value::as_i64)
                .unwrap_or_else(|| test.participant.now()),
            next_at: None,
            attempts: 0,
            sealed: None,
        };
        rows.push(test.participant.inject(new)?);
    }
    Ok(json!(rows))
}

fn block(test: &Test<'_>, peers: &Value, blocked: bool) -> Result<Value, Wrong> {
    let now = test.participant.now();
    for peer in list(peers)? {
        let peer = address(peer)?;
        test.participant.db.run(move |t| contacts::block(t, &peer, blocked, now))?;
    }
    Ok(Value::Null)
}

fn latency(test: &Test<'_>, ms: &Value) -> Result<Value, Wrong> {
    let ms = number(ms, "latencyMs is a number")?;
    test.participant.faults.set_latency(Duration::from_millis(ms));
    Ok(Value::Null)
}

fn failures(test: &Test<'_>, asked: &Value) -> Result<Value, Wrong> {
    let mut failures = Vec::new();
    for failure in list(asked)? {
        let status = number(&failure["status"], "a failure has a status")?;
        let status = u16::try_from(status).ok().filter(|s| (400..=599).contains(s));
        failures.push(Failure {
            pattern: Pattern::new(text(failure, "path")?),
            status: status.ok_or(Wrong::Asked("a failure has a status from 400 to 599"))?,
            code: failure.get("code").and_then(Value::as_str).unwrap_or("fault").to_owned(),
            times: failure.get("times").and_then(Value::as_u64).unwrap_or(u64::MAX),
        });
    }
    test.participant.faults.set_failures(failures);
    Ok(Value::Null)
}

fn hang(test: &Test<'_>, pattern: &Value) -> Result<Value, Wrong> {
    test.participant.faults.set_hang(pattern.as_str().map(Pattern::new));
    Ok(Value::Null)
}

fn event(test: &Test<'_>, asked: &Value) -> Result<Value, Wrong> {
    let data = asked.get("data").map(Value::to_string).unwrap_or_default();
    test.participant.events.publish(text(asked, "name")?.to_owned(), data);
    Ok(Value::Null)
}

/// In the background: this answer must still go out.
#[expect(clippy::disallowed_methods, reason = "sleeps on a thread of its own")]
fn refuse(test: &Test<'_>, ms: &Value) -> Result<Value, Wrong> {
    let time = Duration::from_millis(number(ms, "refuseMs is a number")?);
    let node = test.node.clone();
    let refuse = move || {
        std::thread::sleep(Duration::from_millis(50));
        node.refuse_for(time);
    };
    let thread = std::thread::Builder::new().name("demo-refusal".into());
    thread.spawn(refuse).map(drop).map_err(|_| Wrong::Asked("no thread could be started"))?;
    Ok(Value::Null)
}
