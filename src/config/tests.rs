//! Where settings come from, and which source wins.
use super::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Loads from the three sources; the file's name in messages is `FILE`.
fn load(flags: &[(&str, &str)], env: &[(&str, &str)], file: &str) -> Result<Config, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("chat-posta-{}-{number}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, file).unwrap();
    let flags: Vec<_> =
        flags.iter().map(|(key, text)| (setting(key).unwrap(), (*text).to_owned())).collect();
    let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).into());
    let sources = Sources { flags: &flags, env: Some(&env), file: Some(&path), defaults: &[] };
    let config = Config::load(&sources);
    fs::remove_file(&path).unwrap();
    config.map_err(|e| e.0.replace(&path.display().to_string(), "FILE"))
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let (file, env) = ("listen = ':3'\n", [("CHAT_POSTA_LISTEN", ":2")]);
    let port = |flags: &[_], env: &[_], file| load(flags, env, file).unwrap().listen.port();
    assert_eq!(port(&[("listen", ":1")], &env, file), 1);
    assert_eq!(port(&[], &env, file), 2);
    assert_eq!(port(&[], &[], file), 3);
    assert_eq!(port(&[], &[], ""), 80);
    assert_eq!(port(&[("listen", ":1"), ("listen", ":4")], &[], ""), 4, "the last flag counts");
}

#[test]
fn the_defaults_are_what_the_documents_say() {
    let config = load(&[], &[], "").unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:80");
    assert_eq!(config.db, Path::new("/var/lib/chat-posta/state.db"));
    assert_eq!(config.base_url.origin(), "http://localhost");
    assert_eq!(config.ops_listen, None);
    assert_eq!(config.log, LevelFilter::Info);
    assert_eq!(format_duration(config.session_idle), "30m");
    assert_eq!(format_duration(config.session_max), "7d");
    assert!(!config.allow_private_upstreams);
    let trusted = |address: &str| {
        let address = address.parse().unwrap();
        config.trusted_proxies.iter().any(|network| network.contains(address))
    };
    assert!(trusted("127.9.9.9") && trusted("::1") && !trusted("10.0.0.1"));
    assert!(config.warnings().is_empty());
}

#[test]
fn the_base_url_follows_the_port_unless_it_is_given() {
    let origin = |flags: &[_]| load(flags, &[], "").unwrap().base_url.origin();
    assert_eq!(origin(&[("listen", ":8080")]), "http://localhost:8080");
    let both = [("base_url", "https://chat.example"), ("listen", ":8080")];
    assert_eq!(origin(&both), "https://chat.example");
}

#[test]
fn a_command_s_own_defaults_give_way_to_everything_that_was_said() {
    let none = |_: &str| None;
    let sources = |flags| Sources {
        flags,
        env: Some(&none),
        file: Some(Path::new("/dev/null")),
        defaults: &[("listen", "127.0.0.1:8080"), ("log", "warn")],
    };
    let config = Config::load(&sources(&[])).unwrap();
    assert_eq!(config.base_url.origin(), "http://localhost:8080");
    let flags = [(setting("listen").unwrap(), ":9".to_owned())];
    let config = Config::load(&sources(&flags)).unwrap();
    assert_eq!((config.listen.port(), config.log), (9, LevelFilter::Warn));
}

#[test]
fn a_bad_value_names_its_place_and_what_is_expected() {
    let level = "expected error, warn, info, debug or trace";
    assert_eq!(
        load(&[("log", "loud")], &[], "").unwrap_err(),
        format!("--log: \"loud\" won't do: {level}")
    );
    assert_eq!(
        load(&[], &[("CHAT_POSTA_LOG", "")], "").unwrap_err(),
        format!("CHAT_POSTA_LOG: \"\" won't do: {level}")
    );
    // Even where a stronger source speaks.
    assert_eq!(
        load(&[("log", "warn")], &[], "\nlog = 'loud'").unwrap_err(),
        format!("FILE:2: log: \"loud\" won't do: {level}")
    );
    assert_eq!(
        load(&[("session_idle", "8d")], &[], "session_max = '7d'").unwrap_err(),
        "--session-idle: 8d is longer than a session may last (7d, from FILE:1: session_max)"
    );
}

#[test]
fn a_named_file_must_be_there_and_the_default_one_need_not() {
    let none = |_: &str| None;
    let missing = Path::new("/nonexistent/chat-posta.toml");
    let named = Sources { file: Some(missing), env: Some(&none), ..Sources::default() };
    let error = Config::load(&named).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/chat-posta.toml"), "{error}");
    if !Path::new(DEFAULT_FILE).exists() {
        assert!(Config::load(&Sources { env: Some(&none), ..Sources::default() }).is_ok());
    }
}

#[test]
fn switches_and_lists_can_be_turned_off_again() {
    let file = "allow_private_upstreams = true\nops_listen = '127.0.0.1:9090'\n";
    let config = load(&[], &[], file).unwrap();
    assert!(config.allow_private_upstreams && config.ops_listen.is_some());
    let off = [("allow_private_upstreams", "false"), ("ops_listen", ""), ("trusted_proxies", "")];
    let config = load(&off, &[], file).unwrap();
    assert!(!config.allow_private_upstreams && config.ops_listen.is_none());
    assert!(config.trusted_proxies.is_empty());
}

#[test]
fn what_will_not_work_is_warned_of() {
    let warnings = |flags: &[_]| load(flags, &[], "").unwrap().warnings().join("\n");
    assert!(warnings(&[("base_url", "http://chat.example")]).contains("passkeys"));
    assert!(warnings(&[("ops_listen", ":9090")]).contains("ops_listen"));
    let fine = [("base_url", "https://chat.example"), ("ops_listen", "127.0.0.1:9090")];
    assert_eq!(warnings(&fine), "");
}
