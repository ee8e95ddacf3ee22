//! What the sections say.
use super::*;
use crate::web::html::sample;

fn scene<'a>(media: &'a dyn Fn(&str) -> Option<String>) -> Scene<'a> {
    Scene { now: sample::now(), media, contacts: &[] }
}

pub fn passkey(name: &str, aaguid: [u8; 16], backed_up: bool) -> PasskeyRow {
    PasskeyRow {
        credential_id: vec![aaguid[0]; 16],
        name: name.into(),
        transports: vec!["internal".into()],
        aaguid,
        backup_eligible: backed_up,
        backed_up,
        created_ms: 1_778_000_000_000,
        used_ms: 1_778_700_000_000,
    }
}

pub fn sign_in(id: &str, agent: &str) -> SignIn {
    let (created_ms, active_ms) = (1_778_600_000_000, 1_778_700_000_000);
    SignIn { id: id.into(), agent: agent.into(), created_ms, active_ms }
}

fn drawn(passkeys: &[PasskeyRow], sign_ins: &[SignIn]) -> String {
    let (address, server) = ("https://alice.example", "https://alice.example:8443");
    let now = moment(1_778_700_000_000);
    let me = sample::me();
    let parts = Parts {
        address,
        me: Some(&me),
        now,
        server,
        health: &Health::Ok,
        passkeys,
        sign_ins,
        this: "a",
    };
    settings(&parts, &scene(&|_| None)).as_str().to_owned()
}

/// One page with everything on it.
pub fn sample() -> Markup {
    let passkeys = [passkey("My <phone>", [1; 16], false), passkey("", *b"ProtonPassProton", true)];
    let sign_ins = [sign_in("a", "Firefox on Linux"), sign_in("b", "Safari on iPhone")];
    let me = sample::me();
    let parts = Parts {
        me: Some(&me),
        address: "https://konstantinopolitanska.with-a-very-long-name.example/users/maximiliana",
        now: moment(1_778_700_000_000),
        server: "https://alice.example:8443",
        health: &Health::TokenRefused,
        passkeys: &passkeys,
        sign_ins: &sign_ins,
        this: "a",
    };
    settings(&parts, &scene(&|_| Some("/media/x".into())))
}

#[test]
fn a_passkey_is_called_as_its_owner_or_its_maker_calls_it() {
    let rows = [
        passkey("<b>Key</b>", [1; 16], false),
        passkey(" ", *b"ProtonPassProton", true),
        passkey("", [0; 16], false),
    ];
    let html = drawn(&rows, &[]);
    for words in [
        "<bdi>&lt;b&gt;Key&lt;/b&gt;</bdi>",
        "<bdi>Proton Pass</bdi>",
        "<bdi>Passkey</bdi>",
        "Synced between your devices",
        "On one device only",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
}

#[test]
fn only_other_sign_ins_can_be_ended() {
    let alone = drawn(&[], &[sign_in("a", "Firefox on Linux")]);
    assert!(!alone.contains("/settings/sign-ins") && alone.contains("nowhere else"), "{alone}");
    let two = drawn(&[], &[sign_in("a", "Firefox on Linux"), sign_in("b", "Safari on Mac")]);
    assert_eq!(two.matches("action=\"/settings/sign-ins/end\"").count(), 1);
    assert!(two.contains("value=\"b\"") && !two.contains("value=\"a\""), "{two}");
    assert_eq!(two.matches("This one").count(), 1);
    assert!(two.contains("End all other sign-ins"));
}

#[test]
fn a_profile_that_is_not_known_cannot_be_changed() {
    let me = sample::me();
    let html = drawn(&[], &[]);
    assert!(html.contains("action=\"/settings/name\"") && html.contains(&me.name), "{html}");
    let parts = Parts {
        address: "https://alice.example",
        me: None,
        now: sample::now(),
        server: "https://alice.example",
        health: &Health::Ok,
        passkeys: &[],
        sign_ins: &[],
        this: "a",
    };
    assert!(!settings(&parts, &scene(&|_| None)).as_str().contains("/settings/name"));
}
