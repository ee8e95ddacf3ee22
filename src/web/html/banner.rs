//! What the whole page must know: that the posta-server is away, that the session ends.
use super::href::Href;
use super::markup::Markup;
use super::when;
use jiff::Timestamp;

/// How it stands with the person's posta-server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Ok,
    Unreachable { last_contact: Option<Timestamp> },
    TokenRefused,
}

/// The strips above everything. All the words are always there, so that a script needs only to
/// change `data-state` or take `hidden` away, also when nothing can be fetched any more.
pub fn write(out: &mut Markup, health: Health) {
    let state = match health {
        Health::Ok => "ok",
        Health::Unreachable { .. } => "unreachable",
        Health::TokenRefused => "refused",
    };
    out.el("div")
        .id("health")
        .class("banner")
        .attr("data-state", state)
        .attr("role", "status")
        .with(|out| {
            out.el("p").class("when-unreachable").with(|out| {
                out.text(
                    "Your posta-server can't be reached. You can keep reading and writing here; \
                     send it when your posta-server is back.",
                );
                if let Health::Unreachable { last_contact: Some(at) } = health {
                    out.el("span").class("last-contact").with(|out| {
                        out.text(" Last contact: ");
                        when::full(out, at);
                        out.text(".");
                    });
                }
            });
            out.el("p").class("when-refused").with(|out| {
                out.text(
                    "Your posta-server no longer accepts this service's token. What was read \
                     before stays here to read. Make a new pairing URI there, then ",
                );
                let pair = Href::ours("/settings#pairing");
                out.el("a").to("href", pair).text("pair again");
                out.text(".");
            });
            out.el("p")
                .class("when-offline")
                .text("No connection. You can keep writing; this page comes back by itself.");
        });
    out.el("div").id("session-ending").class("banner").attr("role", "alert").flag("hidden", true).with(
        |out| {
            out.el("p").text(
                "You will be signed out in two minutes, since nothing has happened here for a while.",
            );
            out.el("button").id("stay").class("quiet").attr("type", "button").text("Stay signed in");
        },
    );
    out.el("div").id("signed-out").class("banner").attr("role", "alert").flag("hidden", true).with(
        |out| {
            out.el("p").with(|out| {
                out.text("You are signed out. What you have typed stays here until you leave. ");
                out.el("a").to("href", Href::ours("/login")).text("Sign in again");
            });
        },
    );
}
