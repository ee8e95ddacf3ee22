//! The form that opens a thread by its peer's address, and what is told of whoever is there.
//!
//! It is a plain GET form: the page that comes back holds the answer, and Start is a link. The
//! page's script asks for [`answer`] alone while one types, and puts it into `#new-answer`.
use super::avatar;
use super::href::Href;
use super::icons::{self, Icon};
use super::kind;
use super::markup::Markup;
use super::scene::{Person, Scene};
use crate::posta::{Actor, PeerUrl};

/// What there is to say about the address that was typed.
#[derive(Clone, Copy)]
pub enum Told<'a> {
    Nothing,
    /// It won't do; why, in words.
    Refused(&'a str),
    /// Nobody answers there now.
    Away(&'a PeerUrl),
    Found {
        peer: &'a PeerUrl,
        actor: &'a Actor,
    },
}

/// The inner part of `#main`. What was typed stays, whatever there is to say about it.
pub fn form(typed: &str, told: Told<'_>, scene: &Scene<'_>) -> Markup {
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
        out.el("form").attr("method", "get").to("action", Href::ours("/new")).with(|out| {
            out.el("label").attr("for", "url").text("Address");
            out.el("input")
                .id("url")
                .attr("name", "url")
                .attr("type", "text")
                .attr("inputmode", "url")
                .attr("autocapitalize", "none")
                .attr("autocomplete", "off")
                .attr("spellcheck", "false")
                .attr("enterkeyhint", "go")
                .attr("placeholder", "bob.example")
                .attr("value", typed)
                .attr("aria-describedby", "url-help url-error")
                .attr_some("aria-invalid", told.is_error().then_some("true"))
                .flag("required", true)
                .flag("autofocus", true)
                .void();
            out.el("div").id("new-answer").with(|out| out.add(&answer(told, scene)));
            out.el("p").id("url-help").class("hint").text(
                "The address of a person or a room. Nothing is sent until you write something.",
            );
        });
    });
    out
}

/// The inner part of `#new-answer`.
pub fn answer(told: Told<'_>, scene: &Scene<'_>) -> Markup {
    let mut out = Markup::new();
    let error = match told {
        Told::Refused(sentence) => sentence,
        Told::Away(_) => "Couldn't reach this peer. Check the address, or try again in a moment.",
        Told::Nothing | Told::Found { .. } => "",
    };
    out.el("p").id("url-error").class("error").attr("role", "alert").text(error);
    if let Told::Found { peer, actor } = told {
        card(&mut out, peer, actor, scene);
    }
    out.el("p").class("do").with(|out| match told {
        Told::Found { peer, .. } => start(out, peer, "button primary", "Start"),
        Told::Away(peer) => {
            out.el("button").class("primary").attr("type", "submit").text("Try again");
            // A posta-server keeps trying for a while by itself.
            start(out, peer, "button quiet", "Start anyway");
        }
        _ => out.el("button").class("primary").attr("type", "submit").text("Start"),
    });
    out
}

fn card(out: &mut Markup, peer: &PeerUrl, actor: &Actor, scene: &Scene<'_>) {
    let person = Person { peer, name: &actor.name, avatar: actor.avatar.as_deref() };
    out.el("div").class("peer-card").attr("role", "status").with(|out| {
        avatar::write(out, scene, &person, "avatar-40");
        out.el("p").class("name").with(|out| {
            out.text("Sending to ");
            out.el("b").with(|out| person.write_name(out));
        });
        out.el("p").class("address").with(|out| {
            kind::word(out, &actor.kind);
            out.el("span").class("unseen").text(" (");
            out.el("bdi").text(peer.display());
            out.el("span").class("unseen").text(")");
        });
    });
}

fn start(out: &mut Markup, peer: &PeerUrl, class: &'static str, words: &'static str) {
    let page = peer.page();
    out.el("a")
        .class(class)
        .to("href", Href::ours(&page))
        .to("hx-get", Href::ours(&page))
        .attr("hx-target", "#main")
        .attr("hx-push-url", "true")
        .attr("hx-indicator", "#progress")
        .text(words);
}

impl Told<'_> {
    pub fn is_error(&self) -> bool {
        matches!(self, Told::Refused(_) | Told::Away(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn drawn(told: Told<'_>) -> String {
        let scene = Scene { now: sample::now(), media: &|_| None, contacts: &[] };
        form("<bob>", told, &scene).as_str().to_owned()
    }

    #[test]
    fn what_was_typed_stays_and_start_leads_to_the_thread() {
        let peer = sample::peer("example.org/users/bob");
        let name = "<i>Bob".to_owned();
        let actor = Actor { name, avatar: None, kind: "person".into() };
        let found = drawn(Told::Found { peer: &peer, actor: &actor });
        for part in [
            "value=\"&lt;bob&gt;\"",
            "Sending to <b><bdi>&lt;i&gt;Bob</bdi></b>",
            "<bdi>example.org/users/bob</bdi>",
            "href=\"/c/example.org%2Fusers%2Fbob\"",
        ] {
            assert!(found.contains(part), "{part} in {found}");
        }
        let refused = drawn(Told::Refused("No."));
        assert!(refused.contains("role=\"alert\">No.</p>") && refused.contains("aria-invalid"));
        assert!(!refused.contains("hx-get"));
        assert!(drawn(Told::Away(&peer)).contains("Start anyway"));
        assert!(!drawn(Told::Nothing).contains("aria-invalid"));
    }
}
