//! A person's picture, or two initials on the accent that is theirs.
use super::href::Href;
use super::markup::Markup;
use super::scene::{Person, Scene};

/// Decoration: the name always stands beside it, so it is hidden from screen readers. The initials
/// lie under the picture, and over it where a browser would draw a broken one. The class `size` says how large.
pub fn write(out: &mut Markup, scene: &Scene<'_>, person: &Person<'_>, size: &'static str) {
    let class = format_args!("avatar {size} accent-{}", person.accent());
    let initials = initials(person.called());
    let span = out.el("span").class(class).attr("aria-hidden", "true");
    // Drawn by the style sheet: they are no words of whatever button they stand on.
    span.attr("data-initials", &initials).with(|out| {
        if let Some(url) = person.avatar.and_then(|url| (scene.media)(url)) {
            out.el("img")
                .to("src", Href::ours(&url))
                .attr("alt", "")
                .attr("data-initials", &initials)
                .attr("loading", "lazy")
                .attr("decoding", "async")
                .void();
        }
    });
}

/// First letters of the first and last word; of a single word its first two.
fn initials(name: &str) -> String {
    let letter = |c: char| c.to_uppercase().next().unwrap_or(c);
    let mut words = name
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@'))
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()))
        .filter(|word| word.clone().next().is_some());
    let Some(mut first) = words.next() else { return "•".to_owned() };
    let spaced = name.contains(char::is_whitespace);
    let one = first.next();
    // `alice.example` is one word to a reader; "Alice Moe" is two.
    let two = if spaced {
        words.next_back().and_then(|mut w| w.next()).or(first.next())
    } else {
        first.next()
    };
    one.into_iter().chain(two).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_where_there_are_two() {
        for (name, expected) in [
            ("Alice Moe", "AM"),
            ("alice", "AL"),
            ("Ana Maria de Souza", "AS"),
            ("alice.example", "AL"),
            ("x", "X"),
            ("Øyvind Ås", "ØÅ"),
            ("王小明", "王小"),
            ("🎉 Party", "PA"),
            ("🎉", "•"),
            ("", "•"),
            ("<b> &", "B"),
            ("ßen", "SE"),
        ] {
            assert_eq!(initials(name), expected, "{name:?}");
        }
    }
}
