//! The posta-server behind this account.
use super::Parts;
use crate::live::Health;
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "pairing", "Your posta-server", |out| {
        let host = parts.server.split_once("://").map_or(parts.server, |(_, rest)| rest);
        out.el("p").class("address").with(|out| out.el("bdi").text(host));
        out.el("p").class("hint").text(match parts.health {
            Health::Ok => "Connected.",
            Health::Unreachable { .. } => "It can't be reached just now.",
            Health::TokenRefused => "It no longer accepts this service's token.",
        });
    });
}
