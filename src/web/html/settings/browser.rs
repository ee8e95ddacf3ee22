//! What is chosen for this browser alone, and kept in it: the script reads and writes it.
use crate::web::html::markup::Markup;

const THEMES: [(&str, &str); 3] =
    [("system", "Like this device"), ("light", "Light"), ("dark", "Dark")];

/// What the page may do when something new comes: name, words and what they mean.
const TELLING: [(&str, &str, &str); 2] = [
    (
        "notify",
        "Show notifications",
        "While this page is open and you look at something else. They show who wrote, and what.",
    ),
    ("sound", "Play a quiet sound", "When a message comes that you are not looking at."),
];

pub fn section(out: &mut Markup) {
    super::section(out, "browser", "In this browser", |out| {
        out.el("fieldset").class("with-script").with(|out| {
            out.el("legend").text("Appearance");
            out.el("div").class("choices").with(|out| {
                for (value, words) in THEMES {
                    out.el("label").class("choice").with(|out| {
                        let radio = out.el("input").attr("type", "radio").attr("name", "theme");
                        radio.attr("value", value).void();
                        out.text(words);
                    });
                }
            });
        });
        for (name, words, meaning) in TELLING {
            out.el("div").class("with-script option").attr("data-option", name).with(|out| {
                out.el("label").class("choice").with(|out| {
                    let id = format_args!("{name}-means");
                    let check = out.el("input").attr("type", "checkbox").attr("name", name);
                    check.attr("aria-describedby", id).void();
                    out.text(words);
                });
                out.el("p").id(format_args!("{name}-means")).class("hint").text(meaning);
                out.el("p").class("error").attr("role", "alert").empty();
            });
        }
        out.el("noscript").with(|out| {
            out.el("p").class("hint").text("These choices need JavaScript.");
        });
    });
}
