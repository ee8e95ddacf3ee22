//! What stands on a page only where no script runs: reading and sending go on as links and forms.
use super::href::Href;
use super::markup::Markup;
use super::thread::Thread;
use crate::posta::Direction;

/// Above all pages: what is different.
pub fn banner(out: &mut Markup) {
    out.el("noscript").with(|out| {
        out.el("p").class("banner").attr("role", "status").text(
            "JavaScript is switched off here. You can still read and write; reload the page to see \
             what is new.",
        );
    });
}

/// Beside a passkey's button: why it is missing, and how little it takes.
pub fn passkeys(out: &mut Markup, what: &'static str) {
    out.el("noscript").with(|out| {
        out.el("p").class("error").with(|out| {
            out.text(what);
            out.text(
                " needs JavaScript, which is switched off here: only a script can ask your device \
                 for a passkey. Switch it on for this site and reload the page. Once you are in, \
                 reading and sending work without it.",
            );
        });
    });
}

/// Above a part of a thread: the way to the part above it.
pub fn older(out: &mut Markup, view: &Thread<'_>) {
    let Some(first) = view.messages.first().filter(|_| view.has_older) else { return };
    let above = format!("{}?before={}", view.peer.page(), first.row_id);
    out.el("noscript").class("to-older").with(|out| {
        out.el("a").class("button quiet").to("href", Href::ours(&above)).text("Older messages");
    });
}

/// Below a part of a thread: the way back from history, or to say that one has read this.
pub fn newer(out: &mut Markup, view: &Thread<'_>) {
    if view.has_newer {
        let page = view.peer.page();
        out.el("noscript").class("to-newer").with(|out| {
            let link = out.el("a").class("button quiet").to("href", Href::ours(&page));
            link.text("To the newest messages");
        });
        return;
    }
    let read = view.contact.map_or(0, |contact| contact.last_read_row);
    let inbound = view.messages.iter().rev().find(|m| m.direction == Direction::Inbound);
    if let Some(unread) = inbound.filter(|m| m.row_id > read) {
        let action = format!("{}/read", view.peer.page());
        out.el("noscript").class("to-newer").with(|out| {
            out.el("form").attr("method", "post").to("action", Href::ours(&action)).with(|out| {
                let row = out.el("input").attr("type", "hidden").attr("name", "row");
                row.attr("value", unread.row_id).void();
                out.el("button").class("quiet").attr("type", "submit").text("Mark as read");
            });
        });
    }
}
