//! The end of the account.
use super::{Parts, disclosure, form, touching};
use crate::web::html::markup::{Element, Markup};

pub fn section(out: &mut Markup, _: &Parts<'_>) {
    super::section(out, "account", "Your account here", |out| {
        disclosure(out, "Delete my account", false, |out| {
            out.el("ul").class("points").with(|out| {
                for words in [
                    "What goes: your account on this service with its sealed token, your passkeys \
                     for it, and every sign-in. What you typed and have not sent goes too.",
                    "What stays: your messages, your contacts and your profile. They are on your \
                     own posta-server and were never kept here.",
                    "What is left to do: revoke this service's token on your posta-server. Your \
                     device may still offer the passkeys until you delete them there.",
                ] {
                    let (head, rest) = words.split_once(':').unwrap_or((words, ""));
                    out.el("li").with(|out| {
                        out.el("b").text(head);
                        out.text(":");
                        out.text(rest);
                    });
                }
            });
            form(out, "/settings/delete", leaving, |out| {
                let button = out.el("button").class("danger").attr("type", "submit");
                button.text("Delete my account for good");
            });
        });
    });
}

/// With its last step the session is over.
fn leaving(form: Element<'_>) -> Element<'_> {
    touching(form).flag("data-leaves", true)
}
