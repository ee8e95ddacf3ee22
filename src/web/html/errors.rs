//! The page for what went wrong.
use super::href::Href;
use super::layout::{self, Script, Top};
use super::markup::Markup;

/// A title, one or two plain sentences, and the number by which the operator finds it in the log.
pub fn page(status: u16, title: &str, sentence: &str, request_id: u64) -> Markup {
    layout::card(title, Top::Page, Script::None, |out| {
        out.el("h1").text(title);
        out.el("p").text(sentence);
        let back = out.el("a").class("button quiet wide").to("href", Href::ours("/"));
        back.text("Back to your conversations");
        out.el("p").class("fine").text(format_args!("Error {status}, request {request_id}"));
    })
}

/// What the service worker shows while nothing can be reached. Its link leads to the address that
/// was asked for, whichever that was.
pub fn offline() -> Markup {
    layout::card("Not connected", Top::Page, Script::Offline, |out| {
        out.el("h1").text("Not connected");
        out.el("p").text(
            "chat-posta can't be reached from here: you may be offline, or the service may be \
             restarting.",
        );
        out.el("p").text(
            "What you have written and not sent is kept in this browser. Your messages are on your \
             posta-server, not here.",
        );
        let again = out.el("a").class("button primary wide").to("href", Href::again());
        again.text("Try again");
        out.el("p").class("fine").text("This page also tries by itself.");
    })
}

/// The session ended before a plain form was submitted: nothing but this page has its text.
pub fn unsent(text: &str, login: &str) -> Markup {
    layout::card("You are signed out", Top::Page, Script::None, |out| {
        out.el("h1").text("You are signed out");
        out.el("p").text("Your message was not sent. Copy it, sign in, and send it again.");
        out.el("label").attr("for", "unsent").text("Your message");
        let field = out.el("textarea").id("unsent").attr("rows", "6").attr("dir", "auto");
        field.flag("readonly", true).with(|out| {
            // A parser drops one line break right after the tag.
            out.text('\n');
            out.text(text);
        });
        let link = out.el("a").class("button primary wide").to("href", Href::ours(login));
        link.text("Sign in");
    })
}
