//! Sign-in and sign-up: one card, one sentence of why, one thing to do.
//!
//! For the script: `#sign-in[data-next]` on sign-in, `#create-passkey[data-options]` on step 2 of
//! sign-up. Words for a person go into `#auth-error`, which it then shows; `#no-passkeys` is for
//! browsers that have none.
use super::href::Href;
use super::icons::{self, Icon};
use super::layout::{self, Script, Top};
use super::markup::Markup;
use super::noscript;
use super::pairing::{self, Link};
use super::scene::host;
use crate::posta::PeerUrl;

/// `GET /login`. `next` is the page first asked for, a path of ours; `deleted`: an account of theirs
/// has just been.
pub fn login(next: &str, deleted: bool) -> Markup {
    layout::card("Sign in", Top::Wordmark, Script::Passkeys, |out| {
        if deleted {
            out.el("p").id("deleted").attr("role", "status").text(
                "Your account here was deleted. Revoke this service's token on your posta-server \
                 too; your messages are there as before.",
            );
        }
        out.el("p").text("Read and answer your conversations from this browser.");
        out.el("button")
            .id("sign-in")
            .class("primary wide")
            .attr("type", "button")
            .attr("data-next", next)
            .attr("aria-describedby", "auth-error")
            .with(|out| {
                icons::write(out, Icon::Passkey);
                out.el("span").text("Sign in with a passkey");
            });
        slots(out, "Signing in");
        out.el("details").with(|out| {
            out.el("summary").text("No passkey, or lost it?");
            out.el("p").text(
                "An account is made with an invite link from whoever runs this service. If your \
                 passkeys are gone, ask for a new invite and pair again with a fresh pairing URI \
                 from your own posta-server: your conversations are kept there, not here.",
            );
        });
    })
}

/// `GET /register`, and again when what was pasted does not work: then `error` says what happened
/// and what to do.
pub fn register_paste(code: &str, error: Option<&str>) -> Markup {
    layout::card("Sign up", Top::Page, Script::Passkeys, |out| {
        step(out, Step::Current(1), CONNECT);
        out.el("p").text(
            "Your messages stay on your own posta-server. A pairing URI lets this service show \
             them to you.",
        );
        out.el("form")
            .id("pair")
            .attr("method", "post")
            .to("action", Href::ours("/register"))
            .with(|out| {
                let code_field = out.el("input").attr("type", "hidden").attr("name", "code");
                code_field.attr("value", code).void();
                let label = "Paste your posta+v1:// URI";
                pairing::field(out, "uri", label, Some(error));
                out.el("button").class("primary wide").attr("type", "submit").text("Continue");
            });
        noscript::passkeys(out, SIGN_UP);
        step(out, Step::Next(2), CREATE);
    })
}

/// Step 2. `options` is the JSON `{"ceremony", "publicKey"}` that the script starts from; `link`:
/// what was pasted is a set-up link, which is used at the end of this step.
pub fn register_passkey(
    name: &str,
    identity: &PeerUrl,
    link: Option<Link<'_>>,
    options: &str,
) -> Markup {
    layout::card("Sign up", Top::Page, Script::Passkeys, |out| {
        step(out, Step::Done, CONNECT);
        out.el("div").class("paired").with(|out| match link {
            Some(link) => pairing::link(out, identity, link),
            None => connected(out, name, identity),
        });
        step(out, Step::Current(2), CREATE);
        out.el("p").text(
            "The passkey is how you sign in, and the only key to what this service keeps. Your \
             device may ask twice: once to create it, once to try it.",
        );
        out.el("button")
            .id("create-passkey")
            .class("primary wide")
            .attr("type", "button")
            .attr("data-options", options)
            .attr("aria-describedby", "auth-error")
            .with(|out| {
                icons::write(out, Icon::Passkey);
                out.el("span").text("Create passkey");
            });
        slots(out, SIGN_UP);
    })
}

fn connected(out: &mut Markup, name: &str, identity: &PeerUrl) {
    out.el("p").with(|out| {
        out.text("Connected as ");
        let called = match name.trim() {
            "" => host(identity),
            name => name,
        };
        out.el("b").with(|out| out.el("bdi").text(called));
        out.el("span").class("address").with(|out| out.el("bdi").text(identity.display()));
    });
}

/// One page for codes that are unknown, expired or used: it does not tell which.
pub fn invalid_invite() -> Markup {
    layout::card("Invite", Top::Page, Script::None, |out| {
        out.el("h1").text("This invite link is invalid");
        out.el("p").text(
            "It may have been used, have expired, or have been cut short on its way. Ask whoever \
             sent it for a new one.",
        );
        out.el("p").class("aside").with(|out| {
            out.text("You have an account already? ");
            out.el("a").to("href", Href::ours("/login")).text("Sign in");
        });
    })
}

const CONNECT: &str = "Connect your posta-server";
const CREATE: &str = "Create your passkey";
const SIGN_UP: &str = "Signing up";

enum Step {
    Done,
    Current(u8),
    Next(u8),
}

/// One of the two steps of sign-up: what it asks for stands under the current one.
fn step(out: &mut Markup, step: Step, words: &'static str) {
    let (tag, class, note) = match step {
        Step::Done => ("p", "step done", "Done: "),
        Step::Current(_) => ("h1", "step", ""),
        Step::Next(_) => ("p", "step next", "Next: "),
    };
    out.el(tag).class(class).with(|out| {
        out.el("span").class("number").with(|out| match step {
            Step::Done => icons::write(out, Icon::Check),
            Step::Current(number) | Step::Next(number) => out.text(number),
        });
        out.el("span").class("unseen").text(note);
        out.el("span").text(words);
    });
}

/// `what` needs a script.
fn slots(out: &mut Markup, what: &'static str) {
    out.el("p").id("auth-error").class("error").attr("role", "alert").flag("hidden", true).empty();
    out.el("p").id("no-passkeys").class("error").flag("hidden", true).text(
        "This browser cannot use passkeys. Try a current version of Chrome, Edge, Firefox or Safari.",
    );
    noscript::passkeys(out, what);
}
