//! Answers that were tampered with, byte by byte: each is refused or means the same, and none
//! panics.
use super::*;

const FLIPS: [u8; 3] = [0x01, 0x20, 0x80];

/// Every prefix of `good`, and `good` with each byte changed, removed and doubled.
fn tampered(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..good.len()).flat_map(move |at| {
        let flipped = FLIPS.map(|flip| {
            let mut bytes = good.to_vec();
            bytes[at] ^= flip;
            bytes
        });
        let removed = [&good[..at], &good[at + 1..]].concat();
        let doubled = [&good[..=at], &good[at..]].concat();
        flipped.into_iter().chain([good[..at].to_vec(), removed, doubled])
    })
}

/// Compares what a registration vouches for. The rest of it (counter, AAGUID, flags of backup and
/// format) is under no signature when the attestation is none.
fn same_key(one: &Credential, other: &Credential) -> bool {
    (&one.id, &one.public_key) == (&other.id, &other.public_key)
}

#[test]
fn no_tampering_with_a_registration_changes_its_key() {
    let packed = creation().bent(|a| {
        a.format = "packed";
        a.flags |= ED;
        a.statement = b"\xa3\x63alg\x26\x63sig\x42\x01\x02\x63x5c\x81\x43abc".to_vec();
        a.tail = b"\xa1\x6bcredProtect\x02".to_vec();
    });
    let credential = packed.register().unwrap();
    let mut passed = 0;
    for attestation_object in tampered(&packed.object()) {
        let response = RegistrationResponse { attestation_object, ..packed.registration() };
        if let Ok(tampered) = verify_registration(&policy(), &CHALLENGE, &response) {
            assert!(same_key(&tampered, &credential));
            passed += 1;
        }
    }
    assert!(passed > 0, "the statement is not trusted, so some of it may change");
    for client_data in tampered(&packed.client) {
        let response = RegistrationResponse { client_data, ..packed.registration() };
        // Under `none` nothing signs the client data: members that no step names may change.
        if let Ok(tampered) = verify_registration(&policy(), &CHALLENGE, &response) {
            assert_eq!(tampered, credential);
        }
    }
    for raw_id in tampered(&packed.id).filter(|id| *id != packed.id) {
        let response = RegistrationResponse { raw_id, ..packed.registration() };
        assert!(verify_registration(&policy(), &CHALLENGE, &response).is_err());
    }
}

#[test]
fn no_tampering_with_an_assertion_passes() {
    let good = request().bent(|a| {
        a.flags |= ED;
        a.tail = b"\xa1\x6bcredProtect\x02".to_vec();
    });
    let good = good.assertion();
    assert!(check(&good).is_ok());
    let tries = |part: &[u8], replace: fn(&mut AuthenticationResponse, Vec<u8>)| {
        for tampered in tampered(part).filter(|tampered| tampered != part) {
            let mut answer = copy(&good);
            replace(&mut answer, tampered);
            assert!(check(&answer).is_err());
        }
    };
    tries(&good.authenticator_data, |answer, bytes| answer.authenticator_data = bytes);
    tries(&good.client_data, |answer, bytes| answer.client_data = bytes);
    tries(&good.signature, |answer, bytes| answer.signature = bytes);
    tries(&good.raw_id, |answer, bytes| answer.raw_id = bytes);
    tries(&HANDLE, |answer, bytes| answer.user_handle = Some(bytes));
}

fn copy(answer: &AuthenticationResponse) -> AuthenticationResponse {
    AuthenticationResponse {
        raw_id: answer.raw_id.clone(),
        client_data: answer.client_data.clone(),
        authenticator_data: answer.authenticator_data.clone(),
        signature: answer.signature.clone(),
        user_handle: answer.user_handle.clone(),
    }
}

#[test]
fn noise_is_refused_without_panicking() {
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let honest = request().bent(|a| a.flags |= ED).data();
    let mut answer = request().assertion();
    for length in 0..1_000 {
        let noise: Vec<u8> = (0..length % 200).map(|_| byte()).collect();
        let mut response = creation().registration();
        response.attestation_object = noise.clone();
        assert!(verify_registration(&policy(), &CHALLENGE, &response).is_err());
        // Noise behind an honest beginning gets further.
        response.attestation_object = creation().bent(|a| a.cose = noise.clone()).object();
        assert!(verify_registration(&policy(), &CHALLENGE, &response).is_err());
        answer.authenticator_data = [&honest[..], &noise].concat();
        assert!(check(&answer).is_err());
    }
}

/// Both ceremonies at their deepest, on a thread with little stack; an overflow ends the process.
#[test]
fn verifying_needs_little_stack() {
    // Of this, an assertion was seen to use 35 KiB in debug and 9 KiB in release, a registration
    // 21 and 4; the rest is for the authenticator, who signs here too.
    const STACK: usize = if cfg!(debug_assertions) { 96 } else { 48 } * 1024;
    let deepest = || {
        let deep = [vec![0x81; 7], vec![0x01]].concat();
        let answer = creation().bent(|a| (a.format, a.statement) = ("packed", deep));
        assert!(answer.register().is_ok());
        assert!(request().assert().is_ok());
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(deepest).unwrap();
    thread.join().unwrap();
}
