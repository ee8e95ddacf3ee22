//! A demo posta-server and its client: the client API, the event stream, tokens, uploads, faults.
mod support;

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::posta::{Answer, Posta, send};
use support::process::run;
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

fn rows(answer: &Answer) -> Vec<i64> {
    answer.body.as_array().unwrap().iter().map(|m| m["rowId"].as_i64().unwrap()).collect()
}

#[test]
fn pages_run_newest_first_to_the_beginning() {
    let alice = Posta::start("alice", &[]);
    let bodies: Vec<String> = (0..130).map(|n| format!("message {n}")).collect();
    let all = inject(&alice, &bodies.iter().map(String::as_str).collect::<Vec<_>>());
    let first = alice.get("/api/v1/messages?peer=bob.example");
    assert_eq!(rows(&first), all[80..].iter().rev().copied().collect::<Vec<_>>());
    let mut seen = rows(&first);
    loop {
        let before = seen.last().unwrap();
        let path =
            format!("/api/v1/messages?peer=https%3A%2F%2Fbob.example&before={before}&limit=33");
        let page = rows(&alice.get(&path));
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    seen.reverse();
    assert_eq!(seen, all);
    for bad in ["peer=", "peer=a%20b", "peer=bob.example&before=x", "peer=bob.example&limit=x", ""]
    {
        assert_eq!(error(&alice.get(&format!("/api/v1/messages?{bad}"))).0, 400, "{bad}");
    }
    assert!(alice.messages("nobody.example").is_empty());
}

#[test]
fn search_finds_words_everywhere_or_in_one_thread() {
    let alice = Posta::start("alice", &[]);
    inject(&alice, &["The blue kettle", "A kettle, and a gull", "Nothing"]);
    let other = json!([{"peer": "mira.example", "payload": text("My kettle sings")}]);
    alice.tell(json!({ "inject": other }));
    let count = |query: &str| rows(&alice.get(&format!("/api/v1/search?q={query}"))).len();
    assert_eq!(count("kettle"), 3);
    assert_eq!(count("KETTLE%20gu"), 1);
    assert_eq!(count("kettle&peer=bob.example"), 2);
    assert_eq!(count("kettle&peer=https%3A%2F%2Fmira.example"), 1);
    assert_eq!(count("kettle&limit=1"), 1);
    assert_eq!(count("%22%28%2A"), 0);
    assert_eq!(alice.get("/api/v1/search").status, 400);
}

#[test]
fn the_watermark_never_moves_backwards() {
    let alice = Posta::start("alice", &[]);
    let rows = inject(&alice, &["one", "two", "three"]);
    let events = alice.events(None).ready();
    let mark =
        |row: i64| alice.post("/api/v1/contacts/read", &json!({"url": BOB, "rowId": row})).status;
    let watermark = || alice.contacts()[0]["lastReadRowId"].as_i64().unwrap();
    assert_eq!((mark(rows[1]), watermark()), (204, rows[1]));
    assert_eq!(events.next().name, "read-watermark-changed");
    assert_eq!((mark(rows[0]), watermark()), (204, rows[1]));
    assert!(events.is_quiet(), "nothing changed, so nothing is told");
    assert_eq!((mark(rows[2]), watermark()), (204, rows[2]));
    let unknown = json!({"url": "nobody.example", "rowId": 1});
    assert_eq!(alice.post("/api/v1/contacts/read", &unknown).status, 404);
    let bad = json!({"url": BOB, "rowId": "x"});
    assert_eq!(alice.post("/api/v1/contacts/read", &bad).status, 400);
}

#[test]
fn one_idempotency_key_sends_once() {
    let alice = Posta::start("alice", &[]);
    let key = "5f0c9a52-9a3c-4a52-8a43-0f8d3c1b7a11";
    let send_with = |body: &Value| {
        let request = alice.request(minreq::Method::Post, "/api/v1/messages");
        send(request.with_header("idempotency-key", key).with_body(body.to_string()))
    };
    let body = json!({"peer": BOB, "payload": text("once")});
    let (first, second) = (send_with(&body), send_with(&body));
    assert_eq!((first.status, second.status), (202, 202));
    assert_eq!(first.body, second.body);
    assert_eq!(alice.messages(BOB).len(), 1);
    let other = send_with(&json!({"peer": BOB, "payload": text("other")}));
    assert_eq!(error(&other), (422, "idempotency-key-reused"));
    // Without a key each is a message of its own.
    alice.send_text(BOB, "once");
    assert_eq!(alice.messages(BOB).len(), 2);
}

#[test]
fn sending_is_refused_where_it_makes_no_sense() {
    let alice = Posta::start("alice", &[]);
    for body in [
        json!({"payload": text("x")}),
        json!({"peer": BOB}),
        json!({"peer": BOB, "payload": {"body": "no kind"}}),
        json!({"peer": alice.url, "payload": text("to myself")}),
        json!({"peer": "http://bob.example", "payload": text("not https")}),
    ] {
        assert_eq!(alice.post("/api/v1/messages", &body).status, 400, "{body}");
    }
    let large = json!({"peer": BOB, "payload": text(&"x".repeat(64 * 1024))});
    assert_eq!(error(&alice.post("/api/v1/messages", &large)), (413, "too-large"));
    assert!(alice.contacts().is_empty());
    assert_eq!(alice.delete("/api/v1/messages").status, 405);
    assert_eq!(alice.get("/api/v1/nothing").status, 404);
}

#[test]
fn contacts_are_added_and_removed() {
    let alice = Posta::start("alice", &[]);
    let events = alice.events(None).ready();
    let add = |url: &str| alice.post("/api/v1/contacts", &json!({ "url": url }));
    assert_eq!(add("https://Bob.Example/").status, 201);
    assert_eq!(events.next().data, json!({"url": BOB}));
    assert_eq!(add(BOB).status, 200);
    assert_eq!(add("http://bob.example").status, 400);
    assert_eq!(add(&alice.url).status, 400);
    assert_eq!(alice.contacts().len(), 1);
    assert_eq!(alice.contacts()[0]["lastMessageAt"], "");
    assert_eq!(alice.delete("/api/v1/contacts?url=bob.example").status, 204);
    assert_eq!(events.until("contact-removed").1.data, json!({"url": BOB}));
    assert_eq!(alice.delete("/api/v1/contacts?url=bob.example").status, 404);
    assert!(alice.contacts().is_empty());
}

fn png(size: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(size, 7);
    bytes
}

fn upload(posta: &Posta, media_type: &str, bytes: Vec<u8>) -> Answer {
    let request = posta.request(minreq::Method::Post, "/api/v1/uploads");
    send(request.with_header("content-type", media_type).with_body(bytes))
}

#[test]
fn uploads_are_checked_and_named_by_their_content() {
    let alice = Posta::start("alice", &[]);
    let bytes = png(300_000);
    let first = upload(&alice, "image/png", bytes.clone());
    assert_eq!((first.status, &first.body["size"]), (201, &json!(300_000)));
    let url = first.body["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("{}/upload-", alice.url)) && url.ends_with(".png"));
    assert_eq!(upload(&alice, "image/png", bytes.clone()).body, first.body);
    let served = minreq::get(&url).send().unwrap();
    assert_eq!((served.status_code, served.header("content-type")), (200, Some("image/png")));
    assert!(served.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(served.as_bytes(), bytes);
    assert_eq!(minreq::get(format!("{}/upload-0.png", alice.url)).send().unwrap().status_code, 404);

    assert_eq!(error(&upload(&alice, "image/jpeg", png(9))), (415, "type-mismatch"));
    assert_eq!(error(&upload(&alice, "image/gif", png(9))), (415, "unsupported-media-type"));
    assert_eq!(error(&upload(&alice, "image/png", Vec::new())), (415, "type-mismatch"));
    assert_eq!(upload(&alice, "image/png", png(10 << 20)).status, 201);
    let request = alice.request(minreq::Method::Put, "/api/v1/identity/avatar");
    let avatar = send(request.with_header("content-type", "image/png").with_body(bytes));
    assert_eq!((avatar.status, &avatar.body["avatar"]), (200, &json!(url)));
    assert_eq!(alice.delete("/api/v1/identity/avatar").body["avatar"], "");
}

/// The status of what is answered to `request`, which need not be whole.
fn raw(posta: &Posta, request: &str) -> String {
    let mut socket = TcpStream::connect(posta.address()).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

#[test]
fn an_upload_that_is_too_large_is_refused_before_it_is_read() {
    let alice = Posta::start("alice", &[]);
    let (host, token, length) = (alice.peer(), &alice.token, (10 << 20) + 1);
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: image/png\r\ncontent-length: {length}\r\n\r\n"
    );
    assert_eq!(raw(&alice, &head), "413");
}

#[test]
fn the_profile_is_shown_changed_and_told() {
    let alice = Posta::start("alice", &[]);
    let events = alice.events(None).ready();
    assert_eq!(alice.get("/api/v1/identity").body["url"], alice.url);
    let changed = alice.patch("/api/v1/identity", &json!({"name": "Alice A.", "bio": "Swims"}));
    assert_eq!((changed.status, &changed.body["name"]), (200, &json!("Alice A.")));
    assert_eq!(events.next().data["name"], "Alice A.");
    assert_eq!(alice.patch("/api/v1/identity", &json!({"name": 7})).status, 400);
    // People get a card, participants the doc, from one address.
    let fetch =
        |accept: &str| minreq::get(&alice.url).with_header("accept", accept).send().unwrap();
    let card = fetch("text/html,*/*;q=0.8");
    assert!(card.header("content-type").unwrap().starts_with("text/html"));
    assert!(card.as_str().unwrap().contains("<h1>Alice A.</h1>"));
    let doc: Value = serde_json::from_slice(fetch("application/posta+json").as_bytes()).unwrap();
    assert_eq!((&doc["url"], &doc["kind"]), (&json!(alice.url), &json!("person")));
    assert!(doc["publicKeys"][0]["key"].is_string());
    assert_eq!(raw(&alice, "GET / HTTP/1.1\r\nhost: other.example\r\n\r\n"), "421");
}

#[test]
fn the_known_manner_and_the_plain_one() {
    let image = json!({"kind": "posta.link/v1", "url": "https://b.example/a.png",
                       "mediaType": "image/png", "alt": "a boat"});
    for plain in [false, true] {
        let alice = Posta::start("alice", if plain { &["--plain"] } else { &[] });
        let events = alice.events(None).ready();
        alice.tell(json!({"inject": [{"peer": BOB, "payload": image}]}));
        let inbound = events.next().data;
        let contact_changed = events.next();
        assert_eq!(contact_changed.data["url"], "https://bob.example", "caused by the inbox");
        let contact = &alice.contacts()[0];
        let payload = &alice.messages(BOB)[0]["payload"];
        assert_eq!(alice.messages(BOB)[0]["peer"], "https://bob.example");
        alice.send_text(BOB, "A boat!");
        let sent = events.until("outbound-state").1.data;
        let daemon = events.until("outbound-state").1.data;
        assert_eq!(daemon["peer"], "https://bob.example");
        if plain {
            assert_eq!(
                (&inbound["peer"], &contact["unread"]),
                (&json!("https://bob.example"), &json!(1))
            );
            assert_eq!((&contact["url"], &sent["peer"]), (&inbound["peer"], &inbound["peer"]));
            assert_eq!(payload, &image);
        } else {
            assert!(inbound.get("peer").is_none() && contact.get("unread").is_none());
            assert_eq!(inbound["message"]["peer"], "https://bob.example");
            assert_eq!((&contact["url"], &sent["peer"]), (&json!(BOB), &json!(BOB)));
            assert_eq!(payload["image"]["alt"], "a boat");
            assert!(payload.get("kind").is_none());
        }
        // Both take the short form.
        let short = json!({"peer": BOB, "payload": {"image": {"url": "https://b.example/b.png"}}});
        assert_eq!(alice.post("/api/v1/messages", &short).status, 202);
    }
}

#[test]
fn a_test_can_make_it_misbehave() {
    let alice = Posta::start("alice", &[]);
    let identity = || alice.get("/api/v1/identity");
    alice.tell(
        json!({"failures": [{"path": "/api/v1/*", "status": 502, "code": "proxy", "times": 2}]}),
    );
    assert_eq!(error(&identity()), (502, "proxy"));
    assert_eq!((identity().status, identity().status), (502, 200));
    alice.tell(json!({"latencyMs": 300}));
    let since = Instant::now();
    assert_eq!(identity().status, 200);
    assert!(since.elapsed() >= Duration::from_millis(300));
    alice.tell(json!({"latencyMs": 0, "hang": "GET /api/v1/identity"}));
    let url = alice.url.clone();
    let waiting = std::thread::spawn(move || {
        minreq::get(format!("{url}/api/v1/identity")).with_timeout(20).send().unwrap().status_code
    });
    std::thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    alice.tell(json!({"hang": null}));
    assert_eq!(waiting.join().unwrap(), 401);
    let events = alice.events(None).ready();
    alice.tell(json!({"event": {"name": "weather", "data": {"sun": true}}}));
    assert_eq!(events.next().name, "weather");
    alice.tell(json!({"forgetCalls": true}));
    identity();
    assert_eq!(alice.report()["calls"], json!({"GET /api/v1/identity": 1}));
    assert_eq!(alice.post("/test", &json!({"explode": true})).status, 400);

    alice.tell(json!({"refuseMs": 1000}));
    events.end();
    until("nobody listens", || TcpStream::connect(alice.address()).err());
    until("it listens again", || TcpStream::connect(alice.address()).ok());
    assert_eq!(identity().status, 200);
}

#[test]
fn without_the_flag_there_is_nothing_to_misuse() {
    let state = support::process::Directory::new();
    let file = state.file("state.db");
    let process = support::process::Process::start(
        &["demo-server", "--state", &file, "--name", "alice"],
        "ready ",
    );
    let url = process.ready.split(['=', ' ']).nth(2).unwrap();
    assert_eq!(minreq::get(format!("{url}/test")).send().unwrap().status_code, 404);
}

#[test]
fn a_seeded_past_is_all_there() {
    let (alice, bob) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
    let seed = json!({"seed": {"seed": 14, "peers": {"alice": alice.url, "bob": bob.url}}});
    alice.tell(seed.clone());
    bob.tell(seed);
    let newest = alice.messages(&bob.url);
    assert_eq!(newest.len(), 200);
    let before = newest.last().unwrap()["rowId"].as_i64().unwrap();
    let older =
        rows(&alice.get(&format!("/api/v1/messages?peer={}&before={before}&limit=200", bob.url)));
    assert_eq!(older.len(), 200);
    assert!(alice.contacts().len() >= 8);
    assert_eq!(newest[0]["id"], bob.messages(&alice.url)[0]["id"]);
    for contact in alice.contacts().iter().filter(|contact| contact["avatar"] != "") {
        let avatar = minreq::get(contact["avatar"].as_str().unwrap()).send().unwrap();
        assert_eq!(avatar.status_code, 200);
    }
    let pictures: Vec<_> =
        newest.iter().filter_map(|m| m["payload"]["image"]["url"].as_str()).collect();
    assert!(!pictures.is_empty());
    for url in pictures {
        assert_eq!(minreq::get(url).send().unwrap().status_code, 200);
    }
    // And it goes on from there.
    alice.send_text(bob.peer(), "Where were we?");
    bob.until_text(alice.peer(), "Where were we?");
}

#[test]
fn a_state_file_keeps_its_address() {
    let mut alice = Posta::start("alice", &[]);
    let (url, state) = (alice.url.clone(), alice.state());
    // Looked for while her own port is taken, so that it is another one.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    alice.kill();
    let listen = other.to_string();
    let moved = run(&["demo-server", "--state", &state, "--name", "alice", "--listen", &listen]);
    assert_eq!(moved.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&moved.stderr).contains(&url));
    let public =
        run(&["demo-server", "--state", &state, "--name", "alice", "--listen", "0.0.0.0:0"]);
    assert!(String::from_utf8_lossy(&public.stderr).contains("not a loopback address"));
    alice.restart();
    assert_eq!(alice.url, url);
    assert!(alice.process().terminate().success());
}

#[test]
fn wrong_arguments_say_what_is_right() {
    for (arguments, words) in [
        (vec!["--name", "alice"], "--state is missing"),
        (vec!["--state", "x"], "--name is missing"),
        (vec!["--state", "x", "--name", "a", "--kind", "robot"], "person, room or agent"),
        (vec!["--state", "x", "--name", "a", "--retry", "soon"], "300ms"),
        (vec!["--state", "x", "--name", "a", "--peers", "carol=x"], "alice, bob, room or echo"),
        (vec!["--state", "x", "--name", "a", "--listen", "here"], "127.0.0.1:9101"),
    ] {
        let output = run(&[vec!["demo-server"], arguments.clone()].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}
