//! What comes behind the last chunk: lines that are checked and dropped, and never act.
use super::*;

pub fn cases() -> Vec<Case> {
    [good(), broken()].into_iter().flatten().collect()
}

/// One chunk, and these lines behind the last one; the empty line is added.
fn trailed(lines: impl AsRef<[u8]>) -> Vec<u8> {
    chunked([b"5\r\nhello\r\n0\r\n", lines.as_ref(), b"\r\n"].concat())
}

fn good() -> Vec<Case> {
    table(
        "trailers",
        "RFC 9112 §7.1.2",
        [
            ("one", trailed("Expires: never\r\n"), kept(404)),
            ("several", trailed("A: b\r\nC: d\r\nE:\r\n"), kept(404)),
            ("an empty value", trailed("A:\r\n"), kept(404)),
            ("blanks and a tab in the value", trailed("A: \t b c\t\r\n"), kept(404)),
            ("a value beyond ASCII", trailed(b"A: \xe9\r\n"), kept(404)),
            ("a length", trailed("Content-Length: 50\r\n"), kept(404)),
            ("a coding", trailed("Transfer-Encoding: chunked\r\n"), kept(404)),
            ("a host", trailed("Host: b\r\n"), kept(404)),
            ("the connection's end", trailed("Connection: close\r\n"), kept(404)),
            ("an expectation", trailed("Expect: 100-continue\r\n"), kept(404)),
            ("who is asking", trailed("X-Forwarded-For: 192.0.2.1\r\n"), kept(404)),
        ],
    )
}

fn broken() -> Vec<Case> {
    table(
        "trailers",
        "RFC 9112 §7.1.2: broken lines",
        [
            ("a request", trailed("GET /robots.txt HTTP/1.1\r\nHost: a\r\n"), ended(404)),
            ("no colon", trailed("nothing\r\n"), ended(404)),
            ("no name", trailed(": b\r\n"), ended(404)),
            ("a blank before the colon", trailed("A : b\r\n"), ended(404)),
            ("a blank in the name", trailed("A b: c\r\n"), ended(404)),
            ("a blank before the name", trailed(" A: b\r\n"), ended(404)),
            ("folded", trailed("A: b\r\n c\r\n"), ended(404)),
            ("folded by a tab", trailed("A: b\r\n\tc\r\n"), ended(404)),
            ("a bare LF", trailed("A: b\nC: d\r\n"), ended(404)),
            ("a bare CR", trailed("A: b\rC: d\r\n"), ended(404)),
            ("CR CR LF", trailed("A: b\r\r\n"), ended(404)),
            ("a NUL in the value", trailed("A: \0\r\n"), ended(404)),
            ("a NUL in the name", trailed("A\0: b\r\n"), ended(404)),
            ("a name beyond ASCII", trailed("\u{e9}: b\r\n"), ended(404)),
            ("a control byte", trailed("A: \x01\r\n"), ended(404)),
            ("DEL", trailed("A: \x7f\r\n"), ended(404)),
            ("too much of it", trailed("A: b\r\n".repeat(1400)), ended(404)),
            ("too long a line", trailed(format!("A: {}\r\n", "b".repeat(4096))), ended(404)),
        ],
    )
}
