//! The page for what went wrong.
use super::href::Href;
use super::layout::{self, Top};
use super::markup::Markup;

/// A title, one or two plain sentences, and the number by which the operator finds it in the log.
pub fn page(status: u16, title: &str, sentence: &str, request_id: u64) -> Markup {
    layout::card(title, Top::Page, false, |out| {
        out.el("h1").text(title);
        out.el("p").text(sentence);
        let back = out.el("a").class("button quiet wide").to("href", Href::ours("/"));
        back.text("Back to your conversations");
        out.el("p").class("fine").text(format_args!("Error {status}, request {request_id}"));
    })
}
