//! One's own address: what others write to.
use super::Parts;
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "address", "Your address", |out| {
        let display = parts.address.split_once("://").map_or(parts.address, |(_, rest)| rest);
        out.el("p").class("address").with(|out| out.el("bdi").text(display));
        out.el("p").class("hint").text("Others write to you at this address.");
    });
}
