//! Lines: CR and LF together and nowhere else, no control bytes, no folding; and the request line.
use super::*;

pub fn cases() -> Vec<Case> {
    [ends(), controls(), folds(), before(), request_lines()].into_iter().flatten().collect()
}

fn raw(text: &str) -> Vec<u8> {
    text.into()
}

fn ends() -> Vec<Case> {
    table(
        "line ends",
        "RFC 9112 §2.2",
        [
            ("LF everywhere", raw("GET /x HTTP/1.1\nHost: a\n\n"), ended(400)),
            ("LF behind the request line", raw("GET /x HTTP/1.1\nHost: a\r\n\r\n"), ended(400)),
            ("LF behind a field", raw("GET /x HTTP/1.1\r\nHost: a\n\r\n"), ended(400)),
            ("LF for the empty line", raw("GET /x HTTP/1.1\r\nHost: a\r\n\n"), ended(400)),
            ("CR everywhere", raw("GET /x HTTP/1.1\rHost: a\r\r"), ended(400)),
            ("CR behind the request line", raw("GET /x HTTP/1.1\rHost: a\r\n\r\n"), ended(400)),
            ("CR behind a field", raw("GET /x HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"), ended(400)),
            ("CR for the empty line", raw("GET /x HTTP/1.1\r\nHost: a\r\n\rX"), ended(400)),
            ("CR CR LF", raw("GET /x HTTP/1.1\r\r\nHost: a\r\n\r\n"), ended(400)),
            ("LF CR", raw("GET /x HTTP/1.1\n\rHost: a\n\r\n\r"), ended(400)),
            ("LF in a value", raw("GET /x HTTP/1.1\r\nHost: a\r\nX: y\nz\r\n\r\n"), ended(400)),
            ("CR in a value", raw("GET /x HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n"), ended(400)),
            ("CR in a name", raw("GET /x HTTP/1.1\r\nHost: a\r\nX\ry: z\r\n\r\n"), ended(400)),
            ("CR in the target", raw("GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            ("LF in the target", raw("GET /\nx HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            (
                "LF before the end, twice",
                raw("GET /x HTTP/1.1\r\nHost: a\n\nGET /y\r\n\r\n"),
                ended(400),
            ),
            (
                "a line end of another script",
                raw("GET /x HTTP/1.1\u{85}Host: a\r\n\r\n"),
                ended(400),
            ),
        ],
    )
}

fn controls() -> Vec<Case> {
    table(
        "control bytes",
        "RFC 9110 §5.5",
        [
            ("NUL in the method", raw("G\0T /x HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            ("NUL in the target", raw("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            ("NUL in the version", raw("GET /x HTTP/1.1\0\r\nHost: a\r\n\r\n"), ended(400)),
            ("NUL in a name", get("X\0: y\r\n"), ended(400)),
            ("NUL in a value", get("X: \0\r\n"), ended(400)),
            ("NUL in the host", raw("GET /x HTTP/1.1\r\nHost: a\0b\r\n\r\n"), ended(400)),
            ("NUL before the request", raw("\0GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            ("NUL for the empty line", raw("GET /x HTTP/1.1\r\nHost: a\r\n\0\r\n"), ended(400)),
            ("BEL in a value", get("X: \x07\r\n"), ended(400)),
            ("backspace in a value", get("X: \x08\r\n"), ended(400)),
            ("ESC in a value", get("X: \x1b[2J\r\n"), ended(400)),
            ("a vertical tab in a value", get("X: a\x0bb\r\n"), ended(400)),
            ("a form feed in a value", get("X: a\x0cb\r\n"), ended(400)),
            ("DEL in a value", get("X: \x7f\r\n"), ended(400)),
            ("DEL in the target", raw("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            ("a tab in a value is none", get("X: a\tb\r\n"), kept(404)),
            ("nor is a byte beyond ASCII", get(b"X: \xe9\xff\x80\r\n"), kept(404)),
        ],
    )
}

fn folds() -> Vec<Case> {
    table(
        "folding",
        "RFC 9112 §5.2",
        [
            ("by a blank", get("X: y\r\n z\r\n"), ended(400)),
            ("by a tab", get("X: y\r\n\tz\r\n"), ended(400)),
            ("by many blanks", get("X: y\r\n        z\r\n"), ended(400)),
            ("to nothing", get("X: y\r\n \r\n"), ended(400)),
            ("of an empty value", get("X:\r\n y\r\n"), ended(400)),
            ("several times", get("X: y\r\n z\r\n z\r\n"), ended(400)),
            ("of the host", raw("GET /x HTTP/1.1\r\nHost: a\r\n .b\r\n\r\n"), ended(400)),
            (
                "of the last field before a body",
                post("Content-Length: 5\r\nX: y\r\n z\r\n", "hello"),
                { ended(400) },
            ),
            ("of the request line", raw("GET /x\r\n HTTP/1.1\r\nHost: a\r\n\r\n"), ended(400)),
            (
                "before the first field",
                raw("GET /x HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n"),
                ended(400),
            ),
            ("into a second request", get("X: y\r\n GET /robots.txt HTTP/1.1\r\n"), ended(400)),
            ("by a vertical tab", get("X: y\r\n\x0bz\r\n"), ended(400)),
            ("behind LF", get("X: y\n z\r\n"), ended(400)),
        ],
    )
}

fn before() -> Vec<Case> {
    let behind = |first: &str| [first.as_bytes(), &get("")].concat();
    table(
        "before a request",
        "RFC 9112 §2.2",
        [
            ("one empty line", behind("\r\n"), kept(404)),
            ("two empty lines", behind("\r\n\r\n"), ended(400)),
            ("LF", behind("\n"), ended(400)),
            ("CR", behind("\r"), ended(400)),
            ("LF CR", behind("\n\r"), ended(400)),
            ("a blank", behind(" "), ended(400)),
            ("a tab", behind("\t"), ended(400)),
            ("an empty line and a blank", behind("\r\n "), ended(400)),
            ("a byte order mark", behind("\u{feff}"), ended(400)),
            ("a field", behind("X: y\r\n"), ended(400)),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), ended(400)),
            ("SSH", raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), ended(400)),
            ("a proxy's own line", behind("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), ended(400)),
            ("an answer", raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ended(400)),
        ],
    )
}

fn request_lines() -> Vec<Case> {
    let line = |line: &str| head(line, "Host: a\r\n");
    table(
        "request line",
        "RFC 9112 §3",
        [
            ("two blanks before the target", line("GET  /x HTTP/1.1"), ended(400)),
            ("two blanks before the version", line("GET /x  HTTP/1.1"), ended(400)),
            ("a blank behind", line("GET /x HTTP/1.1 "), ended(400)),
            ("a tab between", line("GET\t/x HTTP/1.1"), ended(400)),
            ("a tab before the version", line("GET /x\tHTTP/1.1"), ended(400)),
            ("a vertical tab between", line("GET\x0b/x\x0bHTTP/1.1"), ended(400)),
            ("a blank in the target", line("GET /x y HTTP/1.1"), ended(400)),
            ("two versions", line("GET /x HTTP/1.1 HTTP/1.1"), ended(400)),
            ("no version", line("GET /x"), ended(400)),
            ("no version, as in HTTP/0.9", raw("GET /x\r\n\r\n"), ended(400)),
            ("the method alone", line("GET"), ended(400)),
            ("a blank alone", line(" "), ended(400)),
            ("the parts swapped", line("HTTP/1.1 GET /x"), ended(400)),
            ("another method", line("BREW /x HTTP/1.1"), ended(501)),
            ("a method in lower case", line("get /x HTTP/1.1"), ended(501)),
            ("a method that is no word", line("G(T /x HTTP/1.1"), ended(400)),
            ("a method beyond ASCII", line("G\u{cb}T /x HTTP/1.1"), ended(400)),
            ("a method with a colon", line("GET: /x HTTP/1.1"), ended(400)),
            ("a very long method", line(&format!("{} /x HTTP/1.1", "A".repeat(300))), ended(501)),
        ],
    )
}
