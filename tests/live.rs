//! Live updates against the real binary and real demo posta-servers, without a browser: what tabs
//! are told, what it costs upstream, and how it comes back after everything that can break.
mod support;

use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;
use support::stream::Stream;
use support::until;

/// Two tabs of one user agree within this time.
const AGREE: Duration = Duration::from_secs(1);

/// A message from Bob in Alice's inbox that nobody sent; its row.
fn inject(alice: &Posta, body: &str) -> i64 {
    let payload = json!({"kind": "posta.text/v1", "body": body});
    let rows = alice.tell(json!({"inject": [{"peer": "bob.example", "payload": payload}]}));
    rows["inject"][0].as_i64().unwrap()
}

/// Alice, signed up, and a first tab that has heard of the first connection.
fn alice() -> (Chat, Posta, String, Stream) {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    inject(&alice, "before");
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    chat.get("/", &cookie);
    let tab = chat.tab(&cookie, "first", "", true);
    tab.until("resync");
    (chat, alice, cookie, tab)
}

fn watermark(posta: &Posta) -> i64 {
    let contacts = posta.contacts();
    contacts.iter().find(|c| c["url"] == "bob.example").unwrap()["lastReadRowId"].as_i64().unwrap()
}

fn health(tab: &Stream) -> Value {
    tab.until("health").1.data["state"].take()
}

#[test]
fn two_tabs_share_one_stream_and_agree() {
    let (chat, alice, cookie, one) = alice();
    let two = chat.tab(&cookie, "second", "bob.example", false);
    let since = Instant::now();
    let row = inject(&alice, "news");
    for tab in [&one, &two] {
        let told = tab.until("thread-updated").1.data;
        assert_eq!(told, json!({"peer": "bob.example", "rowId": row}));
        let sidebar = chat.get("/sidebar?open=", &cookie).body;
        assert!(sidebar.contains("news"), "{sidebar}");
    }
    assert!(since.elapsed() < AGREE, "{:?}", since.elapsed());
    assert!(chat.get("/c/bob.example/messages?from=1", &cookie).body.contains("news"));
    assert_eq!(alice.report()["streams"], 1);
    assert_eq!(alice.report()["calls"]["GET /api/v1/events"], 1);
}

#[test]
fn what_one_looks_at_is_read_before_one_is_told() {
    let (chat, alice, cookie, list) = alice();
    let open = chat.tab(&cookie, "open", "bob.example", true);
    until("what came before is read", || (watermark(&alice) > 0).then_some(()));
    let row = inject(&alice, "seen at once");
    assert_eq!(open.until("thread-updated").1.data["rowId"], row);
    assert_eq!(watermark(&alice), row);
    list.until("thread-updated");

    let hide = [("tab", "open"), ("peer", "bob.example"), ("visible", "0")];
    assert_eq!(chat.post_form("/events/view", &cookie, &hide).status, 204);
    let hidden = inject(&alice, "not seen");
    assert_eq!(open.until("thread-updated").1.data["rowId"], hidden);
    assert_eq!(watermark(&alice), row);
    let form = [("row", hidden.to_string())];
    let form: Vec<_> = form.iter().map(|(name, row)| (*name, row.as_str())).collect();
    assert_eq!(chat.post_form("/c/bob.example/read", &cookie, &form).status, 204);
    list.until("contact-changed");
    until("the server knows", || (watermark(&alice) == hidden).then_some(()));
}

#[test]
fn two_people_talk() {
    let chat = Chat::start(&[]);
    let (alice, bob) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
    let (_, alices) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (_, bobs) = chat.sign_up(&chat.invite(), &bob.pairing);
    let to = |peer: &str| format!("/c/{}", peer.replace(':', "%3A"));
    let (at_alice, at_bob) =
        (chat.tab(&alices, "a", bob.peer(), true), chat.tab(&bobs, "b", alice.peer(), true));
    at_alice.until("resync");
    at_bob.until("resync");
    for (cookie, peer, other, text, key) in [
        (&alices, bob.peer(), alice.peer(), "hello bob", "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77"),
        (&bobs, alice.peer(), bob.peer(), "hello alice", "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b78"),
    ] {
        let path = format!("{}/messages", to(peer));
        let sent = chat.post_form(&path, cookie, &[("text", text), ("key", key)]);
        assert_eq!(sent.status, 204, "{}", sent.body);
        let (tab, reader) = if cookie == &alices { (&at_bob, &bobs) } else { (&at_alice, &alices) };
        until("it is there", || {
            assert_eq!(tab.until("thread-updated").1.data["peer"], other);
            chat.get(&to(other), reader).body.contains(text).then_some(())
        });
    }
    until("both are delivered", || {
        let page = chat.get(&to(bob.peer()), &alices).body;
        (page.contains("hello bob") && page.contains("hello alice")).then_some(())
    });
}

#[test]
fn a_posta_server_that_dies_is_missed_and_welcomed_back() {
    let (chat, mut alice, cookie, tab) = alice();
    chat.get("/c/bob.example", &cookie);
    alice.kill();
    assert_eq!(health(&tab), "unreachable");
    let since = Instant::now();
    for path in ["/", "/c/bob.example"] {
        let page = chat.get(path, &cookie);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("before"), "{path} shows what is known");
        assert!(page.body.contains("data-state=\"unreachable\""));
    }
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    let form = [("text", "too early"), ("key", "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77")];
    assert_eq!(chat.post_form("/c/bob.example/messages", &cookie, &form).status, 502);

    alice.restart();
    inject(&alice, "while you were away");
    assert_eq!(health(&tab), "ok");
    tab.until("resync");
    until("the news are shown", || {
        let body = chat.get("/sidebar?open=", &cookie).body;
        body.contains("while you were away").then_some(())
    });
    assert!(chat.get("/", &cookie).body.contains("data-state=\"ok\""));
}

#[test]
fn a_dropped_stream_resumes_without_a_word() {
    let (_chat, alice, _cookie, tab) = alice();
    inject(&alice, "one");
    tab.until("thread-updated");
    alice.tell(json!({"dropStreams": true}));
    until("it is back", || (alice.report()["streams"] == 1).then_some(()));
    let row = inject(&alice, "two");
    let (before, told) = tab.until("thread-updated");
    assert_eq!(told.data["rowId"], row);
    assert!(before.iter().all(|event| event.name == "ping"), "{before:?}");

    // What the server no longer knows is asked for anew.
    alice.tell(json!({"forgetEvents": true, "dropStreams": true}));
    tab.until("resync");
}

#[test]
fn a_revoked_token_is_said() {
    let (chat, alice, cookie, tab) = alice();
    alice.tell(json!({"revokeTokens": true}));
    assert_eq!(health(&tab), "refused");
    let page = chat.get("/", &cookie).body;
    assert!(page.contains("data-state=\"refused\"") && page.contains("before"));
}

#[test]
fn signing_out_ends_every_tab_and_the_stream_upstream() {
    let (chat, alice, cookie, one) = alice();
    let two = chat.tab(&cookie, "second", "bob.example", true);
    assert_eq!(chat.post_form("/logout", &cookie, &[]).status, 303);
    for tab in [one, two] {
        assert_eq!(tab.end().last().unwrap().name, "signed-out");
    }
    until("it is closed upstream", || (alice.report()["streams"] == 0).then_some(()));
}

#[test]
fn the_last_tab_that_goes_closes_the_stream_after_ten_seconds() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let streams = || alice.report()["streams"].as_u64().unwrap();
    let mut tab = TcpStream::connect(chat.origin.strip_prefix("http://").unwrap()).unwrap();
    let request = format!(
        "GET /events?tab=a&peer=&visible=1 HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n"
    );
    tab.write_all(request.as_bytes()).unwrap();
    until("the stream is open", || (streams() == 1).then_some(()));
    drop(tab);
    let left = Instant::now();
    until("it is closed upstream", || (streams() == 0).then_some(()));
    let after = left.elapsed().as_secs_f32();
    // Not sooner, and not only when a heartbeat or a deadline comes by; a busy machine is late.
    assert!((9.9..20.0).contains(&after), "after {after} s");
}
