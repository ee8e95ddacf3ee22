//! Where one writes: a field that grows, and Send.
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use crate::posta::PeerUrl;

/// `form#composer` with `text`, the hidden `key` that a script fills per send, and `#send-error`.
pub fn write(out: &mut Markup, peer: &PeerUrl) {
    let action = format!("{}/messages", peer.page());
    out.el("form")
        .id("composer")
        .attr("method", "post")
        .to("action", Href::ours(&action))
        .attr("autocomplete", "off")
        .with(|out| {
            out.el("input").attr("type", "hidden").attr("name", "key").attr("value", "").void();
            out.el("label").class("unseen").attr("for", "text").text("Message");
            out.el("textarea")
                .id("text")
                .attr("name", "text")
                .attr("rows", "1")
                .attr("dir", "auto")
                .attr("enterkeyhint", "send")
                .attr("placeholder", "Write a message")
                .attr("aria-describedby", "send-error")
                .flag("autofocus", true)
                .empty();
            out.el("button").class("primary send").attr("type", "submit").with(|out| {
                icons::write(out, Icon::Send);
                out.el("span").text("Send");
            });
            out.el("p").id("send-error").class("error").attr("role", "alert").empty();
        });
}
