//! An invite's life: made, looked at, used or taken back.
use super::super::testing::temporary;
use super::*;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_code_is_good_until_it_expires() {
    let temporary = temporary();
    let store = &temporary.store;
    let code = store.invite_create("Bob", DAY, 1_000).unwrap();
    assert_eq!(code.len(), 43);
    let invite = store.invite_check(&code, 1_000).unwrap().unwrap();
    assert_eq!((invite.name.as_str(), invite.expires_ms), ("Bob", 86_401_000));
    assert!(store.invite_check(&code, 86_400_999).unwrap().is_some());
    assert!(store.invite_check(&code, 86_401_000).unwrap().is_none());
    let padded = format!("{code}=");
    for wrong in ["", "x", &code[..42], &code[..SHORT], &padded, &"A".repeat(43)] {
        assert!(store.invite_check(wrong, 1_000).unwrap().is_none(), "{wrong}");
    }
}

#[test]
fn the_code_itself_is_not_stored() {
    let temporary = temporary();
    let code = temporary.invite();
    let secret = encode::b64url_decode(&code).unwrap();
    let path = temporary.path.clone();
    let _folder = temporary.close();
    let bytes = std::fs::read(path).unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(holds(&code.as_bytes()[..SHORT]), "the short code is there");
    assert!(!holds(&code.as_bytes()[SHORT..]) && !holds(&secret));
}

#[test]
fn no_code_looks_like_an_option() {
    // One in 64 would: 2,000 without one have a chance of 2 in 10^14.
    assert!((0..2_000).all(|_| !fresh_code().0.starts_with('-')));
}

#[test]
fn lists_are_newest_first_and_keep_used_ones_apart() {
    let temporary = temporary();
    let store = &temporary.store;
    let codes: Vec<_> =
        (0..3).map(|n| store.invite_create(&n.to_string(), DAY, n).unwrap()).collect();
    let used = codes[1].clone();
    assert!(store.run(move |db| Ok(consume(db, &used, 9)?)).unwrap());
    let names = |consumed| {
        let invites = store.invite_list(consumed).unwrap();
        invites.into_iter().map(|invite| invite.name).collect::<Vec<_>>()
    };
    assert_eq!(names(false), ["2", "0"]);
    assert_eq!(names(true), ["1"]);
    assert_eq!(store.invite_list(true).unwrap()[0].consumed_ms, Some(9));
}

#[test]
fn a_unique_prefix_or_the_whole_code_revokes() {
    let temporary = temporary();
    let store = &temporary.store;
    for length in [1, SHORT, 43] {
        let code = temporary.invite();
        assert_eq!(store.invite_revoke(&code[..length]).unwrap().short_code, code[..SHORT]);
        assert!(store.invite_check(&code, 1).unwrap().is_none());
        assert!(matches!(store.invite_revoke(&code), Err(RevokeError::Unknown)));
    }
}

#[test]
fn what_names_no_invite_revokes_none() {
    let temporary = temporary();
    let code = temporary.invite();
    let mut other = code.clone().into_bytes();
    other[20] = if other[20] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    for wrong in ["", "%", "________", "é", &code[..SHORT + 1], &code[..42], &other] {
        let revoked = temporary.store.invite_revoke(wrong);
        assert!(matches!(revoked, Err(RevokeError::Unknown)), "{wrong}");
    }
    assert!(temporary.store.invite_check(&code, 1).unwrap().is_some());
}

#[test]
fn a_used_invite_cannot_be_revoked() {
    let temporary = temporary();
    let code = temporary.invite();
    let used = code.clone();
    temporary.store.run(move |db| Ok(consume(db, &used, 1)?)).unwrap();
    for name in [&code[..], &code[..SHORT]] {
        assert!(matches!(temporary.store.invite_revoke(name), Err(RevokeError::Consumed)));
    }
}

#[test]
fn an_ambiguous_prefix_names_the_candidates() {
    let temporary = temporary();
    // 65 codes have 63 possible first letters.
    for _ in 0..65 {
        temporary.invite();
    }
    let invites = temporary.store.invite_list(false).unwrap();
    let alike = |first: &str| invites.iter().filter(|i| i.short_code.starts_with(first)).count();
    let twice = invites.iter().map(|i| &i.short_code[..1]).find(|first| alike(first) > 1).unwrap();
    match temporary.store.invite_revoke(twice) {
        Err(RevokeError::Ambiguous(codes)) => assert_eq!(codes.len(), alike(twice)),
        other => panic!("{other:?}"),
    }
    assert_eq!(temporary.store.invite_list(false).unwrap().len(), 65);
}
