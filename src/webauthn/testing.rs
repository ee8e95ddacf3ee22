//! An authenticator for tests, whose every answer can be bent in one place; and the tests that bend
//! it: each step of the verification has one that fails only because of that step.
use super::*;
use crate::ops::encode::b64url;
use assertion::AssertionError;
use authenticator_data::AuthenticatorDataError as Data;
use client_data::ClientDataError as Client;
use cose::CoseError;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use registration::RegistrationError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CHALLENGE: [u8; 32] = [7; 32];
const HANDLE: [u8; 32] = [9; 32];

fn policy() -> Policy {
    Policy {
        rp_id: "chat.example".into(),
        origin: "https://chat.example".into(),
        require_uv: true,
        allow_cross_origin: false,
    }
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[3; 32]).unwrap()
}

/// What goes into an answer.
struct Bent {
    client: Value,
    rp_id: &'static str,
    flags: u8,
    count: u32,
    id: Vec<u8>,
    cose: Vec<u8>,
    format: &'static str,
    statement: Vec<u8>,
    tail: Vec<u8>,
}

fn cose_key(alg: &[u8], x: &[u8], y: &[u8]) -> Vec<u8> {
    let mut cose = vec![0xa5, 0x01, 0x02, 0x03];
    cose.extend_from_slice(alg);
    cose.extend_from_slice(&[0x20, 0x01, 0x21, 0x58, x.len() as u8]);
    cose.extend_from_slice(x);
    cose.extend_from_slice(&[0x22, 0x58, y.len() as u8]);
    cose.extend_from_slice(y);
    cose
}

fn good_cose() -> Vec<u8> {
    let point = key().verifying_key().to_sec1_point(false);
    cose_key(&[0x26], point.x().unwrap(), point.y().unwrap())
}

fn good(kind: &str, flags: u8) -> Bent {
    Bent {
        client: json!({
            "type": kind, "challenge": b64url(&CHALLENGE), "origin": "https://chat.example",
            "crossOrigin": false, "a member of the future": [1, 2],
        }),
        rp_id: "chat.example",
        flags,
        count: 5,
        id: vec![1; 16],
        cose: good_cose(),
        format: "none",
        statement: vec![0xa0],
        tail: Vec::new(),
    }
}

fn creation() -> Bent {
    good("webauthn.create", 0x45)
}

fn request() -> Bent {
    good("webauthn.get", 0x05)
}

impl Bent {
    fn data(&self) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id).to_vec();
        data.push(self.flags);
        data.extend_from_slice(&self.count.to_be_bytes());
        if self.flags & 0x40 != 0 {
            data.extend_from_slice(&[0xaa; 16]);
            data.extend_from_slice(&(self.id.len() as u16).to_be_bytes());
            data.extend_from_slice(&self.id);
            data.extend_from_slice(&self.cose);
        }
        data.extend_from_slice(&self.tail);
        data
    }

    fn object(&self) -> Vec<u8> {
        let data = self.data();
        let mut object = vec![0xa3, 0x63];
        object.extend_from_slice(b"fmt");
        object.push(0x60 + self.format.len() as u8);
        object.extend_from_slice(self.format.as_bytes());
        object.push(0x67);
        object.extend_from_slice(b"attStmt");
        object.extend_from_slice(&self.statement);
        object.push(0x68);
        object.extend_from_slice(b"authData");
        object.push(0x59);
        object.extend_from_slice(&(data.len() as u16).to_be_bytes());
        object.extend_from_slice(&data);
        object
    }

    fn register(&self) -> Result<Credential, RegistrationError> {
        let response = RegistrationResponse {
            raw_id: self.id.clone(),
            client_data: self.client.to_string().into_bytes(),
            attestation_object: self.object(),
            transports: vec!["internal".into()],
        };
        verify_registration(&policy(), &CHALLENGE, &response)
    }

    fn answer(&self) -> AuthenticationResponse {
        let client_data = self.client.to_string().into_bytes();
        let authenticator_data = self.data();
        let signed = [&authenticator_data[..], &Sha256::digest(&client_data)].concat();
        let signature: Signature = key().sign(&signed);
        AuthenticationResponse {
            raw_id: self.id.clone(),
            client_data,
            authenticator_data,
            signature: signature.to_der().as_bytes().to_vec(),
            user_handle: Some(HANDLE.to_vec()),
        }
    }

    fn assert(&self) -> Result<Assertion, AssertionError> {
        check(&self.answer())
    }
}

fn stored() -> StoredCredential {
    StoredCredential {
        id: vec![1; 16],
        public_key: key().verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        sign_count: 4,
        backup_eligible: false,
        user_handle: HANDLE.to_vec(),
    }
}

fn check(answer: &AuthenticationResponse) -> Result<Assertion, AssertionError> {
    verify_assertion(&policy(), &CHALLENGE, answer, &stored(), UserKnown::ByTheAnswer)
}

fn bent(mut bent: Bent, bend: impl FnOnce(&mut Bent)) -> Bent {
    bend(&mut bent);
    bent
}

#[test]
fn a_good_registration_gives_its_credential() {
    let credential = creation().register().unwrap();
    assert_eq!((credential.id.len(), credential.sign_count), (16, 5));
    assert_eq!(credential.public_key, stored().public_key);
    assert_eq!(credential.aaguid, [0xaa; 16]);
    assert!(!credential.backup_eligible && !credential.backed_up);
    let synced = bent(creation(), |b| b.flags |= 0x18).register().unwrap();
    assert!(synced.backup_eligible && synced.backed_up);
    // Other attestation formats are parsed, and no more trusted than none.
    let packed = bent(creation(), |b| {
        b.format = "packed";
        b.statement = b"\xa2\x63alg\x26\x63sig\x42\x01\x02".to_vec();
    });
    assert_eq!(packed.register().unwrap().attestation, "packed");
    let extended = bent(creation(), |b| {
        b.flags |= 0x80;
        b.tail = b"\xa1\x6bcredProtect\x02".to_vec();
    });
    assert!(extended.register().is_ok());
}

type Bend = fn(&mut Bent);

#[test]
fn each_step_of_registration_refuses_on_its_own() {
    use RegistrationError::{AttestationObject, AuthenticatorData, ClientData};
    let cases: &[(&str, Bend, RegistrationError)] = &[
        ("6: JSON", |b| b.client = json!([]), ClientData(Client::Malformed)),
        ("7: type", |b| b.client["type"] = "webauthn.get".into(), ClientData(Client::Type)),
        ("8: challenge", |b| b.client["challenge"] = "x".into(), ClientData(Client::Challenge)),
        (
            "9: origin",
            |b| b.client["origin"] = "https://chat.example.evil".into(),
            ClientData(Client::Origin),
        ),
        (
            "10: cross origin",
            |b| b.client["crossOrigin"] = true.into(),
            ClientData(Client::CrossOrigin),
        ),
        (
            "11: top origin",
            |b| b.client["topOrigin"] = "https://a".into(),
            ClientData(Client::TopOrigin),
        ),
        ("13: statement", |b| b.statement = vec![0x01], AttestationObject),
        ("13: none with a statement", |b| b.statement = vec![0xa1, 1, 2], AttestationObject),
        ("13: no credential", |b| b.flags = 0x05, RegistrationError::NoCredential),
        ("13: left-over bytes", |b| b.tail = vec![0], AuthenticatorData(Data::Malformed)),
        ("13: extensions missing", |b| b.flags |= 0x80, AuthenticatorData(Data::Malformed)),
        (
            "13: extensions not a map",
            |b| {
                b.flags |= 0x80;
                b.tail = vec![0x01];
            },
            AuthenticatorData(Data::Malformed),
        ),
        ("14: relying party", |b| b.rp_id = "example", AuthenticatorData(Data::RpId)),
        ("15: user present", |b| b.flags &= !0x01, AuthenticatorData(Data::UserPresent)),
        ("16: user verified", |b| b.flags &= !0x04, AuthenticatorData(Data::UserVerified)),
        ("17: backup state", |b| b.flags |= 0x10, AuthenticatorData(Data::BackupState)),
        (
            "20: algorithm",
            |b| b.cose = cose_key(&[0x27], &[1; 32], &[1; 32]),
            AuthenticatorData(Data::Key(CoseError::Algorithm(-8))),
        ),
        (
            "20: not on the curve",
            |b| b.cose = cose_key(&[0x26], &[1; 32], &[1; 32]),
            AuthenticatorData(Data::Key(CoseError::Point)),
        ),
        (
            "20: short coordinate",
            |b| b.cose = cose_key(&[0x26], &[1; 31], &[1; 32]),
            AuthenticatorData(Data::Key(CoseError::Malformed)),
        ),
        (
            "20: a member twice",
            |b| b.cose = b"\xa3\x03\x26\x03\x26\x01\x02".to_vec(),
            AuthenticatorData(Data::Key(CoseError::Malformed)),
        ),
        ("25: id length", |b| b.id = vec![1; 1024], AuthenticatorData(Data::CredentialIdTooLong)),
    ];
    for (step, bend, expected) in cases {
        assert_eq!(bent(creation(), bend).register(), Err(*expected), "step {step}");
    }
    assert!(bent(creation(), |b| b.id = vec![1; 1023]).register().is_ok());
    let mut answer = RegistrationResponse {
        raw_id: vec![2; 16],
        client_data: creation().client.to_string().into_bytes(),
        attestation_object: creation().object(),
        transports: Vec::new(),
    };
    let refused = verify_registration(&policy(), &CHALLENGE, &answer);
    assert_eq!(refused, Err(RegistrationError::CredentialId));
    answer.raw_id = vec![1; 16];
    answer.attestation_object.push(0);
    let refused = verify_registration(&policy(), &CHALLENGE, &answer);
    assert_eq!(refused, Err(AttestationObject));
}

#[test]
fn a_good_assertion_gives_its_counter() {
    assert_eq!(request().assert(), Ok(Assertion { sign_count: 5, backed_up: false }));
    let zero = bent(request(), |b| b.count = 0).answer();
    let stored = StoredCredential { sign_count: 0, ..stored() };
    let ok = verify_assertion(&policy(), &CHALLENGE, &zero, &stored, UserKnown::ByTheAnswer);
    assert_eq!(ok.map(|a| a.sign_count), Ok(0));
}

#[test]
fn each_step_of_the_assertion_refuses_on_its_own() {
    use AssertionError::{AuthenticatorData, ClientData};
    let cases: &[(&str, Bend, AssertionError)] = &[
        ("5: credential", |b| b.id = vec![2; 16], AssertionError::CredentialId),
        ("9: JSON", |b| b.client = json!("x"), ClientData(Client::Malformed)),
        ("10: type", |b| b.client["type"] = "webauthn.create".into(), ClientData(Client::Type)),
        ("11: challenge", |b| b.client["challenge"] = "".into(), ClientData(Client::Challenge)),
        (
            "12: origin",
            |b| b.client["origin"] = "http://chat.example".into(),
            ClientData(Client::Origin),
        ),
        (
            "13: cross origin",
            |b| b.client["crossOrigin"] = true.into(),
            ClientData(Client::CrossOrigin),
        ),
        (
            "14: top origin",
            |b| b.client["topOrigin"] = "https://a".into(),
            ClientData(Client::TopOrigin),
        ),
        ("15: relying party", |b| b.rp_id = "evil.example", AuthenticatorData(Data::RpId)),
        ("16: user present", |b| b.flags &= !0x01, AuthenticatorData(Data::UserPresent)),
        ("17: user verified", |b| b.flags &= !0x04, AuthenticatorData(Data::UserVerified)),
        ("18: backup state", |b| b.flags |= 0x10, AuthenticatorData(Data::BackupState)),
        ("19: eligibility", |b| b.flags |= 0x08, AssertionError::BackupEligibility),
        ("22: counter", |b| b.count = 4, AssertionError::SignCount),
        ("22: counter at zero", |b| b.count = 0, AssertionError::SignCount),
    ];
    for (step, bend, expected) in cases {
        assert_eq!(bent(request(), bend).assert(), Err(*expected), "step {step}");
    }
    // Step 6: the user handle.
    let mut answer = request().answer();
    answer.user_handle = Some(vec![8; 32]);
    assert_eq!(check(&answer), Err(AssertionError::UserHandle));
    answer.user_handle = None;
    assert_eq!(check(&answer), Err(AssertionError::UserHandle));
    let known = verify_assertion(&policy(), &CHALLENGE, &answer, &stored(), UserKnown::Before);
    assert!(known.is_ok(), "who was known before need not be named");
    // Step 21: the signature.
    let mut answer = request().answer();
    answer.signature[20] ^= 1;
    assert_eq!(check(&answer), Err(AssertionError::Signature));
    let mut answer = request().answer();
    answer.signature.push(0);
    assert_eq!(check(&answer), Err(AssertionError::Signature), "not DER");
    let mut answer = request().answer();
    answer.signature = bent(request(), |b| b.count = 6).answer().signature;
    assert_eq!(check(&answer), Err(AssertionError::Signature), "of other data");
}

#[test]
fn policies_can_be_relaxed() {
    let relaxed = Policy { require_uv: false, allow_cross_origin: true, ..policy() };
    let answer = bent(request(), |b| {
        b.flags = 0x01;
        b.client["crossOrigin"] = true.into();
        b.client["topOrigin"] = "https://elsewhere.example".into();
    });
    let user = UserKnown::ByTheAnswer;
    assert!(verify_assertion(&relaxed, &CHALLENGE, &answer.answer(), &stored(), user).is_ok());
}

#[test]
fn no_mutation_panics_or_passes() {
    let registration = creation();
    let (object, client) = (registration.object(), registration.client.to_string().into_bytes());
    let good = registration.register().unwrap();
    let mut tried = 0;
    for at in 0..object.len() {
        for change in [1u8, 0x20, 0x80, 0xff] {
            let mut attestation_object = object.clone();
            attestation_object[at] ^= change;
            let response = RegistrationResponse {
                raw_id: vec![1; 16],
                client_data: client.clone(),
                attestation_object,
                transports: Vec::new(),
            };
            if let Ok(credential) = verify_registration(&policy(), &CHALLENGE, &response) {
                // The counter, the AAGUID and the flags for backup are not signed here.
                assert_eq!(credential.id, good.id);
            }
            tried += 1;
        }
        let response = RegistrationResponse {
            raw_id: vec![1; 16],
            client_data: client.clone(),
            attestation_object: object[..at].to_vec(),
            transports: Vec::new(),
        };
        assert!(verify_registration(&policy(), &CHALLENGE, &response).is_err());
    }
    assert!(tried > 500);
    let answer = request().answer();
    for at in 0..answer.authenticator_data.len() {
        let mut answer = request().answer();
        answer.authenticator_data[at] ^= 1;
        assert!(check(&answer).is_err(), "authenticator data, byte {at}");
    }
    for at in 0..answer.client_data.len() {
        let mut answer = request().answer();
        answer.client_data[at] ^= 1;
        assert!(check(&answer).is_err(), "client data, byte {at}");
    }
}

#[test]
fn json_is_read_as_browsers_write_it() {
    let id = b64url(&[1; 16]);
    let mut credential = json!({
        "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
        "response": {
            "clientDataJSON": "e30", "attestationObject": "oA", "transports": ["internal", "HÆ"],
            "publicKeyAlgorithm": -7, "publicKey": "AAAA", "authenticatorData": "AAAA",
        },
        "clientExtensionResults": { "prf": { "enabled": true } },
    });
    let read = RegistrationResponse::from_json(&credential).unwrap();
    assert_eq!((read.client_data.as_slice(), read.transports.len()), (&b"{}"[..], 1));
    assert!(AuthenticationResponse::from_json(&credential).is_err(), "no signature");
    credential["type"] = "password".into();
    assert!(RegistrationResponse::from_json(&credential).is_err());
    credential["type"] = "public-key".into();
    credential["id"] = "AAAA".into();
    assert!(RegistrationResponse::from_json(&credential).is_err(), "id and rawId differ");
    for other in [json!(null), json!([]), json!({}), json!("x")] {
        assert!(RegistrationResponse::from_json(&other).is_err());
    }
}

#[test]
fn options_say_what_we_demand() {
    let user = User { handle: &HANDLE, name: "alice.example", display_name: "Alice" };
    let options = creation_options(&policy(), &CHALLENGE, &user, &[5; 32]);
    assert_eq!(options["challenge"], b64url(&CHALLENGE));
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["pubKeyCredParams"], json!([{ "type": "public-key", "alg": -7 }]));
    assert_eq!(options["extensions"]["prf"]["eval"]["first"], b64url(&[5; 32]));
    let options = request_options(&policy(), &CHALLENGE, &[], &[5; 32]);
    assert_eq!(options["allowCredentials"], json!([]));
    assert_eq!(
        (&options["rpId"], &options["userVerification"]),
        (&json!("chat.example"), &json!("required"))
    );
}
