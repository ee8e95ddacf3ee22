//! Where one writes: a field that grows, Attach and Send.
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use crate::posta::PeerUrl;

/// What stands in the composer of a page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Draft<'a> {
    /// What was written and not sent.
    pub text: &'a str,
    /// A UUID v4: what makes a plain form's message one message, however often it is submitted.
    pub key: &'a str,
    /// Why it was not sent.
    pub error: &'a str,
}

/// `form#composer` with `text` and `#send-error`. A script makes a key of its own for each message;
/// `key` and `seen`, the newest row on the page, are for where there is none.
pub fn write(out: &mut Markup, peer: &PeerUrl, draft: &Draft<'_>, seen: Option<i64>) {
    let action = format!("{}/messages", peer.page());
    out.el("form")
        .id("composer")
        .attr("method", "post")
        .to("action", Href::ours(&action))
        .attr("autocomplete", "off")
        .with(|out| {
            let hidden = |out: &mut Markup, name, value: &str| {
                let field = out.el("input").attr("type", "hidden").attr("name", name);
                field.attr("value", value).void();
            };
            hidden(out, "key", draft.key);
            if let Some(row) = seen {
                hidden(out, "seen", &row.to_string());
            }
            out.el("button")
                .id("attach")
                .class("round with-script")
                .attr("type", "button")
                .attr("aria-label", "Attach a picture")
                .attr("title", "Attach a picture")
                .with(|out| icons::write(out, Icon::Attach));
            out.el("label").class("unseen").attr("for", "text").text("Message");
            out.el("textarea")
                .id("text")
                .attr("name", "text")
                .attr("rows", "1")
                .attr("dir", "auto")
                .attr("enterkeyhint", "send")
                .attr("placeholder", "Write a message")
                .attr("aria-describedby", "send-error")
                .flag("autofocus", true)
                .with(|out| {
                    // A parser drops one line break right after the tag (WHATWG HTML §13.2.6.4.7).
                    if draft.text.starts_with('\n') {
                        out.text('\n');
                    }
                    out.text(draft.text);
                });
            out.el("button").class("primary send").attr("type", "submit").with(|out| {
                icons::write(out, Icon::Send);
                out.el("span").text("Send");
            });
            let error = out.el("p").id("send-error").class("error").attr("role", "alert");
            error.text(draft.error);
        });
}
