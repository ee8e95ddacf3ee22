//! A picture that was chosen and not sent yet: it stands where one writes until it is.
use super::markup::Markup;

/// What a picture may be described with, in characters.
const MAX_ALT: &str = "300";

/// `form#attached`, hidden until the page's script shows a picture in it; `#pick` asks the device
/// for some, on a phone its camera too. Buttons say by `value` what they do.
pub fn write(out: &mut Markup) {
    out.el("input")
        .id("pick")
        .attr("type", "file")
        .attr("accept", "image/*")
        .attr("aria-label", "Pictures to send")
        .attr("tabindex", "-1")
        .flag("multiple", true)
        .flag("hidden", true)
        .void();
    let form = out.el("form").id("attached").attr("aria-label", "Picture to send");
    form.flag("hidden", true).with(|out| {
        out.el("canvas").attr("role", "img").attr("aria-label", "The picture").empty();
        out.el("div").class("about").with(|out| {
            out.el("p").class("what").empty();
            out.el("p").class("error").attr("role", "alert").empty();
            out.el("label").attr("for", "alt").text("Describe it for those who cannot see it");
            out.el("input")
                .id("alt")
                .attr("name", "alt")
                .attr("maxlength", MAX_ALT)
                .attr("dir", "auto")
                .attr("autocomplete", "off")
                .attr("enterkeyhint", "send")
                .void();
            let progress = out.el("progress").attr("max", "1").attr("value", "0");
            progress.attr("aria-label", "Sent so far").flag("hidden", true).empty();
        });
        out.el("div").class("buttons").with(|out| {
            for (value, words) in [("discard", "Discard"), ("cancel", "Cancel")] {
                let button = out.el("button").class("quiet").attr("type", "button");
                button.attr("name", "act").attr("value", value).text(words);
            }
            let smaller = out.el("button").class("primary").attr("type", "button");
            smaller.attr("name", "act").attr("value", "smaller").text("Make it smaller");
            let send = out.el("button").class("primary").attr("type", "submit");
            send.attr("name", "act").attr("value", "send").text("Send image");
        });
    });
}
