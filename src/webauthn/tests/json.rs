//! What browsers write, and what they do not.
use super::super::json::{CredentialJson, JsonError};
use super::*;

fn registered(json: &Value) -> Result<RegistrationResponse, JsonError> {
    RegistrationResponse::from_json(&serde_json::from_value(json.clone()).expect("its members"))
}

fn asserted(json: &Value) -> Result<AuthenticationResponse, JsonError> {
    AuthenticationResponse::from_json(&serde_json::from_value(json.clone()).expect("its members"))
}

fn registration() -> Value {
    let id = b64url(&[1; 16]);
    value!({
        "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
        "response": {
            "clientDataJSON": "e30", "attestationObject": "oA",
            "transports": ["internal", "a transport of the future", "hybrid"],
            "publicKeyAlgorithm": -7, "publicKey": "AAAA", "authenticatorData": "AAAA",
        },
        "clientExtensionResults": { "prf": { "enabled": true, "results": { "first": "AAAA" } } },
    })
}

fn authentication() -> Value {
    let id = b64url(&[1; 16]);
    value!({
        "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": null,
        "response": {
            "clientDataJSON": "e30", "authenticatorData": "AQ", "signature": "Ag",
            "userHandle": "Aw",
        },
        "clientExtensionResults": {},
    })
}

#[test]
fn what_browsers_write_is_read() {
    let read = registered(&registration()).unwrap();
    assert_eq!((read.raw_id, read.client_data), (vec![1; 16], b"{}".to_vec()));
    assert_eq!((read.attestation_object, read.transports.len()), (vec![0xa0], 2));
    let read = asserted(&authentication()).unwrap();
    assert_eq!((read.raw_id, read.client_data), (vec![1; 16], b"{}".to_vec()));
    assert_eq!((read.authenticator_data, read.signature), (vec![1], vec![2]));
    assert_eq!(read.user_handle, Some(vec![3]));
    let mut json = authentication();
    json["response"]["userHandle"] = Value::Null;
    assert_eq!(asserted(&json).unwrap().user_handle, None);
    json["response"].as_object_mut().unwrap().remove("userHandle");
    assert_eq!(asserted(&json).unwrap().user_handle, None);
    let mut json = registration();
    json["response"].as_object_mut().unwrap().remove("transports");
    assert!(registered(&json).unwrap().transports.is_empty());
}

#[test]
fn anything_else_is_refused_by_name() {
    type Bend = fn(&mut Value);
    let cases: &[(Bend, JsonError)] = &[
        (|j| j["type"] = "password".into(), JsonError::Type),
        (|j| j["id"] = "AAAA".into(), JsonError::Id),
        (
            |j| j["response"]["clientDataJSON"] = "e30=".into(),
            JsonError::Encoding("clientDataJSON"),
        ),
        (|j| j["response"]["clientDataJSON"] = "e3+".into(), JsonError::Encoding("clientDataJSON")),
        (|j| j["response"]["signature"] = Value::Null, JsonError::Missing("signature")),
        (|j| j["response"]["signature"] = "A".repeat(2000).into(), JsonError::TooLong("signature")),
        (
            |j| {
                j["id"] = "A".repeat(1400).into();
                j["rawId"] = j["id"].clone();
            },
            JsonError::TooLong("rawId"),
        ),
        (
            |j| j["response"]["userHandle"] = "A".repeat(100).into(),
            JsonError::TooLong("userHandle"),
        ),
    ];
    for (bend, expected) in cases {
        let mut json = authentication();
        bend(&mut json);
        assert_eq!(asserted(&json).err(), Some(*expected), "{json}");
    }
    let other = asserted(&registration()).err();
    assert_eq!(other, Some(JsonError::Missing("signature")));
    let other = registered(&authentication()).err();
    assert_eq!(other, Some(JsonError::Missing("attestationObject")));
    let mut shapes = vec![value!(null), value!([]), value!({}), value!("x")];
    let bends: [Bend; 3] = [
        |j| j["id"] = 1.into(),
        |j| j["response"] = "e30".into(),
        |j| j["response"]["clientDataJSON"] = Value::Null,
    ];
    for bend in bends {
        shapes.push(authentication());
        bend(shapes.last_mut().unwrap());
    }
    for shape in shapes {
        assert!(serde_json::from_value::<CredentialJson>(shape.clone()).is_err(), "{shape}");
    }
}

#[test]
fn the_longest_id_is_not_too_long() {
    let mut json = authentication();
    let id = b64url(&[1; 1023]);
    (json["id"], json["rawId"]) = (id.clone().into(), id.into());
    assert_eq!(asserted(&json).unwrap().raw_id.len(), 1023);
}
