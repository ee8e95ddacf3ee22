//! What the keyboard can do: the dialog that jumps to a conversation, and the list of keys.
//!
//! Both are drawn with the page and closed; scripts fill `#jump-list` and open them. A key that has
//! another name on a Mac carries it in `data-mac`.
use super::markup::Markup;

/// A key on a keyboard, and what a Mac calls it.
struct Cap(&'static str, Option<&'static str>);

const CTRL: Cap = Cap("Ctrl", Some("Cmd"));
const ALT: Cap = Cap("Alt", Some("Option"));

const fn cap(name: &'static str) -> Cap {
    Cap(name, None)
}

/// Everything, in the order in which one needs it.
const KEYS: &[(&str, &[&[Cap]])] = &[
    ("Jump to a conversation", &[&[CTRL, cap("K")]]),
    ("Search", &[&[cap("/")]]),
    ("Conversation above or below", &[&[ALT, cap("↑")], &[ALT, cap("↓")]]),
    ("Send", &[&[cap("Enter")]]),
    ("New line", &[&[cap("Shift"), cap("Enter")]]),
    ("Your last message: copy, retry (in an empty field)", &[&[cap("↑")]]),
    ("Back, or close what is open", &[&[cap("Esc")]]),
    ("These keys", &[&[cap("?")]]),
];

/// The entry in one's own menu.
pub fn entry(out: &mut Markup) {
    out.el("button").id("show-keys").class("with-script").attr("type", "button").text("Keyboard");
}

/// The dialogs.
pub fn write(out: &mut Markup) {
    jump(out);
    out.el("dialog").id("keys").attr("aria-labelledby", "keys-title").with(|out| {
        out.el("h2").id("keys-title").text("Keyboard");
        out.el("dl").with(|out| {
            for (does, ways) in KEYS {
                out.el("div").with(|out| {
                    out.el("dt").text(does);
                    out.el("dd").with(|out| {
                        for (at, caps) in ways.iter().enumerate() {
                            if at > 0 {
                                out.text(" or ");
                            }
                            together(out, caps);
                        }
                    });
                });
            }
        });
        out.el("p").class("hint").text("While you write, keys write.");
        out.el("form").attr("method", "dialog").with(|out| {
            let close = out.el("button").class("quiet").attr("type", "submit");
            close.flag("autofocus", true).text("Close");
        });
    });
}

fn together(out: &mut Markup, caps: &[Cap]) {
    for (at, Cap(name, mac)) in caps.iter().enumerate() {
        if at > 0 {
            out.text(" + ");
        }
        out.el("kbd").attr_some("data-mac", *mac).text(name);
    }
}

/// A combobox whose list is always open (WAI-ARIA Authoring Practices, “Combobox”).
fn jump(out: &mut Markup) {
    out.el("dialog").id("jump").attr("aria-labelledby", "jump-title").with(|out| {
        out.el("h2").id("jump-title").class("unseen").text("Jump to a conversation");
        out.el("label").class("unseen").attr("for", "jump-field").text("Name or address");
        out.el("input")
            .id("jump-field")
            .attr("type", "text")
            .attr("role", "combobox")
            .attr("aria-autocomplete", "list")
            .attr("aria-expanded", "true")
            .attr("aria-controls", "jump-list")
            .attr("autocapitalize", "none")
            .attr("autocomplete", "off")
            .attr("spellcheck", "false")
            .attr("enterkeyhint", "go")
            .attr("placeholder", "Name or address")
            .flag("autofocus", true)
            .void();
        out.el("ul")
            .id("jump-list")
            .attr("role", "listbox")
            .attr("aria-labelledby", "jump-title")
            .empty();
        out.el("p").id("jump-count").class("hint").attr("role", "status").empty();
        // For fingers and for whoever does not know Esc.
        out.el("form").attr("method", "dialog").with(|out| {
            out.el("button").class("quiet").attr("type", "submit").text("Close");
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_call_some_keys_otherwise() {
        let mut out = Markup::new();
        write(&mut out);
        let html = out.as_str();
        assert!(html.contains("<kbd data-mac=\"Cmd\">Ctrl</kbd> + <kbd>K</kbd>"));
        assert!(html.contains("<kbd data-mac=\"Option\">Alt</kbd> + <kbd>↑</kbd> or <kbd"));
    }
}
