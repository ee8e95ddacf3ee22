//! The part of a text around what was searched for, with the matches marked. Pure: the text is cut
//! into pieces, and each is escaped on its own when it is written.
use super::markup::Markup;

/// Characters shown of a text, and how many of them stand before the first match.
const SHOWN: usize = 160;
const LEAD: usize = 48;
/// A cut moves at most this far to stand between two words, in characters.
const WORD: usize = 16;
/// Characters looked through, and words looked for: a text can be 64 KiB.
const MAX_TEXT: usize = 20_000;
const MAX_WORDS: usize = 16;

#[derive(Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    marked: bool,
}

/// Writes the snippet of `text` for a search for `words`.
pub fn write(out: &mut Markup, text: &str, words: &str) {
    out.el("bdi").with(|out| {
        for piece in pieces(text, words) {
            if piece.marked {
                out.el("mark").text(piece.text);
            } else {
                out.text(piece.text);
            }
        }
    });
}

fn pieces(text: &str, words: &str) -> Vec<Piece> {
    let text = one_line(text);
    let folded: Vec<char> = text.iter().copied().map(fold).collect();
    let marked = matches(&folded, words);
    let (start, end) = window(&text, marked.iter().position(|m| *m));
    let mut pieces = Vec::new();
    let mut put = |text: &str, marked: bool| match pieces.last_mut() {
        Some(Piece { text: last, marked: m }) if *m == marked => last.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), marked }),
    };
    if start > 0 {
        put("… ", false);
    }
    for at in start..end {
        put(text[at].encode_utf8(&mut [0; 4]), marked[at]);
    }
    if end < text.len() {
        put(" …", false);
    }
    pieces
}

/// Every run of white space is one space.
fn one_line(text: &str) -> Vec<char> {
    let mut line = Vec::new();
    for (at, word) in text.split_whitespace().enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.extend(word.chars());
        if line.len() >= MAX_TEXT {
            line.truncate(MAX_TEXT);
            break;
        }
    }
    line
}

/// Which characters belong to a match: a word of the text that begins as one that was typed.
fn matches(text: &[char], words: &str) -> Vec<bool> {
    let typed: Vec<Vec<char>> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| word.chars().map(fold).collect())
        .collect();
    let mut marked = vec![false; text.len()];
    for at in 0..text.len() {
        let begins = at == 0 || !text[at - 1].is_alphanumeric();
        if !begins || !text[at].is_alphanumeric() {
            continue;
        }
        if let Some(word) =
            typed.iter().filter(|w| text[at..].starts_with(w)).max_by_key(|w| w.len())
        {
            marked[at..at + word.len()].fill(true);
        }
    }
    marked
}

/// From where to where a text is shown, given its first match.
fn window(text: &[char], first: Option<usize>) -> (usize, usize) {
    if text.len() <= SHOWN {
        return (0, text.len());
    }
    let mut start = first.unwrap_or(0).saturating_sub(LEAD).min(text.len() - SHOWN);
    let mut end = start + SHOWN;
    if start > 0
        && let Some(space) = text[start..start + WORD].iter().position(|c| *c == ' ')
    {
        start += space + 1;
    }
    if end < text.len()
        && let Some(space) = text[end - WORD..end].iter().rposition(|c| *c == ' ')
    {
        end = end - WORD + space;
    }
    (start, end)
}

/// Small letters without the accents of western Europe, as full-text search compares them.
fn fold(c: char) -> char {
    let c = c.to_lowercase().next().unwrap_or(c);
    match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matches in brackets.
    fn drawn(text: &str, words: &str) -> String {
        let mark = |piece: Piece| match piece.marked {
            true => format!("[{}]", piece.text),
            false => piece.text,
        };
        pieces(text, words).into_iter().map(mark).collect()
    }

    #[test]
    fn words_that_begin_as_typed_are_marked() {
        for (text, words, expected) in [
            ("The kettle is on", "kettle", "The [kettle] is on"),
            ("Kettles, kettle!", "KETTLE", "[Kettle]s, [kettle]!"),
            ("teakettle", "kettle", "teakettle"),
            ("a\n\n b\tc", "b", "a [b] c"),
            ("Café, cafe", "café", "[Café], [cafe]"),
            ("İstanbul 🌿 x", "istanbul x", "[İstanbul] 🌿 [x]"),
            ("don't panic", "don't \"panic\"", "[don]'[t] [panic]"),
            ("<b>bold</b>", "b", "<[b]>[b]old</[b]>"),
            ("", "x", ""),
            ("x", "", "x"),
            ("日本語", "日", "[日]本語"),
        ] {
            assert_eq!(drawn(text, words), expected, "{words} in {text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_around_its_first_match() {
        let text = format!("{}needle {}", "hay ".repeat(500), "straw ".repeat(500));
        let drawn = drawn(&text, "needle");
        assert!(drawn.starts_with("… hay") && drawn.ends_with("straw …"), "{drawn}");
        assert!(drawn.contains("hay [needle] straw") && drawn.chars().count() < SHOWN + 10);
        for odd in ["x".repeat(100_000), "\u{1f389}".repeat(30_000), "x ".repeat(60_000)] {
            let count = pieces(&odd, "x y").iter().map(|p| p.text.chars().count()).sum::<usize>();
            assert!(count <= SHOWN + 4, "{count}");
        }
    }

    #[test]
    fn markup_in_a_match_stays_text() {
        let mut out = Markup::new();
        write(&mut out, "<script>alert(1)</script> \"x\"", "script <x>");
        assert_eq!(
            out.as_str(),
            "<bdi>&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt; \
             &quot;<mark>x</mark>&quot;</bdi>"
        );
    }
}
