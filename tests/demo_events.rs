//! A demo posta-server's event stream, and the tokens and invites that open it.
mod support;

use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use support::posta::{Answer, Posta, send};
use support::process::run;
use support::stream::Event;
use support::until;

const BOB: &str = "bob.example";

fn text(body: &str) -> Value {
    json!({"kind": "posta.text/v1", "body": body})
}

/// Puts messages from Bob into the inbox; their rows.
fn inject(posta: &Posta, bodies: &[&str]) -> Vec<i64> {
    let messages: Vec<Value> =
        bodies.iter().map(|body| json!({"peer": BOB, "payload": text(body)})).collect();
    let rows = posta.tell(json!({ "inject": messages }))["inject"].clone();
    serde_json::from_value(rows).unwrap()
}

fn error(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"].as_str().unwrap_or_default())
}

#[test]
fn a_stream_replays_what_was_missed_or_says_that_it_cannot() {
    let mut alice = Posta::start("alice", &["--buffer", "5"]);
    inject(&alice, &["before"]);
    let events = alice.events(None);
    let (burst, ready) = events.until("ready");
    assert_eq!(burst.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["inbound"]);
    assert_eq!(burst[0].id, None, "the burst does not move where a client resumes");
    let row = inject(&alice, &["live"])[0];
    let live = events.next();
    assert_eq!((live.name.as_str(), &live.data["message"]["rowId"]), ("inbound", &json!(row)));

    // Resumed, it gets what came after that id, and no burst.
    inject(&alice, &["missed"]);
    let replay = |id: &Option<String>| alice.events(id.as_deref()).until("ready");
    let bodies = |events: &[Event]| {
        events.iter().map(|e| e.data["message"]["payload"]["body"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&replay(&live.id).0), ["missed"]);
    let (missed, now) = replay(&ready.id);
    assert_eq!(bodies(&missed), ["live", "missed"]);
    assert!(replay(&now.id).0.is_empty());

    // Too old, unknown, forgotten or from another life: start over.
    inject(&alice, &["1", "2", "3", "4", "5"]);
    let resync = |id: &Option<String>| {
        let (events, ready) = replay(id);
        assert_eq!(events.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["resync"]);
        ready
    };
    let ready = resync(&live.id);
    resync(&Some("nonsense".into()));
    alice.tell(json!({"forgetEvents": true}));
    resync(&ready.id);
    let last = replay(&None).1;
    alice.kill();
    alice.restart();
    let events = alice.events(last.id.as_deref());
    assert_eq!(events.next().name, "resync");
}

#[test]
fn streams_end_when_they_are_dropped_and_when_the_token_is_revoked() {
    let alice = Posta::start("alice", &[]);
    let events = alice.events(None).ready();
    assert_eq!(alice.report()["streams"], 1);
    alice.tell(json!({"dropStreams": true}));
    events.end();
    until("the stream has left", || (alice.report()["streams"] == 0).then_some(()));
    // Another process revokes; the stream ends at its next sign of life.
    let events = alice.events(None).ready();
    let state = alice.state();
    let revoke = ["demo-server", "token", "revoke", "--state", &state, "--name", "first"];
    assert!(run(&revoke).status.success());
    events.end();
    assert_eq!(error(&alice.get("/api/v1/identity")), (401, "unauthorized"));
    assert_eq!(run(&revoke).status.code(), Some(1));
    assert_eq!(alice.events(None).status, 401);
}

#[test]
fn a_client_that_goes_away_is_noticed() {
    let alice = Posta::start("alice", &["--heartbeat", "100ms"]);
    let mut socket = TcpStream::connect(alice.address()).unwrap();
    let (host, token) = (alice.peer(), &alice.token);
    let fields = format!("host: {host}\r\nauthorization: Bearer {token}");
    write!(socket, "GET /api/v1/events HTTP/1.1\r\n{fields}\r\n\r\n").unwrap();
    until("the stream is open", || (alice.report()["streams"] == 1).then_some(()));
    drop(socket);
    until("the stream is closed", || (alice.report()["streams"] == 0).then_some(()));
}

#[test]
fn tokens_are_made_by_the_command_and_die_with_revocation() {
    let mut alice = Posta::start("alice", &[]);
    let state = alice.state();
    let made = run(&["demo-server", "token", "create", "--state", &state, "--name", "phone"]);
    let uri = String::from_utf8(made.stdout).unwrap();
    let (address, token) = uri.trim().split_once("#token=").unwrap();
    assert_eq!(address, format!("posta+v1://{}", alice.peer()));
    alice.token = token.to_owned();
    assert_eq!(alice.get("/api/v1/identity").status, 200);
    // Survives a restart; no new pairing is printed.
    alice.kill();
    alice.restart();
    assert!(!alice.process().ready.contains("pairing"));
    assert_eq!(alice.get("/api/v1/identity").status, 200);
    // In the file there is nothing one could sign in with.
    let files = ["", "-wal"].map(|end| std::fs::read(format!("{state}{end}")).unwrap_or_default());
    assert!(files.iter().all(|file| !file.windows(20).any(|w| w == &token.as_bytes()[..20])));
    let events = alice.events(None).ready();
    assert_eq!(alice.tell(json!({"revokeTokens": true}))["revokeTokens"], 2);
    events.end();
    assert_eq!(alice.get("/api/v1/identity").status, 401);
    alice.token =
        alice.tell(json!({"mintToken": "again"}))["mintToken"]["token"].as_str().unwrap().into();
    assert_eq!(alice.get("/api/v1/identity").status, 200);
}

#[test]
fn a_set_up_invite_is_good_for_one_token() {
    let mut alice = Posta::start("alice", &[]);
    let mint = |alice: &Posta, asked: Value| {
        let link = alice.tell(json!({ "mintInvite": asked }))["mintInvite"].clone();
        link.as_str().unwrap().split_once("/setup#invite=").unwrap().1.to_owned()
    };
    let invite = mint(&alice, json!({"deviceName": "tablet"}));
    let info = alice.get(&format!("/api/v1/invite/info?invite={invite}"));
    assert_eq!((info.status, &info.body["deviceName"]), (200, &json!("tablet")));
    assert_eq!(info.body["identity"], alice.url);
    let redeem = |invite: &str| {
        let body = json!({"invite": invite, "deviceName": "my tablet"});
        let request = minreq::post(format!("{}/api/v1/invite/redeem", alice.url));
        send(request.with_body(body.to_string()))
    };
    let redeemed = redeem(&invite);
    assert_eq!((redeemed.status, &redeemed.body["deviceName"]), (200, &json!("my tablet")));
    let expired = mint(&alice, json!({"deviceName": "late", "lifetimeMs": -1}));
    for gone in [invite.as_str(), &expired, "pinv_unknown"] {
        assert_eq!(error(&redeem(gone)), (410, "gone"));
        assert_eq!(alice.get(&format!("/api/v1/invite/info?invite={gone}")).status, 410);
    }
    alice.token = redeemed.body["token"].as_str().unwrap().to_owned();
    assert_eq!(alice.get("/api/v1/identity").status, 200);
}
