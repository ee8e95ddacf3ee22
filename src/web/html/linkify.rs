//! Finds the web addresses in a message's text.
//!
//! Pure and typed: the text is cut into plain pieces and links, each is escaped on its own when it
//! is written, and nothing is ever decoded or matched again afterwards. Only `http://` and
//! `https://` make a link.
use super::href::{Href, strip_scheme};
use super::markup::Markup;

#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Plain(&'a str),
    Link(Href<'a>),
}

/// Writes `text` with its addresses as links that open a new tab and tell it nothing of us.
pub fn write(out: &mut Markup, text: &str) {
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => out.text(plain),
            Piece::Link(href) => out
                .el("a")
                .to("href", href)
                .attr("target", "_blank")
                .attr("rel", "noopener noreferrer")
                .text(href.as_str()),
        }
    }
}

/// Cuts `text` into pieces; put together again they are exactly `text`. Linear in its length: every
/// byte is looked at a fixed number of times, whatever a stranger sends.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(start) = next_address(text, at) {
        let end = start + extent(&text[start..]);
        if let Some(href) = Href::web(&text[start..end]) {
            if plain_from < start {
                pieces.push(Piece::Plain(&text[plain_from..start]));
            }
            pieces.push(Piece::Link(href));
            plain_from = end;
        }
        at = end;
    }
    if plain_from < text.len() {
        pieces.push(Piece::Plain(&text[plain_from..]));
    }
    pieces
}

/// Where the next address begins, from `from` on: a scheme that does not stand inside a word,
/// followed by what can begin a host.
fn next_address(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find(|&at| {
        let inside = at > from
            && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'_' | b'+'));
        matches!(bytes[at], b'h' | b'H')
            && !inside
            && strip_scheme(&text[at..])
                .is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '['))
    })
}

/// How many bytes of `text`, which begins with a scheme and a host, belong to the address.
///
/// It ends at white space and at what cannot stand in an address. Punctuation at its end belongs to
/// the sentence; a closing bracket at its end belongs to the address only when it was opened there.
fn extent(text: &str) -> usize {
    let mut address = &text[..text.find(ends_address).unwrap_or(text.len())];
    let excess = |open: char, close: char| {
        address.matches(close).count().saturating_sub(address.matches(open).count())
    };
    let mut unopened = [excess('(', ')'), excess('[', ']'), excess('{', '}')];
    while let Some(last) = address.chars().next_back() {
        let bracket = [')', ']', '}'].iter().position(|&close| close == last);
        match bracket {
            Some(kind) if unopened[kind] > 0 => unopened[kind] -= 1,
            None if ends_sentence(last) => {}
            _ => break,
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}

fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || is_invisible(c)
        || matches!(c, '<' | '>' | '"' | '`' | '\\' | '^' | '“' | '”' | '„' | '«' | '»')
        || matches!(c, '。' | '、' | '，' | '；' | '！' | '？' | '（' | '）' | '「' | '」')
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '‘' | '’')
}

/// Marks that change direction or have no width: they could make one address look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Links found in a text.
    fn links(text: &str) -> Vec<String> {
        pieces(text)
            .into_iter()
            .filter_map(|p| match p {
                Piece::Link(href) => Some(href.as_str().to_owned()),
                Piece::Plain(_) => None,
            })
            .collect()
    }

    #[test]
    fn an_address_ends_where_a_reader_would_end_it() {
        for (text, expected) in [
            ("see https://a.example/x.", "https://a.example/x"),
            ("https://a.example, then", "https://a.example"),
            ("(https://a.example)", "https://a.example"),
            (
                "https://en.example/wiki/Letter_(message)",
                "https://en.example/wiki/Letter_(message)",
            ),
            ("(see https://en.example/Letter_(message))", "https://en.example/Letter_(message)"),
            ("https://a.example/?q=[1]", "https://a.example/?q=[1]"),
            ("[https://a.example]", "https://a.example"),
            ("<https://a.example/>", "https://a.example/"),
            ("\"https://a.example/\"", "https://a.example/"),
            ("“https://a.example/”", "https://a.example/"),
            ("https://a.example/it's", "https://a.example/it's"),
            ("https://a.example/'", "https://a.example/"),
            ("HTTPS://A.example/B", "HTTPS://A.example/B"),
            ("http://a.example?x=1&y=2#z!", "http://a.example?x=1&y=2#z"),
            ("https://a.example/a,b;c", "https://a.example/a,b;c"),
            ("Link:https://a.example", "https://a.example"),
            ("view-source:https://a.example", "https://a.example"),
            ("«https://a.example»", "https://a.example"),
            ("**https://a.example/**", "https://a.example/"),
            ("at: https://a.example...", "https://a.example"),
            ("https://blåbær.example/sø", "https://blåbær.example/sø"),
            ("见https://a.example。好", "https://a.example"),
            ("https://a.example/\u{202e}gpj.exe", "https://a.example/"),
            ("a\nhttps://a.example\nb", "https://a.example"),
            ("https://user:pass@a.example:8443/", "https://user:pass@a.example:8443/"),
            ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ] {
            assert_eq!(links(text), [expected], "{text:?}");
        }
    }

    #[test]
    fn what_is_no_web_address_stays_text() {
        for text in [
            "",
            "javascript:alert(1)",
            "JAVASCRIPT://%0aalert(1)",
            "data:text/html;base64,PHNjcmlwdD4=",
            "file:///etc/passwd",
            "ftp://a.example",
            "https://",
            "https:// a.example",
            "https://.",
            "https://)",
            "https:///",
            "http:a.example",
            "xhttps://a.example",
            "a.example",
            "jar+https://a.example",
            "_https://a.example",
            "h",
            "ｈttps://a.example",
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn two_addresses_and_what_is_between() {
        assert_eq!(
            pieces("a https://b.example/ c http://d.example e"),
            [
                Piece::Plain("a "),
                Piece::Link(Href::web("https://b.example/").unwrap()),
                Piece::Plain(" c "),
                Piece::Link(Href::web("http://d.example").unwrap()),
                Piece::Plain(" e"),
            ]
        );
    }

    #[test]
    fn hostile_texts_make_no_markup() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "https://a.example/\"onmouseover=\"alert(1)",
            "https://a.example/'onmouseover='alert(1)",
            "https://a.example/<script>alert(1)</script>",
            "https://a.example/&quot;onclick=alert(1)",
            "https://a.example/&#34; onclick=alert(1) x=&#34;",
            "https://a.example/%22%3E%3Cscript%3E",
            "</p></article><h1>https://a.example",
            "javascript:alert(1)//https://a.example",
            "https://a.example\u{0}\"><b>",
            "https://https://a.example/><b>",
            "http://a.example/`${alert(1)}`",
        ] {
            let mut out = Markup::new();
            write(&mut out, text);
            // Taking our own anchors away, nothing may be left that opens or closes a tag.
            let mut rest = out.as_str().to_owned();
            while let Some(start) = rest.find("<a href=\"http") {
                let end = start + rest[start..].find('>').expect("our own tag is closed");
                let tag = &rest[start..=end];
                let tail = "\" target=\"_blank\" rel=\"noopener noreferrer\">";
                assert!(tag.ends_with(tail), "{text:?} made {tag}");
                assert_eq!(tag.matches('"').count(), 6, "{text:?} made {tag}");
                rest.replace_range(start..=end, "");
            }
            let rest = rest.replace("</a>", "");
            assert!(!rest.contains(['<', '>', '"', '\'']), "{text:?} left {rest}");
        }
    }

    #[test]
    fn the_pieces_are_the_text() {
        let text =
            "a (https://b.example/(c)). https:// d “http://e” hhttp://x https://é.example/ 🎉";
        let again: String = pieces(text)
            .iter()
            .map(|p| match p {
                Piece::Plain(plain) => *plain,
                Piece::Link(href) => href.as_str(),
            })
            .collect();
        assert_eq!(again, text);
    }

    #[test]
    fn a_hostile_text_stays_cheap() {
        // Quadratic work on any of these would take minutes.
        for unit in ["https://(", "https://a", "xhttps://a", "https://a)", ")", "h", "https://a..,"]
        {
            let text = format!("https://a{}", unit.repeat(200_000));
            assert!(pieces(&text).len() <= 200_001);
        }
    }
}
