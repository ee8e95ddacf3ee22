//! How a message fares: what stands beside its bubble, and what is said under it when it failed.
use super::cluster::Place;
use super::href::Href;
use super::icons::{self, Icon};
use super::markup::Markup;
use super::scene::host;
use super::when;
use crate::ops::time::Timestamp;
use crate::posta::{Direction, Message, PeerUrl, State};

/// The time of a cluster's first bubble and the state of its last outbound one.
pub fn beside(out: &mut Markup, message: &Message, place: Place, now: Timestamp) {
    let at = message.created_at.filter(|_| place.first);
    let state = message.state.filter(|_| place.last && message.direction == Direction::Outbound);
    if at.is_none() && state.is_none() {
        return;
    }
    out.el("p").class("beside").with(|out| {
        if let Some(at) = at {
            when::clock(out, at, now);
        }
        if let Some(state) = state {
            let (icon, class, words) = drawn(state);
            let code = message.last_error_code.as_deref().filter(|code| !code.is_empty());
            out.el("span")
                .class(format_args!("state {class}"))
                .attr("title", code.unwrap_or(words))
                .with(|out| {
                    icons::write(out, icon);
                    out.el("span").class("unseen").text(words);
                });
        }
    });
}

fn drawn(state: State) -> (Icon, &'static str, &'static str) {
    match state {
        State::Pending => (Icon::Clock, "pending", "Waiting to be sent"),
        State::Sending => (Icon::Clock, "sending", "Being sent"),
        State::Delivered => (Icon::Check, "delivered", "Delivered"),
        State::FailedPermanent => (Icon::Triangle, "failed-permanent", "Not delivered"),
        State::FailedPendingUser => (Icon::Triangle, "failed-pending-user", "Not delivered yet"),
    }
}

/// Why a message failed, in words, and the button where trying again can help.
pub fn trouble(out: &mut Markup, message: &Message) {
    let again = match message.state {
        Some(State::FailedPermanent) => false,
        Some(State::FailedPendingUser) => true,
        _ => return,
    };
    let path = format!("/messages/{}/retry", message.row_id);
    out.el("div").class(if again { "trouble again" } else { "trouble" }).with(|out| {
        out.el("p").with(|out| {
            out.text(if again { "Not delivered yet: " } else { "Not delivered: " });
            reason(out, &message.peer, message.last_error_code.as_deref().unwrap_or(""));
        });
        if again {
            out.el("form")
                .class("retry")
                .attr("method", "post")
                .to("action", Href::ours(&path))
                .to("hx-post", Href::ours(&path))
                .attr("hx-swap", "none")
                .with(|out| {
                    // A plain form comes back to the thread it stands in.
                    let peer = out.el("input").attr("type", "hidden").attr("name", "peer");
                    peer.attr("value", message.peer.display()).void();
                    out.el("button").class("quiet").attr("type", "submit").text("Retry");
                });
        }
    });
}

/// The posta wire protocol's refusals, as one would say them.
fn reason(out: &mut Markup, peer: &PeerUrl, code: &str) {
    let words = match code {
        "forbidden" => " does not take messages from you.",
        "not-found" => " is not known at that address.",
        "gone" => " is not there any more.",
        "wrong-recipient" => " is served by another host now.",
        "unknown-key" | "bad-signature" => " could not verify that it was from you.",
        "duplicate-id" => " already has a message with this id.",
        "rate-limited" => " asked to slow down.",
        "unreachable" | "timeout" | "dns" | "connect" => " could not be reached.",
        "internal" => " had a fault of its own.",
        "" => " did not take it.",
        _ => "",
    };
    if words.is_empty() {
        out.text("the other side said ");
        out.el("code").text(code);
        out.text(".");
    } else {
        out.el("bdi").text(host(peer));
        out.text(words);
    }
}
