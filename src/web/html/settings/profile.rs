//! What others see of one: a name and a picture.
use super::{Parts, form, plain};
use crate::web::html::avatar;
use crate::web::html::markup::Markup;
use crate::web::html::scene::{Person, Scene};

/// The script takes the picture's middle as a square and posts it; `#portrait` asks the device for
/// one.
pub fn section(out: &mut Markup, parts: &Parts<'_>, scene: &Scene<'_>) {
    let Some(me) = parts.me else { return };
    super::section(out, "profile", "Your name and picture", |out| {
        let person = Person { peer: &me.url, name: &me.name, avatar: me.avatar.as_deref() };
        out.el("div").class("portrait").with(|out| {
            avatar::write(out, scene, &person, "avatar-64");
            out.el("div").class("choices").with(|out| {
                out.el("form").class("with-script").with(|out| {
                    let words = if me.avatar.is_some() {
                        "Choose another picture"
                    } else {
                        "Choose a picture"
                    };
                    let button = out.el("button").class("quiet").attr("type", "button");
                    button.id("choose-portrait").text(words);
                    out.el("input")
                        .id("portrait")
                        .attr("type", "file")
                        .attr("accept", "image/*")
                        .attr("aria-label", "Your picture")
                        .attr("tabindex", "-1")
                        .flag("hidden", true)
                        .void();
                    out.el("p").class("error").attr("role", "alert").empty();
                });
                if me.avatar.is_some() {
                    form(out, "/settings/picture/remove", plain, |out| {
                        let button = out.el("button").class("quiet").attr("type", "submit");
                        button.text("Remove the picture");
                    });
                }
            });
        });
        form(out, "/settings/name", plain, |out| {
            out.el("label").attr("for", "own-name").text("Name");
            out.el("div").class("line").with(|out| {
                out.el("input")
                    .id("own-name")
                    .attr("name", "name")
                    .attr("value", &me.name)
                    .attr("maxlength", "100")
                    .attr("autocomplete", "name")
                    .attr("dir", "auto")
                    .flag("required", true)
                    .void();
                out.el("button").class("quiet").attr("type", "submit").text("Save");
            });
        });
        out.el("p").class("hint").text("Kept on your posta-server, for everybody you write to.");
    });
}
