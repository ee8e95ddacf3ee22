//! Payloads as they come, and payloads as they should never come.
use super::*;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

fn text(body: &str) -> Content {
    Content::Text(body.into())
}

fn unsupported(kind: &str) -> Content {
    Content::Unsupported { kind: kind.into() }
}

fn image(url: &str) -> Content {
    Content::Image(Image { url: url.into(), ..Image::default() })
}

#[test]
fn both_forms_are_read() {
    let png = "https://a.example/upload-1.PNG?x=1";
    let page = "https://a.example/page";
    let link = Content::Link { url: page.into(), name: Some("Page".into()) };
    for (payload, content) in [
        (json!({"kind": "posta.text/v1", "body": "hi\n<b>"}), text("hi\n<b>")),
        (json!({"kind": "posta.text/v1", "body": ""}), text("")),
        (json!({"text": "hi"}), text("hi")),
        (json!({"text": {"body": "hi"}}), text("hi")),
        (json!({"body": "hi"}), text("hi")),
        (json!("hi"), text("hi")),
        (json!({"kind": "posta.link/v1", "url": png}), image(png)),
        (json!({"image": {"url": "https://a.example/x"}}), image("https://a.example/x")),
        (json!({"kind": "posta.link/v1", "url": page, "name": "Page"}), link.clone()),
        (json!({"link": {"url": page, "name": "Page", "mediaType": "text/html"}}), link),
        (json!({"kind": "posta.room/v1", "action": "leave"}), Content::Leave),
        (json!({"kind": "posta.poll/v9", "body": "x"}), unsupported("posta.poll/v9")),
    ] {
        assert_eq!(Content::read(&payload), content, "{payload}");
    }
}

#[test]
fn an_image_keeps_what_is_said_about_it() {
    let full = json!({"image": {"url": "https://a.example/i", "mediaType": "Image/WebP",
        "name": "i.webp", "alt": "A boat", "size": "1024"}});
    let expected = Image {
        url: "https://a.example/i".into(),
        media_type: Some("Image/WebP".into()),
        name: Some("i.webp".into()),
        alt: Some("A boat".into()),
        size: Some(1024),
    };
    assert_eq!(Content::read(&full), Content::Image(expected));
}

#[test]
fn broken_payloads_are_unsupported_and_bad_urls_are_text() {
    for (payload, content) in [
        (json!(null), unsupported("")),
        (json!([1]), unsupported("")),
        (json!({"kind": 7}), unsupported("")),
        (json!({"kind": "posta.text/v1"}), unsupported("posta.text/v1")),
        (json!({"kind": "posta.text/v1", "body": 1}), unsupported("posta.text/v1")),
        (json!({"kind": "posta.link/v1"}), unsupported("posta.link/v1")),
        (json!({"kind": "posta.room/v1", "action": "dance"}), unsupported("posta.room/v1")),
        (
            json!({"kind": "posta.link/v1", "url": "javascript:alert(1)"}),
            text("javascript:alert(1)"),
        ),
        (json!({"image": {"url": "data:image/png,x"}}), text("data:image/png,x")),
        (json!({"image": null}), unsupported("")),
        (json!({"kind": "x".repeat(100)}), unsupported(&"x".repeat(MAX_KIND))),
    ] {
        assert_eq!(Content::read(&payload), content, "{payload}");
    }
    for url in ["https://site.png", "https://a.example/png", "https://a.example/x?y=z.png"] {
        assert!(!has_image_ending(url), "{url}");
    }
}

fn broadcast(envelope: &Value) -> Value {
    let bytes = BASE64_STANDARD.encode(envelope.to_string());
    json!({"kind": "posta.room/v1", "action": "broadcast", "envelopeBytes": bytes, "signature": ""})
}

#[test]
fn a_broadcast_shows_its_author_and_text() {
    let bob = PeerUrl::parse("bob.example").unwrap();
    let expected = Content::Broadcast { author: bob, content: Box::new(text("hi")) };
    for author in ["from", "sender", "author"] {
        let envelope = json!({author: "https://bob.example/", "payload": {"kind": "posta.text/v1", "body": "hi"}});
        assert_eq!(Content::read(&broadcast(&envelope)), expected);
        let mut payload = broadcast(&envelope);
        payload["envelopeBytes"] = BASE64_URL_SAFE_NO_PAD.encode(envelope.to_string()).into();
        assert_eq!(Content::read(&payload), expected);
    }
}

#[test]
fn a_broadcast_that_cannot_be_read_is_unsupported() {
    let mut payload = broadcast(&json!({"from": "bob.example"}));
    assert_eq!(Content::read(&payload), unsupported("posta.room/v1"));
    for bytes in ["", "%%%", "bm8ganNvbg==", &"A".repeat(MAX_ENVELOPE + 4)] {
        payload["envelopeBytes"] = bytes.into();
        assert_eq!(Content::read(&payload), unsupported("posta.room/v1"));
    }
}

#[test]
fn broadcasts_nest_only_so_deep() {
    let wrap = |payload: Value| broadcast(&json!({"from": "bob.example", "payload": payload}));
    let inner = |content: Content| match content {
        Content::Broadcast { content, .. } => *content,
        other => panic!("{other:?}"),
    };
    let content = Content::read(&wrap(wrap(wrap(json!({"text": "hi"})))));
    assert_eq!(inner(inner(content)), unsupported("posta.room/v1"));
}
