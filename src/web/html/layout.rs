//! The page around everything: head, the two columns, the card.
use super::banner::{self, Health};
use super::href::Href;
use super::keyboard;
use super::markup::Markup;
use super::noscript;
use super::sidebar::{self, Sidebar};
use crate::web::assets;

/// Nothing is injected into the page, nothing is evaluated; an answer that is an error is never
/// swapped in (scripts say what went wrong), and fields keep the focus they have.
const HTMX: &str = "{\"includeIndicatorCSS\":false,\"noSwap\":[204,304,\"4xx\",\"5xx\"],\
                    \"defaultFocusScroll\":false,\"mode\":\"same-origin\"}";

/// The browser's own bars take the page's ground; the same values as `--paper` in tokens.css.
pub const GROUNDS: [(&str, &str); 2] =
    [("(prefers-color-scheme: light)", "#f7f1e3"), ("(prefers-color-scheme: dark)", "#14171c")];

/// Fetched at once, since every page shows them at first sight.
const FONTS: [&str; 2] =
    ["fonts/ibm-plex-sans-latin-400-normal.woff2", "fonts/crimson-pro-latin-600-normal.woff2"];

/// Under the notch too (the style sheet keeps clear of it); the keyboard shrinks the page.
const VIEWPORT: &str =
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content";

/// The modules of a chat page, its entry first.
const CHAT: &[&str] = &[
    "app.js",
    "actions.js",
    "announcer.js",
    "attached.js",
    "ask.js",
    "composer.js",
    "contacts.js",
    "conversation.js",
    "copy.js",
    "drafts.js",
    "focus.js",
    "health.js",
    "history.js",
    "jump.js",
    "keys.js",
    "live.js",
    "local-time.js",
    "match.js",
    "metadata.js",
    "navigation.js",
    "new.js",
    "outbox.js",
    "pairing.js",
    "passkey.js",
    "picture.js",
    "pictures.js",
    "portrait.js",
    "preferences.js",
    "queue.js",
    "refresh.js",
    "scroll.js",
    "session.js",
    "settings.js",
    "thread.js",
    "told.js",
    "turns.js",
    "version.js",
    "waiting.js",
];
/// The modules of sign-in and sign-up, their entry first.
const AUTH: &[&str] = &["auth.js", "ask.js", "local-time.js", "pairing.js", "passkey.js"];

/// The whole chat page. `main` is the inner part of `#main`.
pub struct Page<'a> {
    /// What the title bar says before “chat-posta”; empty for the inbox.
    pub title: &'a str,
    /// Under which name its browser keeps what is half written, also when the posta-server is away.
    pub account: &'a str,
    pub sidebar: &'a Sidebar<'a>,
    pub health: Health,
    pub main: Markup,
}

pub fn page(page: &Page<'_>) -> Markup {
    let head = Head {
        title: page.title,
        styles: &[
            "tokens.css",
            "base.css",
            "chat.css",
            "sidebar.css",
            "search.css",
            "thread.css",
            "bubble.css",
            "attached.css",
            "people.css",
            "settings.css",
            "pairing.css",
            "keyboard.css",
            "night.css",
        ],
        scripts: CHAT,
        htmx: true,
    };
    document(&head, |out| {
        out.el("a").class("skip").to("href", Href::here("#main")).text("Skip to the conversation");
        out.el("div").id("progress").attr("aria-hidden", "true").empty();
        out.el("div").id("banners").with(|out| {
            noscript::banner(out);
            banner::write(out, page.health);
        });
        out.el("div").id("app").attr("data-account", page.account).with(|out| {
            out.el("nav")
                .id("sidebar")
                .attr("aria-label", "Conversations")
                .with(|out| out.add(&sidebar::sidebar(page.sidebar)));
            // Back and forward load through it: the last of them wins, however fast they come.
            let main = out.el("main").id("main").attr("tabindex", "-1");
            main.attr("hx-sync", "this:replace").with(|out| out.add(&page.main));
        });
        out.el("p").id("status").class("unseen").attr("role", "status").empty();
        keyboard::write(out);
    })
}

/// What is largest on a card: the wordmark itself, or the heading the page brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Top {
    Wordmark,
    Page,
}

/// What runs on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    None,
    /// Sign-in and sign-up.
    Passkeys,
    /// Looks whether the service can be reached again.
    Offline,
}

/// A page that is one card: sign-in, sign-up, errors.
pub fn card(title: &str, top: Top, script: Script, inside: impl FnOnce(&mut Markup)) -> Markup {
    let head = Head {
        title,
        styles: &["tokens.css", "base.css", "card.css", "pairing.css", "night.css"],
        scripts: match script {
            Script::None => &[],
            Script::Passkeys => AUTH,
            Script::Offline => &["offline.js"],
        },
        htmx: false,
    };
    document(&head, |out| {
        out.el("main").id("card").with(|out| {
            out.el(if top == Top::Wordmark { "h1" } else { "p" }).class("wordmark").text(NAME);
            inside(out);
        });
    })
}

/// `<title>`, in a head or alone at the beginning of a fragment.
pub fn title(out: &mut Markup, title: &str) {
    out.el("title").with(|out| {
        if !title.is_empty() {
            out.text(title);
            out.text(" · ");
        }
        out.text(NAME);
    });
}

const NAME: &str = "chat-posta";

struct Head<'a> {
    title: &'a str,
    styles: &'a [&'static str],
    /// An ES module, and all that it imports.
    scripts: &'static [&'static str],
    htmx: bool,
}

fn document(head: &Head<'_>, body: impl FnOnce(&mut Markup)) -> Markup {
    let mut out = Markup::new();
    out.trusted_literal("<!doctype html>");
    out.el("html").attr("lang", "en").with(|out| {
        out.el("head").with(|out| {
            out.el("meta").attr("charset", "utf-8").void();
            title(out, head.title);
            let meta = [
                ("viewport", VIEWPORT),
                ("color-scheme", "light dark"),
                ("referrer", "same-origin"),
            ];
            for (name, content) in meta {
                out.el("meta").attr("name", name).attr("content", content).void();
            }
            for (media, ground) in GROUNDS {
                out.el("meta")
                    .attr("name", "theme-color")
                    .attr("media", media)
                    .attr("content", ground)
                    .void();
            }
            files(out, head);
        });
        out.el("body").with(body);
    });
    out
}

fn files(out: &mut Markup, head: &Head<'_>) {
    let own = |name| Href::ours(assets::url(name));
    for font in FONTS {
        out.el("link")
            .attr("rel", "preload")
            .to("href", own(font))
            .attr("as", "font")
            .attr("type", "font/woff2")
            .attr("crossorigin", "anonymous")
            .void();
    }
    for &style in head.styles {
        let link = out.el("link").attr("rel", "stylesheet").to("href", own(style));
        match style {
            "night.css" => link.id("night").attr("media", GROUNDS[1].0).void(),
            _ => link.void(),
        }
    }
    out.el("script").to("src", own("theme.js")).empty();
    out.el("noscript").with(|out| {
        out.el("link").attr("rel", "stylesheet").to("href", own("no-script.css")).void();
    });
    let icon = out.el("link").attr("rel", "icon").attr("type", "image/svg+xml");
    icon.to("href", own("icon.svg")).void();
    out.el("link").attr("rel", "apple-touch-icon").to("href", own("icon-180.png")).void();
    out.el("link").attr("rel", "manifest").to("href", Href::ours("/manifest.webmanifest")).void();
    if head.htmx {
        out.el("meta").attr("name", "htmx-config").attr("content", HTMX).void();
        out.el("script").to("src", own("htmx.min.js")).flag("defer", true).empty();
    }
    if let Some((entry, imported)) = head.scripts.split_first() {
        // Fetched together, rather than one after another as each names the next.
        for module in imported {
            out.el("link").attr("rel", "modulepreload").to("href", own(module)).void();
        }
        // Days, times and the place in the thread are the script's: nothing is shown before.
        let script = out.el("script").attr("type", "module").to("src", own(entry));
        script.attr("blocking", "render").empty();
    }
}

#[cfg(test)]
mod tests {
    use super::{AUTH, CHAT};
    use std::collections::BTreeSet;

    #[test]
    fn every_module_a_page_imports_is_named_in_its_head() {
        for modules in [CHAT, AUTH] {
            let mut imported = BTreeSet::from([modules[0].to_owned()]);
            let mut unread = vec![modules[0].to_owned()];
            while let Some(module) = unread.pop() {
                let path = format!("{}/www/{module}", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(path).expect("a module of ours");
                for line in text.lines().filter(|line| line.starts_with("import ")) {
                    let name = line.split("\"./").nth(1).and_then(|rest| rest.split('"').next());
                    let name = name.expect("modules are imported by relative path").to_owned();
                    if imported.insert(name.clone()) {
                        unread.push(name);
                    }
                }
            }
            let named: BTreeSet<String> = modules.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(imported, named);
        }
    }
}
