//! The command line of the real binary: help, mistakes, settings from everywhere, and the lives of
//! invites and users.
#[path = "support/host.rs"]
mod host;
#[path = "support/server.rs"]
#[allow(dead_code)] // the engine's tests use more of it
mod server;

use host::{Host, Outcome, bare};
use server::Server;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const COMMANDS: [&str; 10] = [
    "serve",
    "version",
    "doctor",
    "backup",
    "healthcheck",
    "invite create",
    "invite list",
    "invite revoke",
    "user list",
    "user delete",
];

#[test]
fn help_is_everywhere() {
    let overview = bare(&["--help"]).succeeded();
    for command in COMMANDS {
        assert!(overview.contains(&format!("  {command} ")), "{command}");
        let words: Vec<&str> = command.split(' ').collect();
        let help = bare(&[&words[..], &["--help"]].concat()).succeeded();
        assert!(help.contains(&format!("Usage: chat-posta {command}")), "{help}");
        assert_eq!(bare(&[&words[..], &["-h"]].concat()).succeeded(), help);
        assert_eq!(bare(&[&["help"], &words[..]].concat()).succeeded(), help);
    }
    for (key, default) in [("listen", "0.0.0.0:80"), ("session_idle", "30m"), ("ops_listen", "off")]
    {
        let serve = bare(&["serve", "-h"]).succeeded();
        let env = format!("[env: CHAT_POSTA_{}]", key.to_ascii_uppercase());
        let flag = format!("--{}", key.replace('_', "-"));
        for part in [&flag, &format!("[default: {default}]"), &env, &format!("[file: {key}]")] {
            assert!(serve.contains(part), "{part} in {serve}");
        }
    }
    assert_eq!(bare(&["-h"]).succeeded(), overview);
    assert_eq!(bare(&["help"]).succeeded(), overview);
    let group = bare(&["invite", "--help"]).succeeded();
    assert!(group.contains("invite revoke") && !group.contains("user list"), "{group}");
}

#[test]
fn the_version_is_told_in_all_three_ways() {
    let version = bare(&["version"]).succeeded();
    assert!(version.starts_with("chat-posta ") && version.lines().count() == 1, "{version}");
    assert!(version.len() > "chat-posta \n".len());
    assert_eq!(bare(&["--version"]).succeeded(), version);
    assert_eq!(bare(&["-V"]).succeeded(), version);
}

#[test]
fn whoever_uses_it_wrongly_is_told_what_there_is() {
    for (words, why) in [
        ("", "a command is missing; there are: serve"),
        ("--port 1", "there is no option --port before a command"),
        ("serv", "serv is not a command; did you mean serve?"),
        ("frobnicate", "frobnicate is not a command; there are: serve"),
        ("invite", "invite is not a command; there are: invite create, invite list"),
        ("invite crate", "invite crate is not a command; did you mean invite create?"),
        ("user remove x", "user remove is not a command; there are: user list, user delete"),
        ("serve --lsiten x", "there is no option --lsiten; did you mean --listen?"),
        ("version --db x", "there is no option --db; there are --help"),
        ("serve :8080", "one argument too many: \":8080\""),
        ("serve --db", "--db needs a value: --db FILE"),
        ("serve --listen 8080", "--listen: \"8080\" won't do: expected an address and a port"),
        ("serve --log loud", "--log: \"loud\" won't do: expected error, warn, info"),
        ("serve --session-idle 5", "--session-idle: \"5\" won't do: expected a number and a unit"),
        ("serve --base-url https://10.0.0.1", "passkeys need a host name"),
        ("serve --trusted-proxies 10.0.0.1/8", "the network of that prefix is 10.0.0.0/8"),
        ("serve --config /nonexistent/x.toml", "/nonexistent/x.toml"),
        ("invite create", "--name is missing"),
        ("invite create --name=", "--name is missing"),
        ("invite create --name x --ttl soon", "--ttl: \"soon\" won't do: expected a number"),
        ("invite revoke", "CODE is missing"),
        ("user delete", "NAME|ID is missing"),
        ("user delete a b", "one argument too many: \"b\""),
    ] {
        let words: Vec<&str> = words.split_whitespace().collect();
        let error = bare(&words).refused(2);
        assert!(error.starts_with("chat-posta: ") && error.contains(why), "{words:?}: {error}");
    }
}

#[test]
fn a_mistake_in_the_file_is_named_with_line_and_key() {
    let host = Host::new();
    for (file, why) in [
        ("\nlisten = 80\n", ":2: listen: expected a string, found integer"),
        ("log = 'info'\nbase-url = 'x'\n", ":2: base-url: unknown key; did you mean base_url?"),
        ("\n\nsession_max = '7'\n", ":3: session_max: \"7\" won't do: expected a number"),
        ("db = 'x'\nlog = \n", ":2: log: "),
        ("trusted_proxies = ['10.0.0.0/8', 'home']\n", ":1: trusted_proxies: "),
    ] {
        host.configure(file);
        let error = host.run(&["invite", "list"]).refused(2);
        assert!(error.contains(&format!("{}{why}", host.path("config.toml"))), "{error}");
    }
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let host = Host::new();
    let origin = |env: &[(&str, &str)], flags: &[&str]| {
        let words = [&["invite", "create", "--name", "Bob"], flags].concat();
        let url = host.run_in(env, &words).succeeded();
        url.split_once("/register?code=").expect("a registration link").0.to_owned()
    };
    let env = [("CHAT_POSTA_BASE_URL", "https://env.example")];
    assert_eq!(origin(&[], &[]), "http://localhost");
    assert_eq!(origin(&[], &["--listen", ":8080"]), "http://localhost:8080");
    assert_eq!(origin(&[("CHAT_POSTA_LISTEN", ":81")], &[]), "http://localhost:81");
    host.configure("base_url = 'https://file.example'\n");
    assert_eq!(origin(&[], &["--listen", ":8080"]), "https://file.example");
    assert_eq!(origin(&env, &[]), "https://env.example");
    assert_eq!(origin(&env, &["--base-url", "https://flag.example"]), "https://flag.example");
    let bad = host.run_in(&[("CHAT_POSTA_LOG", "loud")], &["user", "list"]).refused(2);
    assert!(bad.contains("CHAT_POSTA_LOG: \"loud\" won't do"), "{bad}");
}

#[test]
fn an_invite_is_made_listed_and_taken_back() {
    let host = Host::new();
    let url = host.run(&["invite", "create", "--name", " Bob\u{202e} "]).succeeded();
    let code = url.trim().strip_prefix("http://localhost/register?code=").unwrap();
    assert!(code.len() == 43 && !code.contains(['+', '/', '=']), "{code}");
    assert_eq!(url.lines().count(), 1);

    let list = host.run(&["invite", "list"]).succeeded();
    let mut lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["CODE", "NAME", "CREATED", "EXPIRES"]);
    let row = lines.next().unwrap();
    assert_eq!((row[0], row[1], row.len()), (&code[..8], "Bob\\u{202e}", 4));
    assert!(row[2].ends_with('Z') && row[2] < row[3], "{row:?}");
    assert!(!list.contains(&code[8..]), "the list does not open anything");
    assert_eq!(host.run(&["invite", "list", "--consumed"]).succeeded().lines().count(), 1);

    let other = &code.replace(&code[8..12], "____");
    for unknown in ["zzzzzzzzz", &code[..9], other, ""] {
        let error = host.run(&["invite", "revoke", "--", unknown]).refused(1);
        assert!(error.contains("no invite has this code"), "{unknown}: {error}");
    }
    let revoked = host.run(&["invite", "revoke", &code[..5]]).succeeded();
    assert!(revoked.starts_with(&format!("revoked {} (Bob", &code[..8])), "{revoked}");
    host.run(&["invite", "revoke", code]).refused(1);
    assert_eq!(host.run(&["invite", "list"]).succeeded().lines().count(), 1);
}

#[test]
fn used_and_expired_invites_are_told_apart() {
    let host = Host::new();
    let code = host.invite("Bob");
    let short = &code[..8];
    host.sql(&format!("UPDATE invites SET consumed_ms = 1e3 WHERE short_code = '{short}'"));
    assert_eq!(host.run(&["invite", "list"]).succeeded().lines().count(), 1);
    let used = host.run(&["invite", "list", "--consumed"]).succeeded();
    assert!(used.contains("USED") && used.contains("1970-01-01T00:00:01Z"), "{used}");
    let error = host.run(&["invite", "revoke", short]).refused(1);
    assert!(error.contains("has been used"), "{error}");

    let late = host.invite("Late");
    host.sql("UPDATE invites SET expires_ms = 2000 WHERE consumed_ms IS NULL");
    assert!(host.run(&["invite", "list"]).succeeded().contains("expired"));
    host.run(&["invite", "revoke", &late]).succeeded();
}

#[test]
fn an_ambiguous_code_names_the_candidates() {
    let host = Host::new();
    let codes = [host.invite("A"), host.invite("B")];
    host.sql("UPDATE invites SET short_code = 'same' || substr(short_code, 5)");
    let error = host.run(&["invite", "revoke", "same"]).refused(1);
    for code in &codes {
        assert!(error.contains(&format!("same{}", &code[4..8])), "{error}");
    }
    assert_eq!(host.run(&["invite", "list"]).succeeded().lines().count(), 3);
}

#[test]
fn a_user_is_listed_and_deleted_by_name_or_id() {
    let host = Host::new();
    host.invite("makes the database");
    for (id, name, server) in [(1, "Ann", "one"), (2, "Kim", "two"), (3, "Kim", "three")] {
        host.add_user(id, name, &format!("https://{server}.example"));
    }
    let list = host.run(&["user", "list"]).succeeded();
    let rows: Vec<Vec<&str>> = list.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "NAME", "SERVER", "CREATED", "LAST", "SEEN"]);
    assert_eq!(
        rows[1],
        ["1", "Ann", "https://one.example", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"]
    );
    assert_eq!(rows.len(), 4);

    let error = host.run(&["user", "delete", "Kim"]).refused(1);
    assert!(error.contains("2 (https://two.example), 3 (https://three.example)"), "{error}");
    assert!(host.run(&["user", "delete", "Zoe"]).refused(1).contains("no such user"));
    let deleted = host.run(&["user", "delete", "2"]).succeeded();
    assert_eq!(deleted, "deleted 2 (Kim, https://two.example)\n");
    host.run(&["user", "delete", "Kim"]).succeeded();
    assert_eq!(host.run(&["user", "list"]).succeeded().lines().count(), 2);
    assert_eq!(host.sql_number("SELECT count(*) FROM passkeys"), 1, "passkeys go along");
}

#[test]
fn scripts_get_json() {
    let host = Host::new();
    let made = host.run(&["invite", "create", "--name", "B\"ob", "--ttl", "90s", "--json"]).json();
    let code = made["url"].as_str().unwrap().split_once("code=").unwrap().1;
    assert_eq!(made["name"], "B\"ob");
    let list = host.run(&["invite", "list", "--json"]).json();
    let invite = &list[0];
    assert_eq!((&invite["code"], &invite["name"]), (&code[..8].into(), &made["name"]));
    assert_eq!((&invite["expires"], &invite["expired"]), (&made["expires"], &false.into()));
    assert!(invite["consumed"].is_null() && list.as_array().unwrap().len() == 1);
    assert_eq!(host.run(&["invite", "list", "--consumed", "--json"]).json(), serde_json::json!([]));
    host.add_user(7, "Ann\n\u{1b}", "https://one.example");
    let user = serde_json::json!({
        "id": 7, "name": "Ann\n\u{1b}", "server": "https://one.example",
        "created": "1970-01-01T00:00:01Z", "lastSeen": "1970-01-01T00:00:02Z",
    });
    assert_eq!(host.run(&["user", "list", "--json"]).json()[0], user);
    let shown = host.run(&["user", "list"]).succeeded();
    assert!(shown.contains("Ann\\n\\u{1b}"), "a terminal gets it harmless: {shown}");
    assert_eq!(host.run(&["user", "delete", "7", "--json"]).json(), user);
    assert_eq!(host.run(&["invite", "revoke", &code[..8], "--json"]).json()["name"], "B\"ob");
}

#[test]
fn only_what_makes_something_makes_a_database() {
    let host = Host::new();
    for words in [
        &["invite", "list"][..],
        &["invite", "revoke", "x"],
        &["user", "list"],
        &["user", "delete", "x"],
    ] {
        let error = host.run(words).refused(1);
        assert!(error.contains("does not exist"), "{error}");
        assert!(!Path::new(&host.db()).exists());
    }
    host.invite("Bob");
    let mode = fs::metadata(host.db()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!Path::new(&format!("{}-wal", host.db())).exists(), "one whole file is left");
}

#[test]
fn an_open_database_is_warned_of() {
    let host = Host::new();
    host.invite("Bob");
    assert_eq!(host.run(&["user", "list"]).stderr, "");
    fs::set_permissions(host.db(), fs::Permissions::from_mode(0o644)).unwrap();
    let warned = host.run(&["user", "list"]);
    assert!(warned.stderr.contains("level=warn") && warned.stderr.contains("644"), "{warned:?}");
    assert_eq!(warned.code, Some(0));
}

#[test]
fn a_database_that_cannot_be_used_says_why() {
    let host = Host::new();
    fs::write(host.db(), "x".repeat(4_096)).unwrap();
    let error = host.run(&["user", "list"]).refused(1);
    assert!(error.contains(&host.db()) && error.contains("not an SQLite database"), "{error}");

    let host = Host::new();
    host.invite("Bob");
    fs::set_permissions(host.db(), fs::Permissions::from_mode(0o444)).unwrap();
    let error = host.run_as_nobody(&["user", "list"]).refused(1);
    assert!(error.contains("can't be written to"), "{error}");

    // The file may be written to, the directory for the log beside it may not.
    fs::set_permissions(host.db(), fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(host.path(""), fs::Permissions::from_mode(0o555)).unwrap();
    let error = host.run_as_nobody(&["user", "list"]).refused(1);
    assert!(error.contains("must both be writable"), "{error}");
    fs::set_permissions(host.path(""), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_reader_who_goes_away_is_no_error_and_a_full_disk_is() {
    let host = Host::new();
    let Outcome { code, stderr, .. } = host.run_into_nowhere(&["invite", "create", "--name", "A"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        host.run(&["invite", "list"]).succeeded().lines().count(),
        1,
        "an invite whose link nobody has seen is not kept"
    );
    let full = host.run_into("/dev/full", &["invite", "create", "--name", "A"]);
    assert!(full.refused(1).contains("standard output"));
    assert_eq!(host.run(&["invite", "list"]).succeeded().lines().count(), 1);
}

#[test]
fn the_operator_s_listener_tells_and_survives() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ops = port.to_string();
    let mut server = Server::start(&["--ops-listen", &ops]);
    let get = |path: &str| host::get(port, path);
    assert!(get("/healthz").ends_with("ok\n"));
    assert!(get("/readyz").ends_with("ready\n"));
    server.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let metrics = get("/metrics");
    for line in [
        "\nchat_posta_http_requests_total{route=\"/healthz\",status=\"200\"} 1\n",
        "\nchat_posta_http_request_duration_seconds_count{route=\"/healthz\"} 1\n",
        "\nchat_posta_sessions 0\n",
        "\nchat_posta_live_users 0\n",
        "\nchat_posta_coroutines{kind=\"stream\"} 0\n",
        "\nchat_posta_build_info{version=\"",
        "\nchat_posta_database_bytes ",
        "\nprocess_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    host::send(port, "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n");
    host::send(port, "\0\0\0\r\n\r\n");
    assert!(get("/healthz").ends_with("ok\n"));
    assert!(server.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").contains(" 200 "));
    server.terminate();
    assert_eq!(server.ended(Duration::from_secs(10)), Some(0));
}

#[test]
fn the_service_and_a_command_share_the_database() {
    let mut server = Server::start(&[]);
    let host = Host::beside(&server.directory);
    let code = host.invite("Bob");
    let page = |code: &str| {
        server.ask(
            format!("GET /register?code={code} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes(),
        )
    };
    assert!(page(&code).contains(" 200 "));
    host.run(&["invite", "revoke", &code]).succeeded();
    assert!(page(&code).contains(" 404 "));
    host.invite("Eve");
    server.terminate();
    assert_eq!(server.ended(Duration::from_secs(10)), Some(0));
    let log = fs::metadata(format!("{}-wal", host.db())).map_or(0, |data| data.len());
    assert_eq!(log, 0, "whoever copies the one file has everything");
}
