//! Attestation objects: what is taken is what a common CBOR reader finds there, and a registration
//! that passes has a key.
use crate::passkey::attestation;
use crate::webauthn::{Policy, RegistrationResponse, verify_registration};
use ciborium::Value;
use p256::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};

pub const CHALLENGE: [u8; 32] = [7; 32];

/// The policy that the seeds were made for.
pub fn policy() -> Policy {
    Policy::strict("chat.example".into(), "https://chat.example".into())
}

pub fn client_data(kind: &str) -> Vec<u8> {
    let challenge = crate::ops::encode::b64url(&CHALLENGE);
    let origin = "https://chat.example";
    let data = serde_json::json!({ "type": kind, "challenge": challenge, "origin": origin });
    data.to_string().into_bytes()
}

pub fn check(bytes: &[u8]) {
    let parsed = attestation::parse(bytes);
    if let Ok(object) = &parsed {
        assert!(bytes.len() <= attestation::MAX_LENGTH);
        agrees(bytes, object.format, object.authenticator_data);
        // One item of CBOR: with a byte more or less it is none.
        let longer = [bytes, &[0]].concat();
        assert!(attestation::parse(&longer).is_err());
        assert!(attestation::parse(&bytes[..bytes.len() - 1]).is_err());
    }
    // The credential id is at a known place, should there be one.
    let data = parsed.map(|object| object.authenticator_data.to_vec()).unwrap_or_default();
    let length = data.get(53..55).map_or(0, |l| usize::from(u16::from_be_bytes([l[0], l[1]])));
    let response = RegistrationResponse {
        raw_id: data.get(55..55 + length).unwrap_or_default().to_vec(),
        client_data: client_data("webauthn.create"),
        attestation_object: bytes.to_vec(),
        transports: Vec::new(),
    };
    let verified = verify_registration(&policy(), &CHALLENGE, &response);
    let Ok(credential) = verified else { return };
    assert!((1..=1023).contains(&credential.id.len()));
    assert!(credential.public_key.len() == 65);
    assert!(VerifyingKey::from_sec1_bytes(&credential.public_key).is_ok());
    assert_eq!(data[..32], Sha256::digest("chat.example")[..]);
    assert_eq!(data[32] & 0x45, 0x45, "a present, verified user and a credential");
    assert!(credential.backup_eligible || !credential.backed_up);
    // Under `none` an authenticator vouches for nothing; a key is never taken for another's.
    let mut other = response;
    other.raw_id.push(0);
    assert!(verify_registration(&policy(), &CHALLENGE, &other).is_err());
}

/// What a common reader, which takes more than ours, makes of it.
fn agrees(bytes: &[u8], format: &str, authenticator_data: &[u8]) {
    let value: Value = ciborium::from_reader(bytes).expect("CBOR");
    let members = value.as_map().expect("a map");
    let member = |name: &str| {
        let mut all = members.iter().filter(|(key, _)| key.as_text() == Some(name));
        let value = &all.next().unwrap_or_else(|| panic!("{name} is there")).1;
        assert!(all.next().is_none(), "{name} is there once");
        value
    };
    assert_eq!(member("fmt").as_text(), Some(format));
    assert_eq!(member("authData").as_bytes().map(Vec::as_slice), Some(authenticator_data));
    member("attStmt");
}
