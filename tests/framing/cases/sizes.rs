//! As much as is taken, and a little more.
use super::*;

pub fn cases() -> Vec<Case> {
    let target = |length: usize| format!("GET /{} HTTP/1.1", "a".repeat(length - 1));
    let value = |length: usize| get(format!("X: {}\r\n", "a".repeat(length)));
    let fields = |count: usize| get("a: b\r\n".repeat(count - 1));
    // "GET /x HTTP/1.1", "Host: a", "X: …" and the empty line.
    let around = 17 + 9 + 3 + 2 + 2;
    table(
        "sizes",
        "RFC 9110 §15.5.15, RFC 6585 §5",
        [
            ("the longest target", head(&target(8192), "Host: a\r\n"), kept(404)),
            ("a longer target", head(&target(8193), "Host: a\r\n"), ended(414)),
            ("a target without end", format!("GET /{}", "a".repeat(9000)).into(), ended(414)),
            ("the longest head", value(16 * 1024 - around), kept(404)),
            ("a longer head", value(16 * 1024 - around + 1), ended(431)),
            (
                "a field without end",
                format!("GET /x HTTP/1.1\r\nX: {}", "a".repeat(17_000)).into(),
                { ended(431) },
            ),
            ("the most fields", fields(100), kept(404)),
            ("one more field", fields(101), ended(431)),
            ("a very long name", get(format!("{}: b\r\n", "a".repeat(2000))), kept(404)),
            ("very many blanks", get(format!("X:{}b\r\n", " ".repeat(2000))), kept(404)),
            (
                "extensions as long as they may be",
                { chunked(format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(4096))) },
                kept(404),
            ),
            (
                "longer extensions",
                { chunked(format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(4097))) },
                ended(404),
            ),
            (
                "many short extensions",
                { chunked(format!("{}0\r\n\r\n", "1;aaaaaaaaaaaaaaaa\r\nx\r\n".repeat(260))) },
                ended(404),
            ),
        ],
    )
}
