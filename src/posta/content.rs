//! What a message holds: payloads in their `kind` form and in the client API's short forms.
//!
//! A kind that is unknown or does not hold what it should is [`Content::Unsupported`]: shown as
//! such, never dropped, never an error.
use super::PeerUrl;
use super::json::{self, Value};
use super::model::short_text;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// How many broadcasts may wrap each other: a room may pass on what another room passed on.
const MAX_BROADCASTS: usize = 2;
/// Largest envelope decoded, in characters of base64: 64 KiB on the wire, and a third more.
const MAX_ENVELOPE: usize = 90_000;
/// Longest name, media type and kind kept, in characters.
const MAX_NAME: usize = 300;
const MAX_KIND: usize = 64;
const IMAGE_TYPES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "webp", "avif"];

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(String),
    Image(Image),
    /// A link that is not an image.
    Link {
        url: String,
        name: Option<String>,
    },
    /// A room passed on another participant's message.
    Broadcast {
        author: PeerUrl,
        content: Box<Content>,
    },
    /// The sender left the room.
    Leave,
    Unsupported {
        kind: String,
    },
}

/// The URL is `http` or `https`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    pub url: String,
    pub media_type: Option<String>,
    pub name: Option<String>,
    pub alt: Option<String>,
    pub size: Option<u64>,
}

impl Content {
    /// About how many bytes it has besides its own.
    pub(super) fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Content::Text(text) => text.len(),
            Content::Link { url, name } => url.len() + length(name),
            Content::Image(image) => image.url.len() + length(&image.name) + length(&image.alt),
            Content::Broadcast { content, .. } => size_of::<Content>() + content.bytes(),
            Content::Leave | Content::Unsupported { .. } => 0,
        }
    }

    pub fn read(payload: &Value) -> Content {
        read_payload(payload, MAX_BROADCASTS)
    }

    /// What tells a room that its sender leaves.
    pub fn leave_payload() -> Value {
        serde_json::json!({"kind": "posta.room/v1", "action": "leave"})
    }

    /// The payload of a text message, as it is sent.
    pub fn text_payload(body: &str) -> Value {
        serde_json::json!({"kind": "posta.text/v1", "body": body})
    }

    /// The payload of an image that was uploaded.
    pub fn image_payload(image: &Image) -> Value {
        let Image { url, media_type, name, alt, size } = image;
        let mut payload = serde_json::json!({"kind": "posta.link/v1", "url": url});
        let texts = [("mediaType", media_type), ("name", name), ("alt", alt)];
        for (member, text) in texts {
            if let Some(text) = text {
                payload[member] = text.as_str().into();
            }
        }
        if let Some(size) = size {
            payload["size"] = (*size).into();
        }
        payload
    }
}

fn read_payload(payload: &Value, broadcasts: usize) -> Content {
    let kind = short_text(payload, &["kind"], MAX_KIND);
    let content = match kind.as_str() {
        "posta.text/v1" => body(payload),
        "posta.link/v1" => link(payload),
        "posta.room/v1" => room(payload, broadcasts),
        "" => short_form(payload),
        _ => None,
    };
    content.unwrap_or(Content::Unsupported { kind })
}

/// `{"body": "…"}`; an empty body is a message too.
fn body(value: &Value) -> Option<Content> {
    Some(Content::Text(value.get("body")?.as_str()?.to_owned()))
}

/// The client API's short forms. That of images is published; those of links and text are guesses,
/// cheap to accept.
fn short_form(payload: &Value) -> Option<Content> {
    if let Some(image) = payload.get("image") {
        return link(image).map(|content| match content {
            Content::Link { url, name } => Content::Image(Image { url, name, ..Image::default() }),
            content => content,
        });
    }
    if let Some(value) = payload.get("link") {
        return link(value);
    }
    match payload.get("text").or(Some(payload))? {
        Value::String(text) => Some(Content::Text(text.clone())),
        text => body(text),
    }
}

/// An image when its media type or its URL says so.
fn link(value: &Value) -> Option<Content> {
    let url = json::text(value, &["url"])?;
    if !is_web_url(&url) {
        // `javascript:` and friends are text at most; never a link, never an image.
        return Some(Content::Text(url));
    }
    let optional = |name| Some(short_text(value, &[name], MAX_NAME)).filter(|t| !t.is_empty());
    let (name, media_type) = (optional("name"), optional("mediaType"));
    let image = match &media_type {
        Some(media_type) => media_type.to_ascii_lowercase().starts_with("image/"),
        None => has_image_ending(&url),
    };
    Some(if image {
        let size = json::integer(value, &["size"]).and_then(|n| u64::try_from(n).ok());
        // The description may be long; cutting it would cut what a screen reader says.
        let alt = json::text(value, &["alt"]);
        Content::Image(Image { url, media_type, name, alt, size })
    } else {
        Content::Link { url, name }
    })
}

/// Whether a browser may be pointed at it.
pub(super) fn is_web_url(url: &str) -> bool {
    let scheme =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    (scheme("https://") || scheme("http://"))
        && url.len() <= super::url::MAX_URL
        && !url.contains(|c: char| c.is_control() || c.is_whitespace())
}

fn has_image_ending(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    // A bare host such as `https://site.png` is no file.
    path.matches('/').count() > 2 && IMAGE_TYPES.iter().any(|t| t.eq_ignore_ascii_case(ending))
}

fn room(payload: &Value, broadcasts: usize) -> Option<Content> {
    match payload.get("action")?.as_str()? {
        "leave" => Some(Content::Leave),
        "broadcast" if broadcasts > 0 => {
            let envelope = json::field(payload, &["envelopeBytes"])?.as_str()?;
            let envelope = json::parse_nested(&decode_base64(envelope)?)?;
            Some(Content::Broadcast {
                author: json::peer(&envelope, &["from", "sender", "author"])?,
                content: Box::new(read_payload(envelope.get("payload")?, broadcasts - 1)),
            })
        }
        _ => None,
    }
}

/// Standard or URL-safe, padded or not: which one is not published for this field.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_ENVELOPE {
        return None;
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests;
