//! Authenticator data, and the COSE key in it: exactly what its flags say, to the byte.
use super::attestation::policy;
use crate::passkey::authenticator_data::AuthenticatorData;
use crate::passkey::cose;
use ciborium::Value;
use p256::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};

const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

pub fn check(bytes: &[u8]) {
    key(bytes);
    let Ok(data) = AuthenticatorData::parse(bytes) else { return };
    let (flags, mut length) = (bytes[32], 37);
    assert_eq!(data.sign_count.to_be_bytes(), bytes[33..37]);
    assert_eq!(data.attested.is_some(), flags & ATTESTED != 0);
    assert_eq!((data.backup_eligible(), data.backed_up()), (flags & 8 != 0, flags & 16 != 0));
    if let Some(attested) = &data.attested {
        let id = attested.credential_id;
        assert_eq!(attested.aaguid, bytes[37..53]);
        assert_eq!((id.len() as u16).to_be_bytes(), bytes[53..55]);
        length = 55 + id.len();
        assert_eq!(id, &bytes[55..length]);
        assert!(bytes[length..].starts_with(attested.public_key));
        length += item(&bytes[length..]);
        assert!(bytes[..length].ends_with(attested.public_key));
        key(attested.public_key);
    }
    if flags & EXTENSIONS != 0 {
        length += item(&bytes[length..]);
    }
    assert_eq!(length, bytes.len(), "nothing is left over");
    // So nothing that is shorter or longer can be taken as well.
    let longer = [bytes, &[0xa0]].concat();
    assert!(AuthenticatorData::parse(&longer).is_err());
    for less in 1..bytes.len().min(8) {
        assert!(AuthenticatorData::parse(&bytes[..bytes.len() - less]).is_err());
    }
    let passes = bytes[..32] == Sha256::digest("chat.example")[..]
        && flags & 5 == 5
        && (flags & 16 == 0 || flags & 8 != 0);
    assert_eq!(data.verify(&policy()).is_ok(), passes);
}

/// The length of the item that `bytes` begin with, by a common reader.
fn item(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let _: Value = ciborium::from_reader(&mut rest).expect("CBOR");
    bytes.len() - rest.len()
}

/// A key that was taken has these five members and a point of the curve.
fn key(bytes: &[u8]) {
    let Ok(point) = cose::es256_key(bytes) else { return };
    assert!(point.len() == 65 && point[0] == 4);
    assert!(VerifyingKey::from_sec1_bytes(&point).is_ok());
    let value: Value = ciborium::from_reader(bytes).expect("CBOR");
    let members = value.as_map().expect("a map");
    assert_eq!(members.len(), 5);
    let member = |label: i64| {
        let found = members.iter().find(|(key, _)| *key == Value::from(label));
        found.map(|(_, value)| value.clone()).unwrap_or_else(|| panic!("{label} is there"))
    };
    for (label, number) in [(1, 2), (3, -7), (-1, 1)] {
        assert_eq!(member(label), Value::from(number));
    }
    assert_eq!(member(-2).as_bytes().map(Vec::as_slice), Some(&point[1..33]));
    assert_eq!(member(-3).as_bytes().map(Vec::as_slice), Some(&point[33..]));
}
