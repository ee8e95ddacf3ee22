//! The settings, against the real binary and a real demo posta-server, without a browser.
mod support;

use serde_json::json;
use support::chat::Chat;
use support::passkey::Passkey;
use support::posta::Posta;
use support::until;

/// The names of the sign-ins on the page that can be ended.
fn others(page: &str) -> Vec<String> {
    let forms = page.split("action=\"/settings/sign-ins/end\"").skip(1);
    let id = |form: &str| form.split("value=\"").nth(1)?.split('"').next().map(str::to_owned);
    forms.filter_map(id).collect()
}

#[test]
fn other_sign_ins_are_listed_and_end_at_once() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let page = chat.get("/settings", &cookie);
    assert_eq!((page.status, others(&page.body).len()), (200, 0));
    assert!(!page.body.contains(&alice.token), "the token is never in HTML");
    let more: Vec<String> =
        (0..3).map(|_| chat.sign_in(&mut passkey).cookie.expect("a session")).collect();
    let tab = chat.tab(&more[0], "other", "", true);
    let ids = others(&chat.get("/settings", &cookie).body);
    assert_eq!(ids.len(), 3);
    // Somebody else's, one that is not there, and one's own are left alone.
    let bob = Posta::start("bob", &[]);
    let (_, stranger) = chat.sign_up(&chat.invite(), &bob.pairing);
    for id in [ids[0].as_str(), "", "nobody"] {
        assert_eq!(chat.post_form("/settings/sign-ins/end", &stranger, &[("id", id)]).status, 303);
    }
    let own = others(&chat.get("/settings", &more[0]).body);
    let own = own.iter().find(|id| !ids.contains(id)).expect("the first sign-in's");
    assert_eq!(chat.post_form("/settings/sign-ins/end", &cookie, &[("id", own)]).status, 303);
    assert_eq!(others(&chat.get("/settings", &cookie).body).len(), 3);
    // One of them, and its tabs hear of it.
    for id in &ids {
        chat.post_form("/settings/sign-ins/end", &cookie, &[("id", id)]);
        if chat.get("/", &more[0]).status == 303 {
            break;
        }
    }
    tab.until("signed-out");
    // All others.
    assert_eq!(chat.post_form("/settings/sign-ins/end-others", &cookie, &[]).status, 303);
    for other in &more {
        assert_eq!(chat.get("/", other).status, 303, "ended");
    }
    assert_eq!(chat.get("/", &cookie).status, 200, "this one stays");
    assert_eq!(chat.get("/", &stranger).status, 200, "and strangers'");
}

#[test]
fn a_further_passkey_opens_the_same_account() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut first, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let mut second = chat.add_passkey(&cookie, &mut first);
    let mut third = chat.add_passkey(&cookie, &mut second);
    chat.restart();
    for passkey in [&mut first, &mut second, &mut third] {
        let cookie = chat.sign_in(passkey).cookie.expect("it opens the account");
        let page = chat.get("/settings", &cookie).body;
        assert!(page.contains("Connected."), "the token works: {page}");
        assert_eq!(page.matches("id=\"passkey-").count(), 3);
    }
}

#[test]
fn nothing_is_added_without_a_fresh_touch_of_one_s_own_passkey_and_a_proof() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut own, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (mut stranger, others) = chat.sign_up(&chat.invite(), &bob.pairing);
    let begin = || {
        let asked = chat.post_form("/settings/passkeys/add", &cookie, &[("where", "elsewhere")]);
        (asked.status, asked.json())
    };
    let (status, asked) = begin();
    assert_eq!((status, asked["kind"].as_str()), (200, Some("get")));
    assert_eq!(asked["publicKey"]["allowCredentials"][0]["id"], own.id());
    // Somebody else's passkey, and somebody else's session.
    let (credential, prf) = stranger.get(&asked["publicKey"]);
    assert_eq!(chat.step(&cookie, &asked, credential, Some(prf)).status, 403);
    let (_, asked) = begin();
    let (credential, prf) = own.get(&asked["publicKey"]);
    assert_eq!(chat.step(&others, &asked, credential.clone(), Some(prf.clone())).status, 410);
    assert_eq!(
        chat.step(&cookie, &asked, credential, Some(prf)).status,
        410,
        "its one try is over"
    );
    // A sign-in's challenge is none of these, nor is one of these a sign-in's.
    let login = chat.post_json("/login/options", &json!({})).unwrap().json();
    let (credential, prf) = own.get(&login["publicKey"]);
    assert_eq!(chat.step(&cookie, &login, credential, Some(prf)).status, 410);
    let (_, asked) = begin();
    let (credential, prf) = own.get(&asked["publicKey"]);
    let body = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf});
    assert_eq!(chat.post_json("/login", &body).unwrap().status, 401);
    // Without a PRF output, or with another's, the data key stays closed.
    let (_, asked) = begin();
    let (credential, _) = own.get(&asked["publicKey"]);
    assert_eq!(chat.step(&cookie, &asked, credential, None).status, 422);
    // Another sign-in of the same person cannot take a ceremony over.
    let second = chat.sign_in(&mut own).cookie.unwrap();
    let (_, asked) = begin();
    let (credential, prf) = own.get(&asked["publicKey"]);
    assert_eq!(chat.step(&second, &asked, credential, Some(prf)).status, 410);
    // A new passkey that gives no PRF output is not kept.
    let reply = chat.touch("/settings/passkeys/add", &cookie, &[("where", "here")], &mut own);
    let asked = reply.json();
    assert_eq!((reply.status, asked["kind"].as_str()), (200, Some("create")));
    assert_eq!(asked["publicKey"]["excludeCredentials"][0]["id"], own.id());
    assert_eq!(asked["publicKey"]["hints"], json!(["client-device"]));
    let (mut fresh, created) = Passkey::create(&asked["publicKey"], &chat.origin);
    let asked = chat.step(&cookie, &asked, created, None).json();
    let (credential, _) = fresh.get(&asked["publicKey"]);
    let refused = chat.step(&cookie, &asked, credential, None);
    assert_eq!((refused.status, &refused.json()["unknown"]), (422, &json!(true)));
    assert_eq!(chat.sign_in(&mut fresh).status, 401);
    // Without a session there is nothing to do at all.
    assert_eq!(chat.post_form("/settings/passkeys/add", "", &[]).status, 401);
    assert_eq!(chat.get("/settings", &cookie).body.matches("id=\"passkey-").count(), 1);
}

#[test]
fn a_removed_passkey_opens_nothing_and_only_its_holder_learns_so() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut first, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let last = chat.post_form("/settings/passkeys/remove", &cookie, &[("id", &first.id())]);
    assert_eq!((last.status, last.body.contains("only passkey")), (400, true));
    let mut second = chat.add_passkey(&cookie, &mut first);
    let other = chat.sign_in(&mut first).cookie.unwrap();
    // A touch for one passkey removes no other.
    let id = first.id();
    let reply = chat.touch("/settings/passkeys/remove", &cookie, &[("id", &id)], &mut second);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let done = reply.json();
    assert_eq!(done["accepted"]["allAcceptedCredentialIds"], json!([second.id()]));
    assert_eq!(done["offerEndOthers"], true);
    assert_eq!(chat.get("/", &other).status, 200, "its sign-in goes on until it is ended");
    // Its holder hears the same words as anybody, and that it may be forgotten.
    let refused = chat.sign_in(&mut first);
    assert_eq!((refused.status, &refused.json()["unknown"]), (401, &json!(true)));
    let begun = chat.post_json("/login/options", &json!({})).unwrap().json();
    let (credential, prf) = first.get(&begun["publicKey"]);
    let answer = |mut credential: serde_json::Value, spoil: bool| {
        let begun = chat.post_json("/login/options", &json!({})).unwrap().json();
        if spoil {
            credential["id"] = json!("AAAA");
            credential["rawId"] = json!("AAAA");
        }
        let body = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
        chat.post_json("/login", &body).unwrap()
    };
    // Whoever knows the id alone learns nothing.
    let (probe, unheard_of) = (answer(credential.clone(), false), answer(credential, true));
    assert_eq!((probe.status, &probe.body), (401, &unheard_of.body));
    assert!(probe.json().get("unknown").is_none());
    assert_eq!(probe.json()["error"], refused.json()["error"]);
    // The other one works, and has become the last.
    assert_eq!(chat.sign_in(&mut second).status, 200);
    let id = second.id();
    assert_eq!(chat.post_form("/settings/passkeys/remove", &cookie, &[("id", &id)]).status, 400);
}

#[test]
fn passkeys_bear_the_names_their_owner_gives() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (_, others) = chat.sign_up(&chat.invite(), &Posta::start("bob", &[]).pairing);
    let rename = |cookie: &str, name: &str| {
        let form = [("id", passkey.id()), ("name", name.to_owned())];
        let form: Vec<_> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        chat.post_form("/settings/passkeys/rename", cookie, &form).status
    };
    assert_eq!(rename(&cookie, " <i>Phone</i>\r\n "), 303);
    assert_eq!(rename(&others, "Stolen"), 400);
    let page = chat.get("/settings", &cookie).body;
    assert!(page.contains("<bdi>&lt;i&gt;Phone&lt;/i&gt;</bdi>"), "{page}");
    assert_eq!(rename(&cookie, ""), 303);
    assert!(chat.get("/settings", &cookie).body.contains("<bdi>Passkey</bdi>"));
}

#[test]
fn pairing_again_switches_every_sign_in_and_the_stream_at_once() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut first, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let mut second = chat.add_passkey(&cookie, &mut first);
    let other = chat.sign_in(&mut second).cookie.unwrap();
    let tab = chat.tab(&other, "tab", "", true);
    alice.revoke();
    until("the banner says so", || {
        chat.get("/settings", &cookie).body.contains("data-state=\"refused\"").then_some(())
    });
    let fresh = alice.mint();
    let reply = chat.touch("/settings/pairing", &cookie, &[("uri", &fresh)], &mut second);
    assert_eq!(reply.status, 200, "{}", reply.body);
    // The tab of another sign-in hears that all is well, and then of messages again.
    tab.until("resync");
    until("events are followed", || (alice.report()["streams"] == 1).then_some(()));
    alice.tell(json!({"inject": [{"peer": "https://bob.example",
        "payload": {"kind": "posta.text/v1", "body": "you are back"}}]}));
    until("the other sign-in reads", || {
        chat.get("/c/bob.example", &other).body.contains("you are back").then_some(())
    });
    until("its tab is told", || {
        let (_, event) = tab.until("thread-updated");
        event.data.to_string().contains("bob.example").then_some(())
    });
    // Both passkeys open the new token.
    chat.restart();
    for passkey in [&mut first, &mut second] {
        let cookie = chat.sign_in(passkey).cookie.unwrap();
        assert!(chat.get("/c/bob.example", &cookie).body.contains("you are back"));
    }
}

#[test]
fn pairing_again_takes_nothing_but_the_same_participant_s_good_token() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (uri, sentence) in [
        ("", "Paste the URI"),
        ("not a uri", "posta+v1://"),
        (&*alice.pairing.replace("mst_", "mst_x"), "Token rejected"),
        (&*format!("posta+v1://{closed}#token=mst_x"), "Couldn't reach"),
        (&*bob.pairing, "Nothing was changed"),
    ] {
        let reply = chat.post_form("/settings/pairing", &cookie, &[("uri", uri)]);
        assert_eq!(reply.status, 422, "{uri}");
        assert!(reply.body.contains(sentence), "{sentence}: {}", reply.body);
        assert!(!reply.body.contains("mst_"), "the token is never told");
    }
    // Without the PRF output nothing is sealed.
    let fresh = alice.mint();
    let asked = chat.post_form("/settings/pairing", &cookie, &[("uri", &fresh)]).json();
    let (credential, _) = passkey.get(&asked["publicKey"]);
    assert_eq!(chat.step(&cookie, &asked, credential, None).status, 422);
    assert_eq!(chat.get("/", &cookie).status, 200);
    let again = chat.sign_in(&mut passkey).cookie.unwrap();
    assert!(chat.get("/settings", &again).body.contains("Connected."), "the old token is there");
}

#[test]
fn deleting_one_s_account_leaves_no_trace_and_ends_every_sign_in() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let (_, stranger) = chat.sign_up(&chat.invite(), &bob.pairing);
    let mut second = chat.add_passkey(&cookie, &mut passkey);
    let name = [("id", second.id()), ("name", "A most telling name".to_owned())];
    let name: Vec<_> = name.iter().map(|(n, v)| (*n, v.as_str())).collect();
    chat.post_form("/settings/passkeys/rename", &cookie, &name);
    let other = chat.sign_in(&mut second).cookie.unwrap();
    let tab = chat.tab(&other, "tab", "", true);
    let traces: Vec<Vec<u8>> = vec![
        alice.url.clone().into_bytes(),
        b"A most telling name".to_vec(),
        passkey.raw_id(),
        second.raw_id(),
        passkey.user_handle(),
    ];
    let found = |trace: &[u8]| {
        let files = ["", "-wal"].map(|end| std::fs::read(format!("{}{end}", chat.db())));
        let holds = |file: Vec<u8>| file.windows(trace.len()).any(|window| window == trace);
        files.into_iter().flatten().any(holds)
    };
    assert!(traces.iter().all(|trace| found(trace)));
    // A touch for something else deletes nothing, nor does none.
    let reply = chat.touch("/settings/delete", &cookie, &[], &mut passkey);
    let done = reply.json();
    assert_eq!((reply.status, &done["location"]), (200, &json!("/login?deleted")));
    assert_eq!(done["accepted"]["allAcceptedCredentialIds"], json!([]));
    assert!(reply.cookie.unwrap().ends_with('='), "the cookie is taken away");
    tab.until("signed-out");
    for gone in [&cookie, &other] {
        assert_eq!(chat.get("/", gone).status, 303);
    }
    for passkey in [&mut passkey, &mut second] {
        let refused = chat.sign_in(passkey);
        assert_eq!(refused.status, 401);
        assert!(refused.json().get("unknown").is_none(), "nothing is known of it any more");
    }
    for trace in &traces {
        assert!(!found(trace), "{}", String::from_utf8_lossy(trace));
    }
    assert_eq!(chat.get("/", &stranger).status, 200);
    assert_eq!(chat.users().len(), 1);
    assert!(chat.get("/login?deleted", "").body.contains("Your account here was deleted"));
    // One may come back.
    chat.sign_up(&chat.invite(), &alice.pairing);
}
