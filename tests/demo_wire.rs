//! Demo posta-servers among themselves, as processes over loopback HTTP: signed messages, refusals,
//! retries, a room and an agent.
mod support;

use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use support::participant::{Participant, deliver};
use support::posta::{Answer, Posta};
use support::until;

fn pair() -> (Posta, Posta) {
    (Posta::start("alice", &[]), Posta::start("bob", &[]))
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"].as_str().unwrap_or_default())
}

#[test]
fn two_servers_exchange_signed_messages() {
    let (alice, bob) = pair();
    let events = alice.events(None).ready();
    let row = alice.send_text(bob.peer(), "Is the kettle on?");
    let states: Vec<Value> = std::iter::from_fn(|| {
        let (_, event) = events.until("outbound-state");
        assert_eq!(event.data["rowId"], row);
        Some(event.data["state"].clone())
    })
    .take(3)
    .collect();
    assert_eq!(states, ["pending", "sending", "delivered"]);
    let received = bob.until_text(alice.peer(), "Is the kettle on?");
    assert_eq!(received["direction"], "inbound");
    assert_eq!(received["id"], alice.messages(bob.peer())[0]["id"]);
    // Both learn each other's names from the actor docs.
    until("alice knows bob's name", || {
        alice.contacts().into_iter().find(|c| c["url"] == bob.peer() && c["name"] == "Bob")
    });
    let contact = &bob.contacts()[0];
    assert_eq!((&contact["name"], &contact["kind"]), (&json!("Alice"), &json!("person")));
    bob.send_text(&alice.url, "It is singing");
    alice.until_text(&bob.url, "It is singing");
    // The canonical and the display form are one thread.
    assert_eq!(alice.messages(bob.peer()).len(), 2);
}

#[test]
fn what_is_not_signed_by_its_sender_is_refused() {
    let bob = Posta::start("bob", &[]);
    let mut mallory = Participant::start("Mallory");
    let good = mallory.envelope("m1", &bob.url, "hello");
    let bytes = || good.to_string().into_bytes();
    let signature = mallory.sign(&bytes());

    assert_eq!(refusal(&deliver(&bob, bytes(), None)), (401, "bad-signature"));
    let other = mallory.sign(b"something else");
    assert_eq!(refusal(&deliver(&bob, bytes(), Some(&other))), (401, "bad-signature"));
    assert_eq!(refusal(&deliver(&bob, bytes(), Some("?"))), (401, "bad-signature"));
    let mut changed = bytes();
    let at = String::from_utf8_lossy(&changed).find("hello").unwrap();
    changed[at] = b'j';
    assert_eq!(refusal(&deliver(&bob, changed, Some(&signature))), (401, "bad-signature"));

    let elsewhere = mallory.envelope("m2", "http://localhost:1", "hello");
    assert_eq!(refusal(&mallory.deliver(&bob, &elsewhere)), (421, "wrong-recipient"));
    let mut keyless = good.clone();
    keyless["keyId"] = json!("another");
    assert_eq!(refusal(&mallory.deliver(&bob, &keyless)), (401, "unknown-key"));
    let mut forged = good.clone();
    forged["from"] = json!("http://localhost:1");
    assert_eq!(refusal(&mallory.deliver(&bob, &forged)), (500, "internal"), "nobody to ask");
    assert_eq!(refusal(&mallory.deliver(&bob, &json!({"id": "m"}))), (400, "malformed"));
    let large = mallory.envelope("m3", &bob.url, &"x".repeat(64 * 1024));
    assert_eq!(refusal(&mallory.deliver(&bob, &large)), (413, "too-large"));
    bob.tell(json!({"block": [mallory.url]}));
    assert_eq!(refusal(&mallory.deliver(&bob, &good)), (403, "forbidden"));
    bob.tell(json!({"unblock": [mallory.url]}));
    assert!(bob.messages(&mallory.url).is_empty());

    assert_eq!(mallory.deliver(&bob, &good).status, 204);
    assert_eq!(refusal(&mallory.deliver(&bob, &good)), (409, "duplicate-id"));
    assert_eq!(bob.messages(&mallory.url).len(), 1);

    // The doc is kept, so one more message asks for nothing; a new key is found all the same.
    let asked = mallory.asked.load(Ordering::Relaxed);
    assert_eq!(mallory.deliver(&bob, &mallory.envelope("m4", &bob.url, "again")).status, 204);
    assert_eq!(mallory.asked.load(Ordering::Relaxed), asked);
    mallory.change_key(2);
    assert_eq!(mallory.deliver(&bob, &mallory.envelope("m5", &bob.url, "new key")).status, 204);
}

#[test]
fn a_recipient_who_is_away_gets_it_later_and_once() {
    let (mut alice, mut bob) =
        (Posta::start("alice", &["--retry", "400ms"]), Posta::start("bob", &[]));
    bob.kill();
    let row = alice.send_text(&bob.url, "Are you there?");
    let waiting = until("an attempt has failed", || {
        let message = alice.messages(&bob.url).remove(0);
        (message["lastErrorCode"] == "unreachable").then_some(message)
    });
    assert!(["pending", "sending"].contains(&waiting["state"].as_str().unwrap()));
    // The outbox outlives its process.
    alice.kill();
    bob.restart();
    alice.restart();
    alice.until_state(&bob.url, row, "delivered");
    bob.until_text(&alice.url, "Are you there?");
    assert_eq!(bob.messages(&alice.url).len(), 1);
}

#[test]
fn after_the_last_attempt_it_is_the_sender_s_turn() {
    let (alice, bob) = (Posta::start("alice", &["--retry", "50ms"]), Posta::start("bob", &[]));
    let busy = json!([{"path": "POST /", "status": 503, "code": "rate-limited", "times": 5}]);
    bob.tell(json!({ "failures": busy }));
    let row = alice.send_text(&bob.url, "Patience");
    let failed = alice.until_state(&bob.url, row, "failed-pending-user");
    assert_eq!(failed["lastErrorCode"], "rate-limited");
    assert_eq!(alice.post(&format!("/api/v1/messages/{row}/retry"), &json!({})).status, 202);
    alice.until_state(&bob.url, row, "delivered");
    let again = alice.post(&format!("/api/v1/messages/{row}/retry"), &json!({}));
    assert_eq!(refusal(&again), (409, "not-failed"));
    assert_eq!(alice.post("/api/v1/messages/999/retry", &json!({})).status, 404);
}

#[test]
fn a_refusal_is_final_unless_the_sender_asks_again() {
    let (alice, bob) = pair();
    bob.tell(json!({"block": [alice.url]}));
    let row = alice.send_text(&bob.url, "Sorry about the gull");
    let failed = alice.until_state(&bob.url, row, "failed-permanent");
    assert_eq!(failed["lastErrorCode"], "forbidden");
    bob.tell(json!({"unblock": [alice.url]}));
    assert_eq!(alice.post(&format!("/api/v1/messages/{row}/retry"), &json!({})).status, 202);
    alice.until_state(&bob.url, row, "delivered");
    bob.tell(json!({"failures": [{"path": "POST /", "status": 410, "code": "gone"}]}));
    let row = alice.send_text(&bob.url, "Hello?");
    assert_eq!(alice.until_state(&bob.url, row, "failed-permanent")["lastErrorCode"], "gone");
}

#[test]
fn ids_are_each_sender_s_own() {
    let (alice, bob) = pair();
    alice.send_text(&bob.url, "Once");
    let id = bob.until_text(&alice.url, "Once")["id"].clone();
    let mallory = Participant::start("Mallory");
    let mut copy = mallory.envelope(id.as_str().unwrap(), &bob.url, "Twice");
    assert_eq!(mallory.deliver(&bob, &copy).status, 204);
    copy["payload"]["body"] = json!("Thrice");
    assert_eq!(refusal(&mallory.deliver(&bob, &copy)), (409, "duplicate-id"));
    assert_eq!((bob.messages(&alice.url).len(), bob.messages(&mallory.url).len()), (1, 1));
}

#[test]
fn a_slow_recipient_holds_up_only_itself() {
    let (alice, bob) = pair();
    let carol = Posta::start("carol", &[]);
    bob.tell(json!({"hang": "POST /"}));
    let slow = alice.send_text(&bob.url, "Take your time");
    alice.until_state(&bob.url, slow, "sending");
    let quick = alice.send_text(&carol.url, "Quick");
    alice.until_state(&carol.url, quick, "delivered");
    assert_eq!(alice.messages(&bob.url)[0]["state"], "sending");
    bob.tell(json!({"hang": null}));
    alice.until_state(&bob.url, slow, "delivered");
}

#[test]
fn a_thread_keeps_its_order() {
    let (alice, bob) = pair();
    for n in 0..30 {
        alice.send_text(&bob.url, &format!("{n}"));
    }
    bob.until_text(&alice.url, "29");
    let bodies: Vec<Value> =
        bob.messages(&alice.url).into_iter().rev().map(|m| m["payload"]["body"].clone()).collect();
    assert_eq!(bodies, (0..30).map(|n| json!(n.to_string())).collect::<Vec<_>>());
}

#[test]
fn a_room_passes_on_what_its_members_write() {
    let (alice, bob) = pair();
    let room = Posta::start("room", &[]);
    alice.send_text(&room.url, "I am here");
    until("alice is in", || (!room.messages(&alice.url).is_empty()).then_some(()));
    bob.send_text(&room.url, "So am I");
    let message = until("alice hears of bob", || {
        alice.messages(&room.url).into_iter().find(|m| m["direction"] == "inbound")
    });
    let payload = &message["payload"];
    assert_eq!(payload["kind"], "posta.room/v1");
    assert_eq!(payload["action"], "broadcast");
    let bytes = base64(payload["envelopeBytes"].as_str().unwrap());
    let inner: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&inner["from"], &inner["payload"]["body"]), (&json!(bob.url), &json!("So am I")));
    // What travels inside is still signed by its author.
    let doc =
        support::posta::send(minreq::get(&bob.url).with_header("accept", "application/posta+json"));
    let key = base64(doc.body["publicKeys"][0]["key"].as_str().unwrap());
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let signature = base64(payload["signature"].as_str().unwrap());
    let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    key.verify_strict(&bytes, &signature).unwrap();

    let leave = json!({"peer": room.url, "payload": {"kind": "posta.room/v1", "action": "leave"}});
    assert_eq!(alice.post("/api/v1/messages", &leave).status, 202);
    until("alice has left", || {
        room.messages(&alice.url).into_iter().find(|m| m["payload"]["action"] == "leave")
    });
    bob.send_text(&room.url, "Is anybody there?");
    until("the room has it", || (room.messages(&bob.url).len() == 2).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(alice.messages(&room.url).iter().filter(|m| m["direction"] == "inbound").count(), 1);
}

#[test]
fn the_agent_answers() {
    let (alice, echo) = (Posta::start("alice", &[]), Posta::start("echo", &[]));
    alice.send_text(&echo.url, "Ahoy there");
    until("echo answers", || {
        let messages = alice.messages(&echo.url);
        messages
            .into_iter()
            .find(|m| m["direction"] == "inbound" && m["payload"]["body"] == "Ahoy there")
    });
    alice.send_text(&echo.url, "picture");
    let picture = until("echo draws", || {
        alice.messages(&echo.url).into_iter().find(|m| m["payload"]["image"].is_object())
    });
    let url = picture["payload"]["image"]["url"].as_str().unwrap().to_owned();
    let answer = minreq::get(url).send().unwrap();
    assert_eq!(answer.status_code, 200);
    assert!(answer.as_bytes().starts_with(b"\x89PNG"));
    alice.send_text(&echo.url, "count 12");
    let text = alice.until_text(&echo.url, "12");
    assert_eq!(text["direction"], "inbound");
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.decode(text).unwrap()
}
