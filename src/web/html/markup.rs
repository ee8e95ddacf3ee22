//! The only way text becomes markup.
//!
//! A [`Markup`] is one growing buffer. Every string that can differ between two runs enters it
//! through [`Markup::text`] or an attribute of [`Element`], and both escape `& < > " '`, always.
//! Tags and attribute names are literals of ours. What is not escaped needs the longest name here,
//! [`Markup::trusted_literal`], and takes only a `&'static str`.
//!
//! Escaping cannot make `javascript:` harmless in a link, so attributes that lead somewhere take an
//! [`Href`], which cannot be made from such a thing.
use super::href::Href;
use std::fmt::{self, Display, Write};

/// Finished markup: safe to send, or to put inside other markup.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Markup(String);

impl Markup {
    pub fn new() -> Self {
        Markup(String::new())
    }

    #[cfg(test)]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// Opens an element: attributes follow, then exactly one of [`Element::text`],
    /// [`Element::with`], [`Element::empty`] and [`Element::void`].
    pub fn el(&mut self, tag: &'static str) -> Element<'_> {
        self.0.push('<');
        self.0.push_str(tag);
        Element { out: self, tag }
    }

    /// Adds text, escaped.
    pub fn text(&mut self, value: impl Display) {
        // Writing to a String cannot fail; a Display that fails by itself is cut short.
        let _ = write!(Escaping(&mut self.0), "{value}");
    }

    /// Adds markup that is already safe.
    pub fn add(&mut self, markup: &Markup) {
        self.0.push_str(&markup.0);
    }

    /// Adds a literal of ours as it stands (the doctype, the drawn icons).
    pub fn trusted_literal(&mut self, literal: &'static str) {
        self.0.push_str(literal);
    }
}

/// An element whose start tag is still open.
#[must_use = "an element must be closed with text, with, empty or void"]
pub struct Element<'a> {
    out: &'a mut Markup,
    tag: &'static str,
}

impl Element<'_> {
    pub fn attr(self, name: &'static str, value: impl Display) -> Self {
        debug_assert!(
            !matches!(name, "href" | "src" | "action" | "formaction" | "hx-get" | "hx-post"),
            "{name} leads somewhere: use Element::to"
        );
        debug_assert!(!name.starts_with("on") && name != "style", "{name} is inline code or style");
        self.put(name, value)
    }

    pub fn id(self, value: impl Display) -> Self {
        self.put("id", value)
    }

    pub fn class(self, value: impl Display) -> Self {
        self.put("class", value)
    }

    /// An attribute that is there only when there is a value.
    pub fn attr_some(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// An attribute without a value (`hidden`, `autofocus`), there or not.
    pub fn flag(self, name: &'static str, there: bool) -> Self {
        if there {
            self.out.0.push(' ');
            self.out.0.push_str(name);
        }
        self
    }

    /// An attribute that leads somewhere: `href`, `src`, `action`, `hx-get`, `hx-post`.
    pub fn to(self, name: &'static str, target: Href<'_>) -> Self {
        self.put(name, target.as_str())
    }

    fn put(self, name: &'static str, value: impl Display) -> Self {
        self.out.0.push(' ');
        self.out.0.push_str(name);
        self.out.0.push_str("=\"");
        self.out.text(value);
        self.out.0.push('"');
        self
    }

    /// The element holds this text, escaped.
    pub fn text(self, value: impl Display) {
        self.with(|out| out.text(value));
    }

    /// The element holds what `inside` adds.
    pub fn with(self, inside: impl FnOnce(&mut Markup)) {
        let Element { out, tag } = self;
        out.0.push('>');
        inside(out);
        out.0.push_str("</");
        out.0.push_str(tag);
        out.0.push('>');
    }

    /// The element holds nothing, but could.
    pub fn empty(self) {
        self.with(|_| ());
    }

    /// The element cannot hold anything (`input`, `img`, `meta`, `link`).
    pub fn void(self) {
        self.out.0.push('>');
    }
}

/// Escapes what is written through it.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.0.push_str(&rest[..at]);
            self.0.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_escape_always() {
        let hostile = "\"><script>alert('x' & 1)</script>";
        let escaped = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39; &amp; 1)&lt;/script&gt;";
        let mut out = Markup::new();
        out.el("p").id(hostile).class(hostile).attr("title", hostile).text(hostile);
        let expected =
            format!("<p id=\"{escaped}\" class=\"{escaped}\" title=\"{escaped}\">{escaped}</p>");
        assert_eq!(out.as_str(), expected);
    }

    #[test]
    fn escaping_is_not_undone_by_escaping_again() {
        let mut out = Markup::new();
        out.text("&lt;b&gt; &amp;amp;");
        assert_eq!(out.as_str(), "&amp;lt;b&amp;gt; &amp;amp;amp;");
    }

    #[test]
    fn elements_nest_and_close() {
        let mut out = Markup::new();
        out.el("ul").flag("hidden", true).flag("open", false).with(|out| {
            for n in 1..=2 {
                out.el("li").attr_some("data-n", (n > 1).then_some(n)).text(n);
            }
            out.el("br").void();
            out.el("i").empty();
        });
        assert_eq!(out.as_str(), "<ul hidden><li>1</li><li data-n=\"2\">2</li><br><i></i></ul>");
    }

    #[test]
    #[should_panic(expected = "leads somewhere")]
    fn a_link_is_not_a_plain_attribute() {
        Markup::new().el("a").attr("href", "javascript:alert(1)").empty();
    }
}
