//! Every way to shake hands that we offer, with ring's own implementation on the other side; and what
//! our part of it refuses.
use super::super::provider::provider;
use super::tls::{Authority, echoing, trusting};
use super::*;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::kx_group;
use rustls::pki_types::alg_id;
use rustls::{NamedGroup, SupportedProtocolVersion};

#[test]
fn every_curve_key_and_version_there_is() {
    let versions: [&'static SupportedProtocolVersion; 2] =
        [&rustls::version::TLS13, &rustls::version::TLS12];
    let groups: [&'static dyn SupportedKxGroup; 2] = [kx_group::X25519, kx_group::SECP256R1];
    let keys = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
    for authority in keys.map(|key| Authority::with(KeyPair::generate_for(key).unwrap())) {
        for key in keys {
            for version in versions {
                for group in groups {
                    let own = KeyPair::generate_for(key).unwrap();
                    let offered = rustls::crypto::CryptoProvider {
                        kx_groups: vec![group],
                        ..rustls::crypto::ring::default_provider()
                    };
                    let names = ["localhost"];
                    let config = authority.server_of(own, offered, &names, &[version], |_| {});
                    let (origin, seen) = echoing(config);
                    let told = fetch(&trusting(&authority), &origin);
                    assert_eq!(told.unwrap(), "200 0", "{:?} {version:?} {key:?}", group.name());
                    assert_eq!(seen.recv().unwrap().2, "http/1.1");
                }
            }
        }
    }
}

fn p256() -> &'static dyn SupportedKxGroup {
    provider().kx_groups[1]
}

#[test]
fn both_sides_of_an_exchange_come_to_the_same_secret_and_never_twice() {
    let mut secrets = std::collections::HashSet::new();
    for _ in 0..20 {
        let (ours, theirs) = (p256().start().unwrap(), kx_group::SECP256R1.start().unwrap());
        assert_eq!((ours.group(), ours.pub_key().len()), (NamedGroup::secp256r1, 65));
        let public = ours.pub_key().to_vec();
        let secret = ours.complete(theirs.pub_key()).unwrap();
        let same = theirs.complete(&public).unwrap();
        assert_eq!(secret.secret_bytes(), same.secret_bytes());
        assert!(secrets.insert(secret.secret_bytes().to_vec()));
    }
}

#[test]
fn what_is_no_point_of_the_curve_is_refused() {
    let good = p256().start().unwrap().pub_key().to_vec();
    let mut off = good.clone();
    off[64] ^= 1;
    let mut compressed = good[..33].to_vec();
    compressed[0] = 2;
    let mut hybrid = good.clone();
    hybrid[0] = 6 + (good[64] & 1);
    let long = [&good[..], &[0]].concat();
    for bad in [&off[..], &compressed, &hybrid, &long, &good[..64], &[0; 65], &[0], &[]] {
        assert!(p256().start().unwrap().complete(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_signature_counts_for_its_key_message_and_hash_alone() {
    use p256::ecdsa::signature::Signer;
    use p256::ecdsa::{Signature, SigningKey};
    let algorithms = provider().signature_verification_algorithms.all;
    let of = |id| {
        let found = algorithms
            .iter()
            .find(|a| (a.public_key_alg_id(), a.signature_alg_id()) == (alg_id::ECDSA_P256, id));
        *found.expect("it is offered")
    };
    let (sha256, sha384) = (of(alg_id::ECDSA_SHA256), of(alg_id::ECDSA_SHA384));
    let key = SigningKey::from_slice(&[7; 32]).unwrap();
    let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    let signature: Signature = key.sign(b"words");
    let signature = signature.to_der().as_bytes().to_vec();
    assert!(sha256.verify_signature(&public, b"words", &signature).is_ok());
    assert!(sha256.verify_signature(&public, b"other words", &signature).is_err());
    assert!(sha384.verify_signature(&public, b"words", &signature).is_err());
    let other = SigningKey::from_slice(&[8; 32]).unwrap();
    let other = other.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    assert!(sha256.verify_signature(&other, b"words", &signature).is_err());
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        assert!(sha256.verify_signature(&public, b"words", &changed).is_err(), "{at}");
    }
    for bad in [&[][..], &[0x30, 0], &[0; 64], &[&signature[..], &[0]].concat()] {
        assert!(sha256.verify_signature(&public, b"words", bad).is_err());
        assert!(sha256.verify_signature(bad, b"words", &signature).is_err());
    }
}
