//! chat-posta itself fails: its disk is full, its database locked or from another time, its
//! descriptors are gone, it is told to stop or is killed. What people and the operator see, and that
//! nothing is half done.
mod support;

use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::chat::Chat;
use support::posta::Posta;
use support::process::{Directory, run};
use support::until;

const KEY: &str = "9b2f3f2e-6a53-4d5e-8a58-0d5b2c1c9b77";

fn send(chat: &Chat, cookie: &str, text: &str, key: &str) -> Option<u16> {
    let fields = [("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")];
    let form = format!("text={text}&key={key}").into_bytes();
    let path = "/c/bob.example/messages";
    chat.try_request(minreq::Method::Post, path, &fields, form).ok().map(|reply| reply.status)
}

/// Whether SQLite finds the database whole.
fn is_whole(path: &str) {
    let db = Connection::open(path).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    let said: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    assert!(!db.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap());
}

/// A command on the host that must fail; what it says.
fn refused(chat: &Chat, command: &[&str]) -> String {
    let db = chat.db();
    let output = run(&[command, &["--db", &db]].concat());
    assert_eq!(output.status.code(), Some(1), "{command:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A disk of a mebibyte where this process may mount one; where not, files that may not grow. Filled
/// and emptied at will.
struct SmallDisk {
    directory: Option<Directory>,
    path: String,
    is_mounted: bool,
}

impl SmallDisk {
    fn new() -> SmallDisk {
        let directory = Directory::new();
        let path = directory.path().to_str().unwrap().to_owned();
        let mount = ["-t", "tmpfs", "-o", "size=1m", "small", &path];
        let mounted = Command::new("mount").args(mount).stderr(Stdio::null()).status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        SmallDisk { directory: Some(directory), path, is_mounted }
    }

    fn filler(&self) -> String {
        format!("{}/filler", self.path)
    }

    fn fill(&self, chat: &Chat) {
        if !self.is_mounted {
            return limit_files(chat.pid(), Some(0));
        }
        let mut file = fs::File::create(self.filler()).unwrap();
        while file.write(&[7; 4096]).is_ok_and(|written| written > 0) {}
    }

    fn free(&self, chat: &Chat) {
        if !self.is_mounted {
            return limit_files(chat.pid(), None);
        }
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").args(["-l", &self.path]).status();
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// How large files may become that a process writes to.
fn limit_files(pid: u32, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let pid = Pid::from_raw(pid as i32);
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[test]
fn a_full_disk_stops_sign_ups_and_nothing_else() {
    let mut disk = SmallDisk::new();
    // Writing on past a limit ends a process that does not ignore the signal.
    let mut chat = Chat::start_in(disk.directory.take().unwrap(), "trap '' XFSZ", &[]);
    let (alice, bob) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
    let (mut passkey, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let code = chat.invite();
    // The write-ahead log has room in what it has taken already: until it needs more.
    chat.restart();
    disk.fill(&chat);

    // Whoever has an account signs in, reads and writes.
    let signed_in = chat.sign_in(&mut passkey);
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let cookie = signed_in.cookie.unwrap_or(cookie);
    assert_eq!(chat.get("/", &cookie).status, 200);
    assert_eq!(send(&chat, &cookie, "hello", KEY), Some(204));
    assert!(chat.log().contains("a sign-in could not be noted: the database:"), "{}", chat.log());

    // Whoever wants one is told, and keeps the invite.
    let (mut fresh, asked) = chat.create_passkey(&code, &bob.pairing);
    let ended = chat.prove(&mut fresh, &asked, "").unwrap();
    assert_eq!(ended.status, 503, "{}", ended.body);
    assert!(ended.body.contains("could not store your account just now"), "{}", ended.body);
    if disk.is_mounted {
        let said = refused(&chat, &["invite", "create", "--name", "Zoe"]);
        assert!(said.contains("the disk is full"), "{said}");
    }
    assert!(chat.log().contains("level=error"), "{}", chat.log());

    disk.free(&chat);
    let done = chat.prove(&mut fresh, &ended.json()["next"], "").unwrap();
    assert_eq!(done.status, 200, "once more, without beginning anew: {}", done.body);
    assert_eq!((chat.users().len(), chat.usable_invites()), (2, 0));
    chat.kill();
    is_whole(&chat.db());
}

#[test]
fn a_locked_database_stops_sign_ups_for_a_moment_and_nothing_else() {
    let chat = Chat::start(&[]);
    let (alice, bob) = (Posta::start("alice", &[]), Posta::start("bob", &[]));
    let (mut passkey, _) = chat.sign_up(&chat.invite(), &alice.pairing);
    let code = chat.invite();
    let lock = Connection::open(chat.db()).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();

    let since = Instant::now();
    let signed_in = chat.sign_in(&mut passkey);
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    let cookie = signed_in.cookie.unwrap();
    assert_eq!(chat.get("/", &cookie).status, 200);
    assert_eq!(send(&chat, &cookie, "hello", KEY), Some(204));

    let (mut fresh, asked) = chat.create_passkey(&code, &bob.pairing);
    let next = thread::scope(|scope| {
        let proving = scope.spawn(|| chat.prove(&mut fresh, &asked, "").unwrap());
        let said = refused(&chat, &["invite", "create", "--name", "Zoe"]);
        assert!(said.contains("another process keeps it locked"), "{said}");
        // Meanwhile pages come as ever.
        let since = Instant::now();
        assert_eq!(chat.get("/", &cookie).status, 200);
        assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
        let ended = proving.join().unwrap();
        assert_eq!(ended.status, 503, "{}", ended.body);
        ended.json()["next"].clone()
    });
    lock.execute_batch("ROLLBACK").unwrap();
    assert_eq!(chat.prove(&mut fresh, &next, "").unwrap().status, 200);
    assert_eq!((chat.users().len(), chat.usable_invites()), (2, 0));
}

#[test]
fn without_descriptors_those_inside_go_on_and_others_are_told() {
    // A quarter of them is kept for posta-servers and files.
    let chat = Chat::start_in(Directory::new(), "ulimit -n 120", &[]);
    let alice = Posta::start("alice", &[]);
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let tab = chat.tab(&cookie, "a", "", true);
    tab.until("resync");
    let address = chat.origin.strip_prefix("http://localhost").unwrap();
    let connect = || TcpStream::connect(format!("127.0.0.1{address}")).unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n");
    let head = |stream: &mut TcpStream| {
        let mut start = [0; 12];
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut start).map(|()| String::from_utf8_lossy(&start).into_owned())
    };
    let mut inside = connect();
    inside.write_all(request.as_bytes()).unwrap();
    assert_eq!(head(&mut inside).unwrap(), "HTTP/1.1 200");
    let crowd: Vec<TcpStream> = (0..300).map(|_| connect()).collect();
    let told = head(&mut connect()).unwrap();
    assert_eq!(told, "HTTP/1.1 503");
    // The tab is told of what comes, and who is inside sends, which takes a descriptor more.
    let payload = json!({"kind": "posta.text/v1", "body": "news"});
    alice.tell(json!({"inject": [{"peer": "bob.example", "payload": payload}]}));
    tab.until("thread-updated");
    let form = format!("text=hello&key={KEY}");
    let mut rest = [0; 64 << 10];
    inside.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    while inside.read(&mut rest).is_ok_and(|read| read > 0) {}
    let post = format!(
        "POST /c/bob.example/messages HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\norigin: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        chat.origin,
        form.len()
    );
    inside.write_all(post.as_bytes()).unwrap();
    assert_eq!(head(&mut inside).unwrap(), "HTTP/1.1 204");
    drop(crowd);
    until("there is room again", || (chat.get("/", &cookie).status == 200).then_some(()));
}

/// Every request that was begun gets its whole answer, and tabs are told to come back.
#[test]
fn told_to_stop_under_load_it_cuts_nobody_off() {
    let mut chat = Chat::start(&[]);
    let alice = Posta::start("alice", &[]);
    alice.tell(json!({"latencyMs": 100}));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let tab = chat.tab(&cookie, "a", "", true);
    let port = chat.origin.rsplit_once(':').unwrap().1.to_owned();
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..12)
            .map(|n| {
                let (port, cookie, stop, answered) = (&port, &cookie, &stop, &answered);
                scope.spawn(move || {
                    let path = ["/", "/c/bob.example", "/search?q=x", "/settings"][n % 4];
                    let request =
                        format!("GET {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n");
                    while !stop.load(Ordering::Relaxed) {
                        let place = format!("127.0.0.1:{port}");
                        // Nobody listens any more: that is no request cut off.
                        let Ok(mut stream) = TcpStream::connect(place) else { return Ok(()) };
                        if ask(&mut stream, &request)? == 0 {
                            return Ok(());
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<(), String>(())
                })
            })
            .collect();
        until("there is load", || (answered.load(Ordering::Relaxed) > 40).then_some(()));
        let status = chat.terminate();
        assert_eq!(status.code(), Some(0));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap().unwrap();
        }
    });
    assert_eq!(tab.end().last().unwrap().name, "bye");
    is_whole(&chat.db());
    chat.restart();
    assert_eq!(chat.get("/healthz", "").status, 200);
}

/// One request, and its whole answer: how many bytes it had. 0 when the connection was not taken any
/// more; an error when an answer broke off.
fn ask(stream: &mut TcpStream, request: &str) -> Result<usize, String> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    if stream.write_all(request.as_bytes()).is_err() {
        return Ok(0);
    }
    let mut all = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let text = String::from_utf8_lossy(&all);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("an answer without a length")?.parse().unwrap();
            let body = all.len() - head.len() - 4;
            if body >= length {
                return if head.starts_with("HTTP/1.1 200") {
                    Ok(all.len())
                } else {
                    Err(head.into())
                };
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) if all.is_empty() => return Ok(0),
            Ok(0) => return Err(format!("broke off after {} bytes", all.len())),
            Ok(read) => all.extend_from_slice(&piece[..read]),
            Err(e) => return Err(format!("{e} after {} bytes", all.len())),
        }
    }
}

/// Killed again and again in the middle of sign-ups, sends and commands of the operator: the database
/// is whole each time, no account is half made, and no message is there twice.
#[test]
fn killed_in_a_loop_nothing_is_half_done() {
    let mut chat = Chat::start(&[]);
    let alice = Posta::start("alice", &[]);
    let (mut passkey, mut cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    let alice_s = chat.users()[0]["id"].clone();
    let newcomers: Vec<Posta> = (0..3).map(|n| Posta::start(&format!("n{n}"), &[])).collect();
    let mut sent = Vec::new();
    for round in 0..8 {
        let codes: Vec<String> = newcomers.iter().map(|_| chat.invite()).collect();
        let keys: Vec<String> = (0..40)
            .map(|n| KEY.replace("9b77", &format!("{:04x}", 0x1000 + round * 40 + n)))
            .collect();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (chat_now, stop) = (&chat, &stop);
            for (code, posta) in codes.iter().zip(&newcomers) {
                scope.spawn(move || {
                    // However far it gets.
                    let _ = std::panic::catch_unwind(|| chat_now.sign_up(code, &posta.pairing));
                });
            }
            let (keys, cookie) = (&keys, &cookie);
            scope.spawn(move || {
                for (n, key) in keys.iter().enumerate() {
                    if send(chat_now, cookie, &format!("letter{round}x{n}"), key).is_none() {
                        break;
                    }
                }
            });
            scope.spawn(move || {
                let db = chat_now.db();
                while !stop.load(Ordering::Relaxed) {
                    run(&["invite", "create", "--name", "Zoe", "--db", &db]);
                    run(&["user", "list", "--json", "--db", &db]);
                }
            });
            // Each time a little later.
            thread::sleep(Duration::from_millis(30 + 60 * round as u64));
            let kill = ["-9", &chat_now.pid().to_string()].map(str::to_owned);
            assert!(Command::new("kill").args(kill).status().unwrap().success());
            stop.store(true, Ordering::Relaxed);
        });
        is_whole(&chat.db());
        chat.restart();
        // A used invite and a whole account are one and the same.
        let db = Connection::open(chat.db()).unwrap();
        let count = |query: &str| db.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
        let (users, used) = (
            count("SELECT count(*) FROM users"),
            count("SELECT count(*) FROM invites WHERE consumed_ms IS NOT NULL"),
        );
        assert_eq!(users, used, "round {round}");
        assert_eq!(users, count("SELECT count(DISTINCT user_id) FROM passkeys"), "round {round}");
        // What was on its way is sent again, as the page does.
        cookie = chat.sign_in(&mut passkey).cookie.expect("she signs in again");
        for (n, key) in keys.iter().enumerate() {
            let text = format!("letter{round}x{n}");
            assert_eq!(send(&chat, &cookie, &text, key), Some(204));
            sent.push(text);
        }
        for user in chat.users().iter().filter(|user| user["id"] != alice_s) {
            chat.admin(&["user", "delete", &user["id"].to_string()]);
        }
    }
    let mut there: Vec<String> = Vec::new();
    let mut before = String::new();
    loop {
        let page = alice.get(&format!("/api/v1/messages?peer=bob.example&limit=200{before}"));
        let page: Vec<Value> = page.body.as_array().unwrap().clone();
        let Some(last) = page.last() else { break };
        before = format!("&before={}", last["rowId"]);
        there.extend(page.iter().map(|m| m["payload"]["body"].as_str().unwrap().to_owned()));
    }
    there.sort();
    sent.sort();
    assert_eq!(there, sent, "each once");
}

#[test]
fn a_database_from_the_future_is_refused_with_what_to_do() {
    let mut chat = Chat::start(&[]);
    chat.kill();
    let db = Connection::open(chat.db()).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let before = fs::read(chat.db()).unwrap();
    for command in
        [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["invite", "list"]]
    {
        let said = refused(&chat, command);
        assert!(said.contains("it was written by a newer chat-posta (schema 999"), "{said}");
        assert!(said.contains("run that one, or restore a backup"), "{said}");
    }
    assert_eq!(fs::read(chat.db()).unwrap(), before, "and not touched");
}
