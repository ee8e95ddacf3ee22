//! A passkey made of software: answers ceremonies as a browser with a platform authenticator does,
//! so that whole-program tests can sign up and in without a browser.
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

pub struct Passkey {
    key: SigningKey,
    credential_id: Vec<u8>,
    user_handle: String,
    origin: String,
    sign_count: u32,
    output: Vec<u8>,
}

impl Passkey {
    /// Answers `navigator.credentials.create()`: the passkey and its registration.
    pub fn create(options: &Value, origin: &str) -> (Passkey, Value) {
        let mut secret = [0u8; 32];
        getrandom::fill(&mut secret).unwrap();
        let key = SigningKey::from_slice(&secret).unwrap();
        let credential_id = Sha256::digest(secret).to_vec();
        let point = key.verifying_key().to_sec1_point(false);
        // COSE_Key: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        let mut cose = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        cose.extend_from_slice(point.x().unwrap());
        cose.extend_from_slice(&[0x22, 0x58, 0x20]);
        cose.extend_from_slice(point.y().unwrap());
        let rp_id = options["rp"]["id"].as_str().unwrap();
        let mut data = authenticator_data(rp_id, USER_PRESENT | USER_VERIFIED | ATTESTED, 0);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&(credential_id.len() as u16).to_be_bytes());
        data.extend_from_slice(&credential_id);
        data.extend_from_slice(&cose);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend_from_slice(&data);
        let id = B64.encode(&credential_id);
        let client_data = client_data("webauthn.create", options, origin);
        let registration = json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": B64.encode(client_data),
                "attestationObject": B64.encode(attestation),
                "transports": ["internal"],
            },
            "clientExtensionResults": {},
        });
        let user_handle = options["user"]["id"].as_str().unwrap().to_owned();
        let origin = origin.to_owned();
        let output = Vec::new();
        (Passkey { key, credential_id, user_handle, origin, sign_count: 0, output }, registration)
    }

    /// Answers `navigator.credentials.get()`: the assertion and the PRF output (base64url).
    pub fn get(&mut self, options: &Value) -> (Value, String) {
        self.sign_count += 1;
        let rp_id = options["rpId"].as_str().unwrap();
        let flags = USER_PRESENT | USER_VERIFIED;
        let data = authenticator_data(rp_id, flags, self.sign_count);
        let client_data = client_data("webauthn.get", options, &self.origin);
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client_data));
        let signature: Signature = self.key.sign(&signed);
        let id = B64.encode(&self.credential_id);
        let assertion = json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": B64.encode(client_data),
                "authenticatorData": B64.encode(data),
                "signature": B64.encode(signature.to_der().as_bytes()),
                "userHandle": self.user_handle,
            },
            "clientExtensionResults": {},
        });
        (assertion, self.prf(&options["extensions"]["prf"]["eval"]["first"]))
    }

    /// The PRF output that it gave the last time.
    pub fn output(&self) -> Vec<u8> {
        self.output.clone()
    }

    /// Its credential id, base64url.
    pub fn id(&self) -> String {
        B64.encode(&self.credential_id)
    }

    pub fn raw_id(&self) -> Vec<u8> {
        self.credential_id.clone()
    }

    /// WebAuthn's `user.id`.
    pub fn user_handle(&self) -> Vec<u8> {
        B64.decode(&self.user_handle).unwrap()
    }

    /// A secret function of key and input, as the PRF extension demands.
    fn prf(&mut self, input: &Value) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key.to_bytes());
        hash.update(input.as_str().unwrap());
        self.output = hash.finalize().to_vec();
        B64.encode(&self.output)
    }
}

fn authenticator_data(rp_id: &str, flags: u8, sign_count: u32) -> Vec<u8> {
    let mut data = Sha256::digest(rp_id).to_vec();
    data.push(flags);
    data.extend_from_slice(&sign_count.to_be_bytes());
    data
}

fn client_data(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
    let challenge = options["challenge"].as_str().unwrap();
    json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false})
        .to_string()
        .into_bytes()
}
