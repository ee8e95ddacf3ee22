//! The configuration file: what it says can be written down again and means the same, and what is
//! wrong with it is told in one line.
use crate::config::{Config, SETTINGS, Shape, Sources, format_duration, parse_duration};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One file for this process; in memory where that can be had.
fn place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
        folder.join(format!("chat-posta-fuzz-{}.toml", std::process::id()))
    })
}

/// Loads `text` as a file.
fn load(text: &[u8]) -> Result<Config, String> {
    let path = place();
    fs::write(path, text).expect("a file can be written");
    let sources = Sources { file: Some(path), ..Sources::default() };
    let loaded = Config::load(&sources);
    fs::remove_file(path).expect("and removed");
    loaded.map_err(|e| e.to_string().replace(&path.display().to_string(), "FILE"))
}

/// What a setting says, as TOML.
fn toml(key: &str, text: &str) -> String {
    let shape = SETTINGS.iter().find(|setting| setting.key == key).expect("a setting").shape;
    // A JSON string is a TOML string, once DEL is escaped.
    let quoted = serde_json::to_string(text).expect("text").replace('\u{7f}', "\\u007f");
    match shape {
        Shape::Switch => format!("{key} = {}\n", matches!(text, "true" | "1")),
        Shape::List | Shape::Text => format!("{key} = {quoted}\n"),
    }
}

pub fn check(bytes: &[u8]) {
    // A setting may name a file that is read, and some never end.
    let naming = |path: &[u8]| bytes.windows(path.len()).any(|window| window == path);
    if naming(b"/dev") || naming(b"/proc") {
        return;
    }
    let config = match load(bytes) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.contains(char::is_control), "{error:?}");
            assert!(error.contains("FILE") || error.contains("session_"), "{error}");
            return;
        }
    };
    assert_eq!(config.said.len(), SETTINGS.len());
    assert!(config.session_idle <= config.session_max);
    for duration in [config.session_idle, config.session_max] {
        assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
    }
    let origin = config.base_url.origin();
    assert!(origin.starts_with("http") && origin.is_ascii());
    assert!(!config.base_url.rp_id().is_empty());
    // Written down as it was understood, it says the same.
    let written: String = config
        .said
        .iter()
        .filter(|(_, _, from)| from != "default")
        .map(|(key, text, _)| toml(key, text))
        .collect();
    let again = load(written.as_bytes()).unwrap_or_else(|e| panic!("{written}: {e}"));
    let plain = |config: &Config| {
        let said: Vec<_> = config.said.iter().map(|(key, text, _)| (*key, text.clone())).collect();
        format!("{:?}", Config { said: Vec::new(), ..config.clone() }) + &format!("{said:?}")
    };
    assert_eq!(plain(&again), plain(&config), "{written}");
}
