//! What the log says of a day's work, at its most talkative: one line a request, and nothing that
//! anybody confided.
mod support;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use serde_json::json;
use support::chat::Chat;
use support::posta::Posta;
use support::until;

/// All that happens to somebody, with what must stay between them and the service.
fn a_day(chat: &Chat, alice: &Posta) -> Vec<(&'static str, String)> {
    let code = chat.invite();
    // Step by step, since the passkey's own secret passes by.
    let (mut passkey, asked) = chat.create_passkey(&code, &alice.pairing);
    let (_, prf) = passkey.get(&asked["publicKey"]);
    let challenge = asked["publicKey"]["challenge"].as_str().unwrap().to_owned();
    let cookie = chat.prove(&mut passkey, &asked, "a new laptop").unwrap().cookie.unwrap();
    let again = chat.sign_in(&mut passkey).cookie.unwrap();

    let tab = chat.tab(&cookie, "tab", "bob.example", true);
    let key = "6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f6";
    let sent = chat.post_form(
        "/c/bob.example/messages",
        &cookie,
        &[("text", "the outbound secret"), ("key", key)],
    );
    assert!(sent.status < 400, "{}", sent.body);
    alice.tell(json!({"inject": [{"peer": "bob.example",
        "payload": {"kind": "posta.text/v1", "body": "the inbound secret"}}]}));
    tab.until("thread-updated");
    let thread = chat.get("/c/bob.example", &cookie);
    assert!(thread.body.contains("the inbound secret"), "{}", thread.body);
    assert_eq!(chat.get("/search?q=wordlookedfor", &cookie).status, 200);
    // Wrong turns.
    chat.get("/register?code=aninvitethatisnone", "");
    chat.get("/c/bob.example?x=aqueryofitsown", "session=acookiethatisnone");
    chat.post_form(
        "/register",
        "",
        &[("code", "x"), ("uri", "posta+v1://h.example#token=mst_wrong")],
    );
    alice.revoke();
    chat.get("/", &cookie);
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    vec![
        ("token", alice.token.clone()),
        ("token behind its prefix", alice.token.trim_start_matches("mst_").to_owned()),
        ("token as base64", B64.encode(&alice.token)),
        ("another token", "mst_wrong".into()),
        ("cookie", value(&cookie)),
        ("another cookie", value(&again)),
        ("cookie that is none", "acookiethatisnone".into()),
        ("invite", code),
        ("invite that is none", "aninvitethatisnone".into()),
        ("PRF output", prf),
        ("challenge", challenge),
        ("text sent", "outbound secret".into()),
        ("text received", "inbound secret".into()),
        ("words looked for", "wordlookedfor".into()),
        ("query", "aqueryofitsown".into()),
        ("peer", "bob.example".into()),
    ]
}

#[test]
fn nothing_that_anybody_confided_is_in_the_log() {
    for format in ["logfmt", "json"] {
        let chat = Chat::start(&["--log", "trace", "--log-format", format]);
        let alice = Posta::start("alice", &[]);
        let secrets = a_day(&chat, &alice);
        until("the day is logged", || chat.log().contains("/search").then_some(()));
        let log = chat.log();
        assert!(log.lines().count() > 15, "{log}");
        for (what, secret) in secrets {
            let line = log.lines().find(|line| line.contains(&secret));
            assert_eq!(line, None, "{format}: {what}: {secret}");
        }
    }
}

#[test]
fn each_request_is_one_line_with_its_route_and_how_it_went() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let user = chat.users()[0]["id"].to_string();
    chat.get("/c/bob.example?before=9", &cookie);
    chat.get("/no/such/page", "");
    let line = |of: &str| {
        until(of, || {
            let log = chat.log();
            let mut lines = log.lines().filter(|line| line.contains(of)).map(str::to_owned);
            let found = lines.next()?;
            assert_eq!(lines.next(), None, "one line");
            Some(found)
        })
    };
    let thread = line("route=/c/{} ");
    for part in ["time=", " level=info ", " id=", " method=GET ", " status=200 ", " bytes=", " ms="]
    {
        assert!(thread.contains(part), "{part} in {thread}");
    }
    assert!(thread.contains(&format!(" user={user} ")), "{thread}");
    let lost = line("status=404");
    assert!(lost.contains("route=none") && !lost.contains("user="), "{lost}");
    assert!(chat.log().lines().all(|line| line.starts_with("time=20")), "{}", chat.log());
}
