//! SIGUSR2 with a successor that is no good, in every way there is: the old process goes on, nobody
//! is signed out, and it can be asked why.
mod support;

use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;
use support::process::{Directory, run};
use support::program::program;
use support::{children, is_alive, until};

/// A place of its own for the program, where another can be put.
struct Place {
    directory: Directory,
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let directory = Directory::new();
        let path = directory.path().join("chat-posta");
        let place = Place { directory, path };
        place.put_real();
        place
    }

    fn put_real(&self) {
        let new = self.directory.path().join("new");
        let real = program();
        fs::hard_link(&real, &new).or_else(|_| fs::copy(&real, &new).map(drop)).unwrap();
        fs::rename(new, &self.path).unwrap();
    }

    /// A shell's words in the program's place; `$real` is the program.
    fn put(&self, words: &str) {
        let new = self.directory.path().join("new");
        fs::write(&new, format!("#!/bin/bash\nreal={}\n{words}\n", program().display())).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, &self.path).unwrap();
    }
}

fn started(place: &Place) -> (Chat, String, Posta) {
    let (chat, alice) = (Chat::start_program(&place.path, &[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    (chat, cookie, alice)
}

fn hands_over(chat: &Chat) {
    support::signal(chat.pid(), Signal::USR2).unwrap();
}

fn health(chat: &Chat) -> String {
    let output = run(&["healthcheck", "--listen", &chat.address()]);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_old_process_goes_on_whatever_its_successor_does() {
    let place = Place::new();
    let (chat, cookie, _alice) = started(&place);
    let pid = chat.pid();
    let other = place.directory.file("no/such/place/state.db");
    fs::write(place.directory.path().join("no"), "a file where a directory should be").unwrap();
    let failing = [
        // It crashes, is no program, knows nothing of handing over, is killed, speaks nonsense, says
        // that it is ready and ends, finds no database.
        ("exit 3", "it did not get ready: it ended (exit status: 3)"),
        ("kill -SEGV $$", "signal: 11"),
        ("unset CHAT_POSTA_SUCCEEDS; exec $real \"$@\"", "it did not get ready: it ended"),
        ("read pair _ <<<$CHAT_POSTA_SUCCEEDS; printf x >&$pair; sleep 9", "something else"),
        ("read pair _ <<<$CHAT_POSTA_SUCCEEDS; printf r >&$pair", "it did not begin to serve"),
        (&format!("exec $real \"$@\" --db {other}"), "it did not get ready: it ended"),
        ("exec $real \"$@\" --log loud", "it ended (exit status: 2)"),
    ];
    for (count, (words, why)) in failing.iter().enumerate() {
        place.put(words);
        hands_over(&chat);
        let told = until("it is said", || {
            let told = health(&chat);
            told.contains(&format!("successors refused: {}, ", count + 1)).then_some(told)
        });
        assert!(told.contains(why), "{words}: {told}");
        assert!(told.contains(&format!("process {pid}")), "{words}: {told}");
        assert_eq!(chat.get("/settings", &cookie).status, 200, "{words}");
        assert!(children(pid).is_empty(), "{words}: nothing is left of it");
    }
    // A file that cannot be run at all.
    fs::remove_file(&place.path).unwrap();
    hands_over(&chat);
    until("it is said", || health(&chat).contains("successors refused: 8, ").then_some(()));
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    // And at last one that is well.
    place.put_real();
    hands_over(&chat);
    until("it serves", || {
        let told = health(&chat);
        (!told.contains(&format!("process {pid}")) && told.starts_with("ok ")).then_some(())
    });
    assert_eq!(chat.get("/settings", &cookie).status, 200);
}

/// It says that it is ready, is given everything, and then nothing comes. Meanwhile nobody is
/// answered; afterwards everybody is, on the connections they had.
#[test]
fn a_successor_that_falls_silent_half_way_only_costs_time() {
    let place = Place::new();
    let (chat, cookie, _alice) = started(&place);
    let mut kept = TcpStream::connect(chat.address()).unwrap();
    kept.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let count = stream.read(&mut answer).unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"), "{count}");
    };
    ask(&mut kept);
    place.put("read pair _ <<<$CHAT_POSTA_SUCCEEDS; printf r >&$pair; exec sleep 60");
    let since = Instant::now();
    hands_over(&chat);
    until("it has begun", || children(chat.pid()).first().copied());
    std::thread::sleep(Duration::from_millis(1500));
    let mut waiting = TcpStream::connect(chat.address()).unwrap();
    waiting.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    ask(&mut waiting);
    assert!(since.elapsed() > Duration::from_secs(5), "it was waited for");
    ask(&mut kept);
    assert_eq!(chat.get("/settings", &cookie).status, 200);
    assert!(health(&chat).contains("it did not begin to serve: nothing was heard of it"));
}

#[test]
fn a_signal_to_stop_is_heeded_while_a_successor_hangs() {
    let place = Place::new();
    let (mut chat, cookie, _alice) = started(&place);
    place.put("exec sleep 60");
    hands_over(&chat);
    let hanging = until("it has begun", || children(chat.pid()).first().copied());
    assert_eq!(chat.get("/settings", &cookie).status, 200, "it serves meanwhile");
    support::signal(chat.pid(), Signal::TERM).unwrap();
    let since = Instant::now();
    assert_eq!(until("it has stopped", || chat.exit_code()), 0);
    assert!(since.elapsed() < Duration::from_secs(15));
    assert!(!is_alive(hanging), "nothing is left behind");
}

/// Whoever watches the first process learns of its successor's end at once, not when a slow upload
/// has come to its own.
#[test]
fn when_the_successor_dies_the_first_process_does_not_keep_it_to_itself() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let mut slow = TcpStream::connect(chat.address()).unwrap();
    let head = format!(
        "POST /c/bob.example/images?key=6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f6 HTTP/1.1\r\n\
         host: {}\r\norigin: {}\r\ncookie: {cookie}\r\ncontent-length: 1000\r\n\r\n\u{89}",
        chat.address().replace("127.0.0.1", "localhost"),
        chat.origin
    );
    slow.write_all(head.as_bytes()).unwrap();
    hands_over(&chat);
    until("it serves", || chat.log().contains("has taken over").then_some(()));
    let successor = children(chat.pid())[0];
    assert!(chat.exit_code().is_none(), "the upload is waited for");
    support::signal(successor, Signal::KILL).unwrap();
    assert_eq!(until("it has ended", || chat.exit_code()), 128 + 9);
}

/// Another database with the same numbers: whoever is user 1 here is not user 1 there.
#[test]
fn sessions_do_not_become_somebody_else_s() {
    let place = Place::new();
    let (chat, cookie, _alice) = started(&place);
    let (other, bob) = (Chat::start(&[]), Posta::start("bob", &[]));
    other.sign_up(&other.invite(), &bob.pairing);
    assert_eq!(chat.users()[0]["id"], other.users()[0]["id"]);
    place.put(&format!("exec $real \"$@\" --db {}", other.db()));
    hands_over(&chat);
    until("it serves", || chat.log().contains("has taken over").then_some(()));
    assert_ne!(chat.get("/settings", &cookie).status, 200, "signed out");
    assert!(chat.log().contains("sessions=1 not taken over: of nobody known here"));
    assert!(Path::new(&other.db()).exists());
}
