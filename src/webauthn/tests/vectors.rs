//! The specification's own test vectors ("Test Vectors"), read from the file that
//! `CHAT_POSTA_VECTORS` names, under every policy.
//!
//! What is due is worked out from each vector's own bytes, not with the code under test.
use super::super::assertion::AssertionError;
use super::super::authenticator_data::AuthenticatorDataError as Data;
use super::super::client_data::ClientDataError as Client;
use super::super::cose::KeyError;
use super::super::registration::RegistrationError;
use super::*;

struct Vector {
    title: String,
    /// The parts of `registration` and `authentication`.
    parts: [Value; 2],
}

impl Vector {
    fn part(&self, ceremony: usize, name: &str) -> Vec<u8> {
        let text = self.parts[ceremony][name].as_str();
        let text = text.unwrap_or_else(|| panic!("{} has a {name}", self.title));
        assert!(text.len().is_multiple_of(2));
        let byte = |i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal");
        (0..text.len() / 2).map(byte).collect()
    }

    fn registration(&self) -> RegistrationResponse {
        RegistrationResponse {
            raw_id: self.part(0, "credential_id"),
            client_data: self.part(0, "clientDataJSON"),
            attestation_object: self.part(0, "attestationObject"),
            transports: Vec::new(),
        }
    }

    fn assertion(&self) -> AuthenticationResponse {
        AuthenticationResponse {
            raw_id: self.part(0, "credential_id"),
            client_data: self.part(1, "clientDataJSON"),
            authenticator_data: self.part(1, "authenticatorData"),
            signature: self.part(1, "signature"),
            user_handle: None,
        }
    }

    /// The flags of both ceremonies' authenticator data, which begins with the RP ID's hash.
    fn flags(&self, rp_id: &str) -> [u8; 2] {
        let hash = Sha256::digest(rp_id);
        [self.part(0, "attestationObject"), self.part(1, "authenticatorData")].map(|bytes| {
            let at = bytes.windows(32).rposition(|window| window == &hash[..]);
            bytes[at.expect("the hash") + 32]
        })
    }

    /// The COSE number of an algorithm that is not ours.
    fn other_algorithm(&self) -> Option<i64> {
        let others = [("ES384", -35), ("ES512", -36), ("RS256", -257), ("Ed25519", -8)];
        let mut others = others.into_iter().chain([("Ed448", -53)]);
        others.find(|(name, _)| self.title.contains(name)).map(|(_, number)| number)
    }

    /// What the client data of a ceremony deserves.
    fn client(&self, ceremony: usize, policy: &Policy) -> Option<Client> {
        let data = self.part(ceremony, "clientDataJSON");
        let data: Value = serde_json::from_slice(&data).expect("client data");
        if data["crossOrigin"] == true && !policy.allow_cross_origin {
            return Some(Client::CrossOrigin);
        }
        let top = data["topOrigin"].as_str()?;
        (!policy.top_origins.iter().any(|origin| origin == top)).then_some(Client::TopOrigin)
    }
}

/// How often something was verified or refused, per ceremony and in all.
#[derive(Default, Debug)]
struct Count {
    vectors: usize,
    ours: usize,
    verified: [usize; 2],
    refused: [usize; 2],
}

#[test]
fn the_specification_s_vectors_hold_under_every_policy() {
    let Some(path) = std::env::var_os("CHAT_POSTA_VECTORS") else {
        eprintln!("SKIPPED: CHAT_POSTA_VECTORS names no file with the WebAuthn test vectors");
        return;
    };
    let text = std::fs::read(&path).expect("CHAT_POSTA_VECTORS names a readable file");
    let mut file: Value = serde_json::from_slice(&text).expect("the vectors are JSON");
    let named = |name: &str| file[name].as_str().expect("a text").to_owned();
    let (rp_id, origin, top_origin) = (named("rp_id"), named("origin"), named("top_origin"));
    let strict = Policy::strict(rp_id, origin);
    let mut count = Count::default();
    for vector in file["vectors"].as_array_mut().expect("a list") {
        let parts = [vector["registration"].take(), vector["authentication"].take()];
        if parts[0].is_null() {
            continue; // the certificate that the statements chain up to
        }
        let title = vector["title"].as_str().expect("a title").to_owned();
        let vector = Vector { title, parts };
        count.vectors += 1;
        for choice in 0..8u8 {
            let policy = Policy {
                require_uv: choice & 1 != 0,
                allow_cross_origin: choice & 2 != 0,
                top_origins: if choice & 4 != 0 { vec![top_origin.clone()] } else { Vec::new() },
                ..strict.clone()
            };
            registered(&vector, &policy, &mut count);
        }
        let relaxed = Policy {
            require_uv: false,
            allow_cross_origin: true,
            top_origins: vec![top_origin.clone()],
            ..strict.clone()
        };
        if vector.other_algorithm().is_none() {
            count.ours += 1;
            asserted(&vector, &relaxed, &mut count);
        }
    }
    println!("WebAuthn vectors: {count:?}");
    assert!(count.ours >= 10 && count.vectors >= count.ours + 5, "the file is whole");
}

/// Judges the registration under `policy`.
fn registered(vector: &Vector, policy: &Policy, count: &mut Count) {
    let [flags, _] = vector.flags(&policy.rp_id);
    let result = verify_registration(policy, &vector.part(0, "challenge"), &vector.registration());
    let due = if let Some(client) = vector.client(0, policy) {
        Some(RegistrationError::ClientData(client))
    } else if policy.require_uv && flags & UV == 0 {
        Some(RegistrationError::AuthenticatorData(Data::UserVerified))
    } else {
        vector.other_algorithm().map(|n| RegistrationError::Key(KeyError::Algorithm(n)))
    };
    assert_eq!(result.as_ref().err(), due.as_ref(), "{}", vector.title);
    let Ok(credential) = result else {
        count.refused[0] += 1;
        return;
    };
    count.verified[0] += 1;
    let key = SigningKey::from_slice(&vector.part(0, "credential_private_key")).expect("a key");
    assert_eq!(credential.public_key, key.verifying_key().to_sec1_point(false).as_bytes());
    assert_eq!(credential.id, vector.part(0, "credential_id"));
    assert_eq!(credential.aaguid[..], vector.part(0, "aaguid")[..]);
    assert_eq!(credential.backup_eligible, flags & BE != 0);
    assert_eq!(credential.backed_up, flags & BS != 0);
}

/// Judges the assertion under every policy, with the credential that `relaxed` registers.
fn asserted(vector: &Vector, relaxed: &Policy, count: &mut Count) {
    let registration = vector.registration();
    let credential = verify_registration(relaxed, &vector.part(0, "challenge"), &registration);
    let credential = credential.unwrap_or_else(|e| panic!("{}: {e}", vector.title));
    let stored = StoredCredential {
        id: credential.id,
        public_key: credential.public_key,
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        user_handle: Vec::new(),
    };
    let [_, flags] = vector.flags(&relaxed.rp_id);
    let challenge = vector.part(1, "challenge");
    let check = |policy: &Policy, answer: &AuthenticationResponse| {
        verify_assertion(policy, &challenge, answer, &stored, UserKnown::Before)
    };
    for choice in 0..8u8 {
        let policy = Policy {
            require_uv: choice & 1 != 0,
            allow_cross_origin: choice & 2 != 0,
            top_origins: if choice & 4 != 0 { relaxed.top_origins.clone() } else { Vec::new() },
            ..relaxed.clone()
        };
        let due = if let Some(client) = vector.client(1, &policy) {
            Some(AssertionError::ClientData(client))
        } else {
            let unverified = policy.require_uv && flags & UV == 0;
            unverified.then_some(AssertionError::AuthenticatorData(Data::UserVerified))
        };
        let result = check(&policy, &vector.assertion());
        assert_eq!(result.err(), due, "{}", vector.title);
        if let Ok(assertion) = result {
            assert_eq!(assertion.backed_up, flags & BS != 0);
            count.verified[1] += 1;
        } else {
            count.refused[1] += 1;
        }
    }
    // What signs one thing does not sign another.
    let mut other = vector.assertion();
    other.authenticator_data[36] ^= 1;
    assert_eq!(check(relaxed, &other), Err(AssertionError::Signature), "{}", vector.title);
}
