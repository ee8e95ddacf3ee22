//! A conversation: header, messages, composer.
//!
//! `#scroll` is the scroll container and is never replaced. `#messages` is the newest part; a live
//! update morphs it whole (`outerMorph`) with what [`messages`] draws. Older pages go to the top of
//! `#older`, each the `div.page` that [`older`] draws, whose `data-before` becomes `#older`'s. Where
//! the page does not reach down to the newest (somebody jumped to an old message), `#messages` is
//! hidden and empty, and its `data-after` names the row after which pages go to the end of `#older`.
use super::cluster::{self, Place};
use super::composer::Draft;
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use super::scene::{Person, Scene};
use super::{attached, banner, bubble, composer, kind, noscript, thread_menu};
use crate::http::stack;
use crate::posta::{Actor, Contact, Content, Direction, Message, PeerUrl, State, percent_encode};

/// Bytes of messages drawn before others may have the thread: about a millisecond.
const BREATH: usize = 64 * 1024;

/// A conversation as far as it is known.
#[derive(Clone, Copy)]
pub struct Thread<'a> {
    pub peer: &'a PeerUrl,
    /// Whether what is there has been read at all.
    pub is_known: bool,
    pub contact: Option<&'a Contact>,
    /// What the peer says of itself, when it is no contact.
    pub actor: Option<&'a Actor>,
    /// Oldest first.
    pub messages: &'a [Message],
    pub has_older: bool,
    /// Whether the thread goes on below: then this is no newest part.
    pub has_newer: bool,
    /// Their neighbours, which are not drawn here.
    pub above: Option<&'a Message>,
    pub below: Option<&'a Message>,
    /// The message that was jumped to.
    pub found: Option<i64>,
    /// Why something else is shown than was asked for.
    pub note: Option<&'static str>,
    /// The row before which the line “New” stands, when something was unread on opening.
    pub new_from: Option<i64>,
    /// What stands in the composer.
    pub draft: Draft<'a>,
    pub scene: Scene<'a>,
}

impl Thread<'_> {
    fn person(&self) -> Person<'_> {
        match (self.contact, self.actor) {
            (None, Some(actor)) => {
                Person { peer: self.peer, name: &actor.name, avatar: actor.avatar.as_deref() }
            }
            (contact, _) => Person::of_peer(self.peer, contact),
        }
    }

    fn kind(&self) -> &str {
        let contact = self.contact.map(|contact| contact.kind.as_str());
        contact.or(self.actor.map(|actor| actor.kind.as_str())).unwrap_or("")
    }

    /// What the browser's title bar says.
    pub fn title(&self) -> &str {
        self.person().called()
    }
}

/// The inner part of `#main`.
pub fn thread(view: &Thread<'_>) -> Markup {
    let mut out = Markup::new();
    let person = view.person();
    out.el("section")
        .id("thread")
        .attr("data-peer", view.peer.display())
        .attr("aria-labelledby", "thread-name")
        .with(|out| {
            header(out, view, &person);
            if let Some(note) = view.note {
                out.el("p").class("note-line").attr("role", "status").text(note);
            }
            out.el("div")
                .id("scroll")
                .attr("tabindex", "0")
                .attr("role", "log")
                .attr_some("data-found", view.found)
                // What is new is said in `#status`, not by reading out whatever is drawn.
                .attr("aria-live", "off")
                .attr("aria-label", format_args!("Messages with {}", person.called()))
                .with(|out| {
                    noscript::older(out, view);
                    let before = view.messages.first().filter(|_| view.has_older);
                    out.el("div")
                        .id("older")
                        .attr_some("data-before", before.map(|m| m.row_id))
                        .with(|out| {
                            if view.has_newer {
                                page(out, view);
                            }
                        });
                    if view.has_newer {
                        // The newest part comes when one gets there.
                        let after = view.messages.last().map_or(0, |m| m.row_id);
                        out.el("div")
                            .id("messages")
                            .attr("data-after", after)
                            .flag("hidden", true)
                            .empty();
                    } else {
                        newest(out, view);
                    }
                    noscript::newer(out, view);
                });
            out.el("div").class("above-composer").with(|out| {
                out.el("button")
                    .id("new-messages")
                    .attr("type", "button")
                    .flag("hidden", !view.has_newer)
                    .with(|out| {
                        icons::write(out, Icon::Down);
                        let words = if view.has_newer { "To the newest" } else { "New messages" };
                        out.el("span").text(words);
                    });
            });
            let seen = view.messages.last().filter(|_| !view.has_newer).map(|m| m.row_id);
            attached::write(out);
            composer::write(out, view.peer, &view.draft, seen);
            under_way(out, view);
        });
    out
}

/// An own bubble that is being sent, empty: the page's script shows it until the server draws the
/// real one.
fn under_way(out: &mut Markup, view: &Thread<'_>) {
    let message = Message {
        row_id: 0,
        id: String::new(),
        peer: view.peer.clone(),
        direction: Direction::Outbound,
        content: Content::Text(String::new()),
        state: Some(State::Sending),
        last_error_code: None,
        created_at: Some(view.scene.now),
    };
    out.el("template").id("sending").with(|out| {
        bubble::write(out, &view.scene, &message, Place { first: true, last: true });
    });
    // What stands under it while it cannot be sent.
    out.el("template").id("unsent").with(|out| {
        out.el("div").class("trouble").with(|out| {
            out.el("p").attr("role", "status").empty();
            for (value, words) in [("retry", "Retry"), ("edit", "Edit"), ("drop", "Discard")] {
                let button = out.el("button").class("quiet").attr("type", "button");
                button.attr("name", "unsent").attr("value", value).text(words);
            }
        });
    });
}

/// [`thread`] as an answer to htmx: with the title that the page shall take.
pub fn fragment(view: &Thread<'_>) -> Markup {
    let mut out = Markup::new();
    super::layout::title(&mut out, view.title());
    out.add(&thread(view));
    out
}

/// `#messages`: the newest part, whole.
pub fn messages(view: &Thread<'_>) -> Markup {
    let mut out = Markup::new();
    newest(&mut out, view);
    out
}

/// One page of messages that are not the newest; `data-before` and `data-after` say whether there is
/// more above and below it.
pub fn older(view: &Thread<'_>) -> Markup {
    let mut out = Markup::new();
    page(&mut out, view);
    out
}

fn page(out: &mut Markup, view: &Thread<'_>) {
    let before = view.messages.first().filter(|_| view.has_older);
    let after = view.messages.last().filter(|_| view.has_newer);
    out.el("div")
        .class("page")
        .attr_some("data-before", before.map(|m| m.row_id))
        .attr_some("data-after", after.map(|m| m.row_id))
        .with(|out| bubbles(out, view));
}

fn header(out: &mut Markup, view: &Thread<'_>, person: &Person<'_>) {
    out.el("header").class("thread-head").with(|out| {
        // Back to the list: on a wide screen the list is there already and this is not shown.
        out.el("a")
            .class("back round")
            .to("href", Href::ours("/"))
            .to("hx-get", Href::ours("/"))
            .attr("hx-target", "#main")
            .attr("hx-select", "#welcome")
            .attr("hx-push-url", "true")
            .attr("aria-label", "Back to conversations")
            .with(|out| icons::write(out, Icon::Back));
        out.el("div").class("who").with(|out| {
            out.el("h1").id("thread-name").with(|out| person.write_name(out));
            out.el("p").class("address").with(|out| {
                kind::word(out, view.kind());
                out.el("bdi").text(view.peer.display());
            });
        });
        banner::label(out);
        let search = format!("/search?peer={}", percent_encode(view.peer.display()));
        out.el("a")
            .class("round")
            .to("href", Href::ours(&search))
            .to("hx-get", Href::ours(&search))
            .attr("hx-target", "#main")
            .attr("hx-push-url", "true")
            .attr("hx-indicator", "#progress")
            .attr("aria-label", "Search in this conversation")
            .attr("title", "Search in this conversation")
            .with(|out| icons::write(out, Icon::Search));
        thread_menu::write(out, person, view.kind());
    });
}

fn newest(out: &mut Markup, view: &Thread<'_>) {
    let from = view.messages.first().map_or(0, |m| m.row_id);
    let before = view.messages.first().filter(|_| view.has_older);
    let mut messages = out.el("div").id("messages").attr("data-from", from);
    messages = messages.attr_some("data-before", before.map(|m| m.row_id));
    messages.with(|out| {
        if view.messages.is_empty() {
            out.el("p").class("hint").text(match view.is_known {
                true => "No messages yet. Say hi.",
                false => "The messages appear here as soon as your posta-server answers.",
            });
        }
        bubbles(out, view);
    });
}

fn bubbles(out: &mut Markup, view: &Thread<'_>) {
    let mut drawn = 0;
    for (message, place) in cluster::places(view.above, view.messages, view.below) {
        if view.new_from == Some(message.row_id) {
            out.el("p").id("new-line").with(|out| out.el("span").text("New"));
        }
        bubble::write(out, &view.scene, message, place);
        drawn += message.bytes();
        if drawn > BREATH {
            drawn = 0;
            stack::breathe();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, Letters};
    use super::*;
    use crate::posta::State;

    fn drawn(letters: &Letters, draw: impl Fn(&Thread<'_>) -> Markup) -> String {
        let scene = Scene { now: sample::now(), media: &|_| None, contacts: &[] };
        let view = Thread {
            peer: &letters.peer,
            is_known: true,
            contact: None,
            actor: None,
            messages: &letters.messages,
            has_older: true,
            has_newer: false,
            above: None,
            below: None,
            found: None,
            note: None,
            new_from: Some(2),
            draft: Draft::default(),
            scene,
        };
        draw(&view).as_str().to_owned()
    }

    fn letters() -> Letters {
        Letters::with(sample::peer("bob.example"), "2026-05-14T12:00:00Z")
    }

    #[test]
    fn scripts_find_the_rows_they_need() {
        let mut three = letters();
        three.hear("one").hear("two").say("three");
        let whole = drawn(&three, thread);
        for part in [
            "<section id=\"thread\" data-peer=\"bob.example\"",
            "<div id=\"older\" data-before=\"1\"></div><div id=\"messages\" data-from=\"1\" data-before=\"1\">",
            "<p id=\"new-line\"><span>New</span></p><article id=\"msg-2\"",
            "id=\"msg-3\" class=\"msg out first last\" data-row=\"3\" data-at=\"2026-05-14T12:01:40Z\"",
            "<form id=\"composer\" method=\"post\" action=\"/c/bob.example/messages\"",
        ] {
            assert!(whole.contains(part), "{part} in {whole}");
        }
        assert!(
            drawn(&three, messages)
                .starts_with("<div id=\"messages\" data-from=\"1\" data-before=\"1\">")
        );
        assert!(drawn(&three, older).starts_with("<div class=\"page\" data-before=\"1\"><article"));
        assert!(drawn(&three, fragment).starts_with("<title>bob.example · chat-posta</title>"));
    }

    #[test]
    fn only_the_last_of_a_cluster_tells_its_state() {
        let mut two = letters();
        two.say("one").say("two");
        let html = drawn(&two, messages);
        assert_eq!(html.matches("class=\"state").count(), 1);
        assert_eq!(html.matches("<time").count(), 1);
        let last = html.find("id=\"msg-2\"").unwrap();
        assert!(html[last..].contains("class=\"state delivered\" title=\"Delivered\""));
    }

    #[test]
    fn what_failed_says_why_and_offers_what_can_help() {
        let failed = |state, code| {
            let mut one = letters();
            one.say("x").state(state, code);
            drawn(&one, messages)
        };
        let refused = failed(State::FailedPermanent, Some("forbidden"));
        assert!(refused.contains("failed-permanent\" title=\"forbidden\""));
        assert!(refused.contains("<bdi>bob.example</bdi> does not take messages from you."));
        assert!(!refused.contains("Retry"));
        let waits = failed(State::FailedPendingUser, Some("<b>"));
        assert!(waits.contains("title=\"&lt;b&gt;\""));
        assert!(waits.contains("the other side said <code>&lt;b&gt;</code>."));
        assert!(waits.contains("hx-post=\"/messages/1/retry\""));
        assert!(failed(State::FailedPermanent, None).contains("did not take it."));
    }

    #[test]
    fn what_a_room_passed_on_has_its_authors_name() {
        let html = drawn(&sample::room(), messages);
        assert_eq!(html.matches("class=\"author\"").count(), 4, "once a cluster");
        assert!(html.contains("<bdi>bob.example</bdi></b><span class=\"via\"> via "));
        assert!(html.contains("<p><bdi>echo.example</bdi> left the room</p>"));
        assert!(html.contains("<p>You left the room</p>"));
    }
}
