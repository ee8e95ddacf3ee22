//! Where a link, a form or an image may lead: a path of our own, or a web address. Nothing else
//! can be written into such an attribute, so no message can smuggle in a `javascript:` link.

/// A target that has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Href<'a>(&'a str);

impl<'a> Href<'a> {
    /// A path on this host. What is not one (another scheme, `//host`) becomes `#`, which goes
    /// nowhere: it can only be a mistake of ours.
    pub fn ours(path: &'a str) -> Self {
        let own = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
        debug_assert!(own || path.is_empty(), "{path:?} is not a path of ours");
        Href(if own { path } else { "#" })
    }

    /// A place on the same page, `#` and its id.
    pub fn here(place: &'static str) -> Href<'static> {
        debug_assert!(place.starts_with('#'), "{place:?} is no place on a page");
        Href(place)
    }

    /// The page's own address, whichever it is.
    pub fn again() -> Href<'static> {
        Href("")
    }

    /// An `http:` or `https:` address with something after the slashes; `None` for anything else,
    /// also for one with white space or control characters, which browsers would silently drop.
    pub fn web(url: &'a str) -> Option<Self> {
        let rest = strip_scheme(url)?;
        let solid = !rest.is_empty() && !rest.starts_with(['/', '?', '#', '\\']);
        let clean = !url.chars().any(|c| c.is_whitespace() || c.is_control());
        (solid && clean).then_some(Href(url))
    }

    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

/// What follows `http://` or `https://`, in any case.
pub fn strip_scheme(url: &str) -> Option<&str> {
    ["https://", "http://"].iter().find_map(|scheme| {
        let head = url.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_lead_out() {
        for good in ["https://a.example", "HTTP://a.example/x?y#z", "https://[::1]:8080/"] {
            assert_eq!(Href::web(good).map(|h| h.as_str()), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)//https://",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://a.example/1",
            "//a.example",
            "/path",
            "https:a.example",
            "https:/a.example",
            "https://",
            "https:///a.example",
            "https://?x",
            "https://a.example/\u{0}",
            "https://a.example/\njavascript:x",
            " https://a.example",
            "\u{1}javascript:alert(1)",
            "é://",
            "",
        ] {
            assert_eq!(Href::web(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_path_of_ours_stays_with_us() {
        assert_eq!(Href::ours("/c/bob.example").as_str(), "/c/bob.example");
        assert_eq!(Href::ours("/").as_str(), "/");
        assert_eq!(Href::ours("").as_str(), "#");
    }

    #[test]
    #[should_panic(expected = "not a path of ours")]
    fn another_host_is_not_ours() {
        Href::ours("//evil.example");
    }
}
