//! What sort of participant somebody is: a small drawing, always with a word for it.
use super::icons::{self, Icon};
use super::markup::Markup;

const KINDS: [(&str, &str, Icon); 3] = [
    ("person", "Person", Icon::Person),
    ("room", "Room", Icon::Room),
    ("agent", "Agent", Icon::Agent),
];

/// Before a name in a list. People are what one expects there, and have no mark.
pub fn mark(out: &mut Markup, kind: &str) {
    if let Some((_, word, icon)) = KINDS.iter().skip(1).find(|(known, ..)| *known == kind) {
        icons::write(out, *icon);
        out.el("span").class("unseen").text(format_args!("{word}: "));
    }
}

/// Drawing and word, where there is room for both. A kind nobody has heard of stands for itself.
pub fn word(out: &mut Markup, kind: &str) {
    let known = KINDS.iter().find(|(known, ..)| *known == kind);
    if known.is_none() && kind.trim().is_empty() {
        return;
    }
    out.el("span").class("kind").with(|out| match known {
        Some((_, word, icon)) => {
            icons::write(out, *icon);
            out.text(word);
        }
        None => out.el("bdi").text(kind),
    });
}

/// Whether one can leave it.
pub fn is_room(kind: &str) -> bool {
    kind == "room"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(draw: impl Fn(&mut Markup)) -> String {
        let mut out = Markup::new();
        draw(&mut out);
        out.as_str().to_owned()
    }

    #[test]
    fn every_kind_has_its_word_and_people_no_mark() {
        for (kind, marked, worded) in [
            ("person", "", "Person"),
            ("room", "Room: ", "Room"),
            ("agent", "Agent: ", "Agent"),
            ("<oracle>", "", "<bdi>&lt;oracle&gt;</bdi>"),
            ("", "", ""),
        ] {
            let mark = drawn(|out| mark(out, kind));
            assert!(mark.contains(marked) && mark.is_empty() == marked.is_empty(), "{kind}");
            let word = drawn(|out| word(out, kind));
            assert!(word.contains(worded) && word.is_empty() == worded.is_empty(), "{kind}");
        }
    }
}
