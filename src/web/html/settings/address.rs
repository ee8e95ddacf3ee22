//! One's own address: what others write to.
use super::Parts;
use crate::posta::PeerUrl;
use crate::web::html::markup::Markup;
use crate::web::html::own_address;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "address", "Your address", |out| {
        out.el("p").class("hint").text("Others write to you at this address.");
        match PeerUrl::parse(parts.address) {
            Ok(me) => own_address::write(out, &me),
            Err(_) => out.el("p").class("address").with(|out| out.el("bdi").text(parts.address)),
        }
    });
}
