//! Requests one behind another on one connection, and garbage between them.
use super::*;

pub fn cases() -> Vec<Case> {
    [pipelined(), garbage()].into_iter().flatten().collect()
}

fn pipelined() -> Vec<Case> {
    let sized = || post("Content-Length: 5\r\n", "hello");
    let chunks = || chunked("5\r\nhello\r\n0\r\n\r\n");
    let kept = |statuses: &[u16]| Outcome::Kept(statuses.to_vec());
    table(
        "pipelining",
        "RFC 9112 §9.3.2",
        [
            ("two", [get(""), get("")].concat(), kept(&[404, 404])),
            ("five", get("").repeat(5), kept(&[404, 404, 404, 404, 404])),
            ("bodies of both kinds", [sized(), chunks(), sized()].concat(), kept(&[404, 404, 404])),
            (
                "HEAD between",
                { [get(""), head("HEAD /robots.txt HTTP/1.1", "Host: a\r\n"), get("")].concat() },
                kept(&[404, 200, 404]),
            ),
            (
                "a body that is read between",
                {
                    let read = login(format!("Content-Length: {}\r\n", JSON.len()), JSON);
                    [sized(), read, chunks()].concat()
                },
                kept(&[404, 401, 404]),
            ),
            (
                "a broken one behind a good one",
                [get(""), get("X : y\r\n"), get("")].concat(),
                then(400),
            ),
            (
                "a bodiless one with a length behind",
                { [get(""), get("Content-Length: +5\r\n"), SMUGGLED.into()].concat() },
                then(400),
            ),
            (
                "half a one, which takes the next for its own",
                [get(""), b"GET /x HTTP/1.1\r\nX: ".to_vec()].concat(),
                Outcome::Waits(vec![404, 404]),
            ),
        ],
    )
}

fn garbage() -> Vec<Case> {
    let behind =
        |bytes: &str| [&post("Content-Length: 5\r\n", "hello")[..], bytes.as_bytes()].concat();
    let chunks = |bytes: &str| chunked(format!("5\r\nhello\r\n0\r\n\r\n{bytes}"));
    table(
        "garbage behind a body",
        "RFC 9112 §2.2 and §9.3",
        [
            ("an empty line, as old browsers send", behind("\r\n"), kept(404)),
            ("two empty lines", behind("\r\n\r\n"), then(400)),
            ("LF", behind("\n"), then(400)),
            ("CR", behind("\r"), then(400)),
            ("a blank", behind(" "), then(400)),
            ("NUL", behind("\0"), then(400)),
            ("letters", behind("xyz"), then(501)),
            ("a byte beyond ASCII", behind("\u{e9}"), then(400)),
            ("a line", behind("hello\r\n"), then(400)),
            (
                "half a request, which takes the next for its own",
                behind("GET /robots.txt HTTP/1.1\r\nX: "),
                Outcome::Waits(vec![404, 200]),
            ),
            ("a last chunk", behind("0\r\n\r\n"), then(400)),
            ("an empty line behind chunks", chunks("\r\n"), kept(404)),
            ("two empty lines behind chunks", chunks("\r\n\r\n"), then(400)),
            ("a second end", chunks("0\r\n\r\n"), then(400)),
            ("another chunk", chunks("5\r\nhello\r\n0\r\n\r\n"), then(400)),
            ("letters behind chunks", chunks("xyz"), then(501)),
            ("a blank behind chunks", chunks(" "), then(400)),
        ],
    )
}
