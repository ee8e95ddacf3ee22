//! The posta-server behind this account, and pairing with it again.
use super::{Parts, disclosure, form, touching};
use crate::live::Health;
use crate::web::html::markup::Markup;
use crate::web::html::pairing;

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

fn again(out: &mut Markup) {
    form(out, "/settings/pairing", touching, |out| {
        pairing::field(out, "pair-uri", "New pairing URI", None);
        out.el("div").class("linked").flag("hidden", true).with(|out| {
            out.el("p").with(|out| {
                out.text("This set-up link is for ");
                out.el("b").with(|out| out.el("bdi").class("whose").empty());
                out.el("span").class("until").empty();
                out.text(". It is used up only once you have confirmed.");
            });
            pairing::device(out, "pair-device", None);
        });
        out.el("p").class("hint").text("You confirm with your passkey.");
        out.el("button").class("primary").attr("type", "submit").text("Pair again");
    });
}
