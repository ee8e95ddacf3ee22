//! Our own scripts and sheets without what only people read: lines of comment, indentation, empty
//! lines. A quarter less to embed and to send, and each statement stays on its line. `build.rs` does
//! this; in the program it is only tested.

/// `text` of a file named `name`; what lies between backticks stays as it is.
pub fn lean(name: &str, text: &str) -> String {
    let is_script = name.ends_with(".js");
    // Without a partner one cannot tell what is inside and what is not.
    if text.matches('`').count() % 2 == 1 && is_script {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let (mut in_comment, mut in_template) = (false, false);
    for line in text.lines() {
        let bare = line.trim();
        if in_template {
            out.push_str(line);
        } else if in_comment {
            in_comment = !bare.ends_with("*/");
            continue;
        } else if bare.starts_with("/*") && (bare.ends_with("*/") || !bare.contains("*/")) {
            in_comment = !bare.ends_with("*/");
            continue;
        } else if bare.is_empty() || (is_script && bare.starts_with("//")) {
            continue;
        } else {
            out.push_str(bare);
        }
        out.push('\n');
        // Backticks in a comment behind a statement are words, and come in pairs.
        in_template ^= is_script && line.matches('`').count() % 2 == 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_stay_and_words_go() {
        let script = "// why\n\n/** What it\n * does. */\nexport function f() {\n  /* one */\n  \
                      return `a\n    // b\n  ${c}`; // as `d` has it\n}\n  x(/* y */ 1);\n";
        let lean_one = "export function f() {\nreturn `a\n    // b\n  ${c}`; // as `d` has it\n}\n\
                        x(/* y */ 1);\n";
        assert_eq!(lean("a.js", script), lean_one);
        let sheet = "/* Why. */\na {\n  color: red; /* so */\n}\n/* and\n   on */\nb { }\n";
        assert_eq!(lean("a.css", sheet), "a {\ncolor: red; /* so */\n}\nb { }\n");
        assert_eq!(lean("a.js", "  f(`x);\n"), "  f(`x);\n", "who knows");
    }

    #[test]
    fn our_own_files_keep_every_line_that_is_no_comment() {
        let www = concat!(env!("CARGO_MANIFEST_DIR"), "/www");
        let mut count = 0;
        for entry in std::fs::read_dir(www).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if !(name.ends_with(".js") || name.ends_with(".css")) {
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let lean = lean(&name, &text);
            assert!(lean.len() < text.len(), "{name} has its backticks in pairs");
            let bare = |text: &str| -> Vec<String> {
                text.lines().map(|line| line.trim().to_owned()).collect()
            };
            let (mut left, mut gone) = (bare(&lean).into_iter().peekable(), Vec::new());
            for line in bare(&text) {
                if left.next_if_eq(&line).is_none() {
                    gone.push(line);
                }
            }
            assert_eq!(left.next(), None, "{name}");
            let is_comment =
                |line: &String| line.is_empty() || line.starts_with("//") || line.starts_with("/*");
            let mut inside = false;
            for line in gone {
                inside |= line.starts_with("/*");
                assert!(is_comment(&line) || inside, "{name}: {line}");
                inside &= !line.ends_with("*/");
            }
            count += 1;
        }
        assert!(count > 30);
    }
}
