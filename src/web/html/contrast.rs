//! Whether the style sheets keep their word: every pair of colours that is used has the contrast
//! WCAG 2.2 asks for, by day and by night, no sheet names a colour of its own, and spaces are
//! multiples of 4 px.
use std::collections::HashMap;

const TOKENS: &str = include_str!("../../../www/tokens.css");
const NIGHT: &str = include_str!("../../../www/night.css");
const SHEETS: &[(&str, &str)] = &[
    ("base.css", include_str!("../../../www/base.css")),
    ("chat.css", include_str!("../../../www/chat.css")),
    ("sidebar.css", include_str!("../../../www/sidebar.css")),
    ("bubble.css", include_str!("../../../www/bubble.css")),
    ("attached.css", include_str!("../../../www/attached.css")),
    ("thread.css", include_str!("../../../www/thread.css")),
    ("people.css", include_str!("../../../www/people.css")),
    ("settings.css", include_str!("../../../www/settings.css")),
    ("pairing.css", include_str!("../../../www/pairing.css")),
    ("card.css", include_str!("../../../www/card.css")),
    ("keyboard.css", include_str!("../../../www/keyboard.css")),
    ("no-script.css", include_str!("../../../www/no-script.css")),
];

/// Words on a ground (WCAG 1.4.3).
const TEXT: f64 = 4.5;
/// Marks, edges of fields and the focus ring (WCAG 1.4.11).
const MARK: f64 = 3.0;

/// What is drawn on what.
const PAIRS: &[(f64, &str, &[&str])] = &[
    (TEXT, "ink", &["paper", "paper-warm", "paper-deep", "sky-haze", "sky", "out", "in"]),
    (TEXT, "ink-soft", &["paper", "paper-warm", "paper-deep", "sky-haze", "in"]),
    (TEXT, "ink-faint", &["paper", "paper-warm", "sky-haze", "in"]),
    (TEXT, "link", &["paper", "paper-warm", "paper-deep", "out", "in"]),
    (TEXT, "error", &["paper", "paper-warm", "paper-deep"]),
    (TEXT, "on-forest", &["forest-deep", "forest-pressed"]),
    (TEXT, "out-soft", &["out"]),
    (TEXT, "initials", &["forest", "sky", "terracotta-ground", "gold", "moss"]),
    (TEXT, "forest-ink", &["in"]),
    (TEXT, "sky-ink", &["in"]),
    (TEXT, "terracotta-ink", &["in"]),
    (TEXT, "gold-ink", &["in"]),
    (TEXT, "moss-ink", &["in"]),
    (MARK, "sunset", &["paper"]),
    (MARK, "terracotta", &["paper"]),
    (MARK, "sky-deep", &["paper", "paper-warm", "paper-deep", "sky-haze"]),
    (MARK, "field-line", &["paper", "paper-warm"]),
];

/// At night the initials carry the accent themselves.
const NIGHT_PAIRS: &[(f64, &str, &[&str])] = &[
    (TEXT, "forest-ink", &["forest"]),
    (TEXT, "sky-ink", &["sky"]),
    (TEXT, "terracotta-ink", &["terracotta-ground"]),
    (TEXT, "gold-ink", &["gold"]),
    (TEXT, "moss-ink", &["moss"]),
];

/// The colours of a block, by name; `var(--x)` is followed.
fn colours(css: &'static str) -> HashMap<&'static str, &'static str> {
    let token =
        |line: &'static str| line.trim().strip_prefix("--")?.split(';').next()?.split_once(": ");
    css.lines().filter_map(token).collect()
}

fn luminance(named: &HashMap<&str, &str>, name: &str) -> f64 {
    let value = named.get(name).unwrap_or_else(|| panic!("no token {name}"));
    if let Some(other) = value.strip_prefix("var(--") {
        return luminance(named, other.trim_end_matches(')'));
    }
    let hex = value.strip_prefix('#').unwrap_or_else(|| panic!("{name} is {value}"));
    let channel = |at: usize| {
        let byte = u8::from_str_radix(&hex[at..at + 2], 16).expect("two hexadecimal digits");
        let part = f64::from(byte) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn check(when: &str, named: &HashMap<&str, &str>, pairs: &[(f64, &str, &[&str])]) {
    for (least, mark, grounds) in pairs {
        for ground in *grounds {
            let (a, b) = (luminance(named, mark), luminance(named, ground));
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(ratio >= *least, "{when}: {mark} on {ground} has {ratio:.2}:1, not {least}:1");
        }
    }
}

#[test]
fn every_pair_can_be_read_by_day_and_by_night() {
    let (_, day) = TOKENS.split_once(":root").expect("the tokens");
    let day = colours(day);
    check("by day", &day, PAIRS);
    let mut named = day.clone();
    named.extend(colours(NIGHT));
    check("by night", &named, PAIRS);
    check("by night", &named, NIGHT_PAIRS);
}

#[test]
fn the_browsers_own_bars_take_the_pages_ground() {
    let lines = TOKENS.lines().chain(NIGHT.lines());
    let grounds = lines.filter_map(|line| line.trim().strip_prefix("--paper: "));
    let bars = super::layout::GROUNDS.map(|(_, ground)| format!("{ground};"));
    assert!(grounds.eq(bars.iter()));
}

/// Property and value of each declaration.
fn declarations(css: &str) -> impl Iterator<Item = (&str, &str)> {
    css.split(['{', ';', '}']).filter_map(|piece| {
        let piece = piece.rsplit("*/").next()?.trim();
        let (property, value) = piece.split_once(": ")?;
        let plain = |c: char| c.is_ascii_lowercase() || c == '-';
        property.chars().all(plain).then_some((property, value.trim()))
    })
}

#[test]
fn colours_are_tokens() {
    const NAMED: [&str; 10] =
        ["white", "black", "red", "green", "blue", "gray", "grey", "orange", "yellow", "brown"];
    for (sheet, css) in SHEETS {
        for (property, value) in declarations(css) {
            let names_one = value.contains('#')
                || value.contains("rgb")
                || value.contains("hsl")
                || value.split([' ', ',', '(', ')']).any(|word| NAMED.contains(&word));
            assert!(!names_one, "{sheet}: {property}: {value}");
        }
    }
}

#[test]
fn every_token_that_is_used_is_there_and_none_is_idle() {
    let named = colours(TOKENS.split_once(":root").expect("the tokens").1);
    let all: String = SHEETS.iter().map(|(_, css)| *css).chain([TOKENS, NIGHT]).collect();
    for used in all.split("var(--").skip(1) {
        let name = used.split([')', ',']).next().unwrap_or_default();
        let own = name == "side";
        assert!(own || named.contains_key(name), "--{name} is used and not there");
    }
    for name in named.keys() {
        assert!(all.contains(&format!("var(--{name}")), "--{name} is there and not used");
    }
}

#[test]
fn spaces_are_multiples_of_four() {
    for (sheet, css) in SHEETS {
        for (property, value) in declarations(css) {
            let spaces = ["padding", "margin", "gap", "column-gap", "row-gap"];
            if !spaces.iter().any(|space| property.starts_with(space)) || value.contains("calc") {
                continue;
            }
            for word in value.split([' ', '(', ')', ',']) {
                let Some(px) = word.strip_suffix("px").and_then(|n| n.parse::<i32>().ok()) else {
                    continue;
                };
                // 2 px lie between the bubbles of a cluster; -1 px hides what is unseen.
                assert!(px % 4 == 0 || [2, -1].contains(&px), "{sheet}: {property}: {value}");
            }
        }
    }
}
