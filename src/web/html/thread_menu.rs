//! What one can do with a whole conversation: a menu in its header, and the questions before
//! something happens.
//!
//! Menu and questions are the browser's own popover and dialog, opened by the invoker attributes; a
//! script opens them where the browser does not know these, and sends the forms.
use super::href::Href;
use super::icons::{self, Icon};
use super::kind;
use super::markup::Markup;
use super::scene::Person;

/// The menu's button and all that it opens.
pub fn write(out: &mut Markup, person: &Person<'_>, kind: &str) {
    let is_room = kind::is_room(kind);
    out.el("button")
        .class("round")
        .attr("type", "button")
        .attr("popovertarget", "thread-menu")
        .attr("aria-label", "More")
        .attr("title", "More")
        .with(|out| icons::write(out, Icon::More));
    out.el("div").id("thread-menu").class("menu").attr("popover", "auto").with(|out| {
        if is_room {
            opens(out, "ask-leave", "Leave the room");
        }
        opens(out, "ask-remove", "Remove conversation");
    });
    if is_room {
        ask(
            out,
            person,
            &Question {
                id: "ask-leave",
                title: "Leave this room?",
                about: &[
                    "The room stops sending you what others write. What has been written so far stays here, \
                 and in the room.",
                    "You join again by writing to it.",
                ],
                action: "leave",
                does: "Leave",
            },
        );
    }
    let stays = if is_room {
        "The messages stay on your posta-server. You stay in the room: to hear no more from it, leave \
         it first."
    } else {
        "The messages stay on your posta-server, and on the other side."
    };
    ask(
        out,
        person,
        &Question {
            id: "ask-remove",
            title: "Remove this conversation?",
            about: &[
                "It goes from your list, on all your devices. It comes back when one of you writes again.",
                stays,
            ],
            action: "remove",
            does: "Remove",
        },
    );
}

struct Question<'a> {
    id: &'static str,
    title: &'static str,
    about: &'a [&'static str],
    action: &'static str,
    does: &'static str,
}

fn opens(out: &mut Markup, dialog: &'static str, words: &'static str) {
    out.el("button")
        .class("item")
        .attr("type", "button")
        .attr("command", "show-modal")
        .attr("commandfor", dialog)
        .text(words);
}

fn ask(out: &mut Markup, person: &Person<'_>, question: &Question<'_>) {
    let id = question.id;
    let action = format!("{}/{}", person.peer.page(), question.action);
    out.el("dialog")
        .id(id)
        .class("ask")
        .attr("aria-labelledby", format_args!("{id}-title"))
        .attr("aria-describedby", format_args!("{id}-about"))
        .with(|out| {
            out.el("h2").id(format_args!("{id}-title")).text(question.title);
            out.el("p").class("name").with(|out| person.write_name(out));
            out.el("div").id(format_args!("{id}-about")).with(|out| {
                question.about.iter().for_each(|words| out.el("p").text(words));
            });
            out.el("p").class("error").attr("role", "alert").empty();
            out.el("div").class("choices").with(|out| {
                out.el("form").attr("method", "dialog").with(|out| {
                    out.el("button")
                        .class("quiet")
                        .attr("type", "submit")
                        .flag("autofocus", true)
                        .text("Cancel");
                });
                out.el("form")
                    .attr("method", "post")
                    .to("action", Href::ours(&action))
                    .attr("data-does", question.action)
                    .with(|out| {
                        out.el("button").class("danger").attr("type", "submit").text(question.does);
                    });
            });
        });
}
