//! The page around everything: head, the two columns, the card.
use super::banner::{self, Health};
use super::href::Href;
use super::markup::Markup;
use super::sidebar::{self, Sidebar};
use crate::web::assets;

/// Nothing is injected into the page, nothing is evaluated; an answer that is an error is never
/// swapped in (scripts say what went wrong), and fields keep the focus they have.
const HTMX: &str = "{\"includeIndicatorCSS\":false,\"noSwap\":[204,304,\"4xx\",\"5xx\"],\
                    \"defaultFocusScroll\":false,\"mode\":\"same-origin\"}";

/// The browser's own bars take the page's ground; the same values as `--paper` in tokens.css.
pub(super) const GROUNDS: [(&str, &str); 2] =
    [("(prefers-color-scheme: light)", "#f7f1e3"), ("(prefers-color-scheme: dark)", "#14171c")];

/// Fetched at once, since every page shows them at first sight.
const FONTS: [&str; 2] =
    ["fonts/ibm-plex-sans-latin-400-normal.woff2", "fonts/crimson-pro-latin-600-normal.woff2"];

/// Under the notch too (the style sheet keeps clear of it); the keyboard shrinks the page.
const VIEWPORT: &str =
    "width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content";

/// The whole chat page. `main` is the inner part of `#main`.
pub struct Page<'a> {
    /// What the title bar says before “chat-posta”; empty for the inbox.
    pub title: &'a str,
    pub sidebar: &'a Sidebar<'a>,
    pub health: Health,
    pub main: Markup,
}

pub fn page(page: &Page<'_>) -> Markup {
    let head = Head {
        title: page.title,
        styles: &["tokens.css", "base.css", "chat.css", "sidebar.css", "thread.css", "bubble.css"],
        script: Some("app.js"),
        htmx: true,
    };
    document(&head, |out| {
        out.el("div").id("progress").attr("aria-hidden", "true").empty();
        out.el("div").id("banners").with(|out| banner::write(out, page.health));
        out.el("div").id("app").with(|out| {
            out.el("nav")
                .id("sidebar")
                .attr("aria-label", "Conversations")
                .with(|out| out.add(&sidebar::sidebar(page.sidebar)));
            out.el("main").id("main").with(|out| out.add(&page.main));
        });
    })
}

/// What is largest on a card: the wordmark itself, or the heading the page brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Top {
    Wordmark,
    Page,
}

/// A page that is one card: sign-in, sign-up, errors. Where passkeys are used, `auth.js` runs.
pub fn card(title: &str, top: Top, passkeys: bool, inside: impl FnOnce(&mut Markup)) -> Markup {
    let head = Head {
        title,
        styles: &["tokens.css", "base.css", "card.css"],
        script: passkeys.then_some("auth.js"),
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
    /// An ES module.
    script: Option<&'static str>,
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
    for style in head.styles {
        out.el("link").attr("rel", "stylesheet").to("href", own(style)).void();
    }
    let icon = out.el("link").attr("rel", "icon").attr("type", "image/svg+xml");
    icon.to("href", own("icon.svg")).void();
    if head.htmx {
        out.el("meta").attr("name", "htmx-config").attr("content", HTMX).void();
        out.el("script").to("src", own("htmx.min.js")).flag("defer", true).empty();
    }
    if let Some(script) = head.script {
        out.el("script").attr("type", "module").to("src", own(script)).empty();
    }
}
