//! The only way text becomes markup.
//!
//! A [`Markup`] is one growing buffer. Every string that can differ between two runs enters it
//! through [`Markup::text`] or an attribute of [`Element`], and both escape `& < > " '`, always.
//! Tags and attribute names are literals of ours. What is not escaped needs the longest name here,
//! [`Markup::trusted_literal`], and takes only a `&'static str`.
//!
//! Escaping cannot make `javascript:` harmless in a link, so attributes that lead somewhere take an
//! [`Href`], which cannot be made from such a thing.
//!
//! Pages are a thousand calls of these functions. So an element fits a register, each step is one
//! call with nothing inlined, and text that is a `str` takes no detour through `fmt`: that is a
//! seventh of all code of `web`, and quicker.
use super::href::Href;
use std::borrow::Cow;
use std::fmt::{self, Arguments, Write};

/// Finished markup: safe to send, or to put inside other markup.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Markup {
    written: String,
    /// Elements that are not closed yet.
    open: Vec<&'static str>,
}

impl Markup {
    pub fn new() -> Self {
        Markup::default()
    }

    #[cfg(test)]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.written.into_bytes()
    }

    /// Opens an element: attributes follow, then exactly one of [`Element::text`],
    /// [`Element::with`], [`Element::empty`] and [`Element::void`].
    #[inline(never)]
    pub fn el(&mut self, tag: &'static str) -> Element<'_> {
        self.written.push('<');
        self.written.push_str(tag);
        self.open.push(tag);
        Element(self)
    }

    /// Adds text, escaped.
    pub fn text(&mut self, value: impl Words) {
        value.write(self);
    }

    /// Adds markup that is already safe.
    #[inline(never)]
    pub fn add(&mut self, markup: &Markup) {
        self.written.push_str(&markup.written);
    }

    /// Adds a literal of ours as it stands (the doctype, the drawn icons).
    #[inline(never)]
    pub fn trusted_literal(&mut self, literal: &'static str) {
        self.written.push_str(literal);
    }

    #[inline(never)]
    fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.written.push_str("</");
            self.written.push_str(tag);
            self.written.push('>');
        }
    }

    #[inline(never)]
    fn escape(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            self.written.push_str(&rest[..at]);
            self.written.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            });
            rest = &rest[at + 1..];
        }
        self.written.push_str(rest);
    }

    #[inline(never)]
    fn escape_parts(&mut self, parts: Arguments<'_>) {
        // Writing to a String cannot fail; a Display that fails by itself is cut short.
        let _ = Escaping(self).write_fmt(parts);
    }

    #[inline(never)]
    fn begin_attribute(&mut self, name: &'static str) {
        self.written.push(' ');
        self.written.push_str(name);
        self.written.push_str("=\"");
    }

    #[inline(never)]
    fn end_attribute(&mut self) {
        self.written.push('"');
    }

    #[inline(never)]
    fn attribute(&mut self, name: &'static str, value: &str) {
        self.begin_attribute(name);
        self.escape(value);
        self.end_attribute();
    }

    #[inline(never)]
    fn begin_inside(&mut self) {
        self.written.push('>');
    }
}

/// An element whose start tag is still open.
#[must_use = "an element must be closed with text, with, empty or void"]
pub struct Element<'a>(&'a mut Markup);

impl Element<'_> {
    pub fn attr(self, name: &'static str, value: impl Words) -> Self {
        debug_assert!(
            !matches!(name, "href" | "src" | "action" | "formaction" | "hx-get" | "hx-post"),
            "{name} leads somewhere: use Element::to"
        );
        debug_assert!(!name.starts_with("on") && name != "style", "{name} is inline code or style");
        value.attribute(name, self.0);
        self
    }

    pub fn id(self, value: impl Words) -> Self {
        value.attribute("id", self.0);
        self
    }

    pub fn class(self, value: impl Words) -> Self {
        value.attribute("class", self.0);
        self
    }

    /// An attribute that is there only when there is a value.
    pub fn attr_some(self, name: &'static str, value: Option<impl Words>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// An attribute without a value (`hidden`, `autofocus`), there or not.
    #[inline(never)]
    pub fn flag(self, name: &'static str, there: bool) -> Self {
        if there {
            self.0.written.push(' ');
            self.0.written.push_str(name);
        }
        self
    }

    /// An attribute that leads somewhere: `href`, `src`, `action`, `hx-get`, `hx-post`.
    pub fn to(self, name: &'static str, target: Href<'_>) -> Self {
        self.0.attribute(name, target.as_str());
        self
    }

    /// The element holds this text, escaped.
    pub fn text(self, value: impl Words) {
        self.0.begin_inside();
        value.write(self.0);
        self.0.close();
    }

    /// The element holds what `inside` adds.
    pub fn with(self, inside: impl FnOnce(&mut Markup)) {
        self.0.begin_inside();
        inside(self.0);
        self.0.close();
    }

    /// The element holds nothing, but could.
    #[inline(never)]
    pub fn empty(self) {
        self.0.begin_inside();
        self.0.close();
    }

    /// The element cannot hold anything (`input`, `img`, `meta`, `link`).
    #[inline(never)]
    pub fn void(self) {
        self.0.begin_inside();
        self.0.open.pop();
    }
}

/// What can be text, or an attribute's value: always escaped.
pub trait Words: Sized {
    fn write(self, out: &mut Markup);

    fn attribute(self, name: &'static str, out: &mut Markup) {
        out.begin_attribute(name);
        self.write(out);
        out.end_attribute();
    }
}

impl Words for &str {
    fn write(self, out: &mut Markup) {
        out.escape(self);
    }

    fn attribute(self, name: &'static str, out: &mut Markup) {
        out.attribute(name, self);
    }
}

/// Those that hold a `str`.
macro_rules! words_of_a_str {
    ($($kind:ty),*) => {$(
        impl Words for $kind {
            fn write(self, out: &mut Markup) {
                out.escape(&self);
            }

            fn attribute(self, name: &'static str, out: &mut Markup) {
                out.attribute(name, &self);
            }
        }
    )*};
}

/// Those that become one.
macro_rules! words_that_are_written {
    ($($kind:ty),*) => {$(
        impl Words for $kind {
            fn write(self, out: &mut Markup) {
                out.escape_parts(format_args!("{self}"));
            }
        }
    )*};
}

words_of_a_str!(String, &String, &&str, Cow<'_, str>, &Cow<'_, str>);
words_that_are_written!(Arguments<'_>, bool, char, i32, i64, u8, u16, u32, u64, usize);

/// Escapes what is written through it.
struct Escaping<'a>(&'a mut Markup);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.escape(text);
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
