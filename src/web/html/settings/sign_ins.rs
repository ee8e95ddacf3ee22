//! Where one is signed in.
use super::{Parts, at, form, hidden, plain};
use crate::session::SignIn;
use crate::web::html::markup::Markup;

pub fn section(out: &mut Markup, parts: &Parts<'_>) {
    super::section(out, "sign-ins", "Sign-ins", |out| {
        out.el("ul").class("rows").with(|out| {
            for sign_in in parts.sign_ins {
                out.el("li").with(|out| row(out, parts, sign_in));
            }
        });
        if parts.sign_ins.len() > 1 {
            end_others(out);
        } else {
            out.el("p").class("hint").text("You are signed in nowhere else.");
        }
    });
}

pub fn end_others(out: &mut Markup) {
    let button = |out: &mut Markup| {
        out.el("button").class("quiet").attr("type", "submit").text("End all other sign-ins");
    };
    form(out, "/settings/sign-ins/end-others", plain, button);
}

fn row(out: &mut Markup, parts: &Parts<'_>, sign_in: &SignIn) {
    let is_this = sign_in.id == parts.this;
    out.el("div").class("what").with(|out| {
        out.el("p").class("name").with(|out| {
            out.text(&sign_in.agent);
            if is_this {
                out.el("span").class("mark").text("This one");
            }
        });
        out.el("p").class("fine").with(|out| {
            at(out, parts, "Signed in ", sign_in.created_ms);
            at(out, parts, " · last active ", sign_in.active_ms);
        });
    });
    if !is_this {
        let inside = |out: &mut Markup| {
            hidden(out, "id", &sign_in.id);
            out.el("button").class("quiet").attr("type", "submit").with(|out| {
                out.text("End");
                out.el("span").class("unseen").text(format_args!(": {}", sign_in.agent));
            });
        };
        form(out, "/settings/sign-ins/end", plain, inside);
    }
}
