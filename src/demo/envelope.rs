//! Signed envelopes: what travels between participants. Pure functions over bytes.
//!
//! An envelope is JSON; its Ed25519 signature covers exactly the bytes that are sent, so nothing is
//! ever re-serialised before it is checked.
use super::address::Address;
use super::payload;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Largest envelope on the wire, in bytes.
pub const MAX_ENVELOPE: usize = 64 * 1024;
/// Longest message id, in characters.
const MAX_ID: usize = 128;
pub const MEDIA_TYPE: &str = "application/posta+json";

/// A participant's signing key.
pub struct Key {
    signing: SigningKey,
    pub id: String,
}

/// A key as an actor doc gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicKey {
    pub id: String,
    key: VerifyingKey,
}

/// An envelope's contents.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    pub id: String,
    pub from: Address,
    pub to: Address,
    pub key_id: String,
    /// In the form of the wire, never a short form.
    pub payload: Value,
}

/// An envelope as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    pub bytes: Vec<u8>,
    /// Standard base64, for the `Posta-Signature` field.
    pub signature: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Unverified {
    /// The actor doc has no key of that id.
    UnknownKey,
    BadSignature,
}

impl Key {
    pub fn from_secret(secret: &[u8; 32]) -> Key {
        let signing = SigningKey::from_bytes(secret);
        let digest = Sha256::digest(signing.verifying_key().as_bytes());
        let id = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Key { signing, id: format!("ed25519-{id}") }
    }

    /// This key's entry in the actor doc.
    pub fn public(&self) -> Value {
        let key = BASE64_STANDARD.encode(self.signing.verifying_key().as_bytes());
        json!({"id": self.id, "type": "Ed25519", "key": key})
    }

    pub fn seal(&self, id: &str, from: &Address, to: &Address, at: &str, body: &Value) -> Sealed {
        let envelope = json!({
            "version": 1, "id": id, "from": from.canonical(), "to": to.canonical(),
            "keyId": self.id, "sentAt": at, "payload": body,
        });
        let bytes = envelope.to_string().into_bytes();
        let signature = BASE64_STANDARD.encode(self.signing.sign(&bytes).to_bytes());
        Sealed { bytes, signature }
    }
}

impl PublicKey {
    pub fn read(value: &Value) -> Option<PublicKey> {
        let key = BASE64_STANDARD.decode(value.get("key")?.as_str()?).ok()?;
        let key = VerifyingKey::from_bytes(&key.try_into().ok()?).ok()?;
        Some(PublicKey { id: value.get("id")?.as_str()?.to_owned(), key })
    }
}

impl Envelope {
    /// Reads what came; says nothing about who wrote it.
    pub fn read(bytes: &[u8]) -> Option<Envelope> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name| value.get(name).and_then(Value::as_str);
        let id = text("id").filter(|id| !id.is_empty() && id.chars().count() <= MAX_ID)?;
        Some(Envelope {
            id: id.to_owned(),
            from: Address::parse(text("from")?)?,
            to: Address::parse(text("to")?)?,
            key_id: text("keyId").unwrap_or_default().to_owned(),
            payload: payload::checked(value.get("payload")?.clone())?,
        })
    }
}

/// Whether the key `key_id` among `keys` signed `bytes`.
pub fn verify(
    keys: &[PublicKey],
    key_id: &str,
    bytes: &[u8],
    signature: &str,
) -> Result<(), Unverified> {
    let key = keys.iter().find(|key| key.id == key_id).ok_or(Unverified::UnknownKey)?;
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| Unverified::BadSignature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| Unverified::BadSignature)?;
    // Strict: one message, one signature, and no weak keys.
    key.key.verify_strict(bytes, &signature).map_err(|_| Unverified::BadSignature)
}

/// A room's payload that passes `sealed` on.
pub fn broadcast(sealed: &Sealed) -> Value {
    json!({
        "kind": payload::ROOM, "action": "broadcast",
        "envelopeBytes": BASE64_STANDARD.encode(&sealed.bytes), "signature": sealed.signature,
    })
}

/// The envelope inside a room's broadcast.
pub fn inner(payload: &Value) -> Option<Envelope> {
    if payload.get("action")?.as_str()? != "broadcast" {
        return None;
    }
    Envelope::read(&BASE64_STANDARD.decode(payload.get("envelopeBytes")?.as_str()?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties() -> (Key, Vec<PublicKey>, Address, Address) {
        let key = Key::from_secret(&[7; 32]);
        let public = PublicKey::read(&key.public()).unwrap();
        let address = |text| Address::parse(text).unwrap();
        (key, vec![public], address("alice.example"), address("localhost:9102"))
    }

    #[test]
    fn what_is_sealed_opens_and_verifies() {
        let (key, keys, alice, bob) = parties();
        let sealed = key.seal("m1", &alice, &bob, "2025-05-12T10:00:00Z", &payload::text("hi"));
        let envelope = Envelope::read(&sealed.bytes).unwrap();
        assert_eq!((&envelope.from, &envelope.to, envelope.id.as_str()), (&alice, &bob, "m1"));
        assert_eq!(envelope.payload, payload::text("hi"));
        assert_eq!(verify(&keys, &envelope.key_id, &sealed.bytes, &sealed.signature), Ok(()));
        assert_eq!(inner(&broadcast(&sealed)), Some(envelope));
    }

    #[test]
    fn a_changed_byte_or_key_does_not_verify() {
        let (key, keys, alice, bob) = parties();
        let sealed = key.seal("m1", &alice, &bob, "", &payload::text("hi"));
        let check = |keys: &[PublicKey], id: &str, bytes: &[u8], signature: &str| {
            verify(keys, id, bytes, signature)
        };
        let mut other = sealed.bytes.clone();
        other[20] ^= 1;
        let bad = Err(Unverified::BadSignature);
        assert_eq!(check(&keys, &key.id, &other, &sealed.signature), bad);
        assert_eq!(check(&keys, &key.id, &sealed.bytes, "not base64"), bad);
        assert_eq!(check(&keys, &key.id, &sealed.bytes, "AAAA"), bad);
        let unknown = Err(Unverified::UnknownKey);
        assert_eq!(check(&keys, "another", &sealed.bytes, &sealed.signature), unknown);
        assert_eq!(check(&[], &key.id, &sealed.bytes, &sealed.signature), unknown);
    }

    #[test]
    fn broken_envelopes_are_refused() {
        let good = json!({"id": "1", "from": "a.example", "to": "b.example", "keyId": "k",
                          "payload": {"kind": "posta.text/v1"}});
        assert!(Envelope::read(good.to_string().as_bytes()).is_some());
        for (name, value) in [
            ("id", json!("")),
            ("id", json!("x".repeat(129))),
            ("from", json!("http://a.example")),
            ("to", json!(null)),
            ("payload", json!({"body": "no kind"})),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(Envelope::read(bad.to_string().as_bytes()), None, "{name}");
        }
        assert_eq!(Envelope::read(b"{"), None);
    }
}
