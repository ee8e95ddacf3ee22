//! Assertions: good answers, and for each step one that fails only because of that step.
use super::super::assertion::Assertion;
use super::super::assertion::AssertionError::{self, *};
use super::super::authenticator_data::{AuthenticatorDataError as Data, LayoutError as Layout};
use super::super::client_data::ClientDataError as Client;
use super::*;

fn stored() -> StoredCredential {
    StoredCredential {
        id: vec![1; 16],
        public_key: public_key(),
        sign_count: 4,
        backup_eligible: false,
        user_handle: HANDLE.to_vec(),
    }
}

pub type Checked = Result<Assertion, AssertionError>;

/// What a usernameless sign-in makes of the answer.
pub fn check(answer: &AuthenticationResponse) -> Checked {
    verify_assertion(&policy(), &CHALLENGE, answer, &stored(), UserKnown::ByTheAnswer)
}

#[test]
fn a_good_assertion_gives_its_counter() {
    assert_eq!(request().assert(), Ok(Assertion { sign_count: 5, backed_up: false }));
    let extended = request().bent(|a| {
        a.flags |= ED;
        a.tail = b"\xa1\x6bhmac-secret\x42\x01\x02".to_vec();
    });
    assert!(extended.assert().is_ok());
    let synced = request().bent(|a| a.flags |= BE | BS).assertion();
    let stored = StoredCredential { backup_eligible: true, ..stored() };
    let verified =
        verify_assertion(&policy(), &CHALLENGE, &synced, &stored, UserKnown::ByTheAnswer);
    assert_eq!(verified, Ok(Assertion { sign_count: 5, backed_up: true }));
}

type Case = (&'static str, fn(&mut Answer), AssertionError);

#[test]
fn each_step_refuses_on_its_own() {
    let cases: &[Case] = &[
        ("5: credential", |a| a.id = vec![2; 16], CredentialId),
        (
            "8: not UTF-8",
            |a| a.client.insert(a.client.len() - 3, 0xff),
            ClientData(Client::NotUtf8),
        ),
        ("9: not JSON", |a| a.client.truncate(40), ClientData(Client::NotJson)),
        ("10: type", |a| a.claim("type", "webauthn.create"), ClientData(Client::Type)),
        (
            "11: challenge",
            |a| a.claim("challenge", b64url(&[8; 32])),
            ClientData(Client::Challenge),
        ),
        ("12: origin", |a| a.claim("origin", "http://chat.example"), ClientData(Client::Origin)),
        ("13: cross origin", |a| a.claim("crossOrigin", true), ClientData(Client::CrossOrigin)),
        (
            "14: top origin",
            |a| a.claim("topOrigin", "https://a.example"),
            ClientData(Client::TopOrigin),
        ),
        ("15: left-over bytes", |a| a.tail = vec![0], Layout(Layout::TrailingBytes)),
        ("15: extensions missing", |a| a.flags |= ED, Layout(Layout::Extensions)),
        ("15: a credential", |a| a.flags |= AT, AttestedData),
        ("15: relying party", |a| a.rp_id = "evil.example", AuthenticatorData(Data::RpId)),
        ("16: user present", |a| a.flags &= !UP, AuthenticatorData(Data::UserPresent)),
        ("17: user verified", |a| a.flags &= !UV, AuthenticatorData(Data::UserVerified)),
        ("18: backup state", |a| a.flags |= BS, AuthenticatorData(Data::BackupState)),
        ("19: eligibility", |a| a.flags |= BE, BackupEligibility),
        ("22: counter at rest", |a| a.count = 4, SignCount { stored: 4, received: 4 }),
        ("22: counter backwards", |a| a.count = 3, SignCount { stored: 4, received: 3 }),
        ("22: counter at zero", |a| a.count = 0, SignCount { stored: 4, received: 0 }),
    ];
    for (what, bend, expected) in cases {
        let error = request().bent(bend).assert().expect_err(what);
        assert_eq!(error, *expected, "{what}");
        let step: String = what.chars().take_while(char::is_ascii_digit).collect();
        assert!(error.to_string().contains(&format!("§7.2 step {step}: ")), "{what}: {error}");
    }
    let mut short = request().assertion();
    short.authenticator_data.truncate(36);
    assert_eq!(check(&short), Err(Layout(Layout::TooShort)));
    let lost = StoredCredential { backup_eligible: true, ..stored() };
    let answer = request().assertion();
    let refused = verify_assertion(&policy(), &CHALLENGE, &answer, &lost, UserKnown::ByTheAnswer);
    assert_eq!(refused, Err(BackupEligibility), "the other way round");
}

#[test]
fn step_6_wants_the_user_it_stored() {
    let mut answer = request().assertion();
    let known = |answer: &_, user| verify_assertion(&policy(), &CHALLENGE, answer, &stored(), user);
    for other in [vec![8; 32], HANDLE[..31].to_vec(), Vec::new()] {
        answer.user_handle = Some(other);
        assert_eq!(known(&answer, UserKnown::ByTheAnswer), Err(UserHandle));
        assert_eq!(known(&answer, UserKnown::Before), Err(UserHandle));
    }
    answer.user_handle = None;
    assert_eq!(known(&answer, UserKnown::ByTheAnswer), Err(NoUserHandle));
    assert!(known(&answer, UserKnown::Before).is_ok(), "who was known before need not be named");
}

#[test]
fn step_22_lets_counters_rest_at_zero_only() {
    let none = StoredCredential { sign_count: 0, ..stored() };
    for count in [0, 1, u32::MAX] {
        let answer = request().bent(|a| a.count = count).assertion();
        let checked =
            verify_assertion(&policy(), &CHALLENGE, &answer, &none, UserKnown::ByTheAnswer);
        assert_eq!(checked.map(|a| a.sign_count), Ok(count));
    }
}

#[test]
fn step_21_wants_a_signature_over_these_very_bytes() {
    let with = |signature: Vec<u8>| {
        let mut answer = request().assertion();
        answer.signature = signature;
        check(&answer)
    };
    let good = request().assertion().signature;
    assert!(with(good.clone()).is_ok());
    assert_eq!(with(request().bent(|a| a.count = 6).assertion().signature), Err(Signature));
    let other = request().bent(|a| a.claim("x", 1)).assertion().signature;
    assert_eq!(with(other), Err(Signature));
    let broken = StoredCredential { public_key: vec![4; 65], ..stored() };
    let answer = request().assertion();
    let refused = verify_assertion(&policy(), &CHALLENGE, &answer, &broken, UserKnown::ByTheAnswer);
    assert_eq!(refused, Err(StoredKey));
}

/// An ASN.1 INTEGER, whatever its bytes.
fn integer(bytes: &[u8]) -> Vec<u8> {
    [&[0x02, bytes.len() as u8], bytes].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[0x30, body.len() as u8], &body[..]].concat()
}

#[test]
fn step_21_wants_der_and_nothing_but_der() {
    // In DER itself, r or s may need a zero in front; here neither does, so that each form below
    // differs from the good one in its spelling alone.
    let (mut answer, r, s) = (0..)
        .map(|n| request().bent(|a| a.count = 5 + n).assertion())
        .find_map(|answer| {
            let signature = p256::ecdsa::Signature::from_der(&answer.signature).ok()?;
            let (r, s) = signature.split_bytes();
            let plain = |n: &[u8]| (1..0x80).contains(&n[0]);
            (plain(&r) && plain(&s)).then(|| (answer, r.to_vec(), s.to_vec()))
        })
        .expect("one in four is so");
    let (ri, si) = (integer(&r), integer(&s));
    let padded = |n: &[u8]| integer(&[&[0], n].concat());
    let body = [&ri[..], &si].concat();
    let order = {
        let n = b"\0\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff";
        let rest = b"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
        integer(&[&n[..], rest].concat())
    };
    assert_eq!(answer.signature, sequence(&[&ri, &si]));
    assert!(check(&answer).is_ok());
    let spellings: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("raw r and s", [&r[..], &s].concat()),
        ("a byte behind", [&sequence(&[&ri, &si])[..], &[0]].concat()),
        ("a byte inside", sequence(&[&ri, &si, &[0]])),
        ("a third integer", sequence(&[&ri, &si, &[2, 1, 0]])),
        ("r alone", sequence(&[&ri])),
        ("r padded", sequence(&[&padded(&r), &si])),
        ("s padded", sequence(&[&ri, &padded(&s)])),
        ("the length in long form", [&[0x30, 0x81, body.len() as u8], &body[..]].concat()),
        ("no length (BER)", [&[0x30, 0x80], &body[..], &[0, 0]].concat()),
        ("a set", [&[0x31, body.len() as u8], &body[..]].concat()),
        ("no integer", sequence(&[&[&[0x04], &ri[1..]].concat(), &si])),
        ("r of no bytes", sequence(&[&[2, 0], &si])),
        ("r is zero", sequence(&[&[2, 1, 0], &si])),
        ("s is zero", sequence(&[&ri, &[2, 1, 0]])),
        ("r is negative", sequence(&[&integer(&[&[0x80], &r[1..]].concat()), &si])),
        ("r is the order", sequence(&[&order, &si])),
        ("s is the order", sequence(&[&ri, &order])),
    ];
    for (what, signature) in spellings {
        answer.signature = signature;
        assert_eq!(check(&answer), Err(SignatureEncoding), "{what}");
    }
    // ES256 does not choose between s and n - s.
    let signature = p256::ecdsa::Signature::from_scalars(
        <[u8; 32]>::try_from(&r[..]).unwrap(),
        <[u8; 32]>::try_from(&s[..]).unwrap(),
    );
    let other = high_s(&signature.unwrap());
    answer.signature = other.to_der().as_bytes().to_vec();
    assert!(check(&answer).is_ok());
}

/// The other of the two s that verify.
fn high_s(signature: &p256::ecdsa::Signature) -> p256::ecdsa::Signature {
    let (r, s) = signature.split_scalars();
    p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap()
}

#[test]
fn policies_can_be_relaxed() {
    let relaxed = Policy {
        require_uv: false,
        allow_cross_origin: true,
        top_origins: vec!["https://top.example".into()],
        ..policy()
    };
    let check = |answer: &Answer| {
        let (answer, stored) = (answer.assertion(), stored());
        verify_assertion(&relaxed, &CHALLENGE, &answer, &stored, UserKnown::ByTheAnswer)
    };
    let answer = request().bent(|a| {
        a.flags = UP;
        a.claim("crossOrigin", true);
    });
    assert!(check(&answer).is_ok());
    assert!(check(&answer.clone().bent(|a| a.claim("topOrigin", "https://top.example"))).is_ok());
    let elsewhere = answer.bent(|a| a.claim("topOrigin", "https://other.example"));
    assert_eq!(check(&elsewhere), Err(ClientData(Client::TopOrigin)));
}
