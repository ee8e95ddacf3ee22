//! SIGUSR2: a new process takes the place of the running one. Nobody is signed out, nothing that runs
//! is cut off, and where the new one does not come up the old one goes on.
mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use support::chat::Chat;
use support::posta::Posta;
use support::process::Directory;
use support::until;

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

fn listening(chat: &Chat) -> usize {
    chat.log().lines().filter(|line| line.ends_with(" listening")).count()
}

/// Takes over, and waits until the `generation`th successor serves and is left alone.
fn take_over(chat: &Chat, generation: usize) {
    signal(chat.pid(), Signal::USR2);
    until("the successor serves", || (listening(chat) == generation).then_some(()));
    let handed = || chat.log().matches("has taken over").count();
    until("the predecessor has noticed", || (handed() == generation).then_some(()));
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim().starts_with('Z'))
}

/// The processes that a process has started.
fn children(pid: u32) -> Vec<u32> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    listed.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn command(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

#[test]
fn sessions_tabs_and_running_requests_survive_one_takeover_after_another() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let other = chat.sign_in(&mut passkey).cookie.unwrap();
    for generation in 1..=3 {
        let tab = chat.tab(&cookie, &format!("tab{generation}"), "", true);
        // A picture on its way, of which half has come.
        let host = chat.origin.strip_prefix("http://").unwrap();
        let mut upload = TcpStream::connect(host).unwrap();
        upload.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let key = format!("6f1c4a0e-3b2d-4c5e-8f90-a1b2c3d4e5f{generation}");
        write!(
            upload,
            "POST /c/bob.example/images?key={key} HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\n\
             cookie: {cookie}\r\ncontent-length: 2000\r\n\r\n",
            chat.origin
        )
        .unwrap();
        upload.write_all(b"\x89PNG\r\n\x1a\n").unwrap();
        upload.write_all(&[generation; 992]).unwrap();

        take_over(&chat, usize::from(generation));
        tab.until("bye");
        for cookie in [&cookie, &other] {
            let page = chat.get("/settings", cookie);
            assert_eq!(page.status, 200, "signed in as before");
            assert_eq!(page.body.matches("sign-ins/end\"").count(), 1, "both sign-ins are known");
        }
        chat.tab(&cookie, &format!("again{generation}"), "", true);
        // The picture comes to its end in the process that it came to.
        upload.write_all(&[generation; 1000]).unwrap();
        let mut head = [0; 12];
        upload.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 204");
        assert_eq!(alice.messages("bob.example").len(), usize::from(generation));
        drop(upload);
        // The predecessor leaves: two processes stay, whoever was started first and who serves.
        until("the predecessor has left", || {
            let now = children(chat.pid());
            let waits = command(chat.pid()).contains("wait-for-successor");
            (waits && now.len() == 1 && children(now[0]).is_empty()).then_some(())
        });
    }
    let serving = children(chat.pid())[0];
    assert!(command(serving).contains(" serve "), "{}", command(serving));
    assert!(!chat.log().contains("cut off"), "{}", chat.log());
    // Whoever started the first one stops the last one through it.
    signal(chat.pid(), Signal::TERM);
    until("all have ended", || (!is_alive(chat.pid()) && !is_alive(serving)).then_some(()));
    let host = chat.origin.strip_prefix("http://localhost").unwrap();
    assert!(TcpStream::connect(format!("127.0.0.1{host}")).is_err());
}

#[test]
fn nothing_of_what_is_handed_over_is_on_disk_or_in_the_log() {
    let (chat, alice) = (Chat::start(&["--log", "trace"]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    take_over(&chat, 1);
    assert_eq!(chat.get("/", &cookie).status, 200);
    let secret = alice.token.as_bytes();
    assert!(!chat.log().contains(&alice.token));
    for file in std::fs::read_dir(chat.directory.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{:?}", file.path());
    }
}

#[test]
fn a_successor_that_does_not_come_up_changes_nothing() {
    let directory = Directory::new();
    let config = directory.file("config.toml");
    std::fs::write(&config, "").unwrap();
    let (chat, alice) = (Chat::start(&["--config", &config]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let tab = chat.tab(&cookie, "tab", "", true);
    tab.until("resync");
    std::fs::write(&config, "no_such_key = 1\n").unwrap();
    signal(chat.pid(), Signal::USR2);
    until("it is said", || chat.log().contains("this process goes on").then_some(()));
    assert!(chat.log().contains("no_such_key"), "{}", chat.log());
    assert_eq!(chat.get("/", &cookie).status, 200);
    alice.tell(serde_json::json!({"inject": [{"peer": "bob.example",
        "payload": {"kind": "posta.text/v1", "body": "still here"}}]}));
    tab.until("thread-updated");
    assert!(children(chat.pid()).is_empty(), "nothing is left of it");
    // Once that is put right, it works.
    std::fs::write(&config, "").unwrap();
    take_over(&chat, 1);
    assert_eq!(chat.get("/", &cookie).status, 200);
}

#[test]
fn a_service_manager_that_follows_is_told_whom() {
    let directory = Directory::new();
    let socket = directory.file("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let heard = || {
        let mut words = [0; 100];
        let count = manager.recv(&mut words).unwrap();
        String::from_utf8(words[..count].to_vec()).unwrap()
    };
    let mut child = support::process::binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--db", &directory.file("state.db")])
        .env("NOTIFY_SOCKET", &socket)
        .spawn()
        .unwrap();
    assert_eq!(heard(), "READY=1");
    signal(child.id(), Signal::USR2);
    let told = [heard(), heard()];
    assert!(told.contains(&"READY=1".to_owned()), "{told:?}");
    let main = told.iter().find_map(|line| line.strip_prefix("MAINPID=")).unwrap();
    let main: u32 = main.parse().unwrap();
    // The predecessor leaves, and the successor is nobody's child.
    assert!(child.wait().unwrap().success());
    assert!(is_alive(main) && command(main).contains(" serve "));
    signal(main, Signal::TERM);
    until("it stops", || (!is_alive(main)).then_some(()));
}

#[test]
fn descriptors_are_not_taken_from_just_anybody() {
    for names in ["", "1 2", "x", "3 4 5", "98 99"] {
        let output = support::process::binary()
            .args(["serve", "--listen", "127.0.0.1:0", "--db", "/nonexistent/state.db"])
            .env("CHAT_POSTA_SUCCEEDS", names)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{names:?}");
    }
}
