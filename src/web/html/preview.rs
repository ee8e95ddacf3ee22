//! Every page in every state, for eyes and for tests.
//!
//! `cargo test preview -- --ignored` writes them to `target/preview/`, one file each, to be looked
//! at in a browser behind any server that answers `/static/<hash>/<name>` from `www/`.
use super::banner::Health;
use super::composer::Draft;
use super::layout::{Page, page};
use super::sample::{self, Letters};
use super::scene::Scene;
use super::sidebar::{Row, Sidebar};
use super::thread::Thread;
use super::{Markup, auth, errors, new, pairing, settings, thread, welcome};
use crate::ops::time::Timestamp;
use crate::posta::{Contact, Message, PeerUrl};

fn media(url: &str) -> Option<String> {
    Some(format!("/media/{}", url.strip_prefix("https://")?.rsplit('/').next()?))
}

/// A chat page: who is known, what is open, how the server is.
struct Chat {
    contacts: Vec<Contact>,
    open: Option<Letters>,
    health: Health,
    new_from: Option<i64>,
}

impl Chat {
    fn new(open: Option<Letters>) -> Self {
        Chat { contacts: sample::contacts(), open, health: Health::Ok, new_from: None }
    }

    fn draw(&self) -> Markup {
        self.draw_with(|view| match view {
            Some(view) => thread::thread(view),
            None => welcome::welcome(!self.contacts.is_empty()),
        })
    }

    fn draw_with(&self, main: impl FnOnce(Option<&Thread<'_>>) -> Markup) -> Markup {
        let known: Vec<&Contact> = self.contacts.iter().collect();
        let scene = Scene { now: sample::now(), media: &media, contacts: &known };
        let last = previews(&self.contacts);
        let unread = [0, 3, 0, 128, 1, 0, 12, 0];
        let rows: Vec<Row<'_>> = (self.contacts.iter().zip(&last))
            .zip(unread.iter().chain(std::iter::repeat(&0)))
            .map(|((contact, last), &unread)| Row { contact, unread, preview: last.as_ref() })
            .collect();
        let me = sample::me();
        let open = self.open.as_ref().map(|letters| &letters.peer);
        let view = self.open.as_ref().map(|letters| Thread {
            peer: &letters.peer,
            is_known: true,
            contact: self.contacts.iter().find(|c| c.peer == letters.peer),
            actor: None,
            messages: &letters.messages,
            has_older: !letters.messages.is_empty(),
            has_newer: false,
            above: None,
            below: None,
            found: None,
            note: None,
            draft: Draft::default(),
            new_from: self.new_from,
            scene,
        });
        let side =
            Sidebar { me: Some(&me), name: "alice", rows: &rows, open, trouble: None, scene };
        let title = view.as_ref().map_or("", |view| view.title()).to_owned();
        page(&Page {
            title: &title,
            account: "preview",
            sidebar: &side,
            health: self.health,
            main: main(view.as_ref()),
        })
    }
}

/// The last message of each contact, from one long list of shapes.
fn previews(contacts: &[Contact]) -> Vec<Option<Message>> {
    let mut all = sample::shapes().messages;
    all.extend(sample::room().messages);
    contacts
        .iter()
        .enumerate()
        .map(|(at, contact)| {
            let mut message = all.get(at * 3 % all.len())?.clone();
            message.peer = contact.peer.clone();
            let hours = std::time::Duration::from_secs(7 * 3_600 * at as u64);
            message.created_at = Some(sample::now() - hours);
            (at != 4).then_some(message)
        })
        .collect()
}

fn pages() -> Vec<(&'static str, Markup)> {
    let thread = |letters| Chat::new(Some(letters));
    let peer = |url| sample::peer(url);
    let last: Timestamp = "2026-05-14T15:20:00Z".parse().expect("a moment");
    let long = peer("konstantinopolitanska.with-a-very-long-name.example/users/maximiliana");
    let scene = Scene { now: sample::now(), media: &media, contacts: &[] };
    let options = "{\"ceremony\":\"x\",\"publicKey\":{\"challenge\":\"'<&>\\\"\"}}";
    vec![
        ("thread", Chat { new_from: Some(8), ..thread(sample::usual()) }.draw()),
        ("states", thread(sample::states()).draw()),
        ("shapes", thread(sample::shapes()).draw()),
        ("room", thread(sample::room()).draw()),
        ("pictures", thread(sample::pictures()).draw()),
        ("long-name", thread(Letters::with(long, "2026-05-14T12:00:00Z")).draw()),
        ("unknown-peer", thread(Letters::with(peer("zoe.example"), "2026-05-14T12:00:00Z")).draw()),
        ("inbox", Chat::new(None).draw()),
        ("inbox-empty", Chat { contacts: Vec::new(), ..Chat::new(None) }.draw()),
        (
            "inbox-one",
            Chat { contacts: vec![sample::contact("bob.example", "Bob")], ..Chat::new(None) }
                .draw(),
        ),
        ("inbox-many", Chat { contacts: sample::many_contacts(), ..Chat::new(None) }.draw()),
        (
            "unreachable",
            Chat {
                health: Health::Unreachable { last_contact: Some(last) },
                ..thread(sample::usual())
            }
            .draw(),
        ),
        ("refused", Chat { health: Health::TokenRefused, ..Chat::new(None) }.draw()),
        ("new", Chat::new(None).draw_with(|_| new::form("", new::Told::Nothing, &scene))),
        (
            "new-error",
            Chat::new(None).draw_with(|_| {
                new::form("not a \"url\"", new::Told::Refused("No address."), &scene)
            }),
        ),
        ("settings", Chat::new(None).draw_with(|_| settings::tests::sample())),
        ("login", auth::login("/c/bob.example?x=\"><b>", false)),
        ("login-deleted", auth::login("/", true)),
        ("register", auth::register_paste("code", None)),
        (
            "register-error",
            auth::register_paste(
                "code",
                Some("This pairing URI is not complete. Copy the whole line and paste it again."),
            ),
        ),
        ("passkey", auth::register_passkey("Alice Moe", &peer("alice.example"), None, options)),
        (
            "passkey-link",
            auth::register_passkey(
                "Alice Moe",
                &peer("alice.example"),
                Some(pairing::Link { device: "My <laptop>", expires_at: Some(last) }),
                options,
            ),
        ),
        ("invalid-invite", auth::invalid_invite()),
        ("offline", errors::offline()),
        ("unsent", errors::unsent("</textarea><b>not", "/login?next=%2Fc%2Fbob.example")),
        (
            "error",
            errors::page(
                404,
                "There is nothing here",
                "This page does not exist, or not any more.",
                4217,
            ),
        ),
    ]
}

#[test]
#[ignore = "writes files to look at"]
fn write_to_target() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/preview");
    std::fs::create_dir_all(folder).expect("a folder");
    for (name, page) in pages() {
        std::fs::write(format!("{folder}/{name}.html"), page.as_str()).expect("a file");
    }
}

/// What a strict reader of HTML would notice: tags that do not match, an id twice, a label or
/// description without its element, inline code or style.
#[test]
fn every_page_is_well_formed() {
    const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];
    for (name, page) in pages() {
        let html = page.as_str().strip_prefix("<!doctype html>").expect("a doctype");
        let mut open = Vec::new();
        let mut ids = Vec::new();
        let mut named = Vec::new();
        for piece in html.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("{name}: <{piece}"));
            if let Some(tag) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(tag), "{name}: </{tag}>");
                continue;
            }
            let word = tag.split([' ', '/']).next().unwrap_or_default();
            if !VOID.contains(&word) && !tag.ends_with('/') {
                open.push(word);
            }
            for (attribute, value) in attributes(tag) {
                match attribute {
                    "id" => ids.push(value),
                    "for" | "popovertarget" | "aria-labelledby" | "aria-describedby" => {
                        named.extend(value.split(' '));
                    }
                    "hx-indicator" | "hx-target" => named.push(&value[1..]),
                    _ => {}
                }
                assert!(!attribute.starts_with("on") && attribute != "style", "{name}: {tag}");
            }
        }
        assert!(open.is_empty(), "{name}: still open {open:?}");
        let count = ids.len();
        for id in named {
            assert!(ids.contains(&id), "{name}: nothing has the id {id}");
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id twice");
    }
}

fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    tag.split("=\"").zip(tag.split("=\"").skip(1)).filter_map(|(before, after)| {
        let attribute = before.rsplit([' ', '"']).next()?;
        Some((attribute, after.split('"').next()?))
    })
}

/// Nothing a stranger wrote became a tag, an attribute or a link of its own.
#[test]
fn hostile_names_and_texts_stay_text() {
    for (name, page) in pages() {
        let html = page.as_str().to_ascii_lowercase();
        for bad in ["<script>", "<b>not", "javascript:", "onmouseover=\"x", "\"><b>"] {
            let allowed = bad == "javascript:"
                && html.matches(bad).count() == html.matches(">javascript:").count();
            assert!(allowed || !html.contains(bad), "{name} has {bad}");
        }
    }
}

#[test]
fn the_labels_people_and_tests_look_for() {
    let html: String = pages().iter().map(|(_, page)| page.as_str().to_owned()).collect();
    for label in [
        "for=\"uri\">Paste your posta+v1:// URI</label>",
        "type=\"submit\">Continue</button>",
        "<span>Create passkey</span></button>",
        "<span>Sign in with a passkey</span></button>",
        "type=\"submit\">Sign out</button>",
        "<nav id=\"sidebar\" aria-label=\"Conversations\">",
        "for=\"text\">Message</label>",
        "<span>Send</span></button>",
    ] {
        assert!(html.contains(label), "{label}");
    }
}

#[test]
fn an_unknown_peer_is_an_empty_thread() {
    let peer: PeerUrl = sample::peer("zoe.example");
    let scene = Scene { now: sample::now(), media: &media, contacts: &[] };
    let view = Thread {
        peer: &peer,
        is_known: true,
        contact: None,
        actor: None,
        messages: &[],
        has_older: false,
        has_newer: false,
        above: None,
        below: None,
        found: None,
        note: None,
        draft: Draft::default(),
        new_from: None,
        scene,
    };
    let html = thread::thread(&view);
    assert!(html.as_str().contains("data-from=\"0\""));
    assert!(!html.as_str().contains("data-before"));
    assert!(html.as_str().contains("Say hi"));
    let unread = thread::thread(&Thread { is_known: false, ..view });
    assert!(!unread.as_str().contains("Say hi"), "nobody knows what is there");
}
