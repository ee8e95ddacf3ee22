//! Finds the rooms that a source file names: a little lexer that knows comments, strings and
//! lifetimes, and a reader of paths that follows `crate::`, `super::` and groups in braces.

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    PathSeparator,
    Mark(char),
}

/// The first segment, below the crate's root, of each path in `source` that begins with `crate` or
/// climbs there by `super`, with its line. `module` is the file's place in the crate.
pub fn rooms(module: &[String], source: &str) -> Vec<(usize, String)> {
    let tokens = lex(source);
    let mut rooms = Vec::new();
    // How deep inside `mod name { … }` we are, as the depths of braces at which each began.
    let (mut braces, mut inline) = (0usize, Vec::new());
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        match token {
            Token::Mark('{') => braces += 1,
            Token::Mark('}') => {
                braces = braces.saturating_sub(1);
                inline.pop_if(|began| *began == braces);
            }
            Token::Word(word) if word == "mod" => {
                if matches!(tokens.get(at + 2), Some((_, Token::Mark('{')))) {
                    inline.push(braces);
                }
            }
            Token::Word(word) if word == "crate" || word == "super" => {
                // How many segments are left above the crate's root.
                let depth = module.len() + inline.len();
                let left = if word == "crate" { 0 } else { depth.saturating_sub(1) };
                let names = follow(&tokens, at + 1, left);
                rooms.extend(names.into_iter().map(|name| (*line, name)));
                // `super::super` is one path.
                while climbs(&tokens, at) {
                    at += 2;
                }
            }
            _ => {}
        }
        at += 1;
    }
    rooms
}

fn climbs(tokens: &[(usize, Token)], at: usize) -> bool {
    let next = (tokens.get(at + 1), tokens.get(at + 2));
    matches!(next, (Some((_, Token::PathSeparator)), Some((_, Token::Word(w)))) if w == "super")
}

/// What a path names directly below the root, when `left` segments are above where it stands.
fn follow(tokens: &[(usize, Token)], at: usize, left: usize) -> Vec<String> {
    let token = |at: usize| tokens.get(at).map(|(_, token)| token);
    if token(at) != Some(&Token::PathSeparator) {
        return Vec::new(); // `pub(crate)`, `pub(super)`
    }
    match token(at + 1) {
        Some(Token::Word(word)) if word == "super" && left > 0 => follow(tokens, at + 2, left - 1),
        _ if left > 0 => Vec::new(),
        Some(Token::Word(word)) => vec![word.clone()],
        Some(Token::Mark('{')) => group(tokens, at + 2),
        Some(Token::Mark(mark)) => vec![mark.to_string()],
        _ => Vec::new(),
    }
}

/// The first segments of the members of a group that begins at `at`.
fn group(tokens: &[(usize, Token)], at: usize) -> Vec<String> {
    let (mut names, mut depth, mut first) = (Vec::new(), 0, true);
    for (_, token) in &tokens[at.min(tokens.len())..] {
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') if depth == 0 => break,
            Token::Mark('}') => depth -= 1,
            Token::Mark(',') if depth == 0 => first = true,
            Token::Word(word) if first => {
                names.push(word.clone());
                first = false;
            }
            Token::Mark('*') if first => names.push("*".into()),
            _ => {}
        }
    }
    names
}

/// Splits Rust into words, `::` and other marks, each with its line, without comments and literals.
fn lex(source: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(next) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else if next.is_alphanumeric() || next == '_' {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            tokens.push((line, Token::Word(rest[..length].to_owned())));
            length
        } else if rest.starts_with("::") {
            tokens.push((line, Token::PathSeparator));
            2
        } else {
            if !next.is_whitespace() {
                tokens.push((line, Token::Mark(next)));
            }
            next.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// The length of the block comment at the beginning; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let step = if rest.starts_with(b"/*") {
            depth += 1;
            2
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            2
        } else {
            1
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at.min(text.len())
}

/// The length of the string, character or lifetime at the beginning, if there is one.
fn literal(text: &str) -> Option<usize> {
    let plain = text.trim_start_matches(['b', 'c']);
    if text.len() - plain.len() > 1 {
        return None;
    }
    let raw = plain.strip_prefix('r').unwrap_or("");
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    if raw[hashes..].starts_with('"') {
        let open = text.len() - raw.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(text[open..].find(&close).map_or(text.len(), |at| open + at + close.len()));
    }
    let open = text.len() - plain.len();
    if let Some(inner) = plain.strip_prefix('"') {
        return Some(open + 1 + closed(inner, '"'));
    }
    let inner = plain.strip_prefix('\'')?;
    let mut characters = inner.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => Some(open + 1 + closed(inner, '\'')),
        _ => Some(open + 1), // a lifetime: its name is a word like others
    }
}

/// How far it is to behind the closing mark, over escapes.
fn closed(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(module: &[&str], source: &str) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        rooms(&module, source).into_iter().map(|(_, room)| room).collect()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let source = "
            use crate::ops::{clock::Clock, random};
            use crate::{config, http::{self, Request}, store as shop};
            pub(crate) fn f(x: &'a crate::web::App) -> char { crate::live::go::<crate::vault::Key>() }
            pub(in crate::posta) struct X;
        ";
        let expected = ["ops", "config", "http", "store", "web", "live", "vault", "posta"];
        assert_eq!(named(&["cli"], source), expected);
        assert_eq!(named(&["cli"], "use crate::*; use crate::{*}; use ::std::io;"), ["*", "*"]);
        assert_eq!(rooms(&[], "\n\nuse\ncrate::web;"), [(4, "web".to_owned())]);
    }

    #[test]
    fn words_in_comments_and_literals_are_no_paths() {
        let source = r####"
            // crate::web
            /* /* crate::web */ crate::web */
            let a = "crate::web \" crate::web"; let b = r#"" crate::web"#; let c = b"crate::web";
            let d = '"'; let e = '\''; let f = b'"'; let g: &'static str = "\\"; let h = br"\";
            fn r<'crate_web>(r: u8, b: u8) { crate::ops::x() }
        "####;
        assert_eq!(named(&["web"], source), ["ops"]);
    }

    #[test]
    fn climbing_is_followed() {
        assert_eq!(named(&["http", "sse"], "use super::fields;"), [""; 0]);
        assert_eq!(named(&["http", "sse"], "use super::super::web::page;"), ["web"]);
        assert_eq!(named(&["http"], "use super::web;"), ["web"]);
        assert_eq!(named(&["http"], "use super::{web, ops::log};"), ["web", "ops"]);
        let inside = "mod tests { use super::a; use super::super::ops::b; } use super::live;";
        assert_eq!(named(&["http"], inside), ["ops", "live"]);
        assert_eq!(named(&["http"], "pub(super) fn f() {}"), [""; 0]);
    }
}
