//! What the person on the host runs beside the service: doctor, backup, healthcheck.
mod support;

use std::net::TcpListener;
use std::process::Output;
use support::chat::Chat;
use support::posta::Posta;
use support::process::{Directory, run};

fn text(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn listen(chat: &Chat) -> String {
    chat.origin.replace("http://localhost", "127.0.0.1")
}

#[test]
fn healthcheck_asks_the_running_service() {
    let mut chat = Chat::start(&[]);
    let listen = listen(&chat);
    let ask = || text(&run(&["healthcheck", "--listen", &listen]));
    let (code, said, why) = ask();
    assert_eq!((code, why.as_str()), (Some(0), ""));
    let version = text(&run(&["version"])).1;
    let version = version.trim().replace("chat-posta ", "ok ");
    assert_eq!(said, format!("{version}, process {}\n", chat.pid()));
    chat.kill();
    let (code, said, why) = ask();
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(why.starts_with(&format!("chat-posta: {listen}: no answer")), "{why}");
    // Something else, which speaks no HTTP.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let answering = std::thread::spawn(move || drop(other.accept()));
    assert_eq!(text(&run(&["healthcheck", "--listen", &address])).0, Some(1));
    answering.join().unwrap();
}

#[test]
fn a_backup_of_the_running_service_starts_another_with_the_same_accounts() {
    let (mut chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    let (mut passkey, _) = chat.sign_up(&chat.invite(), &alice.pairing);
    let directory = Directory::new();
    let copy = directory.file("copy.db");
    let said = chat.admin(&["backup", &copy]);
    assert!(said.starts_with(&format!("{copy}: ")) && said.ends_with(" bytes\n"), "{said}");
    let twice = text(&run(&["backup", &copy, "--db", &chat.db()]));
    assert!(twice.0 == Some(1) && twice.2.contains("it exists already"), "{twice:?}");
    // The disk is lost; the copy takes its place.
    chat.kill();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", chat.db()));
    }
    std::fs::rename(&copy, chat.db()).unwrap();
    chat.restart();
    let cookie = chat.sign_in(&mut passkey).cookie.expect("the passkey opens the token");
    assert_eq!(chat.get("/", &cookie).status, 200);
}

/// The lines that begin with `what` behind the verdict.
fn found(said: &str, what: &str) -> Vec<String> {
    let about = |line: &&str| {
        line.split_once(' ').is_some_and(|(_, rest)| rest.trim_start().starts_with(what))
    };
    said.lines().filter(about).map(str::to_owned).collect()
}

#[test]
fn doctor_is_content_with_a_service_that_is_well() {
    let (chat, alice) = (Chat::start(&[]), Posta::start("alice", &[]));
    chat.sign_up(&chat.invite(), &alice.pairing);
    let (listen, db) = (listen(&chat), chat.db());
    let ask = |more: &[&str]| {
        let base = ["doctor", "--listen", &listen, "--db", &db, "--base-url", &chat.origin];
        text(&run(&[&base, more].concat()))
    };
    let (code, said, why) = ask(&["--user", "1", "--allow-private-upstreams"]);
    assert_eq!((code, why.as_str()), (Some(0), ""), "{said}");
    for (what, part) in [
        ("database", "whole, 1 users"),
        ("listen", "the service answers"),
        ("base URL", "reaches the service"),
        ("passkeys", "may sign in"),
        ("posta-server", " answers"),
        ("open files", "room for"),
        ("memory maps", "vm.max_map_count"),
        ("disk", "MiB free"),
    ] {
        let lines = found(&said, what);
        assert!(
            lines.iter().any(|line| line.starts_with("ok") && line.contains(part)),
            "{what}: {said}"
        );
    }
    // What depends on the machine: a clock that nobody keeps, and tests that run as root.
    let clock = &found(&said, "clock")[0];
    let is_kept = clock.ends_with("kept right by a time service");
    assert_eq!(is_kept, clock.starts_with("ok "), "{clock}");
    assert!(is_kept || clock.contains("run chrony"), "{clock}");
    let service = found(&said, "service");
    let process = format!("process {}", chat.pid());
    assert!(service.len() == 1 && service[0].contains(&process), "{said}");
    let is_root = rustix::process::geteuid().is_root();
    assert_eq!(service[0].contains("runs as root; give it a user"), is_root, "{said}");
    assert!(found(&said, "its open files")[0].contains("room for"), "{said}");
    // The guard of addresses holds here as it does in the service.
    let (code, said, why) = ask(&["--server", &alice.url]);
    assert_eq!((code, why.as_str()), (Some(1), "chat-posta: 1 check failed\n"));
    let lines = found(&said, "posta-server");
    assert!(lines[0].starts_with("fail") && lines[0].contains("allow_private_upstreams"), "{said}");
    let json = ask(&["--json", "--server", "ftp://x"]).1;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let last = json.as_array().unwrap().last().unwrap();
    assert_eq!(
        (last["verdict"].as_str(), last["check"].as_str()),
        (Some("fail"), Some("posta-server"))
    );
    let (code, _, why) = ask(&["--user", "nobody"]);
    assert!(code == Some(1) && why.contains("there is no such user"), "{why}");
}

/// The service and who asks do not agree on what browsers call it.
#[test]
fn doctor_sees_that_the_service_has_another_base_url() {
    let chat = Chat::start(&["--base-url", "http://localhost:1"]);
    let (listen, db) = (listen(&chat), chat.db());
    let (code, said, _) =
        text(&run(&["doctor", "--listen", &listen, "--db", &db, "--base-url", &chat.origin]));
    let passkeys = &found(&said, "passkeys")[0];
    assert!(code == Some(1) && passkeys.starts_with("fail"), "{said}");
    assert!(passkeys.contains("does not take") && passkeys.contains("restart"), "{passkeys}");
}

#[test]
fn doctor_says_what_is_wrong_and_what_to_do() {
    let directory = Directory::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusing = std::thread::spawn(move || {
        for stream in taken.incoming().take(2) {
            drop(stream);
        }
    });
    let db = directory.file("state.db");
    std::fs::write(&db, "not a database, although it is long enough to look like one".repeat(50))
        .unwrap();
    let url = format!("http://localhost:{}", address.rsplit_once(':').unwrap().1);
    let (code, said, why) =
        text(&run(&["doctor", "--listen", &address, "--db", &db, "--base-url", &url]));
    assert_eq!((code, why.as_str()), (Some(1), "chat-posta: 3 checks failed\n"), "{said}");
    for (what, part) in [
        ("database", "not an SQLite database"),
        ("listen", "is taken, and "),
        ("base URL", "does not answer from here"),
    ] {
        let lines = found(&said, what);
        assert!(lines[0].starts_with("fail") && lines[0].contains(part), "{what}: {said}");
    }
    refusing.join().unwrap();
    let (code, said, _) = text(&run(&["doctor", "--listen", "80"]));
    assert!(code == Some(1) && said.starts_with("fail  configuration  --listen: \"80\""), "{said}");
}

#[test]
fn the_log_says_how_it_is_set_up_and_speaks_json_when_asked() {
    use std::io::{BufRead, BufReader};
    let directory = Directory::new();
    let db = directory.file("state.db");
    let mut child = support::process::binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--db", &db, "--log-format", "json"])
        .env("CHAT_POSTA_SESSION_IDLE", "20m")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut told = Vec::new();
    let mut address = None;
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(&line).expect("one object a line");
        if let Some(listening) = line["address"].as_str() {
            assert_eq!(line["msg"], "listening");
            let healthz = format!("http://{listening}/healthz?secret=1");
            assert_eq!(minreq::get(healthz).send().unwrap().status_code, 200);
            address = Some(listening.to_owned());
        }
        let is_request = line["route"] == "/healthz";
        told.push(line);
        if is_request {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(address.is_some());
    let set = |key: &str| {
        let line = told.iter().find(|line| line["key"] == key).expect(key);
        (line["value"].to_string(), line["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(set("listen"), ("\"127.0.0.1:0\"".into(), "--listen".into()));
    assert_eq!(set("session_idle"), ("\"20m\"".into(), "CHAT_POSTA_SESSION_IDLE".into()));
    assert_eq!(set("session_max"), ("\"7d\"".into(), "default".into()));
    let request = told.last().unwrap();
    assert_eq!((request["status"].as_u64(), request["method"].as_str()), (Some(200), Some("GET")));
    assert!(request["ms"].is_number() && request["id"].is_number());
    assert!(!request.to_string().contains("secret"), "the route is told, not the URL");
}

/// Every series that the dashboard draws is one that the service has.
#[test]
fn the_dashboard_draws_what_is_measured() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ops = format!("127.0.0.1:{port}");
    let (chat, alice) = (Chat::start(&["--ops-listen", &ops]), Posta::start("alice", &[]));
    let (_, cookie) = chat.sign_up(&chat.invite(), &alice.pairing);
    chat.get("/", &cookie);
    // Connections that end with an answer are counted by reason.
    let closing = [("connection", "close")];
    chat.try_request(minreq::Method::Get, "/healthz", &closing, Vec::new()).unwrap();
    let measured = minreq::get(format!("http://{ops}/metrics")).with_timeout(10).send().unwrap();
    let measured = measured.as_str().unwrap();
    let series = |line: &str| {
        line.split(['{', ' '])
            .next()
            .is_some_and(|n| n.starts_with("chat_posta_"))
            .then(|| line.split(['{', ' ']).next().unwrap_or_default().to_owned())
    };
    let known: Vec<String> = measured.lines().filter_map(series).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/service/grafana.json");
    let dashboard: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let drawn = dashboard.to_string();
    let names = drawn.split("chat_posta_").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        format!("chat_posta_{}", &rest[..end])
    });
    let mut count = 0;
    for name in names {
        assert!(known.contains(&name), "{name} is drawn and not measured: {known:?}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}
