//! The main pane when no conversation is open.
use super::icons::{self, Icon};
use super::markup::Markup;

/// The inner part of `#main`: `#welcome`, which on a phone means that the list is the screen.
pub fn welcome(has_conversations: bool) -> Markup {
    let mut out = Markup::new();
    out.el("div").id("welcome").with(|out| {
        // On a phone, where the list is the screen, this is all of the pane there is.
        out.el("h1").class("unseen").text("Conversations");
        icons::write(out, Icon::Letter);
        out.el("p").class("hint").text(if has_conversations {
            "Choose a conversation to read it here."
        } else {
            "Write to somebody whose address you know, or wait for the first letter to come."
        });
    });
    out
}
