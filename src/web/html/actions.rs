//! What one can do with an own message: a group of buttons at its bubble, seen when the pointer or
//! the keyboard is there. ↑ in an empty composer leads to it, so it is no stop of Tab.
use super::markup::Markup;
use crate::posta::Content;

pub fn write(out: &mut Markup, content: &Content) {
    if !matches!(content, Content::Text(_) | Content::Link { .. }) {
        return;
    }
    out.el("div")
        .class("actions with-script")
        .attr("role", "group")
        .attr("aria-label", "Your message")
        .with(|out| {
            out.el("button")
                .attr("type", "button")
                .attr("tabindex", "-1")
                .attr("data-do", "copy")
                .text("Copy");
        });
}
