//! An authenticator for tests, each part of whose answers can be bent alone.
mod assertion;
mod hostile;
mod json;
mod options;
mod registration;
mod vectors;
mod wycheproof;

use super::*;
use crate::ops::encode::b64url;
use assertion::{Checked, check};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};

const CHALLENGE: [u8; 32] = [7; 32];
const HANDLE: [u8; 32] = [9; 32];
const AAGUID: [u8; 16] = [0xaa; 16];

const UP: u8 = 0x01;
const UV: u8 = 0x04;
const BE: u8 = 0x08;
const BS: u8 = 0x10;
const AT: u8 = 0x40;
const ED: u8 = 0x80;

fn policy() -> Policy {
    Policy::strict("chat.example".into(), "https://chat.example".into())
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[3; 32]).unwrap()
}

fn public_key() -> Vec<u8> {
    key().verifying_key().to_sec1_point(false).as_bytes().to_vec()
}

/// A COSE key from its members' CBOR.
fn cose(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut map = vec![0xa0 + members.len() as u8];
    members.iter().for_each(|(label, value)| map.extend([*label, *value].concat()));
    map
}

/// A byte string of 32 bytes, as CBOR.
fn bytes32(bytes: &[u8]) -> Vec<u8> {
    [&[0x58, 0x20], bytes].concat()
}

/// The key's coordinates as CBOR.
fn coordinates() -> (Vec<u8>, Vec<u8>) {
    let point = public_key();
    (bytes32(&point[1..33]), bytes32(&point[33..]))
}

fn good_cose() -> Vec<u8> {
    let (x, y) = coordinates();
    cose(&[
        (b"\x01", b"\x02"),
        (b"\x03", b"\x26"),
        (b"\x20", b"\x01"),
        (b"\x21", &x),
        (b"\x22", &y),
    ])
}

/// What goes into an answer.
#[derive(Clone)]
struct Answer {
    client: Vec<u8>,
    rp_id: &'static str,
    flags: u8,
    count: u32,
    id: Vec<u8>,
    cose: Vec<u8>,
    format: &'static str,
    statement: Vec<u8>,
    /// What follows the parts of the authenticator data that are always there.
    tail: Vec<u8>,
}

fn client(kind: &str) -> Value {
    value!({
        "type": kind, "challenge": b64url(&CHALLENGE), "origin": "https://chat.example",
        "crossOrigin": false, "a member of the future": [1, { "type": 2 }],
    })
}

fn good(kind: &str, flags: u8) -> Answer {
    Answer {
        client: client(kind).to_string().into_bytes(),
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

fn creation() -> Answer {
    good("webauthn.create", UP | UV | AT)
}

fn request() -> Answer {
    good("webauthn.get", UP | UV)
}

impl Answer {
    fn bent(mut self, bend: impl FnOnce(&mut Answer)) -> Answer {
        bend(&mut self);
        self
    }

    /// Sets one member of the client data.
    fn claim(&mut self, member: &str, claim: impl Into<Value>) {
        let mut data: Value = serde_json::from_slice(&self.client).unwrap();
        data[member] = claim.into();
        self.client = data.to_string().into_bytes();
    }

    fn data(&self) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id).to_vec();
        data.push(self.flags);
        data.extend_from_slice(&self.count.to_be_bytes());
        if self.flags & AT != 0 {
            data.extend_from_slice(&AAGUID);
            data.extend_from_slice(&(self.id.len() as u16).to_be_bytes());
            data.extend_from_slice(&self.id);
            data.extend_from_slice(&self.cose);
        }
        data.extend_from_slice(&self.tail);
        data
    }

    fn object(&self) -> Vec<u8> {
        attestation_object(self.format, &self.statement, &self.data())
    }

    fn registration(&self) -> RegistrationResponse {
        RegistrationResponse {
            raw_id: self.id.clone(),
            client_data: self.client.clone(),
            attestation_object: self.object(),
            transports: vec!["internal".into()],
        }
    }

    fn register(&self) -> Result<Credential, super::registration::RegistrationError> {
        verify_registration(&policy(), &CHALLENGE, &self.registration())
    }

    fn assertion(&self) -> AuthenticationResponse {
        let authenticator_data = self.data();
        let signed = [&authenticator_data[..], &Sha256::digest(&self.client)].concat();
        let signature: Signature = key().sign(&signed);
        AuthenticationResponse {
            raw_id: self.id.clone(),
            client_data: self.client.clone(),
            authenticator_data,
            signature: signature.to_der().as_bytes().to_vec(),
            user_handle: Some(HANDLE.to_vec()),
        }
    }

    fn assert(&self) -> Checked {
        check(&self.assertion())
    }
}

fn attestation_object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let mut object = b"\xa3\x63fmt\x78".to_vec();
    object.push(format.len() as u8);
    object.extend_from_slice(format.as_bytes());
    object.extend_from_slice(b"\x67attStmt");
    object.extend_from_slice(statement);
    object.extend_from_slice(b"\x68authData\x59");
    object.extend_from_slice(&(data.len() as u16).to_be_bytes());
    object.extend_from_slice(data);
    object
}
