//! Registration: good answers, and for each step one that fails only because of that step.
use super::super::authenticator_data::{AuthenticatorDataError as Data, LayoutError as Layout};
use super::super::client_data::{ClientDataError as Client, MAX_LENGTH};
use super::super::cose::KeyError;
use super::super::registration::RegistrationError::{self, *};
use super::*;

#[test]
fn a_good_registration_gives_its_credential() {
    let expected = Credential {
        id: vec![1; 16],
        public_key: public_key(),
        sign_count: 5,
        backup_eligible: false,
        backed_up: false,
        transports: vec!["internal".into()],
        aaguid: AAGUID,
        attestation: "none".into(),
    };
    assert_eq!(creation().register().unwrap(), expected);
    let synced = creation().bent(|a| a.flags |= BE | BS).register().unwrap();
    assert!(synced.backup_eligible && synced.backed_up);
    let syncable = creation().bent(|a| a.flags |= BE).register().unwrap();
    assert!(syncable.backup_eligible && !syncable.backed_up);
    assert!(creation().bent(|a| a.id = vec![1; 1023]).register().is_ok());
}

#[test]
fn statements_are_parsed_and_not_trusted() {
    let statements: [(&str, &[u8]); 4] = [
        ("packed", b"\xa2\x63alg\x26\x63sig\x42\x01\x02"),
        ("fido-u2f", b"\xa2\x63sig\x40\x63x5c\x81\x43abc"),
        ("compound", b"\x82\xa2\x63fmt\x64none\x67attStmt\xa0\xa2\x63fmt\x65apple\x67attStmt\xa0"),
        ("example.maker.2", b"\xa0"),
    ];
    for (format, statement) in statements {
        let answer = creation().bent(|a| (a.format, a.statement) = (format, statement.to_vec()));
        assert_eq!(answer.register().unwrap().attestation, format);
    }
}

#[test]
fn extensions_are_passed_over() {
    let answer = creation().bent(|a| {
        a.flags |= ED;
        a.tail = b"\xa2\x6bcredProtect\x02\x6bhmac-secret\xf5".to_vec();
    });
    assert!(answer.register().is_ok());
}

#[test]
fn the_order_of_keys_is_free() {
    let (x, y) = coordinates();
    let key = [(&b"\x22"[..], &y[..]), (b"\x21", &x), (b"\x20", b"\x01"), (b"\x03", b"\x26")];
    let key = cose(&[&key[..], &[(b"\x01", b"\x02")]].concat());
    assert!(creation().bent(|a| a.cose = key).register().is_ok());
    let mut response = creation().registration();
    let data = creation().data();
    let mut object = b"\xa4\x61x\x82\x01\x02\x68authData\x58".to_vec();
    object.push(data.len() as u8);
    object.extend_from_slice(&data);
    object.extend_from_slice(b"\x63fmt\x64none\x67attStmt\xa0");
    response.attestation_object = object;
    assert!(verify_registration(&policy(), &CHALLENGE, &response).is_ok());
}

type Case = (&'static str, fn(&mut Answer), RegistrationError);

fn each_fails_alone(cases: &[Case]) {
    assert!(creation().register().is_ok());
    for (what, bend, expected) in cases {
        let error = creation().bent(bend).register().expect_err(what);
        assert_eq!(error, *expected, "{what}");
        let step: String = what.chars().take_while(char::is_ascii_digit).collect();
        assert!(error.to_string().contains(&format!("§7.1 step {step}: ")), "{what}: {error}");
    }
}

#[test]
fn each_step_about_the_client_data_refuses_on_its_own() {
    each_fails_alone(&[
        (
            "5: longer than any browser's",
            |a| a.claim("x", "x".repeat(MAX_LENGTH)),
            ClientData(Client::TooLong),
        ),
        (
            "5: not UTF-8",
            |a| a.client.insert(a.client.len() - 3, 0xff),
            ClientData(Client::NotUtf8),
        ),
        ("6: not JSON", |a| a.client.push(b'}'), ClientData(Client::NotJson)),
        ("6: no object", |a| a.client = b"[]".to_vec(), ClientData(Client::NotJson)),
        ("6: a number for a type", |a| a.claim("type", 1), ClientData(Client::NotJson)),
        (
            "6: a member twice",
            |a| drop(a.client.splice(1..1, *br#""origin":"https://chat.example","#)),
            ClientData(Client::NotJson),
        ),
        ("6: cross origin is text", |a| a.claim("crossOrigin", "no"), ClientData(Client::NotJson)),
        (
            "6: top origin is null",
            |a| a.claim("topOrigin", Value::Null),
            ClientData(Client::NotJson),
        ),
        ("7: type", |a| a.claim("type", "webauthn.get"), ClientData(Client::Type)),
        (
            "8: another challenge",
            |a| a.claim("challenge", b64url(&[8; 32])),
            ClientData(Client::Challenge),
        ),
        ("8: no challenge", |a| a.claim("challenge", ""), ClientData(Client::Challenge)),
        (
            "8: the challenge, padded",
            |a| a.claim("challenge", b64url(&CHALLENGE) + "="),
            ClientData(Client::Challenge),
        ),
        (
            "9: below our domain",
            |a| a.claim("origin", "https://a.chat.example"),
            ClientData(Client::Origin),
        ),
        ("9: not https", |a| a.claim("origin", "http://chat.example"), ClientData(Client::Origin)),
        (
            "9: a port",
            |a| a.claim("origin", "https://chat.example:444"),
            ClientData(Client::Origin),
        ),
        (
            "9: ours before it",
            |a| a.claim("origin", "https://chat.example.evil"),
            ClientData(Client::Origin),
        ),
        ("10: in a frame", |a| a.claim("crossOrigin", true), ClientData(Client::CrossOrigin)),
        (
            "11: below a page",
            |a| a.claim("topOrigin", "https://a.example"),
            ClientData(Client::TopOrigin),
        ),
        (
            "11: below ours",
            |a| a.claim("topOrigin", "https://chat.example"),
            ClientData(Client::TopOrigin),
        ),
    ]);
    let marked = creation().bent(|a| drop(a.client.splice(0..0, *b"\xef\xbb\xbf")));
    assert!(marked.register().is_ok(), "step 5 drops a byte order mark");
    let marked = marked.bent(|a| drop(a.client.splice(0..0, *b"\xef\xbb\xbf")));
    assert_eq!(marked.register(), Err(ClientData(Client::NotJson)), "one, not two");
}

#[test]
fn each_step_about_the_authenticator_data_refuses_on_its_own() {
    each_fails_alone(&[
        ("13: no statement", |a| a.statement = vec![0xff], AttestationObject),
        ("13: statement of no length", |a| a.statement = b"\xbf\xff".to_vec(), AttestationObject),
        ("13: nested too deep", |a| a.statement = [0x81; 64].into(), AttestationObject),
        ("13: no credential", |a| a.flags = UP | UV, NoCredential),
        ("13: no key", |a| a.cose.truncate(0), Layout(Layout::PublicKey)),
        ("13: key cut off", |a| a.cose.truncate(70), Layout(Layout::PublicKey)),
        ("13: left-over bytes", |a| a.tail = vec![0xa0], Layout(Layout::TrailingBytes)),
        ("13: extensions missing", |a| a.flags |= ED, Layout(Layout::Extensions)),
        (
            "13: extensions not a map",
            |a| (a.flags, a.tail) = (a.flags | ED, vec![0x80]),
            Layout(Layout::Extensions),
        ),
        (
            "13: an extension without a name",
            |a| (a.flags, a.tail) = (a.flags | ED, vec![0xa1, 0x01, 0x01]),
            Layout(Layout::Extensions),
        ),
        (
            "13: bytes behind the extensions",
            |a| (a.flags, a.tail) = (a.flags | ED, vec![0xa0, 0xa0]),
            Layout(Layout::TrailingBytes),
        ),
        ("14: relying party", |a| a.rp_id = "example", AuthenticatorData(Data::RpId)),
        ("15: user present", |a| a.flags &= !UP, AuthenticatorData(Data::UserPresent)),
        ("16: user verified", |a| a.flags &= !UV, AuthenticatorData(Data::UserVerified)),
        ("17: backup state", |a| a.flags |= BS, AuthenticatorData(Data::BackupState)),
    ]);
}

#[test]
fn step_13_refuses_what_is_cut_off() {
    let data = creation().data();
    let at_key = 37 + 16 + 2 + 16;
    for length in 0..data.len() {
        let mut response = creation().registration();
        response.attestation_object = attestation_object("none", &[0xa0], &data[..length]);
        let expected = match length {
            0..37 => Layout::TooShort,
            37.. if length < at_key => Layout::AttestedData,
            _ => Layout::PublicKey,
        };
        let refused = verify_registration(&policy(), &CHALLENGE, &response);
        assert_eq!(refused, Err(Layout(expected)), "{length} bytes");
    }
}

#[test]
fn each_step_about_the_credential_refuses_on_its_own() {
    each_fails_alone(&[
        (
            "20: algorithm",
            |a| a.cose = b"\xa2\x01\x01\x03\x27".to_vec(),
            Key(KeyError::Algorithm(-8)),
        ),
        ("20: no algorithm", |a| a.cose = b"\xa1\x01\x02".to_vec(), Key(KeyError::Malformed)),
        ("20: no map", |a| a.cose = b"\x80".to_vec(), Key(KeyError::Malformed)),
        ("20: text for a label", |a| a.cose = b"\xa1\x61a\x02".to_vec(), Key(KeyError::Malformed)),
        ("20: twice", |a| a.cose = b"\xa2\x03\x26\x03\x26".to_vec(), Key(KeyError::Malformed)),
        (
            "20: twice in two forms",
            |a| a.cose = b"\xa2\x03\x26\x18\x03\x26".to_vec(),
            Key(KeyError::Malformed),
        ),
        (
            "20: no coordinates",
            |a| a.cose = b"\xa3\x01\x02\x03\x26\x20\x01".to_vec(),
            Key(KeyError::NotP256),
        ),
        ("20: key type", |a| a.cose[2] = 0x01, Key(KeyError::NotP256)),
        ("20: curve", |a| a.cose[6] = 0x02, Key(KeyError::NotP256)),
        (
            "20: compressed",
            |a| a.cose = [&a.cose[..42], b"\x22\xf5"].concat(),
            Key(KeyError::NotP256),
        ),
        (
            "20: a short coordinate",
            |a| a.cose = [&a.cose[..42], b"\x22\x41\x01"].concat(),
            Key(KeyError::NotP256),
        ),
        (
            "20: a member too many",
            |a| a.cose = [b"\xa6", &a.cose[1..], b"\x04\x80"].concat(),
            Key(KeyError::NotP256),
        ),
        ("20: not on the curve", |a| *a.cose.last_mut().unwrap() ^= 1, Key(KeyError::NotOnCurve)),
        ("21: no format", |a| a.format = "", Format),
        ("21: format with a space", |a| a.format = "no ne", Format),
        ("21: format too long", |a| a.format = "a-format-of-thirty-three-octets-x", Format),
        ("22: none with a statement", |a| a.statement = vec![0xa1, 1, 2], Statement),
        ("22: none with another thing", |a| a.statement = vec![0x80], Statement),
        ("25: id too long", |a| a.id = vec![1; 1024], CredentialIdLength),
        ("25: id too short", |a| a.id = Vec::new(), CredentialIdLength),
    ]);
    let mut response = creation().registration();
    response.raw_id[0] ^= 1;
    let refused = verify_registration(&policy(), &CHALLENGE, &response);
    assert_eq!(refused, Err(CredentialId));
}

#[test]
fn the_steps_are_taken_in_their_order() {
    // Everything is wrong; each mending lets the next step speak.
    let mut answer = creation().bent(|a| {
        a.client = b"\xff".to_vec();
        a.id = vec![1; 1024];
        a.rp_id = "example";
        a.flags = AT | BS | ED;
        a.statement = b"\xa1\x01\x02".to_vec();
        a.format = "";
        a.cose = b"\xa1\x03\x27".to_vec();
    });
    type Mend = fn(&mut Answer);
    let mends: [(u8, Mend); 15] = [
        (5, |a| a.client = b"{}".to_vec()),
        (6, |a| {
            a.client = value!({
                "type": "x", "challenge": "x", "origin": "x", "crossOrigin": true, "topOrigin": "x",
            })
            .to_string()
            .into_bytes();
        }),
        (7, |a| a.claim("type", "webauthn.create")),
        (8, |a| a.claim("challenge", b64url(&CHALLENGE))),
        (9, |a| a.claim("origin", "https://chat.example")),
        (10, |a| a.claim("crossOrigin", false)),
        (11, |a| a.client = creation().client),
        (13, |a| a.tail = vec![0xa0]),
        (14, |a| a.rp_id = "chat.example"),
        (15, |a| a.flags |= UP),
        (16, |a| a.flags |= UV),
        (17, |a| a.flags |= BE),
        (20, |a| a.cose = good_cose()),
        (21, |a| a.format = "none"),
        (22, |a| a.statement = vec![0xa0]),
    ];
    for (step, mend) in mends {
        let error = answer.register().unwrap_err().to_string();
        assert!(error.contains(&format!("step {step}:")), "{step}: {error}");
        mend(&mut answer);
    }
    assert_eq!(answer.register(), Err(CredentialIdLength));
}
