//! The specification's own test vectors (WebAuthn Level 3, "Test Vectors"), read from the file that
//! `CHAT_POSTA_VECTORS` names.
use super::*;
use authenticator_data::AuthenticatorDataError;
use cose::CoseError;
use registration::RegistrationError;
use serde_json::Value;

fn hex(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    (0..text.len() / 2).map(|i| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}

fn registration(vector: &Value) -> (Vec<u8>, RegistrationResponse) {
    let part = |name: &str| hex(&vector["registration"][name]).unwrap_or_default();
    let response = RegistrationResponse {
        raw_id: part("credential_id"),
        client_data: part("clientDataJSON"),
        attestation_object: part("attestationObject"),
        transports: Vec::new(),
    };
    (part("challenge"), response)
}

fn assertion(vector: &Value, raw_id: &[u8]) -> (Vec<u8>, AuthenticationResponse) {
    let part = |name: &str| hex(&vector["authentication"][name]).unwrap_or_default();
    let response = AuthenticationResponse {
        raw_id: raw_id.to_vec(),
        client_data: part("clientDataJSON"),
        authenticator_data: part("authenticatorData"),
        signature: part("signature"),
        user_handle: None,
    };
    (part("challenge"), response)
}

#[test]
fn the_specification_s_vectors_hold_under_every_policy() {
    let Some(path) = std::env::var_os("CHAT_POSTA_VECTORS") else {
        eprintln!("SKIPPED: CHAT_POSTA_VECTORS names no file with the WebAuthn test vectors");
        return;
    };
    let text = std::fs::read(&path).expect("CHAT_POSTA_VECTORS names a readable file");
    let file: Value = serde_json::from_slice(&text).expect("the vectors are JSON");
    let (mut verified, mut refused) = (0, 0);
    for vector in file["vectors"].as_array().expect("a list").iter() {
        if vector["registration"].is_null() {
            continue; // the attestation root certificate
        }
        for (require_uv, allow_cross_origin) in
            [(true, true), (true, false), (false, true), (false, false)]
        {
            let policy = Policy {
                rp_id: file["rp_id"].as_str().unwrap().into(),
                origin: file["origin"].as_str().unwrap().into(),
                require_uv,
                allow_cross_origin,
            };
            match judge(vector, &policy) {
                true => verified += 1,
                false => refused += 1,
            }
        }
    }
    println!("WebAuthn vectors: {verified} verified, {refused} refused as they should be");
    assert!(verified > 20 && refused > 20);
}

/// Runs one vector; whether it verified. Panics when the verdict is not the one due.
fn judge(vector: &Value, policy: &Policy) -> bool {
    let title = vector["title"].as_str().unwrap_or("?");
    let (challenge, response) = registration(vector);
    let result = verify_registration(policy, &challenge, &response);
    let client: Value = serde_json::from_slice(&response.client_data).expect("client data");
    let crossed = client["crossOrigin"] == true || !client["topOrigin"].is_null();
    if crossed && !policy.allow_cross_origin {
        assert!(matches!(result, Err(RegistrationError::ClientData(_))), "{title}: {result:?}");
        return false;
    }
    if ["ES384", "ES512", "RS256", "Ed25519", "Ed448"].iter().any(|other| title.contains(other)) {
        let algorithm = |e| matches!(e, AuthenticatorDataError::Key(CoseError::Algorithm(_)));
        let refused = result.as_ref().err();
        assert!(
            refused.is_some_and(
                |e| matches!(e, RegistrationError::AuthenticatorData(e) if algorithm(*e))
            ),
            "{title}: {result:?}"
        );
        return false;
    }
    let object = attestation::parse(&response.attestation_object).expect("an attestation object");
    let verified = |data: &[u8]| data[32] & 0x04 != 0;
    let uv_error = AuthenticatorDataError::UserVerified;
    if policy.require_uv && !verified(object.authenticator_data) {
        assert_eq!(result, Err(RegistrationError::AuthenticatorData(uv_error)), "{title}");
        return false;
    }
    let credential = result.unwrap_or_else(|e| panic!("{title}: {e}"));
    let stored = StoredCredential {
        id: credential.id.clone(),
        public_key: credential.public_key,
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        user_handle: Vec::new(),
    };
    let (challenge, response) = assertion(vector, &credential.id);
    let result = verify_assertion(policy, &challenge, &response, &stored, UserKnown::Before);
    if policy.require_uv && !verified(&response.authenticator_data) {
        assert_eq!(result, Err(AssertionError::AuthenticatorData(uv_error)), "{title}");
        return false;
    }
    result.unwrap_or_else(|e| panic!("{title}: {e}"));
    true
}
