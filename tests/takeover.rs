//! SIGUSR2: a new process takes the place of the running one. Nobody is signed out, nothing that runs
//! is cut off, and where the new one does not come up the old one goes on.
mod support;

use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use support::chat::Chat;
use support::posta::Posta;
use support::process::Directory;
use support::{children, command, is_alive, until};

fn listening(chat: &Chat) -> usize {
    chat.log().lines().filter(|line| line.ends_with(" listening")).count()
}

/// Takes over, and waits until the `generation`th successor serves and is left alone.
fn take_over(chat: &Chat, generation: usize) {
    support::signal(chat.pid(), Signal::USR2).unwrap();
    until("the successor serves", || (listening(chat) == generation).then_some(()));
    let handed = || chat.log().matches("has taken over").count();
    until("the predecessor has noticed", || (handed() == generation).then_some(()));
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
    support::signal(chat.pid(), Signal::TERM).unwrap();
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
    support::signal(chat.pid(), Signal::USR2).unwrap();
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
    support::signal(child.id(), Signal::USR2).unwrap();
    let told = [heard(), heard()];
    assert!(told.contains(&"READY=1".to_owned()), "{told:?}");
    let main = told.iter().find_map(|line| line.strip_prefix("MAINPID=")).unwrap();
    let main: u32 = main.parse().unwrap();
    // Whom it is told of is its own child by then (here, as good as: nobody's whom we know).
    assert!(!children(child.id()).contains(&main), "it is still the predecessor's");
    // The predecessor leaves, and the successor is nobody's child.
    assert!(child.wait().unwrap().success());
    assert!(is_alive(main) && command(main).contains(" serve "));
    support::signal(main, Signal::TERM).unwrap();
    until("it stops", || (!is_alive(main)).then_some(()));
}

/// A successor that fails is told of by its exit code there too, and leaves nothing behind.
#[test]
fn a_service_manager_that_follows_is_not_bothered_with_failures() {
    let directory = Directory::new();
    let socket = directory.file("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let config = directory.file("config.toml");
    std::fs::write(&config, "").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut child = support::process::binary()
        .args(["serve", "--listen", &listen, "--db", &directory.file("state.db")])
        .args(["--config", &config])
        .env("NOTIFY_SOCKET", &socket)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut words = [0; 100];
    let health = || {
        let told = support::process::run(&["healthcheck", "--listen", &listen]).stdout;
        String::from_utf8(told).unwrap()
    };
    until("it serves", || health().starts_with("ok ").then_some(()));
    assert_eq!(manager.recv(&mut words).unwrap(), "READY=1".len());
    std::fs::write(&config, "no_such_key = 1\n").unwrap();
    support::signal(child.id(), Signal::USR2).unwrap();
    until("it is said", || health().contains("it ended (exit status: 2)").then_some(()));
    assert!(manager.recv(&mut words).is_err(), "nothing is told of what did not happen");
    assert!(children(child.id()).is_empty() && health().contains(&format!(" {},", child.id())));
    support::signal(child.id(), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
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
