//! The main pane when no conversation is open: a hint, or the way to the first conversation.
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;

/// The inner part of `#main`: `#welcome`, which on a phone means that the list is the screen.
pub fn welcome(has_conversations: bool) -> Markup {
    let mut out = Markup::new();
    out.el("div").id("welcome").with(|out| {
        if has_conversations {
            out.el("p").class("hint").text("Choose a conversation to read it here.");
        } else {
            out.el("h1").text("No conversations yet");
            out.el("p").class("hint").text(
                "Write to somebody whose address you know, or wait for the first letter to come.",
            );
            new_conversation(out);
        }
    });
    out
}

/// The “+”, with words.
pub fn new_conversation(out: &mut Markup) {
    out.el("a").class("primary button").to("href", Href::ours("/new")).with(|out| {
        icons::write(out, Icon::Plus);
        out.el("span").text("New conversation");
    });
}
