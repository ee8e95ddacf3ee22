//! Message payloads: the `kind` form of the wire, the short forms of the client API, and the words
//! in them that search finds.
use super::envelope;
use serde_json::{Map, Value, json};

pub const TEXT: &str = "posta.text/v1";
pub const LINK: &str = "posta.link/v1";
pub const ROOM: &str = "posta.room/v1";
/// Longest kind, in characters.
const MAX_KIND: usize = 64;
const IMAGE_FIELDS: [&str; 5] = ["url", "mediaType", "name", "alt", "size"];

pub fn text(body: &str) -> Value {
    json!({"kind": TEXT, "body": body})
}

/// What a client sent, in the form of the wire; `None` when it is no payload.
pub fn from_client(payload: Value) -> Option<Value> {
    if let Some(image) = payload.get("image") {
        let mut link = Map::from_iter([("kind".to_owned(), json!(LINK))]);
        image.get("url")?.as_str()?;
        for name in IMAGE_FIELDS {
            if let Some(value) = image.get(name) {
                link.insert(name.to_owned(), value.clone());
            }
        }
        return Some(Value::Object(link));
    }
    if let Some(body) = payload.get("text").and_then(Value::as_str) {
        return Some(text(body));
    }
    checked(payload)
}

/// A payload in the form of the wire, or `None`.
pub fn checked(payload: Value) -> Option<Value> {
    let kind = payload.get("kind")?.as_str()?;
    (!kind.is_empty() && kind.chars().count() <= MAX_KIND).then_some(payload)
}

/// The payload as the client API shows it: with `short`, images in their short form.
pub fn to_client(payload: Value, short: bool) -> Value {
    if !(short && is_image(&payload)) {
        return payload;
    }
    let mut image = Map::new();
    for name in IMAGE_FIELDS {
        if let Some(value) = payload.get(name) {
            image.insert(name.to_owned(), value.clone());
        }
    }
    json!({"image": image})
}

fn is_image(payload: &Value) -> bool {
    let text = |name| payload.get(name).and_then(Value::as_str);
    text("kind") == Some(LINK)
        && match (text("mediaType"), text("url")) {
            (Some(media_type), _) => media_type.starts_with("image/"),
            (None, Some(url)) => {
                [".png", ".jpg", ".jpeg"].iter().any(|end| url.to_ascii_lowercase().ends_with(end))
            }
            _ => false,
        }
}

/// What search looks through.
pub fn words(payload: &Value) -> String {
    let text = |name| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("kind") {
        TEXT => text("body").to_owned(),
        LINK => [text("name"), text("alt"), text("url")].join(" ").trim().to_owned(),
        // What a room passed on was checked by the room; here only its words matter.
        ROOM => envelope::inner(payload).map(|inner| words(&inner.payload)).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_go_both_ways() {
        let image = json!({"url": "https://a.example/upload-1", "mediaType": "image/png",
                           "alt": "a boat", "size": 9});
        let wire = from_client(json!({"image": image})).unwrap();
        assert_eq!((&wire["kind"], &wire["alt"]), (&json!(LINK), &json!("a boat")));
        assert_eq!(to_client(wire.clone(), true), json!({"image": image}));
        assert_eq!(to_client(wire.clone(), false), wire);
        assert_eq!(from_client(json!({"text": "hi"})), Some(text("hi")));
    }

    #[test]
    fn a_link_that_is_no_image_stays_as_it_is() {
        let link = json!({"kind": LINK, "url": "https://a.example/"});
        assert_eq!(to_client(link.clone(), true), link);
        assert!(is_image(&json!({"kind": LINK, "url": "https://a.example/x.JPG"})));
    }

    #[test]
    fn what_has_no_kind_is_refused() {
        for payload in [json!({}), json!({"kind": ""}), json!({"kind": 7}), json!([]), json!(null)]
        {
            assert_eq!(from_client(payload), None);
        }
        assert_eq!(checked(json!({"kind": "k".repeat(65)})), None);
        assert!(checked(json!({"kind": "x.poll/v1", "options": []})).is_some());
    }

    #[test]
    fn search_sees_words_only() {
        assert_eq!(words(&text("two boats")), "two boats");
        assert_eq!(words(&json!({"kind": LINK, "url": "u", "name": "n"})), "n  u");
        assert_eq!(words(&json!({"kind": "x.poll/v1", "question": "when"})), "");
    }
}
