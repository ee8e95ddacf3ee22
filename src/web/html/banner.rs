//! What the whole page must know: how the connection stands, that the session ends.
use super::href::Href;
use super::markup::Markup;
use super::when;
use crate::ops::time::Timestamp;

/// How it stands with the person's posta-server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    Ok,
    Unreachable { last_contact: Option<Timestamp> },
    TokenRefused,
}

/// A state of the connection that passes by itself, which only a script can notice.
struct Passing {
    name: &'static str,
    /// In a conversation's header.
    label: &'static str,
    /// What happened, what still works, and what happens next.
    words: &'static str,
}

const PASSING: [Passing; 3] = [
    Passing {
        name: "offline",
        label: "Offline",
        words: "You are offline. You can keep writing; messages go out when you are back.",
    },
    Passing {
        name: "reconnecting",
        label: "Reconnecting",
        words: "The connection to this service is lost; it is tried again by itself. You can keep \
                writing; messages go out when it is back.",
    },
    Passing {
        name: "restarting",
        label: "Restarting",
        words: "This service is restarting, which takes a moment. You can keep writing; \
                messages go out when it is back.",
    },
];

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
            unreachable(out, health);
            out.el("p").class("when-refused").with(|out| {
                out.text(
                    "Your posta-server no longer accepts this service's token. You can read what is \
                     here, but nothing is sent or received. Make a new pairing URI there, then ",
                );
                out.el("a").to("href", Href::ours("/settings#pairing")).text("pair again");
                out.text(".");
            });
            for Passing { name, words, .. } in &PASSING {
                out.el("p").class(format_args!("when-{name}")).text(words);
            }
            let again = out.el("button").id("try-now").class("quiet").attr("type", "button");
            again.text("Try now");
        });
    session(out);
}

fn unreachable(out: &mut Markup, health: Health) {
    out.el("p").class("when-unreachable").with(|out| {
        out.text("Your posta-server can't be reached. ");
        out.el("span").class("with-script").text(
            "You can keep writing; messages go out when it is back. If this lasts, see whether \
             it is running.",
        );
        out.el("noscript").text(
            "You can read what is known here. Try to send again in a moment; if this lasts, see \
             whether it is running.",
        );
        if let Health::Unreachable { last_contact: Some(at) } = health {
            out.el("span").class("last-contact").with(|out| {
                out.text(" Last contact: ");
                when::full(out, at);
                out.text(".");
            });
        }
    });
}

fn session(out: &mut Markup) {
    let alert = |out: &mut Markup, id, inside: &dyn Fn(&mut Markup)| {
        let strip = out.el("div").id(id).class("banner").attr("role", "alert");
        strip.flag("hidden", true).with(inside);
    };
    alert(out, "session-ending", &|out| {
        out.el("p").text(
            "You will be signed out in two minutes, since nothing has happened here for a while. \
             What you have typed stays in this browser.",
        );
        out.el("button").id("stay").class("quiet").attr("type", "button").text("Stay signed in");
    });
    alert(out, "signed-out", &|out| {
        out.el("p").with(|out| {
            out.text("You are signed out. What you have typed stays here until you leave. ");
            out.el("a").to("href", Href::ours("/login")).text("Sign in again");
        });
    });
}

/// In a conversation's header: the state in a word, which opens the sentence about it. The header
/// is where nothing that one reads moves when it comes and goes.
pub fn label(out: &mut Markup) {
    out.el("button")
        .id("connection")
        .attr("type", "button")
        .attr("aria-controls", "health")
        .attr("aria-expanded", "false")
        .with(|out| {
            for Passing { name, label, .. } in &PASSING {
                out.el("span").class(format_args!("when-{name}")).text(label);
            }
        });
}
