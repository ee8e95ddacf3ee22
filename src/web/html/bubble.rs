//! One message: its bubble, or its line when nobody says it.
use super::cluster::{Place, unwrap};
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use super::scene::{Person, Scene};
use super::{actions, avatar, delivery, linkify, when};
use crate::posta::{Content, Direction, Image, Message, PeerUrl};

/// Emoji alone are drawn larger, up to this many.
const LARGE_EMOJI: usize = 6;

/// `<article id="msg-<row>" class="msg in|out first? last?" data-row data-at>`; a line about the
/// room has the class `note` instead.
pub fn write(out: &mut Markup, scene: &Scene<'_>, message: &Message, place: Place) {
    let (author, content) = unwrap(&message.content);
    let mut class = match (content, message.direction) {
        (Content::Leave, _) => "msg note",
        (_, Direction::Inbound) => "msg in",
        (_, Direction::Outbound) => "msg out",
    }
    .to_owned();
    for (there, name) in [(place.first, " first"), (place.last, " last")] {
        if there {
            class.push_str(name);
        }
    }
    let bubble = Bubble { scene, message, place, author, content };
    out.el("article")
        .id(format_args!("msg-{}", message.row_id))
        .class(class)
        .attr("data-row", message.row_id)
        .attr_some("data-at", message.created_at.map(when::rfc3339))
        .with(|out| match content {
            Content::Leave => bubble.left(out),
            _ => bubble.spoken(out),
        });
}

struct Bubble<'a> {
    scene: &'a Scene<'a>,
    message: &'a Message,
    place: Place,
    /// Who wrote it, when a room passed it on.
    author: Option<&'a PeerUrl>,
    content: &'a Content,
}

impl Bubble<'_> {
    fn inbound(&self) -> bool {
        self.message.direction == Direction::Inbound
    }

    fn speaker(&self) -> Person<'_> {
        self.scene.person(self.author.unwrap_or(&self.message.peer))
    }

    fn left(&self, out: &mut Markup) {
        out.el("p").with(|out| {
            if self.inbound() {
                self.speaker().write_name(out);
            } else {
                out.text("You");
            }
            out.text(" left the room");
        });
    }

    fn spoken(&self, out: &mut Markup) {
        if self.inbound() && self.place.last {
            avatar::write(out, self.scene, &self.speaker(), "avatar-28");
        }
        out.el("div").class(format_args!("bubble {}", shape(self.content))).with(|out| {
            if self.place.first {
                self.said_by(out);
            }
            contents(out, self.scene, self.content);
        });
        delivery::beside(out, self.message, self.place, self.scene.now);
        if !self.inbound() {
            delivery::trouble(out, self.message);
            if self.place.last {
                actions::write(out, self.content);
            }
        }
    }

    /// Who speaks: in a room for everybody, between two for those who cannot see on which side the
    /// bubble stands.
    fn said_by(&self, out: &mut Markup) {
        let speaker = self.speaker();
        if self.author.is_some() {
            out.el("p").class("author").with(|out| {
                let class = format_args!("accent-{}", speaker.accent());
                out.el("b").class(class).with(|out| speaker.write_name(out));
                out.el("span").class("via").with(|out| {
                    out.text(" via ");
                    self.scene.person(&self.message.peer).write_name(out);
                });
            });
            return;
        }
        out.el("span").class("unseen").with(|out| {
            if self.inbound() {
                speaker.write_name(out);
            } else {
                out.text("You");
            }
            out.text(": ");
        });
    }
}

fn shape(content: &Content) -> &'static str {
    match content {
        Content::Text(text) if is_few_emoji(text) => "emoji",
        Content::Text(_) => "text",
        Content::Image(_) => "picture",
        Content::Link { .. } => "link",
        _ => "strange",
    }
}

fn contents(out: &mut Markup, scene: &Scene<'_>, content: &Content) {
    match content {
        Content::Text(text) => {
            out.el("p").class("words").attr("dir", "auto").with(|out| linkify::write(out, text));
        }
        Content::Image(image) => picture(out, scene, image),
        Content::Link { url, name } => link(out, url, name.as_deref()),
        Content::Unsupported { kind } => strange(out, kind),
        // Drawn before it comes here: what a room passed on, and the lines about it.
        Content::Broadcast { .. } | Content::Leave => strange(out, "posta.room/v1"),
    }
}

fn strange(out: &mut Markup, kind: &str) {
    out.el("p").class("words").with(|out| {
        out.text("Unsupported message");
        if !kind.is_empty() {
            out.text(" ");
            out.el("bdi").class("kind").text(format_args!("({kind})"));
        }
    });
}

/// The picture in a frame of fixed shape, since its own size is not known before it has loaded and
/// nothing may move then; or, when it cannot be shown, its caption in the same frame.
fn picture(out: &mut Markup, scene: &Scene<'_>, image: &Image) {
    let caption =
        [&image.alt, &image.name].into_iter().flatten().find(|text| !text.trim().is_empty());
    let caption = caption.map_or("Picture", String::as_str);
    let shown = (scene.media)(&image.url);
    let frame = |out: &mut Markup| {
        if let Some(shown) = &shown {
            out.el("img")
                .to("src", Href::ours(shown))
                .attr("alt", caption)
                .attr("data-caption", caption)
                .attr("loading", "lazy")
                .attr("decoding", "async")
                .void();
        }
        out.el("span")
            .class("caption")
            .attr_some("aria-hidden", shown.as_ref().map(|_| "true"))
            .with(|out| {
                icons::write(out, Icon::Picture);
                out.el("span").attr("dir", "auto").text(caption);
            });
    };
    // The original comes through us too: opening it does not tell its sender who looks.
    match shown.as_deref().map(Href::ours).or_else(|| Href::web(&image.url)) {
        Some(href) => out
            .el("a")
            .class("frame")
            .to("href", href)
            .attr("target", "_blank")
            .attr("rel", "noopener noreferrer")
            .with(frame),
        None => out.el("span").class("frame").with(frame),
    }
}

fn link(out: &mut Markup, url: &str, name: Option<&str>) {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    match (Href::web(url), name) {
        (Some(href), Some(name)) => {
            out.el("p").class("words").attr("dir", "auto").with(|out| {
                out.el("a")
                    .to("href", href)
                    .attr("target", "_blank")
                    .attr("rel", "noopener noreferrer")
                    .text(name);
            });
            // A name can promise anything: where the link leads is said by itself.
            out.el("p").class("address").text(url);
        }
        (Some(_), None) => out.el("p").class("words").with(|out| linkify::write(out, url)),
        (None, name) => out.el("p").class("words").attr("dir", "auto").text(name.unwrap_or(url)),
    }
}

/// Whether a text is nothing but a few emoji. By blocks of Unicode rather than by its full emoji
/// table: a symbol drawn large by mistake does no harm.
fn is_few_emoji(text: &str) -> bool {
    let mut count = 0;
    let mut joined = false;
    let mut flag = false;
    for c in text.trim().chars() {
        match c {
            '\u{200d}' => joined = true,
            '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => {}
            ' ' => {}
            '\u{1f1e6}'..='\u{1f1ff}' => {
                flag = !flag;
                count += usize::from(flag);
            }
            '\u{2190}'..='\u{21ff}'
            | '\u{2300}'..='\u{23ff}'
            | '\u{25a0}'..='\u{27bf}'
            | '\u{2b00}'..='\u{2bff}'
            | '\u{1f000}'..='\u{1faff}' => {
                count += usize::from(!joined);
                joined = false;
            }
            _ => return false,
        }
    }
    (1..=LARGE_EMOJI).contains(&count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_emoji_and_nothing_else_are_large() {
        for text in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇳🇴", "🇳🇴🇵🇱 🎉", "👋🏽", "☕️ 🥐", "😀😀😀😀😀😀"]
        {
            assert!(is_few_emoji(text), "{text:?}");
        }
        for text in ["", " ", "a", "👍 ok", "1", "42", "😀😀😀😀😀😀😀", ":)", "…", "\u{fe0f}"]
        {
            assert!(!is_few_emoji(text), "{text:?}");
        }
    }
}
