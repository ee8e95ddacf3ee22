//! The passkeys that open this account.
use super::{Parts, act, at, authenticators, form, hidden, plain, sign_ins, touching};
use crate::ops::encode;
use crate::store::PasskeyRow;
use crate::web::html::icons::{self, Icon};
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "passkeys", "Passkeys", |out| {
        out.el("p").class("hint").text(
            "Each of these opens your account. With two of them, losing a device is no misfortune.",
        );
        let is_only = parts.passkeys.len() == 1;
        out.el("ul").class("rows").with(|out| {
            for passkey in parts.passkeys {
                let id = encode::b64url(&passkey.credential_id);
                out.el("li")
                    .id(format_args!("passkey-{id}"))
                    .with(|out| row(out, parts, passkey, &id));
            }
        });
        if is_only {
            out.el("p")
                .class("hint")
                .text("This is your only passkey, so it can't be removed. Add another one first.");
        }
        if parts.sign_ins.len() > 1 {
            out.el("div").id("offer-end-others").class("said").flag("hidden", true).with(|out| {
                out.el("p").text(
                    "Whoever signed in with that passkey before is still signed in. If that may \
                     be somebody else, end those sign-ins too.",
                );
                sign_ins::end_others(out);
            });
        }
        add(out);
    });
}

/// What its owner calls it, or else its authenticator's name.
fn called(passkey: &PasskeyRow) -> &str {
    match passkey.name.trim() {
        "" => authenticators::name(&passkey.aaguid),
        name => name,
    }
}

fn row(out: &mut Markup, parts: &Parts<'_>, passkey: &PasskeyRow, id: &str) {
    icons::write(out, Icon::Passkey);
    out.el("div").class("what").with(|out| {
        out.el("p").class("name").with(|out| out.el("bdi").text(called(passkey)));
        out.el("p").class("fine").with(|out| {
            out.text(match (passkey.backup_eligible, passkey.backed_up) {
                (true, true) => "Synced between your devices",
                (true, false) => "Not synced yet",
                (false, _) => "On one device only",
            });
            at(out, parts, " · created ", passkey.created_ms);
            at(out, parts, " · last used ", passkey.used_ms);
        });
    });
    act(out, "Rename", called(passkey), |out| rename(out, passkey, id));
    if parts.passkeys.len() > 1 {
        act(out, "Remove", called(passkey), |out| remove(out, id));
    }
}

fn rename(out: &mut Markup, passkey: &PasskeyRow, id: &str) {
    form(out, "/settings/passkeys/rename", plain, |out| {
        hidden(out, "id", id);
        let field = format!("name-{id}");
        out.el("label").attr("for", &field).text("Name");
        out.el("input")
            .id(&field)
            .attr("name", "name")
            .attr("type", "text")
            .attr("maxlength", "60")
            .attr("autocomplete", "off")
            .attr("placeholder", authenticators::name(&passkey.aaguid))
            .attr("value", &passkey.name)
            .void();
        out.el("button").class("primary").attr("type", "submit").text("Save name");
    });
}

fn remove(out: &mut Markup, id: &str) {
    form(out, "/settings/passkeys/remove", touching, |out| {
        hidden(out, "id", id);
        out.el("p").class("hint").text(
            "It will open nothing here any more, on any device. You confirm with a passkey, this \
             one or another.",
        );
        out.el("button").class("danger").attr("type", "submit").text("Remove this passkey");
    });
}

fn add(out: &mut Markup) {
    out.el("div").class("choices").with(|out| {
        for (place, words) in
            [("here", "Add a passkey"), ("elsewhere", "Add one on another device")]
        {
            form(out, "/settings/passkeys/add", touching, |out| {
                hidden(out, "where", place);
                out.el("button").class("quiet").attr("type", "submit").text(words);
            });
        }
    });
    out.el("p").class("hint").text(
        "You will be asked up to three times: to confirm that it is you, to create the passkey, \
         and to try it.",
    );
    out.el("noscript").with(|out| {
        out.el("p").class("error").text("Passkeys need JavaScript, which is switched off here.");
    });
}
