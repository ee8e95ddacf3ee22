//! The passkeys that open this account.
use super::{Parts, at, authenticators};
use crate::ops::encode;
use crate::store::PasskeyRow;
use crate::web::html::icons::{self, Icon};
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "passkeys", "Passkeys", |out| {
        out.el("p").class("hint").text(
            "Each of these opens your account. With two of them, losing a device is no misfortune.",
        );
        out.el("ul").class("rows").with(|out| {
            for passkey in parts.passkeys {
                let id = encode::b64url(&passkey.credential_id);
                out.el("li").id(format_args!("passkey-{id}")).with(|out| row(out, passkey));
            }
        });
    });
}

/// What its owner calls it, or else its authenticator's name.
fn called(passkey: &PasskeyRow) -> &str {
    match passkey.name.trim() {
        "" => authenticators::name(&passkey.aaguid),
        name => name,
    }
}

fn row(out: &mut Markup, passkey: &PasskeyRow) {
    icons::write(out, Icon::Passkey);
    out.el("div").class("what").with(|out| {
        out.el("p").class("name").with(|out| out.el("bdi").text(called(passkey)));
        out.el("p").class("fine").with(|out| {
            out.text(match (passkey.backup_eligible, passkey.backed_up) {
                (true, true) => "Synced between your devices",
                (true, false) => "Not synced yet",
                (false, _) => "On one device only",
            });
            at(out, " · created ", passkey.created_ms);
            at(out, " · last used ", passkey.used_ms);
        });
    });
}
