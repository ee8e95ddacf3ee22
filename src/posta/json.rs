//! JSON from a posta-server, read leniently and without trusting its depth.
//!
//! A parser recurses once per level, so depth is bounded before it starts, and everything but small
//! flat documents is parsed on the deep threads, conversion to our types included: a coroutine gets
//! the finished value. The look-ups accept the mistyped values one may meet (numbers as strings,
//! `null` for absent); what cannot be read is absent, never an error.
use super::PeerUrl;
use crate::http::deep::Lane;
use jiff::Timestamp;
pub use serde_json::Value;

/// Deepest nesting parsed at all. The deepest known document, a list of broadcasts, has six levels.
const MAX_DEPTH: usize = 32;
/// Most values in one document: a parsed one takes some hundred bytes, however few it had on the wire.
/// 5,000 contacts of a dozen fields have 60,000.
const MAX_VALUES: usize = 100_000;
/// What a shallow coroutine parses on its own stack: bytes and levels.
const INLINE_BYTES: usize = 1024;
const INLINE_DEPTH: usize = 4;

/// Parses `bytes` and converts the document with `convert`; `None` when it is no JSON, too deep or
/// too much. `lane` is that of whoever asked for it.
pub fn read<T: Send + 'static>(
    lane: &Lane,
    bytes: Vec<u8>,
    convert: impl FnOnce(&Value) -> T + Send + 'static,
) -> Option<T> {
    let small = bytes.len() <= INLINE_BYTES && extent(&bytes).0 <= INLINE_DEPTH;
    let parse = move || Some(convert(&parse_nested(&bytes)?));
    if small { parse() } else { lane.run(parse) }
}

/// Like [`read`] for a document inside a document, where the stack is deep already.
pub fn parse_nested(bytes: &[u8]) -> Option<Value> {
    let (depth, values) = extent(bytes);
    if depth > MAX_DEPTH || values > MAX_VALUES {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

/// How deep arrays and objects nest, and how many values there are at most; what is inside strings not
/// counted. Right for every valid document; an invalid one fails in the parser, which never goes
/// deeper than this, nor further.
fn extent(bytes: &[u8]) -> (usize, usize) {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    let mut values = 1;
    for &byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b'[' | b'{' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                    values += 1;
                }
                b',' => values += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    (deepest, values)
}

/// The first of `names` that holds something other than `null`.
pub fn field<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| value.get(name)).filter(|value| !value.is_null())
}

/// A non-empty string.
pub fn text(value: &Value, names: &[&str]) -> Option<String> {
    field(value, names)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, also as a string or as a float without a fraction.
pub fn integer(value: &Value, names: &[&str]) -> Option<i64> {
    match field(value, names)? {
        Value::Number(number) => number.as_i64().or_else(|| {
            // Every float in this range converts without loss.
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A participant, by URL or as an object with a `url`.
pub fn peer(value: &Value, names: &[&str]) -> Option<PeerUrl> {
    let value = field(value, names)?;
    PeerUrl::parse(value.as_str().or_else(|| value.get("url")?.as_str())?).ok()
}

/// RFC 3339; the empty string means unset.
pub fn time(value: &Value, names: &[&str]) -> Option<Timestamp> {
    field(value, names)?.as_str()?.parse().ok()
}

/// The elements of a list that may stand alone or wrapped in an object under `name`.
pub fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    value.as_array().or_else(|| value.get(name)?.as_array()).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn depth_counts_levels_outside_strings() {
        for (text, expected) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"a":[{"b":1},[[]]]}"#, 4),
            (r#"{"a":"[[[[\"[[["}"#, 1),
            (r#"["\\",["x"]]"#, 2),
            ("]]]][", 1),
        ] {
            assert_eq!(extent(text.as_bytes()).0, expected, "{text}");
        }
    }

    #[test]
    fn too_deep_and_broken_documents_are_refused() {
        let nested = |levels| [vec![b'['; levels], vec![b']'; levels]].concat();
        let nothing = |bytes| read(&Lane::default(), bytes, |_| ());
        assert_eq!(nothing(nested(MAX_DEPTH + 1)), None);
        assert_eq!(nothing(vec![b'['; 1_000_000]), None);
        assert_eq!(nothing(nested(INLINE_DEPTH)), Some(()));
        assert_eq!(nothing(b"{\"a\":".to_vec()), None);
        assert_eq!(nothing(Vec::new()), None);
        let many = |count: usize| format!("[{}0]", "0,".repeat(count - 2)).into_bytes();
        assert_eq!(nothing(many(MAX_VALUES)), Some(()));
        assert_eq!(nothing(many(MAX_VALUES + 1)), None);
    }

    #[test]
    fn mistyped_values_are_read_or_absent() {
        let value = json!({
            "n": 7, "s": "8", "f": 9.0, "half": 1.5, "huge": 1e300, "null": null, "empty": "",
            "when": "2025-05-12T10:00:00Z", "list": [1], "url": "alice.example/",
        });
        let number = |name| integer(&value, &[name]);
        assert_eq!([number("n"), number("s"), number("f")], [Some(7), Some(8), Some(9)]);
        assert_eq!([number("half"), number("huge"), number("null")], [None; 3]);
        assert_eq!([number("list"), number("none"), number("empty")], [None; 3]);
        assert_eq!(text(&value, &["empty"]), None);
        assert_eq!(text(&value, &["n"]), None);
        assert_eq!(text(&value, &["none", "s"]).as_deref(), Some("8"));
        assert!(time(&value, &["when"]).is_some());
        assert_eq!([time(&value, &["empty"]), time(&value, &["n"])], [None; 2]);
        assert_eq!(peer(&value, &["url"]).unwrap().display(), "alice.example");
        assert_eq!(peer(&value, &["n"]), None);
        let nested = json!({"from": {"url": "https://alice.example"}});
        assert_eq!(peer(&nested, &["from"]).unwrap().display(), "alice.example");
        assert_eq!(list(&value, "list").map(<[Value]>::len), Some(1));
        assert_eq!(list(&json!([1, 2]), "list").map(<[Value]>::len), Some(2));
        assert_eq!(list(&json!("x"), "list"), None);
    }
}
