//! The options' JSON, as browsers take it.
use super::*;

#[test]
fn a_creation_asks_for_all_that_is_verified() {
    let user = User { handle: &HANDLE, name: "alice.example", display_name: "Alice" };
    let options = creation_options(&policy(), &CHALLENGE, &user, &[5; 32]);
    let expected = value!({
        "rp": { "id": "chat.example", "name": "chat-posta" },
        "user": { "id": b64url(&HANDLE), "name": "alice.example", "displayName": "Alice" },
        "challenge": b64url(&CHALLENGE),
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": {
            "credProps": true,
            "prf": { "eval": { "first": b64url(&[5; 32]) } },
        },
    });
    assert_eq!(options, expected);
}

#[test]
fn a_request_names_the_allowed_or_leaves_the_choice() {
    let options = request_options(&policy(), &CHALLENGE, &[], &[5; 32]);
    assert_eq!(
        options,
        value!({
            "challenge": b64url(&CHALLENGE),
            "rpId": "chat.example",
            "timeout": 300_000,
            "userVerification": "required",
            "allowCredentials": [],
            "extensions": { "prf": { "eval": { "first": b64url(&[5; 32]) } } },
        })
    );
    let transports = ["usb".to_owned(), "nfc".to_owned()];
    let allowed = [(&[1, 2, 3][..], &transports[..]), (&[4], &[])];
    let options = request_options(&policy(), &CHALLENGE, &allowed, &[5; 32]);
    assert_eq!(
        options["allowCredentials"],
        value!([
            { "type": "public-key", "id": "AQID", "transports": ["usb", "nfc"] },
            { "type": "public-key", "id": "BA" },
        ])
    );
}
