//! The form that opens a thread by its peer's address.
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;

/// The inner part of `#main`: `POST /new` with `url`. What was typed stays beside its error.
pub fn form(typed: &str, error: Option<&str>) -> Markup {
    let mut out = Markup::new();
    out.el("section").id("new").attr("aria-labelledby", "new-title").with(|out| {
        out.el("header").class("thread-head").with(|out| {
            out.el("a")
                .class("back round")
                .to("href", Href::ours("/"))
                .attr("aria-label", "Back to conversations")
                .with(|out| icons::write(out, Icon::Back));
            out.el("div").class("who").with(|out| {
                out.el("h1").id("new-title").text("New conversation");
            });
        });
        out.el("form").attr("method", "post").to("action", Href::ours("/new")).with(|out| {
            out.el("label").attr("for", "url").text("Address");
            out.el("input")
                .id("url")
                .attr("name", "url")
                .attr("type", "text")
                .attr("inputmode", "url")
                .attr("autocapitalize", "none")
                .attr("autocomplete", "off")
                .attr("spellcheck", "false")
                .attr("placeholder", "bob.example")
                .attr("value", typed)
                .attr("aria-describedby", "url-help url-error")
                .attr_some("aria-invalid", error.map(|_| "true"))
                .flag("required", true)
                .flag("autofocus", true)
                .void();
            out.el("p")
                .id("url-error")
                .class("error")
                .attr("role", "alert")
                .text(error.unwrap_or(""));
            out.el("p").id("url-help").class("hint").text(
                "The address of a person or a room. Nothing is sent until you write something.",
            );
            out.el("button").class("primary").attr("type", "submit").text("Start");
        });
    });
    out
}
