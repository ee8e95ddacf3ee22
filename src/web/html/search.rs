//! Search: the field above the list of conversations, and the page with what was found.
use super::cluster::unwrap;
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use super::scene::{Person, Scene};
use super::{avatar, sidebar, snippet, when};
use crate::posta::{Content, Direction, Message, PeerUrl, percent_encode};

/// A search and what came of it.
pub struct Asked<'a> {
    pub words: &'a str,
    /// The one conversation searched.
    pub peer: Option<&'a PeerUrl>,
    pub outcome: Outcome,
}

pub enum Outcome {
    /// Nothing was asked for yet.
    Nothing,
    /// A sentence that says why nothing was found.
    Told(String),
    /// Newest first.
    Found(Vec<Message>),
}

/// A search field: a form of its own, which needs no script.
pub fn field(out: &mut Markup, id: &'static str, peer: Option<&PeerUrl>, words: &str, label: &str) {
    let landmark = if id == "search" { "All conversations" } else { "This page" };
    out.el("form")
        .id(id)
        .class("search")
        .attr("role", "search")
        .attr("aria-label", landmark)
        .attr("method", "get")
        .to("action", Href::ours("/search"))
        .to("hx-get", Href::ours("/search"))
        .attr("hx-target", "#main")
        .attr("hx-push-url", "true")
        .attr("hx-indicator", "#progress")
        .with(|out| {
            icons::write(out, Icon::Search);
            if let Some(peer) = peer {
                out.el("input")
                    .attr("type", "hidden")
                    .attr("name", "peer")
                    .attr("value", peer.display())
                    .void();
            }
            out.el("input")
                .id(format_args!("{id}-field"))
                .attr("type", "search")
                .attr("name", "q")
                .attr("value", words)
                .attr("placeholder", "Search")
                .attr("aria-label", label)
                .attr("enterkeyhint", "search")
                .attr("autocomplete", "off")
                .flag("autofocus", id != "search" && words.is_empty())
                .void();
        });
}

/// The inner part of `#main`.
pub fn page(asked: &Asked<'_>, scene: &Scene<'_>) -> Markup {
    let mut out = Markup::new();
    out.el("section").id("found").attr("aria-labelledby", "found-title").with(|out| {
        head(out, asked, scene);
        out.el("div").class("found-list").attr("tabindex", "0").with(|out| match &asked.outcome {
            Outcome::Nothing => {
                out.el("p").class("hint").text("Type what you remember: a word or two is enough.");
            }
            Outcome::Told(sentence) => {
                out.el("p").class("error").attr("role", "alert").text(sentence);
            }
            Outcome::Found(found) => results(out, asked, scene, found),
        });
    });
    out
}

fn head(out: &mut Markup, asked: &Asked<'_>, scene: &Scene<'_>) {
    let back = asked.peer.map_or("/".to_owned(), PeerUrl::page);
    out.el("header").class("thread-head").with(|out| {
        out.el("a")
            .class(if asked.peer.is_some() { "round" } else { "back round" })
            .to("href", Href::ours(&back))
            .to("hx-get", Href::ours(&back))
            .attr("hx-target", "#main")
            .attr("hx-push-url", "true")
            .attr(
                "aria-label",
                if asked.peer.is_some() {
                    "Back to the conversation"
                } else {
                    "Back to conversations"
                },
            )
            .with(|out| icons::write(out, Icon::Back));
        out.el("div").class("who").with(|out| {
            out.el("h1").id("found-title").text("Search");
            if let Some(peer) = asked.peer {
                out.el("p").class("within").with(|out| {
                    out.text("in your conversation with ");
                    scene.person(peer).write_name(out);
                });
            }
        });
    });
    field(out, "search-here", asked.peer, asked.words, "Search for");
}

fn results(out: &mut Markup, asked: &Asked<'_>, scene: &Scene<'_>, found: &[Message]) {
    out.el("p").class("hint").attr("role", "status").with(|out| match found.len() {
        0 => out.text("Nothing was found. Another word, or only its beginning, may help."),
        1 => out.text("1 message"),
        // As many as are asked for: there may be more.
        count if count >= crate::live::MAX_FOUND as usize => {
            out.text(format_args!(
                "The newest {count} messages. Another word would narrow it down."
            ));
        }
        count => out.text(format_args!("{count} messages")),
    });
    if asked.peer.is_some() && found.is_empty() {
        let everywhere = format!("/search?q={}", percent_encode(asked.words));
        out.el("p").with(|out| {
            out.el("a")
                .to("href", Href::ours(&everywhere))
                .to("hx-get", Href::ours(&everywhere))
                .attr("hx-target", "#main")
                .attr("hx-push-url", "true")
                .text("Search all conversations");
        });
    }
    out.el("ol").with(|out| {
        for message in found {
            out.el("li").with(|out| result(out, asked, scene, message));
        }
    });
}

fn result(out: &mut Markup, asked: &Asked<'_>, scene: &Scene<'_>, message: &Message) {
    let peer = scene.person(&message.peer);
    let page = format!("{}?at={}", message.peer.page(), message.row_id);
    // Without a script the browser itself goes to the message.
    let plain = format!("{page}#msg-{}", message.row_id);
    out.el("a")
        .class("result")
        .to("href", Href::ours(&plain))
        .to("hx-get", Href::ours(&page))
        .attr("hx-target", "#main")
        .attr("hx-push-url", "true")
        .attr("hx-indicator", "#progress")
        .with(|out| {
            avatar::write(out, scene, &peer, "avatar-40");
            out.el("span").class("name").with(|out| peer.write_name(out));
            if let Some(at) = message.created_at {
                when::short(out, at, scene.now);
            }
            out.el("span").class("snippet").with(|out| said(out, asked, scene, message, &peer));
        });
}

fn said(
    out: &mut Markup,
    asked: &Asked<'_>,
    scene: &Scene<'_>,
    message: &Message,
    peer: &Person<'_>,
) {
    let (author, content) = unwrap(&message.content);
    out.el("span").class("by").with(|out| {
        match (message.direction, author) {
            (_, Some(author)) => scene.person(author).write_name(out),
            (Direction::Outbound, None) => out.text("You"),
            (Direction::Inbound, None) => peer.write_name(out),
        }
        out.text(": ");
    });
    match content {
        Content::Text(text) => snippet::write(out, text, asked.words),
        Content::Image(image) => {
            let caption = image.alt.as_deref().or(image.name.as_deref()).unwrap_or("");
            out.text("Picture ");
            snippet::write(out, caption, asked.words);
        }
        Content::Link { url, name } => {
            snippet::write(out, name.as_deref().unwrap_or(url), asked.words);
        }
        other => sidebar::in_one_line(out, scene, other),
    }
}
