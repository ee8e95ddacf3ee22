//! The TOML file. What is wrong with it is told with file, line and key.
use super::nearest::nearest;
use super::{ConfigError, SETTINGS, Setting, Shape, setting};
use std::ops::Range;
use std::path::Path;
use toml_edit::{Document, Item, Key, Value};

/// What a file says of one setting.
pub(super) struct Said {
    pub setting: &'static Setting,
    /// As a flag would have it.
    pub text: String,
    /// File, line and key.
    pub place: String,
}

/// Reads the file's text; `path` is for messages.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Said>, ConfigError> {
    let line = |span: Option<Range<usize>>| line_of(text, span.map_or(0, |span| span.start));
    let document = Document::parse(text).map_err(|e| {
        let line = line(e.span());
        let key = key_on(text, line).map(|key| format!(" {key}:")).unwrap_or_default();
        let why = plain(&e.message().trim().replace('\n', "; "));
        ConfigError(format!("{}:{line}:{key} {why}", path.display()))
    })?;
    let table = document.as_table();
    let said = table.iter().map(|(name, item)| {
        let line = line(table.key(name).and_then(Key::span).or_else(|| item.span()));
        let place = format!("{}:{line}: {}", path.display(), plain(name));
        let setting = setting(name).ok_or_else(|| ConfigError(unknown(&place, name)))?;
        let text = as_text(setting, item).map_err(|e| ConfigError(format!("{place}: {e}")))?;
        Ok(Said { setting, text, place })
    });
    said.collect()
}

fn unknown(place: &str, name: &str) -> String {
    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    match nearest(name, keys.iter().copied()) {
        Some(key) => format!("{place}: unknown key; did you mean {key}?"),
        None => format!("{place}: unknown key; there are {}", keys.join(", ")),
    }
}

/// The value as a flag would have it.
fn as_text(setting: &Setting, item: &Item) -> Result<String, String> {
    let expected = match setting.shape {
        Shape::Text => "a string",
        Shape::List => "an array of strings",
        Shape::Switch => "true or false",
    };
    let found = || format!("expected {expected}, found {}", item.type_name());
    match (setting.shape, item.as_value().ok_or_else(found)?) {
        (Shape::Text | Shape::List, Value::String(text)) => Ok(text.value().clone()),
        (Shape::Switch, Value::Boolean(value)) => Ok(value.value().to_string()),
        (Shape::List, Value::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Ok(items.ok_or_else(|| format!("expected {expected}"))?.join(", "))
        }
        _ => Err(found()),
    }
}

/// A quoted key may hold anything; what is told of it is one line.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

/// Lines count from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The key that a line of broken TOML begins with.
fn key_on(text: &str, line: usize) -> Option<&str> {
    let (key, _) = text.lines().nth(line - 1)?.split_once('=')?;
    let key = key.trim();
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (!key.is_empty() && key.bytes().all(is_bare)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(Path::new("F"), text).err().expect("it is wrong").0
    }

    #[test]
    fn values_come_as_a_flag_would_have_them() {
        let text = "listen = ':1'\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n\n\
                    allow_private_upstreams = true\n";
        let said = read(Path::new("F"), text).ok().unwrap();
        let said: Vec<_> =
            said.iter().map(|s| (s.setting.key, s.text.as_str(), s.place.as_str())).collect();
        assert_eq!(
            said,
            [
                ("listen", ":1", "F:1: listen"),
                ("trusted_proxies", "10.0.0.0/8, ::1", "F:2: trusted_proxies"),
                ("allow_private_upstreams", "true", "F:4: allow_private_upstreams"),
            ]
        );
    }

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        for (text, expected) in [
            ("\nlisten = 12\n", "F:2: listen: expected a string, found integer"),
            ("log='info'\nlistne = ':80'\n", "F:2: listne: unknown key; did you mean listen?"),
            ("base-url = 'x'", "F:1: base-url: unknown key; did you mean base_url?"),
            ("log = ['info']", "F:1: log: expected a string, found array"),
            (
                "allow_private_upstreams = 'true'",
                "F:1: allow_private_upstreams: expected true or false, found string",
            ),
            ("trusted_proxies = [1]", "F:1: trusted_proxies: expected an array of strings"),
            ("\n\n[log]\nlevel = 'info'\n", "F:3: log: expected a string, found table"),
            ("\"li\\nsten\" = 1", "F:1: li\\nsten: unknown key; did you mean listen?"),
        ] {
            assert_eq!(error(text), expected);
        }
        assert!(
            error("[serve]\nlisten = ':80'\n").starts_with("F:1: serve: unknown key; there are ")
        );
    }

    #[test]
    fn broken_toml_is_named_with_line_and_key_too() {
        for (text, start) in [
            ("log = 'info'\nlisten = \n", "F:2: listen: "),
            ("log = 'info'\ndb = \"x\n", "F:2: db: "),
            ("log = 'info'\nlog = 'warn'\n", "F:2: log: "),
            ("\n\n[[[\n", "F:3: "),
        ] {
            let error = error(text);
            assert!(error.starts_with(start) && !error.contains('\n'), "{error}");
        }
    }
}
