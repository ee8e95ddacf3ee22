//! The field that a pairing URI or one of its kin is brought into, and what a set-up link says.
//!
//! For the script: inside `.pairing` what is dropped or pasted as a file goes into its `textarea`;
//! `.scan` is shown where a browser can read QR codes, and opens `.viewfinder`; `.linked` shows a
//! set-up link (`.whose`, `.until`, a field for the device's name) where the page has one.
use super::markup::Markup;
use super::when;
use crate::ops::time::Timestamp;
use crate::posta::PeerUrl;
use crate::posta::setup::MAX_DEVICE;

/// What was typed is never written back: it holds a secret. `error` is for a page whose errors stand
/// between field and help, and which begins in the field; elsewhere the form has a place for them.
pub fn field(out: &mut Markup, id: &'static str, label: &str, error: Option<Option<&str>>) {
    out.el("div").class("pairing").with(|out| {
        let described = match error {
            Some(_) => format!("{id}-error {id}-help"),
            None => format!("{id}-help"),
        };
        out.el("label").attr("for", id).text(label);
        out.el("textarea")
            .id(id)
            .class("address")
            .attr("name", "uri")
            .attr("rows", "3")
            .attr("spellcheck", "false")
            .attr("autocapitalize", "none")
            .attr("autocomplete", "off")
            .attr("aria-describedby", described)
            .attr_some("aria-invalid", error.flatten().map(|_| "true"))
            .flag("required", true)
            .flag("autofocus", error.is_some())
            .empty();
        if let Some(error) = error {
            let place = out.el("p").id(format_args!("{id}-error")).class("error");
            place.attr("role", "alert").text(error.unwrap_or(""));
        }
        out.el("div").id(format_args!("{id}-help")).class("hint").with(help);
        out.el("button").class("scan quiet").attr("type", "button").text("Scan a QR code");
        out.el("div").class("viewfinder").flag("hidden", true).with(|out| {
            out.el("video").flag("playsinline", true).flag("muted", true).empty();
            out.el("p").attr("role", "status").text("Hold the QR code before the camera.");
            out.el("button").class("stop quiet").attr("type", "button").text("Stop the camera");
        });
    });
}

fn help(out: &mut Markup) {
    out.el("p").with(|out| {
        out.text("On your posta-server, run ");
        out.el("code").text("posta-server token create --name chat");
        out.text(". It prints the URI once.");
    });
    out.el("p").with(|out| {
        out.text("A link that begins with ");
        out.el("code").text("posta://pair");
        out.text(" and a set-up link, ");
        out.el("code").text("https://…/setup#invite=…");
        out.text(", work as well. You can also drop a text file or a picture of a QR code here.");
    });
}

/// What the invite of a set-up link says.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    pub device: &'a str,
    pub expires_at: Option<Timestamp>,
}

/// Whose it is, until when, and the name that the device gets.
pub fn link(out: &mut Markup, identity: &PeerUrl, link: Link<'_>) {
    out.el("div").class("linked").with(|out| {
        out.el("p").with(|out| {
            out.text("This set-up link is for ");
            out.el("b").with(|out| out.el("bdi").text(identity.display()));
            if let Some(at) = link.expires_at {
                out.text(" and works until ");
                when::full(out, at);
            }
            out.text(". It is used up only once your passkey is made.");
        });
        device(out, "device", Some(link.device));
    });
}

/// Without a name the field waits, and is not sent, until the script has one for it.
pub fn device(out: &mut Markup, id: &'static str, name: Option<&str>) {
    out.el("label").attr("for", id).text("Name of this device");
    out.el("input")
        .id(id)
        .attr("name", "device")
        .attr("type", "text")
        .attr("maxlength", MAX_DEVICE)
        .attr("autocomplete", "off")
        .attr("aria-describedby", format_args!("{id}-help"))
        .attr_some("value", name)
        .flag("disabled", name.is_none())
        .void();
    out.el("p").id(format_args!("{id}-help")).class("hint").text(
        "Your posta-server lists the token under this name, so that you can tell it from others.",
    );
}
