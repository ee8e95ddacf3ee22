//! Signing up and in, against the real binary and a real demo posta-server, without a browser.
mod support;

use serde_json::json;
use std::time::Duration;
use support::chat::Chat;
use support::passkey::Passkey;
use support::posta::Posta;
use support::until;

#[test]
fn a_person_signs_up_reads_sends_and_signs_in_again() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    alice.tell(json!({"inject": [{"peer": "bob.example",
        "payload": {"kind": "posta.text/v1", "body": "<script>alert(1)</script> hi"}}]}));
    let code = chat.invite();
    let (mut passkey, cookie) = chat.sign_up(&code, &alice.pairing);
    let thread = chat.get("/c/bob.example", &cookie);
    assert_eq!(thread.status, 200);
    assert!(thread.body.contains("&lt;script&gt;alert(1)&lt;/script&gt; hi"));
    assert!(!thread.body.contains("<script>alert"));
    assert!(!thread.body.contains(&alice.token), "the token is never in HTML");
    let key = "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77";
    for _ in 0..2 {
        let form = [("text", "hello\r\nthere"), ("key", key)];
        assert_eq!(chat.post_form("/c/bob.example/messages", &cookie, &form).status, 204);
    }
    let sent = alice.messages("bob.example");
    let hello = sent.iter().filter(|m| m["payload"]["body"] == "hello\nthere").count();
    assert_eq!(hello, 1, "the same key sends once");
    // A restart forgets sessions, and the passkey opens the token again.
    chat.restart();
    assert_eq!(chat.get("/", &cookie).location.as_deref(), Some("/login"));
    let reply = chat.sign_in(&mut passkey);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let cookie = reply.cookie.unwrap();
    assert!(chat.get("/c/bob.example", &cookie).body.contains("hello\nthere"));
    // Signing out ends it.
    assert_eq!(chat.post_form("/logout", &cookie, &[]).status, 303);
    assert_eq!(chat.get("/", &cookie).status, 303);
    let database = std::fs::read(chat.db()).unwrap();
    let holds = |needle: &str| database.windows(needle.len()).any(|w| w == needle.as_bytes());
    assert!(!holds(&alice.token) && !holds(&code), "nothing in the clear at rest");
}

#[test]
fn every_wrong_turn_leaves_the_invite_usable_and_nobody_signed_up() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let code = chat.invite();
    let page = chat.get("/register?code=nonsense", "");
    assert_eq!((page.status, page.body.contains("This invite link is invalid")), (404, true));
    assert_eq!(chat.get(&format!("/register?code={code}"), "").status, 200);
    let failed = |pairing: &str| match chat.connect(&code, pairing) {
        Err(reply) => reply,
        Ok(_) => panic!("{pairing} was taken"),
    };
    let says = |pairing: &str, sentence: &str| {
        let reply = failed(pairing);
        assert_eq!(reply.status, 422);
        assert!(reply.body.contains(sentence), "{sentence}: {}", reply.body);
        assert!(!reply.body.contains("mst_"), "the token is never in HTML");
    };
    says("not a uri", "posta+v1://");
    says(&alice.pairing.replace("mst_", "mst_x"), "Token rejected by your posta-server");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    says(&format!("posta+v1://{closed}#token=mst_x"), "Couldn&#39;t reach your posta-server");
    // The authenticator gives no PRF output.
    let begun = chat.connect(&code, &alice.pairing).unwrap_or_else(|_| panic!("connects"));
    let (mut passkey, created) = Passkey::create(&begun["publicKey"], &chat.origin);
    let step = json!({"ceremony": begun["ceremony"], "credential": created, "prf": null});
    let asked = chat.post_json("/register/passkey", &step).unwrap();
    let again = chat.post_json("/register/passkey", &step).unwrap();
    assert_eq!(again.status, 410, "a challenge is answered once");
    let asked = asked.json();
    let (credential, _) = passkey.get(&asked["publicKey"]);
    let step = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": null});
    assert_eq!(chat.post_json("/register/passkey", &step).unwrap().status, 422);
    // A ceremony of sign-in is none of sign-up.
    let begun = chat.post_json("/login/options", &json!({})).unwrap().json();
    let (credential, prf) = passkey.get(&begun["publicKey"]);
    let step = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
    assert_eq!(chat.post_json("/register/passkey", &step).unwrap().status, 410);
    assert_eq!((chat.users().len(), chat.usable_invites()), (0, 1));
    // And it is still good.
    chat.sign_up(&code, &alice.pairing);
    assert_eq!((chat.users().len(), chat.usable_invites()), (1, 0));
    assert_eq!(chat.get(&format!("/register?code={code}"), "").status, 404, "used");
}

#[test]
fn sign_in_fails_alike_whatever_is_wrong() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, _) = chat.sign_up(&chat.invite(), &alice.pairing);
    let begun = || chat.post_json("/login/options", &json!({})).unwrap().json();
    let finish = |body: serde_json::Value| {
        let reply = chat.post_json("/login", &body).unwrap();
        (reply.status, reply.body)
    };
    let options = begun();
    let (credential, prf) = passkey.get(&options["publicKey"]);
    let other_prf = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let wrong_prf = finish(
        json!({"ceremony": options["ceremony"], "credential": credential, "prf": other_prf}),
    );
    let used =
        finish(json!({"ceremony": options["ceremony"], "credential": credential, "prf": prf}));
    let options = begun();
    let (mut credential, prf) = passkey.get(&options["publicKey"]);
    credential["response"]["userHandle"] = json!("AAAA");
    let handle =
        finish(json!({"ceremony": options["ceremony"], "credential": credential, "prf": prf}));
    let options = begun();
    let (mut credential, prf) = passkey.get(&options["publicKey"]);
    credential["id"] = json!("AAAA");
    credential["rawId"] = json!("AAAA");
    let unknown =
        finish(json!({"ceremony": options["ceremony"], "credential": credential, "prf": prf}));
    assert_eq!(wrong_prf.0, 401);
    assert!(used == wrong_prf && handle == wrong_prf && unknown == wrong_prf);
    assert_eq!(chat.sign_in(&mut passkey).status, 200, "and the right one still works");
}

#[test]
fn requests_from_other_sites_change_nothing() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    for fields in [
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        [("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        [("origin", chat.origin.as_str()), ("sec-fetch-site", "cross-site")],
        [("origin", "null"), ("sec-fetch-site", "same-site")],
    ] {
        let mut all = fields.to_vec();
        all.push(("cookie", &cookie));
        let reply = chat.try_request(minreq::Method::Post, "/logout", &all, Vec::new()).unwrap();
        assert_eq!(reply.status, 403, "{fields:?}");
    }
    assert_eq!(chat.get("/", &cookie).status, 200, "still signed in");
}

#[test]
fn deleting_a_user_ends_their_sessions_within_seconds() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    assert_eq!(chat.get("/", &cookie).status, 200);
    let id = chat.users()[0]["id"].to_string();
    chat.admin(&["user", "delete", &id]);
    until("the session has ended", || (chat.get("/", &cookie).status == 303).then_some(()));
    assert_eq!(chat.sign_in(&mut passkey).status, 401);
}

#[test]
fn a_new_sign_up_of_the_same_identity_takes_the_old_one_s_place() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut lost, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (mut fresh, _) = chat.sign_up(&chat.invite(), &alice.pairing);
    assert_eq!(chat.users().len(), 1);
    assert_eq!(chat.get("/", &cookie).status, 303, "the old sessions are over");
    assert_eq!(chat.sign_in(&mut lost).status, 401);
    assert_eq!(chat.sign_in(&mut fresh).status, 200);
}

/// Kills the process at a different moment of the last step each time: there is a user and a used
/// invite, or neither.
#[test]
fn a_kill_at_any_moment_of_sign_up_leaves_all_or_nothing() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut whole, mut none) = (0, 0);
    for round in 0..24 {
        let code = chat.invite();
        let before = chat.users().len();
        let begun = chat.connect(&code, &alice.pairing).unwrap_or_else(|r| panic!("{}", r.body));
        let (mut passkey, created) = Passkey::create(&begun["publicKey"], &chat.origin);
        let step = json!({"ceremony": begun["ceremony"], "credential": created, "prf": null});
        let asked = chat.post_json("/register/passkey", &step).unwrap().json();
        let (credential, prf) = passkey.get(&asked["publicKey"]);
        let step = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf});
        std::thread::scope(|scope| {
            let pid = chat.pid();
            scope.spawn(move || {
                std::thread::sleep(Duration::from_micros(400 * round));
                let pid = pid.to_string();
                let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
            });
            let _ = chat.post_json("/register/passkey", &step);
        });
        chat.restart();
        let known = chat.sign_in(&mut passkey).status == 200;
        let usable = chat.get(&format!("/register?code={code}"), "").status == 200;
        assert_ne!(known, usable, "round {round}: a user, or a usable invite");
        assert_eq!(chat.users().len(), if known { 1 } else { before });
        if known { whole += 1 } else { none += 1 }
    }
    println!("killed: {whole} signed up, {none} not");
}
