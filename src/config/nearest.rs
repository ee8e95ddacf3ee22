//! What somebody who mistyped a name may have meant.

/// At most so many letters wrong: with more, any suggestion is a guess.
const FARTHEST: usize = 2;

/// The known name that is nearest, if one is near. `-` and `_` are taken for each other.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let name = plain(name);
    let with_distance = known.into_iter().map(|known| (distance(&plain(known), &name), known));
    let (distance, known) = with_distance.min_by_key(|(distance, _)| *distance)?;
    (distance <= FARTHEST && distance < known.len()).then_some(known)
}

/// Levenshtein's distance in bytes, row by row; both texts are short.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_guess_finds_none() {
        let known = ["listen", "log", "db"];
        for (typed, meant) in [
            ("listne", Some("listen")),
            ("LISTEN", Some("listen")),
            ("lgo", Some("log")),
            ("x", None),
            ("port", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest("base-url", ["base_url"]), Some("base_url"));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
