//! The inputs that were kept, each through its check: what once broke stays mended. Needs no fuzzer.
use chat_posta_fuzz::check;
use std::fs;
use std::path::Path;

const CHECKS: [(&str, fn(&[u8])); 13] = [
    ("actor", check::actor::check),
    ("answer", check::answer::check),
    ("attestation", check::attestation::check),
    ("authenticator", check::authenticator::check),
    ("chunked", check::chunked::check),
    ("client_data", check::client_data::check),
    ("config", check::config::check),
    ("events", check::events::check),
    ("forms", check::forms::check),
    ("messages", check::messages::check),
    ("pairing", check::pairing::check),
    ("peer", check::peer::check),
    ("request", check::request::check),
];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

#[test]
fn every_kept_input_passes_its_check() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let known: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&corpus), known, "each folder has its check, and each check its folder");
    for (name, check) in CHECKS {
        let folder = corpus.join(name);
        let inputs = names(&folder);
        assert!(inputs.len() >= 3, "{name} has {} inputs", inputs.len());
        for input in inputs {
            println!("{name}/{input}");
            let bytes = fs::read(folder.join(input)).expect("a readable input");
            check(&bytes);
            // And whatever a small slip makes of it.
            for at in 0..bytes.len().min(400) {
                check(&bytes[..at]);
                let mut slipped = bytes.clone();
                slipped[at] ^= 1 << (at % 8);
                check(&slipped);
            }
        }
    }
}

#[test]
fn each_check_has_its_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let targets: Vec<String> = CHECKS.iter().map(|(name, _)| format!("{name}.rs")).collect();
    assert_eq!(names(&folder), targets);
}

/// What is fuzzed is what is released: the same versions of everything that both have.
#[test]
fn the_release_s_own_versions_are_tested() {
    let versions = |path: &str| {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path);
        let value = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.windows(2).filter(|pair| pair[0].starts_with("name = "));
        pairs.map(|pair| (value(pair[0]), value(pair[1]))).collect::<Vec<_>>()
    };
    let (ours, released) = (versions("Cargo.lock"), versions("../../Cargo.lock"));
    let mut shared = 0;
    for (name, version) in &ours {
        let theirs: Vec<&String> =
            released.iter().filter(|(n, _)| n == name).map(|(_, version)| version).collect();
        assert!(theirs.is_empty() || theirs.contains(&version), "{name} {version}: {theirs:?}");
        shared += theirs.len();
    }
    assert!(shared > 50, "only {shared} packages are in both");
}
