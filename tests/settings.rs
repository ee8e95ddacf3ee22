//! The settings, against the real binary and a real demo posta-server, without a browser.
mod support;

use support::chat::Chat;
use support::posta::Posta;

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
