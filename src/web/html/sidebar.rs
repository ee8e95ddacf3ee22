//! The list of conversations, newest first, with one's own menu above it.
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use super::scene::{Person, Scene, fnv1a};
use super::{avatar, keyboard, kind, own_address, search, when};
use crate::posta::{Contact, Content, Direction, Identity, Message, PeerUrl};

/// Above this the badge says only that there are more.
const MOST_COUNTED: u64 = 99;
/// How much of a message a one-line preview can show, in characters.
const PREVIEW: usize = 120;

/// One conversation. Badge and preview come from the same snapshot.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub contact: &'a Contact,
    pub unread: u64,
    pub preview: Option<&'a Message>,
}

#[derive(Clone, Copy)]
pub struct Sidebar<'a> {
    /// The person's own profile, when the posta-server has told it.
    pub me: Option<&'a Identity>,
    /// The name the account was made with: stands in for a profile without one.
    pub name: &'a str,
    /// Newest first.
    pub rows: &'a [Row<'a>],
    pub open: Option<&'a PeerUrl>,
    /// Why the list is not there, or not as it should be.
    pub trouble: Option<&'a str>,
    pub scene: Scene<'a>,
}

/// The inner part of `nav#sidebar`.
pub fn sidebar(view: &Sidebar<'_>) -> Markup {
    let mut out = Markup::new();
    out.el("header").class("side-head").with(|out| {
        out.el("a").class("wordmark").to("href", Href::ours("/")).text("chat-posta");
        out.el("a")
            .class("round")
            .to("href", Href::ours("/new"))
            .to("hx-get", Href::ours("/new"))
            .attr("hx-target", "#main")
            .attr("hx-push-url", "true")
            .attr("hx-indicator", "#progress")
            .attr("aria-label", "New conversation")
            .attr("title", "New conversation")
            .with(|out| icons::write(out, Icon::Plus));
        out.el("div").id("own").with(|out| own_menu(out, view));
    });
    out.el("div").class("side-tools").with(|out| {
        search::field(out, "search", None, "", "Search your messages");
        out.el("button")
            .id("unread-only")
            .attr("type", "button")
            .attr("aria-pressed", "false")
            .attr("title", "Only unread conversations")
            .text("Unread");
    });
    out.el("div").id("contacts").with(|out| out.add(&contacts(view)));
    out
}

/// The inner part of `#contacts`.
pub fn contacts(view: &Sidebar<'_>) -> Markup {
    let mut out = Markup::new();
    if let Some(trouble) = view.trouble {
        out.el("p").id("list-trouble").class("hint").text(trouble);
    }
    if view.rows.is_empty() {
        if view.trouble.is_none() {
            out.el("p").class("hint").text("No conversations yet");
        }
        out.el("a").class("button quiet").to("href", Href::ours("/new")).with(|out| {
            icons::write(out, Icon::Plus);
            out.el("span").text("New conversation");
        });
        return out;
    }
    out.el("p").class("hint nothing-unread").text("Nothing unread");
    out.el("ul").with(|out| {
        for row in view.rows {
            out.el("li").with(|out| contact(out, view, row));
        }
    });
    out
}

/// A popover, so that it closes by itself on a click elsewhere and on Escape.
fn own_menu(out: &mut Markup, view: &Sidebar<'_>) {
    let profile = view.me.map(|me| Person {
        peer: &me.url,
        name: if me.name.trim().is_empty() { view.name } else { &me.name },
        avatar: me.avatar.as_deref(),
    });
    let called = profile.as_ref().map_or(view.name, Person::called);
    out.el("button")
        .class("own")
        .attr("type", "button")
        .attr("popovertarget", "own-menu")
        .attr("aria-label", format_args!("Your menu, {called}"))
        .with(|out| {
            match &profile {
                Some(person) => avatar::write(out, &view.scene, person, "avatar-28"),
                None => out.el("bdi").text(called),
            }
            icons::write(out, Icon::Chevron);
        });
    out.el("div").id("own-menu").class("menu").attr("popover", "auto").with(|out| {
        out.el("p").class("name").with(|out| out.el("bdi").text(called));
        if let Some(person) = &profile {
            own_address::write(out, person.peer);
        }
        out.el("a")
            .class("item")
            .to("href", Href::ours("/settings"))
            .to("hx-get", Href::ours("/settings"))
            .attr("hx-target", "#main")
            .attr("hx-push-url", "true")
            .attr("hx-indicator", "#progress")
            .text("Settings");
        keyboard::entry(out);
        out.el("form").attr("method", "post").to("action", Href::ours("/logout")).with(|out| {
            out.el("button").attr("type", "submit").text("Sign out");
        });
    });
}

fn contact(out: &mut Markup, view: &Sidebar<'_>, row: &Row<'_>) {
    let person = Person::of_contact(row.contact);
    let page = row.contact.peer.page();
    let heard = row.preview.filter(|message| message.direction == Direction::Inbound);
    let newest = heard.map(|message| message.row_id);
    let at = row.preview.and_then(|m| m.created_at).or(row.contact.last_message_at);
    out.el("a")
        .id(format_args!("contact-{:08x}", fnv1a(row.contact.peer.canonical().as_bytes())))
        .class(if row.unread > 0 { "contact unread" } else { "contact" })
        .to("href", Href::ours(&page))
        .to("hx-get", Href::ours(&page))
        .attr("hx-target", "#main")
        .attr("hx-push-url", "true")
        .attr("hx-indicator", "#progress")
        .attr("data-peer", row.contact.peer.display())
        .attr_some("data-newest", newest)
        .attr_some("aria-current", (view.open == Some(&row.contact.peer)).then_some("page"))
        .with(|out| {
            avatar::write(out, &view.scene, &person, "avatar-40");
            out.el("span").class("name").with(|out| {
                kind::mark(out, &row.contact.kind);
                person.write_name(out);
            });
            if let Some(at) = at {
                when::short(out, at, view.scene.now);
            }
            out.el("span").class("preview").with(|out| {
                if let Some(message) = row.preview {
                    preview(out, &view.scene, message);
                }
            });
            badge(out, row.unread);
        });
}

fn badge(out: &mut Markup, unread: u64) {
    if unread == 0 {
        return;
    }
    out.el("span").class("badge").with(|out| {
        if unread > MOST_COUNTED {
            out.text(format_args!("{MOST_COUNTED}+"));
        } else {
            out.text(unread);
        }
        out.el("span").class("unseen").text(" unread");
    });
}

fn preview(out: &mut Markup, scene: &Scene<'_>, message: &Message) {
    if message.direction == Direction::Outbound {
        out.text("You: ");
    }
    in_one_line(out, scene, &message.content);
}

pub(super) fn in_one_line(out: &mut Markup, scene: &Scene<'_>, content: &Content) {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    match content {
        Content::Text(text) => short_text(out, text),
        Content::Image(image) => match said(&image.alt).or(said(&image.name)) {
            Some(caption) => short_text(out, &format!("Picture: {caption}")),
            None => out.text("Picture"),
        },
        Content::Link { url, name } => short_text(out, name.as_deref().unwrap_or(url)),
        Content::Broadcast { author, content } => {
            scene.person(author).write_name(out);
            out.text(": ");
            in_one_line(out, scene, content);
        }
        Content::Leave => out.text("Left the room"),
        Content::Unsupported { .. } => out.text("Unsupported message"),
    }
}

/// The beginning of a text on one line, its direction kept to itself.
fn short_text(out: &mut Markup, text: &str) {
    let mut line = String::new();
    for (count, word) in text.split_whitespace().take(PREVIEW).enumerate() {
        if count > 0 {
            line.push(' ');
        }
        line.extend(word.chars().take(PREVIEW));
        if line.len() > PREVIEW * 4 {
            break;
        }
    }
    let end = line.char_indices().nth(PREVIEW).map_or(line.len(), |(at, _)| at);
    out.el("bdi").text(&line[..end]);
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::posta::State;

    fn drawn(unread: u64, content: Content, direction: Direction) -> String {
        let contact = sample::contact("bob.example", "Bob");
        let mut letters = sample::Letters::with(contact.peer.clone(), "2026-05-14T12:00:00Z");
        letters.put(direction, content).state(State::Delivered, None);
        let known = [&contact];
        let scene = Scene { now: sample::now(), media: &|_| None, contacts: &known };
        let rows = [Row { contact: &contact, unread, preview: letters.messages.first() }];
        let view =
            Sidebar { me: None, name: "alice", rows: &rows, open: None, trouble: None, scene };
        contacts(&view).as_str().to_owned()
    }

    fn text(text: &str) -> Content {
        Content::Text(text.into())
    }

    #[test]
    fn the_badge_counts_to_99_and_is_absent_at_none() {
        for (unread, shown) in [(1, "1<"), (99, "99<"), (100, "99+<"), (u64::MAX, "99+<")] {
            let html = drawn(unread, text("x"), Direction::Inbound);
            assert!(html.contains(&format!("<span class=\"badge\">{shown}")), "{unread}");
        }
        assert!(!drawn(0, text("x"), Direction::Inbound).contains("badge"));
    }

    #[test]
    fn the_preview_is_one_line_in_words() {
        use Direction::{Inbound, Outbound};
        let broadcast = |content| Content::Broadcast {
            author: sample::peer("cara.example"),
            content: Box::new(content),
        };
        let link = |name: Option<&str>| Content::Link {
            url: "https://a.example/x".into(),
            name: name.map(str::to_owned),
        };
        for (content, direction, shown) in [
            (text("a\n\n  b\tc"), Inbound, "<bdi>a b c</bdi>"),
            (text("hello"), Outbound, "You: <bdi>hello</bdi>"),
            (
                sample::picture("https://a.example/x.png", "A cat"),
                Inbound,
                "<bdi>Picture: A cat</bdi>",
            ),
            (sample::picture("https://a.example/x.png", " "), Inbound, "Picture"),
            (link(Some("Minutes")), Inbound, "<bdi>Minutes</bdi>"),
            (link(None), Inbound, "<bdi>https://a.example/x</bdi>"),
            (broadcast(text("hi")), Inbound, "<bdi>cara.example</bdi>: <bdi>hi</bdi>"),
            (Content::Leave, Inbound, "Left the room"),
            (Content::Unsupported { kind: "x".into() }, Inbound, "Unsupported message"),
        ] {
            let html = drawn(0, content, direction);
            let expected = format!("<span class=\"preview\">{shown}</span>");
            assert!(html.contains(&expected), "{expected} in {html}");
        }
    }

    #[test]
    fn a_long_message_costs_a_short_preview() {
        for long in ["x".repeat(100_000), "x ".repeat(50_000), "\u{1f389}".repeat(20_000)] {
            assert!(drawn(0, text(&long), Direction::Inbound).len() < 2_000);
        }
    }
}
