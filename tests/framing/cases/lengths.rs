//! `Content-Length`: one field, digits only.
use super::*;

pub fn cases() -> Vec<Case> {
    [good(), broken(), names(), several()].into_iter().flatten().collect()
}

fn length(value: &str) -> Vec<u8> {
    post(format!("Content-Length: {value}\r\n"), "hello")
}

fn good() -> Vec<Case> {
    let smuggled = format!("Content-Length: {}\r\n", SMUGGLED.len());
    table(
        "length",
        "RFC 9112 §6.3",
        [
            ("exact", length("5"), kept(404)),
            ("none on a POST: no body", post("", ""), kept(404)),
            ("zero", post("Content-Length: 0\r\n", ""), kept(404)),
            ("leading zeros", length("005"), kept(404)),
            ("very many leading zeros", length("000000000000000000000000000005"), kept(404)),
            ("blanks around", length(" \t5 \t"), kept(404)),
            ("no blank before", post("Content-Length:5\r\n", "hello"), kept(404)),
            ("a name in any case", post("cOnTENT-lENGTH: 5\r\n", "hello"), kept(404)),
            ("a body that looks like a request", post(smuggled, SMUGGLED), kept(404)),
            ("a body of line ends", post("Content-Length: 4\r\n", "\r\n\r\n"), kept(404)),
            ("a body of NULs", post("Content-Length: 3\r\n", "\0\0\0"), kept(404)),
            (
                "a body that is read whole",
                login(format!("Content-Length: {}\r\n", JSON.len()), JSON),
                kept(401),
            ),
            (
                "a body shorter by one",
                login(format!("Content-Length: {}\r\n", JSON.len() - 1), &JSON[..JSON.len() - 1]),
                kept(400),
            ),
            ("shorter than what comes", length("3"), then(501)),
            ("longer than what comes", length("50"), waits(404)),
            (
                "longer, and read",
                login("Content-Length: 90\r\n", "hello"),
                Outcome::Waits(vec![400]),
            ),
            (
                "a body on GET",
                head("GET /x HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n\r\nhel"),
                { Outcome::Kept(vec![404]) },
            ),
            ("on HEAD", with_method("HEAD"), kept(404)),
            ("on PUT", with_method("PUT"), kept(404)),
            ("on PATCH", with_method("PATCH"), kept(404)),
            ("on DELETE", with_method("DELETE"), kept(404)),
            ("on OPTIONS", with_method("OPTIONS"), kept(404)),
        ],
    )
}

fn with_method(method: &str) -> Vec<u8> {
    let head = head(&format!("{method} /x HTTP/1.1"), "Host: a\r\nContent-Length: 5\r\n");
    [&head[..], b"hello"].concat()
}

fn broken() -> Vec<Case> {
    table(
        "length",
        "RFC 9110 §8.6: signs, blanks, not digits",
        [
            ("a plus sign", length("+5"), ended(400)),
            ("a minus sign", length("-5"), ended(400)),
            ("minus zero", length("-0"), ended(400)),
            ("a blank inside", length("5 5"), ended(400)),
            ("a tab inside", length("5\t5"), ended(400)),
            ("a blank after the sign", length("+ 5"), ended(400)),
            ("hexadecimal", length("0x5"), ended(400)),
            ("an octal prefix", length("0o5"), ended(400)),
            ("an exponent", length("5e0"), ended(400)),
            ("a fraction", length("5.0"), ended(400)),
            ("an underscore", length("5_0"), ended(400)),
            ("a letter after", length("5h"), ended(400)),
            ("a word", length("five"), ended(400)),
            ("quoted", length("\"5\""), ended(400)),
            ("a parameter", length("5;q=1"), ended(400)),
            ("nothing", length(""), ended(400)),
            ("blanks only", length(" \t "), ended(400)),
            ("digits of another script", length("\u{665}"), ended(400)),
            ("a fullwidth digit", length("\u{ff15}"), ended(400)),
            ("a no-break space after", length("5\u{a0}"), ended(400)),
            ("a no-break space before", length("\u{a0}5"), ended(400)),
            ("a byte that is not UTF-8", post(b"Content-Length: 5\xa0\r\n", "hello"), ended(400)),
            ("a vertical tab before", length("\x0b5"), ended(400)),
            ("a form feed after", length("5\x0c"), ended(400)),
            ("a NUL after", length("5\0"), ended(400)),
            ("2^64", length("18446744073709551616"), ended(400)),
            ("2^64 + 5, which wraps", length("18446744073709551621"), ended(400)),
            ("2^32 + 5, which wraps in 32 bits", length("4294967301"), ended(404)),
            ("forty digits", length("1000000000000000000000000000000000000005"), ended(400)),
        ],
    )
}

fn names() -> Vec<Case> {
    let named = |line: &str| post(line, "hello");
    table(
        "length",
        "RFC 9112 §5.1: names that almost say it",
        [
            ("a blank before the colon", named("Content-Length : 5\r\n"), ended(400)),
            ("a tab before the colon", named("Content-Length\t: 5\r\n"), ended(400)),
            ("a blank before the name", named(" Content-Length: 5\r\n"), ended(400)),
            ("a tab before the name", named("\tContent-Length: 5\r\n"), ended(400)),
            ("a blank in the name", named("Content Length: 5\r\n"), ended(400)),
            ("a NUL in the name", named("Content-\0Length: 5\r\n"), ended(400)),
            ("a NUL before the name", named("\0Content-Length: 5\r\n"), ended(400)),
            ("a vertical tab before", named("\x0bContent-Length: 5\r\n"), ended(400)),
            ("a no-break space before", named("\u{a0}Content-Length: 5\r\n"), ended(400)),
            ("no colon", named("Content-Length 5\r\n"), ended(400)),
            ("an equals sign", named("Content-Length= 5\r\n"), ended(400)),
            // Other fields: there is no body, and what looks like one is a broken request.
            ("an underscore", named("Content_Length: 5\r\n"), then(501)),
            ("one letter too few", named("Content-Lengt: 5\r\n"), then(501)),
            ("one letter too many", named("Content-Lengths: 5\r\n"), then(501)),
            ("two colons", named("Content-Length:: 5\r\n"), ended(400)),
            ("prefixed", named("X-Content-Length: 5\r\n"), then(501)),
        ],
    )
}

fn several() -> Vec<Case> {
    let lines = |lines: &str| post(lines, "hello");
    table(
        "length",
        "RFC 9112 §6.3: several lengths",
        [
            ("twice the same", lines("Content-Length: 5\r\nContent-Length: 5\r\n"), ended(400)),
            ("two different", lines("Content-Length: 5\r\nContent-Length: 6\r\n"), ended(400)),
            ("two, swapped", lines("Content-Length: 6\r\nContent-Length: 5\r\n"), ended(400)),
            ("zero and one more", lines("Content-Length: 0\r\nContent-Length: 5\r\n"), ended(400)),
            ("one in other case", lines("Content-Length: 5\r\ncontent-length: 5\r\n"), ended(400)),
            ("far apart", lines("Content-Length: 5\r\nX: y\r\nContent-Length: 6\r\n"), ended(400)),
            (
                "one good, one broken",
                lines("Content-Length: 5\r\nContent-Length: x\r\n"),
                ended(400),
            ),
            ("one empty", lines("Content-Length:\r\nContent-Length: 5\r\n"), ended(400)),
            (
                "three",
                lines("Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
                ended(400),
            ),
            ("joined, the same", length("5,5"), ended(400)),
            ("joined with a blank", length("5, 5"), ended(400)),
            ("joined, different", length("5,6"), ended(400)),
            ("joined with nothing before", length(",5"), ended(400)),
            ("joined with nothing after", length("5,"), ended(400)),
            ("joined by a semicolon", length("5;6"), ended(400)),
            ("folded", lines("Content-Length: 5\r\n 6\r\n"), ended(400)),
            ("folded before the value", lines("Content-Length:\r\n 5\r\n"), ended(400)),
        ],
    )
}
