//! The rooms of the house stand in one order, and each uses only what stands below it. This reads
//! every source file's paths and fails on an arrow that runs up. It also keeps files short and
//! holds each to say at its top what it is for.
#[path = "room_order/paths.rs"]
mod paths;

use std::fs;
use std::path::{Path, PathBuf};

/// From the top down. A room may use those after it.
const ROOMS: [&str; 12] = [
    "cli", "demo", "web", "live", "session", "store", "posta", "webauthn", "vault", "http", "ops",
    "config",
];

/// Rooms that may use less than what stands below them: the demo's posta-server is made by itself,
/// so that it tests ours instead of repeating it, and what is pure stays far from sockets.
const NARROW: [(&str, &[&str]); 3] =
    [("demo", &["http", "ops"]), ("webauthn", &["ops"]), ("vault", &["ops"])];

/// A file that grows past this is two rooms.
const MAX_LINES: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "node_modules") {
                found.extend(files(&path, endings));
            }
        } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A file's place in the crate: `src/http/server/mod.rs` is `["http", "server"]`.
fn module(file: &Path) -> Vec<String> {
    let mut module: Vec<String> = file
        .with_extension("")
        .components()
        .map(|component| component.as_os_str().to_string_lossy().into_owned())
        .collect();
    module.pop_if(|last| last == "mod" || last == "main");
    module
}

/// What is wrong with a use of the room `to` by the room `from`.
fn verdict(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let Some(below) = ROOMS.iter().position(|room| *room == to) else {
        return Some(format!("{to} is no room"));
    };
    let Some(own) = ROOMS.iter().position(|room| *room == from) else {
        return Some(format!("{from} is no room"));
    };
    if below < own {
        return Some(format!("{from} uses {to}, which stands above it"));
    }
    let narrow = NARROW.iter().find(|(room, _)| *room == from);
    let allowed = narrow.is_none_or(|(_, rooms)| rooms.contains(&to));
    (!allowed).then(|| format!("{from} uses {to}, which is not for it"))
}

/// The faults of one source file.
fn faults(module: &[String], source: &str) -> Vec<String> {
    let Some(room) = module.first() else {
        return Vec::new(); // the front door may use every room
    };
    let uses = paths::rooms(module, source);
    uses.into_iter()
        .filter_map(|(line, to)| verdict(room, &to).map(|fault| format!("line {line}: {fault}")))
        .collect()
}

#[test]
fn no_arrow_runs_up() {
    let src = root().join("src");
    let (mut arrows, mut found) = (0, Vec::new());
    for file in files(&src, &["rs"]) {
        let name = file.strip_prefix(&src).expect("it lies there");
        let source = fs::read_to_string(&file).expect("a readable file");
        arrows += paths::rooms(&module(name), &source).len();
        let faults = faults(&module(name), &source);
        found.extend(faults.into_iter().map(|fault| format!("src/{} {fault}", name.display())));
    }
    assert!(found.is_empty(), "rooms must use only what stands below them:\n{}", found.join("\n"));
    assert!(arrows > 100, "only {arrows} paths were understood");
}

#[test]
fn every_room_is_in_the_order() {
    for entry in fs::read_dir(root().join("src")).expect("a readable folder") {
        let name = entry.expect("a readable entry").path();
        let name = name.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(name == "main" || ROOMS.contains(&name.as_str()), "src/{name} is no room");
    }
    let house = fs::read_to_string(root().join("PRD.md")).expect("a readable file");
    let order = ROOMS.map(|room| format!("`{room}`")).join(" · ");
    let text = house.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&order), "PRD.md tells the rooms in this order: {order}");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut faults = Vec::new();
    for folder in ["src", "tests", "www", "sql"] {
        for file in files(&root().join(folder), &["rs", "js", "css", "sql"]) {
            let text = fs::read_to_string(&file).expect("a readable file");
            let name = file.strip_prefix(root()).expect("it lies there").display();
            let lines = text.lines().count();
            if lines > MAX_LINES {
                faults.push(format!("{name} has {lines} lines, more than {MAX_LINES}"));
            }
            let rust = file.extension().is_some_and(|ending| ending == "rs");
            if rust && !text.starts_with("//! ") {
                faults.push(format!("{name} does not open with //!"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_arrow_that_runs_up_is_found() {
    let faults = |module: &[&str], source: &str| {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        faults(&module, source).len()
    };
    assert_eq!(faults(&["store", "users"], "use crate::ops::random;"), 0);
    assert_eq!(faults(&["store", "users"], "use crate::web::page;"), 1);
    assert_eq!(faults(&["http"], "use crate::{config, posta};"), 1);
    assert_eq!(faults(&["http", "sse"], "fn f() { super::super::live::start() }"), 1);
    assert_eq!(faults(&["demo", "api"], "use crate::http::Request;"), 0);
    assert_eq!(faults(&["demo", "api"], "use crate::posta::PeerUrl;"), 1);
    assert_eq!(faults(&["webauthn"], "use crate::http::deep;"), 1);
    assert_eq!(faults(&["web"], "use crate::nowhere::thing;"), 1);
    assert_eq!(faults(&[], "use crate::web::page;"), 0);
}
