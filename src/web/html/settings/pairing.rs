//! The posta-server behind this account, and pairing with it again.
use super::{Parts, disclosure, form, touching};
use crate::live::Health;
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "pairing", "Your posta-server", |out| {
        let host = parts.server.split_once("://").map_or(parts.server, |(_, rest)| rest);
        out.el("p").class("address").with(|out| out.el("bdi").text(host));
        out.el("p").class("hint").text(match parts.health {
            Health::Ok => "Connected.",
            Health::Unreachable { .. } => "It can't be reached just now.",
            Health::TokenRefused => {
                "It no longer accepts this service's token. Pair again to go on: your account, \
                 your passkeys and all that is on this page stay as they are."
            }
        });
        let refused = *parts.health == Health::TokenRefused;
        disclosure(out, "Pair again", refused, again);
    });
}

/// What was typed is never written back: it holds a token.
fn again(out: &mut Markup) {
    form(out, "/settings/pairing", touching, |out| {
        out.el("label").attr("for", "pair-uri").text("New pairing URI");
        out.el("textarea")
            .id("pair-uri")
            .class("address")
            .attr("name", "uri")
            .attr("rows", "3")
            .attr("spellcheck", "false")
            .attr("autocapitalize", "none")
            .attr("autocomplete", "off")
            .attr("aria-describedby", "pair-help")
            .flag("required", true)
            .empty();
        out.el("p").id("pair-help").class("hint").with(|out| {
            out.text("On your posta-server, run ");
            out.el("code").text("posta-server token create --name chat");
            out.text(". You confirm with your passkey.");
        });
        out.el("button").class("primary").attr("type", "submit").text("Pair again");
    });
}
