//! One's own address, to be given to others: as words to copy, and as a QR code to be scanned.
use super::href::Href;
use super::markup::Markup;
use crate::posta::PeerUrl;

/// The picture comes from `GET /address.svg`, and only once somebody asks to see it.
pub fn write(out: &mut Markup, me: &PeerUrl) {
    out.el("div").class("own-address").with(|out| {
        out.el("p").class("address").with(|out| out.el("bdi").text(me.display()));
        out.el("button")
            .class("item")
            .attr("type", "button")
            .attr("data-copy", me.canonical())
            .text("Copy my address");
        out.el("span").class("unseen").attr("role", "status").empty();
        out.el("details").with(|out| {
            out.el("summary").class("item").text("QR code");
            out.el("img")
                .to("src", Href::ours("/address.svg"))
                .attr("alt", format_args!("QR code of {}", me.canonical()))
                .attr("width", "216")
                .attr("height", "216")
                .attr("loading", "lazy")
                .void();
        });
    });
}
