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
/// Most values parsed at all: parsed, each takes up to a hundred bytes, however few it came in. 5,000
/// contacts with a dozen members each have 65,000; a message inside a message has some ten.
const MAX_VALUES: usize = 100_000;
const MAX_NESTED_VALUES: usize = 10_000;
/// What a shallow coroutine parses on its own stack: bytes and levels.
const INLINE_BYTES: usize = 1024;
const INLINE_DEPTH: usize = 4;

/// Parses `bytes` and converts the document with `convert`; `None` when it is no JSON, too deep or
/// too much. `lane` is that of whoever asked for it.
pub fn read<T: Send + 'static>(
    lane: &Lane,
    bytes: impl AsRef<[u8]> + Send + 'static,
    convert: impl FnOnce(&Value) -> T + Send + 'static,
) -> Option<T> {
    let Shape { depth, values } = Shape::of(bytes.as_ref());
    if depth > MAX_DEPTH || values > MAX_VALUES {
        return None;
    }
    let small = depth <= INLINE_DEPTH && bytes.as_ref().len() <= INLINE_BYTES;
    let parse = move || Some(convert(&serde_json::from_slice(bytes.as_ref()).ok()?));
    if small { parse() } else { lane.run(parse) }
}

/// Like [`read`] for a document inside a document, where the stack is deep already.
pub fn parse_nested(bytes: &[u8]) -> Option<Value> {
    let Shape { depth, values } = Shape::of(bytes);
    if depth > MAX_DEPTH || values > MAX_NESTED_VALUES {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

/// What a document will ask of a parser. Right for every valid one; an invalid one fails in the parser,
/// which never goes deeper nor makes more than this.
struct Shape {
    /// How deep arrays and objects nest.
    depth: usize,
    /// How many values there are at most: one, and one more for each comma and each bracket.
    values: usize,
}

impl Shape {
    fn of(bytes: &[u8]) -> Shape {
        let mut shape = Shape { depth: 0, values: 1 };
        shape.look(bytes);
        shape
    }

    /// Stops where there is too much already.
    fn look(&mut self, bytes: &[u8]) {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        for &byte in bytes {
            if self.values > MAX_VALUES {
                return;
            }
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => in_string = true,
                b',' => self.values += 1,
                b'[' | b'{' => {
                    depth += 1;
                    self.depth = self.depth.max(depth);
                    self.values += 1;
                    if self.depth > MAX_DEPTH {
                        return;
                    }
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
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
            assert_eq!(Shape::of(text.as_bytes()).depth, expected, "{text}");
        }
    }

    #[test]
    fn a_document_has_no_more_values_than_are_counted() {
        for text in ["1", "[]", "[1,2,3]", r#"{"a":[{"b":1},[[]]],"c":",,,["}"#, "[[],[[],{}],0]"] {
            fn count(value: &Value) -> usize {
                1 + match value {
                    Value::Array(list) => list.iter().map(count).sum(),
                    Value::Object(members) => members.values().map(count).sum(),
                    _ => 0,
                }
            }
            let counted = Shape::of(text.as_bytes()).values;
            assert!(counted >= count(&serde_json::from_str(text).unwrap()), "{text}: {counted}");
        }
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2)).into_bytes();
        assert_eq!(read(&Lane::default(), many(MAX_VALUES), |_| ()), Some(()));
        assert_eq!(read(&Lane::default(), many(MAX_VALUES + 1), |_| ()), None);
        assert!(parse_nested(&many(MAX_NESTED_VALUES)).is_some());
        assert!(parse_nested(&many(MAX_NESTED_VALUES + 1)).is_none());
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
