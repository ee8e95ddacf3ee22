//! Sign-up is all or nothing: for whoever errs, whoever races, and whoever pulls the plug.
use super::super::testing::{Folder, new_user, temporary};
use super::*;
use crate::ops::random;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

#[test]
fn an_invite_is_for_one_sign_up() {
    let temporary = temporary();
    let (store, code) = (&temporary.store, temporary.invite());
    let done = store.register(new_user("Ann", 1), &code, 5).unwrap();
    assert_eq!(done, Registered { user: UserId(1), replaced: None });
    let again = store.register(new_user("Bob", 2), &code, 6);
    assert!(matches!(again, Err(RegisterError::InviteGone)));
    assert_eq!(store.user_list().unwrap().len(), 1);
    assert_eq!(store.invite_list(true).unwrap()[0].consumed_ms, Some(5));
}

#[test]
fn without_a_good_invite_nothing_is_stored() {
    let temporary = temporary();
    let (store, code) = (&temporary.store, temporary.invite());
    for (code, now_ms) in [(&code[..], 60_000), (&code[..8], 1), ("", 1), ("unknown", 1)] {
        let refused = store.register(new_user("Ann", 1), code, now_ms);
        assert!(matches!(refused, Err(RegisterError::InviteGone)), "{code} at {now_ms}");
    }
    assert!(store.user_list().unwrap().is_empty());
    assert!(store.passkey_find(&[1; 16]).unwrap().is_none());
    assert!(store.invite_check(&code, 59_999).unwrap().is_some());
}

#[test]
fn somebody_else_s_credential_leaves_the_invite_usable() {
    let temporary = temporary();
    let store = &temporary.store;
    store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap();
    let code = temporary.invite();
    let taken = store.register(new_user("Bob", 1), &code, 1);
    assert!(matches!(taken, Err(RegisterError::CredentialTaken)));
    assert!(store.invite_check(&code, 1).unwrap().is_some());
    assert_eq!(store.passkey_find(&[1; 16]).unwrap().unwrap().user.name, "Ann");
    assert_eq!(store.user_list().unwrap().len(), 1);
}

#[test]
fn a_row_that_breaks_a_rule_undoes_everything_before_it() {
    let temporary = temporary();
    let store = &temporary.store;
    let before = store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap();
    let code = temporary.invite();
    let mut broken = new_user("Ann", 2);
    broken.passkey.credential_id = vec![2; 1_024];
    assert!(matches!(store.register(broken, &code, 1), Err(RegisterError::Store(_))));
    assert!(store.invite_check(&code, 1).unwrap().is_some());
    assert_eq!(store.users_alive(&[before.user]).unwrap(), [before.user]);
    assert!(store.passkey_find(&[1; 16]).unwrap().is_some());
    let mut longest = new_user("Bob", 3);
    longest.passkey.credential_id = vec![3; 1_023];
    assert!(store.register(longest, &code, 1).is_ok(), "the longest id there can be");
}

#[test]
fn the_same_identity_takes_its_own_place() {
    let temporary = temporary();
    let store = &temporary.store;
    let first = store.register(new_user("Ann", 1), &temporary.invite(), 1).unwrap();
    // The same authenticator may even give the same credential id.
    let second = store.register(new_user("Ann", 1), &temporary.invite(), 2).unwrap();
    assert_eq!(second.replaced, Some(first.user));
    let third = store.register(new_user("Ann", 2), &temporary.invite(), 3).unwrap();
    assert_eq!(third.replaced, Some(second.user));
    assert!(store.passkey_find(&[1; 16]).unwrap().is_none(), "passkeys go with their user");
    assert_eq!(store.user_list().unwrap().len(), 1);

    let mut elsewhere = new_user("Ann", 4);
    elsewhere.server_url = "https://other.example".into();
    let elsewhere = store.register(elsewhere, &temporary.invite(), 4).unwrap();
    assert_eq!(elsewhere.replaced, None, "another posta-server is another account");
}

#[test]
fn of_many_who_race_for_one_invite_exactly_one_gets_in() {
    let temporary = temporary();
    let code = temporary.invite();
    let start = Arc::new(Barrier::new(8));
    let racers: Vec<_> = (1..=8)
        .map(|n| {
            // Half of them in processes' stead: with connections of their own.
            let store = match n % 2 {
                0 => Store::open(&temporary.path).unwrap(),
                _ => temporary.store.clone(),
            };
            let (code, start) = (code.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                match store.register(new_user(&format!("R{n}"), n), &code, 1) {
                    Ok(_) => true,
                    Err(RegisterError::InviteGone) => false,
                    Err(e) => panic!("{e}"),
                }
            })
        })
        .collect();
    let won = racers.into_iter().map(|racer| racer.join().unwrap()).filter(|won| *won).count();
    assert_eq!(won, 1);
    assert_eq!(temporary.store.user_list().unwrap().len(), 1);
}

/// The folder in which a child process signs people up until it is killed.
const VICTIM: &str = "CHAT_POSTA_TEST_VICTIM";
const INVITES: usize = 2_000;

#[test]
fn kill_9_leaves_a_user_with_a_used_invite_or_neither() {
    let mut cut_short = 0;
    for _ in 0..8 {
        let folder = Folder::new();
        let store = Store::open(&folder.path("state.db")).unwrap();
        // In one transaction: the test is of sign-up, not of making thousands of invites.
        let names = (0..INVITES).map(|n| n.to_string());
        let codes = make_invites(&store, names.collect());
        std::fs::write(folder.path("codes"), codes.join("\n")).unwrap();
        drop(store);
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::register::tests::victim", "--ignored"])
            .env(VICTIM, folder.path(""))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.path("started").exists() {
            assert!(victim.try_wait().unwrap().is_none(), "the child must run until it is killed");
            thread::sleep(Duration::from_millis(1));
        }
        let [wait] = random::bytes::<1>();
        thread::sleep(Duration::from_micros(u64::from(wait) * 300));
        victim.kill().unwrap();
        victim.wait().unwrap();

        let store = Store::open(&folder.path("state.db")).unwrap();
        let used = store.invite_list(true).unwrap();
        let users = store.user_list().unwrap();
        assert_eq!(used.len(), users.len());
        for user in &users {
            let n: usize = user.name.parse().unwrap();
            assert!(used.iter().any(|invite| invite.name == user.name));
            let passkey = store.passkey_find(&credential(n)).unwrap().expect("it is complete");
            assert_eq!(passkey.user.id, user.id);
            assert!(store.invite_check(&codes[n], 1).unwrap().is_none());
        }
        let next = users.len();
        if next < INVITES {
            cut_short += 1;
            let invite = store.invite_check(&codes[next], 1).unwrap();
            assert!(invite.is_some(), "the one who was cut short can try again");
            assert!(store.passkey_find(&credential(next)).unwrap().is_none());
        }
    }
    assert!(cut_short > 0, "no child was killed while it was at work");
}

#[test]
#[ignore = "is what the test above starts and kills"]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM).map(std::path::PathBuf::from) else { return };
    let codes = std::fs::read_to_string(folder.join("codes")).unwrap();
    let store = Store::open(&folder.join("state.db")).unwrap();
    std::fs::write(folder.join("started"), "").unwrap();
    for (n, code) in codes.lines().enumerate() {
        let mut new = new_user(&n.to_string(), 0);
        new.passkey.credential_id = credential(n);
        store.register(new, code, 1).unwrap();
    }
    // Whoever is too fast to be killed at work waits for it.
    thread::sleep(Duration::from_secs(60));
}

fn credential(n: usize) -> Vec<u8> {
    n.to_be_bytes().to_vec()
}

fn make_invites(store: &Store, names: Vec<String>) -> Vec<String> {
    store.run(|db| Ok(db.execute_batch("BEGIN")?)).unwrap();
    let create = |name: &String| store.invite_create(name, Duration::from_secs(60), 0).unwrap();
    let codes = names.iter().map(create).collect();
    store.run(|db| Ok(db.execute_batch("COMMIT")?)).unwrap();
    codes
}
