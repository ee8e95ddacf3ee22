//! Nothing that runs on a coroutine blocks its OS thread or keeps state in one: clippy.toml names
//! what does, `scripts/test lint` refuses it, and this knows each place that is on an OS thread of its
//! own and so may. Clippy alone would be content with any `#[expect]`.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const METHODS: &str = "clippy::disallowed_methods";
const TYPES: &str = "clippy::disallowed_types";
const LINTS: [&str; 3] = [METHODS, TYPES, "clippy::disallowed_macros"];

/// File and item. No thread-local is among them, nor may one ever be.
const MAY_WAIT: &[(&str, &str)] = &[
    // Commands, and what happens while starting up.
    ("cli/mod.rs", "mod demo"),
    ("cli/mod.rs", "mod demo_server"),
    ("cli/mod.rs", "mod doctor"),
    ("cli/mod.rs", "mod healthcheck"),
    ("cli/mod.rs", "mod takeover"),
    ("cli/mod.rs", "mod waiter"),
    ("cli/mod.rs", "fn run"),
    ("cli/mod.rs", "fn say"),
    ("cli/serve.rs", "fn leave"),
    ("config/mod.rs", "fn read_file"),
    ("config/table.rs", "fn authorities"),
    ("ops/supervisor.rs", "fn tell"),
    ("store/mod.rs", "mod backup"),
    ("store/mod.rs", "mod look"),
    ("store/open.rs", "fn open"),
    ("store/open.rs", "fn create"),
    ("store/open.rs", "fn write_ahead"),
    // Threads with a name of their own.
    ("http/alarm.rs", "fn run"),
    ("http/client/pool.rs", "fn sweep"),
    ("http/client/resolve.rs", "fn system"),
    ("http/client/resolve.rs", "fn next"),
    ("http/deep.rs", "fn start"),
    ("http/server/accept.rs", "fn spare"),
    ("http/server/accept.rs", "fn run"),
    ("http/server/accept.rs", "fn wait"),
    ("http/server/accept.rs", "fn turn_away_with_spare"),
    ("http/server/mod.rs", "fn stop_accepting"),
    ("http/server/registry.rs", "fn wait"),
    ("live/watch.rs", "fn run"),
    ("ops/listener.rs", "fn succeed"),
    ("ops/listener.rs", "fn keep"),
    ("store/mod.rs", "fn serve"),
    ("store/mod.rs", "fn drop"),
    ("web/keeper.rs", "fn run"),
    // Read from the kernel's memory when the operator asks.
    ("cli/serve.rs", "fn show"),
    ("ops/process.rs", "fn show"),
    // The demo's posta-server.
    ("demo/admin.rs", "fn refuse"),
    ("demo/bell.rs", "fn run"),
    ("demo/db/mod.rs", "fn open"),
    ("demo/db/mod.rs", "fn start"),
    ("demo/node.rs", "fn refuse_for"),
];

/// What clippy.toml must at least name.
const FORBIDDEN: &[&str] = &[
    "std::thread::sleep",
    "std::thread::JoinHandle::join",
    "std::sync::mpsc::channel",
    "std::sync::Condvar::wait",
    "std::net::TcpStream::connect",
    "std::net::ToSocketAddrs::to_socket_addrs",
    "std::fs::read",
    "std::fs::write",
    "std::fs::File::open",
    "std::fs::OpenOptions::open",
    "std::process::Command::new",
    "rusqlite::Connection::open",
    "minreq::Request::send",
    "may::coroutine::sleep",
    "std::thread::LocalKey",
    "std::thread_local",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).expect("a readable file")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// `fn name` or `mod name` of the item that begins in `text`.
fn item(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| line.contains("fn ") || line.starts_with("mod ") || line.contains(" mod "))
        .expect("an item below the attribute");
    let kind = if line.contains("fn ") { "fn " } else { "mod " };
    let (_, rest) = line.split_once(kind).expect("just seen");
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    format!("{kind}{name}")
}

/// Every attribute of `text` that speaks of the lints, and the item it is on.
fn attributes(text: &str) -> Vec<(String, String)> {
    let starts = text.match_indices("#[").chain(text.match_indices("#!["));
    let all = starts.filter_map(|(at, _)| {
        let (attribute, after) = text[at..].split_once("]\n")?;
        let speaks = LINTS.iter().any(|lint| attribute.contains(lint));
        speaks.then(|| (attribute.to_owned(), item(after)))
    });
    all.collect()
}

#[test]
fn only_named_places_on_threads_of_their_own_may_wait() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let name = file.strip_prefix(root().join("src")).expect("below it").to_string_lossy();
        if name == "main.rs" {
            continue;
        }
        for (attribute, item) in attributes(&read(&file)) {
            assert!(attribute.starts_with("#[expect("), "{name}: {attribute}] on {item}");
            assert!(attribute.contains("reason = \""), "{name}: {item} gives no reason");
            found.insert((name.to_string(), item));
        }
    }
    let known = MAY_WAIT.iter().map(|(file, item)| ((*file).to_owned(), (*item).to_owned()));
    let known: BTreeSet<_> = known.collect();
    let news: Vec<_> = found.difference(&known).collect();
    assert!(news.is_empty(), "may these wait? {news:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

#[test]
fn the_rules_are_errors_and_name_what_blocks() {
    let main = read("src/main.rs");
    let denied = main.split_once("deny(").and_then(|(_, rest)| rest.split_once(")]"));
    let denied = denied.expect("main.rs denies something").0;
    for lint in LINTS {
        assert!(denied.contains(lint), "main.rs does not deny {lint}");
    }
    let rules = read("clippy.toml");
    for path in FORBIDDEN {
        assert!(rules.contains(&format!("\"{path}\"")), "clippy.toml does not name {path}");
    }
    assert!(read("scripts/test").contains("cargo clippy --locked --all-targets"));
}

#[test]
fn attributes_are_found_however_they_are_written() {
    let text = "/// Doc.\n#[expect(\n    clippy::disallowed_methods,\n    reason = \"x\"\n)]\n\
                pub async fn one(a: u8) {}\n#[allow(clippy::disallowed_types)]\npub mod two;\n\
                #[expect(dead_code)]\nfn three() {}\n";
    let items: Vec<String> = attributes(text).into_iter().map(|(_, item)| item).collect();
    assert_eq!(items, ["fn one", "mod two"]);
}
