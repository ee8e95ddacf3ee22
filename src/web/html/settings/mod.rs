//! `/settings`: one section a file, each a function from [`Parts`] to markup. A further section is a
//! further file and a further line of [`settings`].
//!
//! For the script: every form of a section is sent by it, and the section drawn anew. A form with
//! `data-touch` begins a ceremony that ends with a touch of a passkey; any other is done with its
//! answer. What goes wrong is said in the form's own `.error`, what was done in `#settings-said`.
mod account;
mod address;
mod authenticators;
mod browser;
mod pairing;
mod passkeys;
mod profile;
mod sign_ins;

use super::href::Href;
use super::icons::{self, Icon};
use super::markup::{Element, Markup};
use super::scene::Scene;
use super::when;
use crate::live::Health;
use crate::ops::time::Timestamp;
use crate::posta::Identity;
use crate::session::SignIn;
use crate::store::PasskeyRow;
use crate::web::page::moment;

/// What the sections show.
pub struct Parts<'a> {
    /// The person's own address, canonical.
    pub address: &'a str,
    /// Their profile, when the posta-server has told it.
    pub me: Option<&'a Identity>,
    pub now: Timestamp,
    /// Where their posta-server is.
    pub server: &'a str,
    pub health: &'a Health,
    pub passkeys: &'a [PasskeyRow],
    pub sign_ins: &'a [SignIn],
    /// The `id` of the sign-in that asks.
    pub this: &'a str,
}

/// The inner part of `#main`.
pub fn settings(parts: &Parts<'_>, scene: &Scene<'_>) -> Markup {
    let mut out = Markup::new();
    out.el("div").id("settings").with(|out| {
        out.el("header").class("thread-head").with(|out| {
            out.el("a")
                .class("back round")
                .to("href", Href::ours("/"))
                .attr("aria-label", "Back to conversations")
                .with(|out| icons::write(out, Icon::Back));
            out.el("div").class("who").with(|out| out.el("h1").text("Settings"));
        });
        out.el("div").class("sections").with(|out| {
            out.el("p").id("settings-said").attr("role", "status").empty();
            profile::section(out, parts, scene);
            address::section(out, parts);
            browser::section(out);
            passkeys::section(out, parts);
            sign_ins::section(out, parts);
            pairing::section(out, parts);
            account::section(out, parts);
        });
    });
    out
}

/// A section with its heading; `id` is what links lead to.
fn section(out: &mut Markup, id: &'static str, title: &str, inside: impl FnOnce(&mut Markup)) {
    let heading = format!("{id}-title");
    out.el("section").id(id).attr("aria-labelledby", &heading).with(|out| {
        out.el("h2").id(&heading).attr("tabindex", "-1").text(title);
        inside(out);
    });
}

/// A form that posts to `action`, with the place for what may go wrong.
fn form(
    out: &mut Markup,
    action: &'static str,
    more: impl FnOnce(Element<'_>) -> Element<'_>,
    inside: impl FnOnce(&mut Markup),
) {
    let form = out.el("form").attr("method", "post").to("action", Href::ours(action));
    more(form).with(|out| {
        inside(out);
        out.el("p").class("error").attr("role", "alert").empty();
    });
}

/// Sent as it is.
fn plain(form: Element<'_>) -> Element<'_> {
    form
}

/// Ends with a touch of a passkey.
fn touching(form: Element<'_>) -> Element<'_> {
    form.flag("data-touch", true)
}

/// A button of a row that shows what belongs to it; only one of them is open.
fn act(out: &mut Markup, label: &str, name: &str, inside: impl FnOnce(&mut Markup)) {
    out.el("details").class("act").attr("name", "act").with(|out| {
        out.el("summary").with(|out| {
            out.text(label);
            out.el("span").class("unseen").with(|out| {
                out.text(" ");
                out.el("bdi").text(name);
            });
        });
        inside(out);
    });
}

/// The same for a whole section.
fn disclosure(out: &mut Markup, label: &str, open: bool, inside: impl FnOnce(&mut Markup)) {
    out.el("details").class("act").flag("open", open).with(|out| {
        out.el("summary").text(label);
        inside(out);
    });
}

fn hidden(out: &mut Markup, name: &'static str, value: &str) {
    let field = out.el("input").attr("type", "hidden").attr("name", name);
    field.attr("value", value).void();
}

/// Words and a moment: the time today, else the date.
fn at(out: &mut Markup, parts: &Parts<'_>, words: &'static str, ms: u64) {
    out.text(words);
    when::inline(out, moment(ms), parts.now);
}

#[cfg(test)]
pub mod tests;
