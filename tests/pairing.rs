//! The three forms of pairing, and the one-shot set-up link above all: looked at first, redeemed at
//! the very end, and nobody stranded by what fails then. Real binary, real demo posta-server.
mod support;

use rusqlite::Connection;
use serde_json::{Value, json};
use support::chat::{Chat, Reply};
use support::posta::Posta;
use support::until;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const REDEEM: &str = "POST /api/v1/invite/redeem";

fn link(posta: &Posta, lifetime_ms: i64) -> String {
    let asked = json!({"deviceName": "Alice's <tablet>", "lifetimeMs": lifetime_ms});
    let said = posta.tell(json!({ "mintInvite": asked }));
    said["mintInvite"].as_str().expect("a link").to_owned()
}

fn secret(link: &str) -> &str {
    link.split_once("#invite=").expect("a set-up link").1
}

/// How often an invite was to be redeemed.
fn redeemed(posta: &Posta) -> u64 {
    posta.report()["calls"][REDEEM].as_u64().unwrap_or(0)
}

/// The names that the posta-server lists its tokens under.
fn devices(posta: &Posta) -> Vec<String> {
    let db = Connection::open(posta.state()).unwrap();
    let mut query = db.prepare("SELECT name FROM tokens ORDER BY id").unwrap();
    let names = query.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

/// A lock under which chat-posta can store nothing.
fn lock(chat: &Chat) -> Connection {
    let db = Connection::open(chat.db()).unwrap();
    until("the database is locked", || db.execute_batch("BEGIN IMMEDIATE").ok());
    db
}

fn sentence(reply: &Reply) -> String {
    reply.json()["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_deep_link_pairs_as_a_pairing_uri_does() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let url = alice.url.replace(':', "%3A").replace('/', "%2F");
    let deep = format!("posta://pair?token={}&url={url}", alice.token);
    let (mut passkey, _) = chat.sign_up(&chat.invite(), &format!(" {deep}\n"));
    let reply = chat.sign_in(&mut passkey);
    let page = chat.get("/settings", &reply.cookie.unwrap()).body;
    assert!(page.contains("Connected."), "{page}");
    assert!(!chat.log().contains(&alice.token));
}

#[test]
fn a_set_up_link_is_shown_first_and_used_at_the_very_end() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, link) = (chat.invite(), link(&alice, DAY_MS));
    // Looking at it, twice, and giving up uses nothing.
    let form = [("code", code.as_str()), ("uri", &link)];
    for _ in 0..2 {
        let page = chat.post_form("/register", "", &form);
        assert_eq!(page.status, 200, "{}", page.body);
        let shown = format!("<bdi>{}</bdi>", alice.peer());
        assert!(page.body.contains(&shown), "whose it is: {}", page.body);
        assert!(page.body.contains("value=\"Alice&#39;s &lt;tablet&gt;\""), "{}", page.body);
        assert!(page.body.contains("works until <time"), "{}", page.body);
        assert!(!page.body.contains("pinv_"), "the invite is never in HTML");
    }
    let (mut passkey, asked) = chat.create_passkey(&code, &link);
    assert_eq!((redeemed(&alice), chat.users().len(), chat.usable_invites()), (0, 0, 1));
    // At the end it is, under the name that its person gave it.
    let done = chat.prove(&mut passkey, &asked, "  Kitchen\n laptop ").unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!((redeemed(&alice), chat.usable_invites()), (1, 0));
    assert_eq!(devices(&alice).last().map(String::as_str), Some("Kitchen laptop"));
    assert_eq!(chat.users()[0]["name"], "Alice", "its name was asked for with the token");
    let cookie = done.cookie.expect("a session");
    assert!(chat.get("/settings", &cookie).body.contains("Connected."));
    let again = chat.sign_in(&mut passkey);
    assert!(chat.get("/settings", &again.cookie.unwrap()).body.contains("Connected."));
    // Used, it says so, and the next invite stays good.
    let reply = chat.connect(&chat.invite(), &link).expect_err("it is used");
    assert_eq!(reply.status, 422);
    assert!(reply.body.contains("used already"), "{}", reply.body);
    for told in [chat.log(), reply.body] {
        assert!(!told.contains(secret(&link)) && !told.contains("mst_"), "{told}");
    }
    let database = std::fs::read(chat.db()).unwrap();
    assert!(!database.windows(4).any(|w| w == b"pinv" || w == b"mst_"));
}

#[test]
fn unknown_and_expired_links_say_one_plain_sentence() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, expired) = (chat.invite(), link(&alice, -1));
    let unknown = format!("{}/setup#invite=pinv_nobody-made-this-one", alice.url);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = format!("http://{closed}/setup#invite=pinv_x");
    for (link, words) in [
        (&expired, "This set-up link has expired, was used already, or was cut short."),
        (&unknown, "This set-up link has expired, was used already, or was cut short."),
        (&away, "Couldn&#39;t reach your posta-server"),
        (&link(&alice, DAY_MS).replace("#invite", "#"), "There is no invite in this set-up link"),
    ] {
        let reply = chat.connect(&code, link).expect_err("it does not work");
        assert_eq!(reply.status, 422);
        assert!(reply.body.contains(words), "{words}: {}", reply.body);
        assert!(!reply.body.contains("pinv_n"), "{}", reply.body);
    }
    assert_eq!((chat.usable_invites(), redeemed(&alice)), (1, 0));
}

#[test]
fn a_link_used_by_somebody_else_meanwhile_stores_nothing() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, link) = (chat.invite(), link(&alice, DAY_MS));
    let (mut passkey, asked) = chat.create_passkey(&code, &link);
    let used = alice.post(
        "/api/v1/invite/redeem",
        &json!({"invite": secret(&link), "deviceName": "somebody else's"}),
    );
    assert_eq!(used.status, 200);
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!(reply.status, 410);
    assert!(sentence(&reply).contains("your invite is still good"), "{}", reply.body);
    assert_eq!((chat.users().len(), chat.usable_invites()), (0, 1));
}

#[test]
fn our_own_invite_is_looked_at_before_theirs_is_used() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, link) = (chat.invite(), link(&alice, DAY_MS));
    let (mut passkey, asked) = chat.create_passkey(&code, &link);
    chat.admin(&["invite", "revoke", &code[..8]]);
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!((reply.status, redeemed(&alice)), (410, 0));
    // The link is still good for somebody who has an invite.
    let (mut passkey, asked) = chat.create_passkey(&chat.invite(), &link);
    assert_eq!(chat.prove(&mut passkey, &asked, "").unwrap().status, 200);
    assert_eq!(devices(&alice).last().map(String::as_str), Some("Alice's <tablet>"));
}

#[test]
fn a_posta_server_that_fails_at_the_end_is_asked_again_with_the_same_passkey() {
    let (chat, mut alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, link) = (chat.invite(), link(&alice, DAY_MS));
    let (mut passkey, asked) = chat.create_passkey(&code, &link);
    alice.tell(json!({"failures": [{"path": REDEEM, "status": 503, "times": 1}]}));
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!(reply.status, 502, "{}", reply.body);
    assert!(sentence(&reply).contains("Nothing is stored yet"), "{}", reply.body);
    // That challenge is spent, the next one came with the answer; so does one after a crash of it.
    assert_eq!(chat.prove(&mut passkey, &asked, "x").unwrap().status, 410);
    let asked = reply.json()["next"].clone();
    alice.kill();
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!((reply.status, chat.users().len(), chat.usable_invites()), (502, 0, 1));
    alice.restart();
    let asked = reply.json()["next"].clone();
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!((chat.users().len(), chat.usable_invites()), (1, 0));
}

#[test]
fn a_token_that_could_not_be_stored_is_kept_for_the_next_try() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, link) = (chat.invite(), link(&alice, DAY_MS));
    let (mut passkey, asked) = chat.create_passkey(&code, &link);
    let locked = lock(&chat);
    let reply = chat.prove(&mut passkey, &asked, "x").unwrap();
    assert_eq!((reply.status, redeemed(&alice)), (503, 1), "{}", reply.body);
    assert!(sentence(&reply).contains("kept for five minutes"), "{}", reply.body);
    drop(locked);
    assert_eq!((chat.users().len(), chat.usable_invites()), (0, 1));
    // The link is used up, and yet it goes on.
    let done = chat.prove(&mut passkey, &reply.json()["next"], "x").unwrap();
    assert_eq!((done.status, redeemed(&alice)), (200, 1), "{}", done.body);
    let cookie = done.cookie.expect("a session");
    assert!(chat.get("/settings", &cookie).body.contains("Connected."));
    assert_eq!((chat.users().len(), chat.usable_invites()), (1, 0));
}

#[test]
fn a_kill_while_the_link_is_used_leaves_the_invite_and_nobody() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (code, used) = (chat.invite(), link(&alice, DAY_MS));
    let (mut passkey, asked) = chat.create_passkey(&code, &used);
    alice.tell(json!({ "hang": REDEEM }));
    std::thread::scope(|scope| {
        let (alice, pid) = (&alice, chat.pid().to_string());
        scope.spawn(move || {
            until("the link is being used", || (redeemed(alice) > 0).then_some(()));
            let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
            alice.tell(json!({ "hang": null }));
        });
        let _ = chat.prove(&mut passkey, &asked, "x");
    });
    chat.restart();
    assert_eq!((chat.users().len(), chat.usable_invites()), (0, 1));
    // The posta-server has taken it for used: the link says so, and a new one goes on.
    until("the link is used", || {
        let reply = chat.connect(&code, &used).err()?;
        reply.body.contains("used already").then_some(())
    });
    let (mut passkey, asked) = chat.create_passkey(&code, &link(&alice, DAY_MS));
    assert_eq!(chat.prove(&mut passkey, &asked, "").unwrap().status, 200);
    assert_eq!((chat.users().len(), chat.usable_invites()), (1, 0));
}

#[test]
fn pairing_again_takes_links_too_and_strands_nobody() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    alice.revoke();
    let begin = |uri: &str, device: Option<&str>| {
        let mut form = vec![("uri", uri)];
        form.extend(device.map(|device| ("device", device)));
        chat.post_form("/settings/pairing", &cookie, &form)
    };
    // Somebody else's is refused before anything is used.
    let theirs = begin(&link(&bob, DAY_MS), None);
    assert_eq!((theirs.status, redeemed(&bob)), (422, 0));
    assert!(sentence(&theirs).contains("Nothing was changed"), "{}", theirs.body);
    assert_eq!(begin(&link(&alice, -1), None).status, 422);
    // It is shown first.
    let link = link(&alice, DAY_MS);
    let shown = begin(&link, None);
    let invite = &shown.json()["invite"];
    assert_eq!(invite["identity"], alice.peer());
    assert_eq!(invite["deviceName"], "Alice's <tablet>");
    assert!(invite["expiresAt"].is_string() && !shown.body.contains("pinv_"), "{}", shown.body);
    // A posta-server that fails, then a database that does: the same press goes on.
    let touch = |asked: &Value, passkey: &mut support::passkey::Passkey| {
        let (credential, prf) = passkey.get(&asked["publicKey"]);
        chat.step(&cookie, asked, credential, Some(prf))
    };
    let asked = begin(&link, Some("Kitchen laptop")).json();
    assert_eq!(redeemed(&alice), 0);
    alice.tell(json!({"failures": [{"path": REDEEM, "status": 500, "times": 1}]}));
    let failed = touch(&asked, &mut passkey);
    assert_eq!(failed.status, 502, "{}", failed.body);
    // A database that takes nothing is found out before the link is used.
    let (locked, used) = (lock(&chat), redeemed(&alice));
    let refused = touch(&failed.json()["next"], &mut passkey);
    assert_eq!((refused.status, redeemed(&alice)), (500, used), "{}", refused.body);
    drop(locked);
    let asked = begin(&link, Some("Kitchen laptop")).json();
    let done = touch(&asked, &mut passkey);
    assert_eq!((done.status, redeemed(&alice)), (200, used + 1), "{}", done.body);
    assert_eq!(devices(&alice), ["Kitchen laptop"]);
    assert!(chat.get("/settings", &cookie).body.contains("Connected."));
    let again = chat.sign_in(&mut passkey).cookie.expect("a session");
    assert!(chat.get("/settings", &again).body.contains("Connected."));
}
