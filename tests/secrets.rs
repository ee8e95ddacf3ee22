//! Secrets stay where they belong: a token, a PRF output, a cookie, an invite and messages that occur
//! nowhere else are looked for in everything that the service leaves behind.
mod support;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;
use support::chat::Chat;
use support::namespace::inside;
use support::passkey::Passkey;
use support::posta::Posta;
use support::until;

/// Something secret, in every form in which it might lie about.
struct Secret {
    what: &'static str,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    fn new(what: &'static str, bytes: &[u8]) -> Secret {
        assert!(bytes.len() >= 16, "{what} must not occur by chance");
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let percent: String = bytes.iter().map(|b| format!("%{b:02X}")).collect();
        // In the middle of a longer text base64 has three forms; this is the one at its beginning.
        let whole = &bytes[..bytes.len() / 3 * 3];
        let forms = vec![
            ("as it is", bytes.to_vec()),
            ("as UTF-16", bytes.iter().flat_map(|b| [*b, 0]).collect()),
            ("reversed", bytes.iter().rev().copied().collect()),
            ("as HEX", hex.to_uppercase().into_bytes()),
            ("as hex", hex.into_bytes()),
            ("percent-encoded", percent.into_bytes()),
            ("as base64", BASE64_STANDARD.encode(whole).into_bytes()),
            ("as base64url", BASE64_URL_SAFE_NO_PAD.encode(whole).into_bytes()),
        ];
        Secret { what, forms }
    }

    /// The forms that occur in `bytes`, and how often.
    fn found(&self, bytes: &[u8]) -> Vec<String> {
        let count = |form: &[u8]| memchr::memmem::find_iter(bytes, form).count();
        let found = self.forms.iter().map(|(how, form)| (how, count(form)));
        found
            .filter(|(_, count)| *count > 0)
            .map(|(how, count)| format!("{} {how}, {count} times", self.what))
            .collect()
    }
}

/// What a process has in memory that it may write to: heap, stacks, and its variables.
fn memory(pid: u32) -> Vec<u8> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap());
        memory.seek(SeekFrom::Start(from)).unwrap();
        // Some maps are the kernel's own.
        let _ = (&mut memory).take(to - from).read_to_end(&mut all);
    }
    all
}

/// Everybody's secrets, once they have been used in every way there is.
struct Used {
    chat: Chat,
    alice: Posta,
    secrets: Vec<Secret>,
    messages: Vec<Secret>,
    tokens: Vec<String>,
    outputs: Vec<Vec<u8>>,
    cookies: Vec<String>,
}

const WORDS: [&str; 2] = ["canary-sent-8f2c61d07b", "canary-received-41e97ab3c5"];

/// The PRF output of a passkey's answer.
fn output(prf: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(prf).unwrap()
}

/// Signs up in both ways, signs in, fails in many ways, pairs again, adds and removes a passkey, talks.
fn use_everything(flags: &[&str]) -> Used {
    let (chat, alice) = (Chat::start(flags), Posta::start("alice", &[]));
    let bob = Posta::start("bob", &[]);
    let (mut tokens, mut outputs, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
    let token_of = |pairing: &str| pairing.split_once("token=").unwrap().1.to_owned();
    let code = chat.invite();
    // What goes wrong on the way: cut short, elsewhere, refused.
    for wrong in [
        alice.pairing.replace("posta+v1", "posta+v2"),
        alice.pairing.replace("localhost", "nobody.invalid"),
        alice.pairing.replace("#token=", "/#token="),
        format!("{}%zz", alice.pairing),
        format!("{} {}", alice.pairing, alice.pairing),
        format!("{}x", alice.pairing),
        format!("http://localhost/{}", alice.token),
    ] {
        let reply = chat.post_form("/register", "", &[("code", &code), ("uri", &wrong)]);
        assert!(!reply.body.contains(&alice.token), "a page repeats the token: {}", reply.body);
    }
    let (mut passkey, asked) = chat.create_passkey(&code, &alice.pairing);
    let (credential, prf) = passkey.get(&asked["publicKey"]);
    outputs.push(output(&prf));
    let step = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf, "device": ""});
    let done = chat.post_json("/register/passkey", &step).unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
    let cookie = done.cookie.unwrap();
    tokens.push(alice.token.clone());
    // By a set-up link.
    let link = bob.tell(json!({"mintInvite": {"deviceName": "chat"}}))["mintInvite"].clone();
    let (mut second, asked) = chat.create_passkey(&chat.invite(), link.as_str().unwrap());
    let (credential, prf) = second.get(&asked["publicKey"]);
    outputs.push(output(&prf));
    let step = json!({"ceremony": asked["ceremony"], "credential": credential, "prf": prf, "device": "x"});
    let done = chat.post_json("/register/passkey", &step).unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
    cookies.push(done.cookie.unwrap());
    // Words in both directions, found again, and a picture.
    let key = "6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f6";
    let sent = chat.post_form("/c/pen.example/messages", &cookie, &[("text", WORDS[0]), ("key", key)]);
    assert_eq!(sent.status, 204, "{}", sent.body);
    let payload = json!({"kind": "posta.text/v1", "body": WORDS[1]});
    alice.tell(json!({"inject": [{"peer": "https://pen.example", "payload": payload}]}));
    let tab = chat.tab(&cookie, "tab", "pen.example", true);
    until("the words are on the page", || {
        let page = chat.get("/c/pen.example", &cookie).body;
        WORDS.iter().all(|words| page.contains(words)).then_some(())
    });
    assert_eq!(chat.get("/search?q=canary", &cookie).status, 200);
    assert_eq!(chat.get("/", &cookie).status, 200);
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    alice.tell(json!({"failures": [{"path": "*", "status": 500}]}));
    chat.post_form("/c/pen.example/messages", &cookie, &[("text", WORDS[0]), ("key", key)]);
    alice.tell(json!({"failures": []}));
    drop(tab);
    // In again, with another cookie, with a passkey that lies, and with a further one.
    for _ in 0..2 {
        let begun = chat.post_json("/login/options", &json!({})).unwrap().json();
        let (credential, prf) = passkey.get(&begun["publicKey"]);
        outputs.push(output(&prf));
        let mut step = json!({"ceremony": begun["ceremony"], "credential": credential, "prf": prf});
        cookies.extend(chat.post_json("/login", &step).unwrap().cookie);
        assert_eq!(chat.post_json("/login", &step).unwrap().status, 401, "once");
        step["prf"] = json!("!");
        assert_eq!(chat.post_json("/login", &step).unwrap().status, 401);
    }
    let mut further = chat.add_passkey(&cookie, &mut passkey);
    outputs.push(further.output());
    // A new token; the one before is revoked, and told so.
    alice.revoke();
    chat.get("/c/pen.example", &cookie);
    let fresh = alice.mint();
    tokens.push(token_of(&fresh));
    let paired = chat.touch("/settings/pairing", &cookie, &[("uri", &fresh)], &mut further);
    assert_eq!(paired.status, 200, "{}", paired.body);
    let form = [("id", passkey.id())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let removed = chat.touch("/settings/passkeys/remove", &cookie, &form, &mut further);
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    cookies.push(cookie);
    let secret = |what, bytes: &[u8]| Secret::new(what, bytes);
    let mut secrets: Vec<_> = tokens.iter().map(|token| secret("a token", token.as_bytes())).collect();
    secrets.extend(outputs.iter().map(|output| secret("a PRF output", output)));
    let value = |cookie: &String| cookie.split_once('=').unwrap().1.to_owned();
    secrets.extend(cookies.iter().map(|cookie| secret("a cookie", value(cookie).as_bytes())));
    secrets.push(secret("an invite", code.as_bytes()));
    secrets.push(secret("a set-up link's invite", link.as_str().unwrap().split_once("invite=").unwrap().1.as_bytes()));
    let messages = WORDS.iter().map(|words| secret("a message", words.as_bytes())).collect();
    Used { chat, alice, secrets, messages, tokens, outputs, cookies }
}

#[test]
fn nothing_secret_is_left_in_memory_once_everybody_has_signed_out() {
    if !inside("nothing_secret_is_left_in_memory_once_everybody_has_signed_out") {
        return;
    }
    support::namespace::run("ip", &["link", "set", "lo", "up"]);
    let used = use_everything(&[]);
    let Used { chat, tokens, outputs, cookies, .. } = &used;
    let secrets: Vec<_> = tokens
        .iter()
        .map(|token| Secret::new("a token", token.as_bytes()))
        .chain(outputs.iter().map(|output| Secret::new("a PRF output", output)))
        .collect();
    // Whoever is signed in needs their token in memory: the search finds what is there.
    let now = memory(chat.pid());
    assert!(secrets[1].found(&now).iter().any(|found| found.contains("as it is")));
    for cookie in cookies {
        chat.post_form("/logout", cookie, &[]);
    }
    // Idle connections, sockets that linger, and the stream upstream end.
    let left = || -> Vec<String> {
        let memory = memory(chat.pid());
        secrets.iter().flat_map(|secret| secret.found(&memory)).collect()
    };
    let mut found = left();
    for _ in 0..30 {
        if found.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
        found = left();
    }
    assert!(found.is_empty(), "{found:#?}");
}
