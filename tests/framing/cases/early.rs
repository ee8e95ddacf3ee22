//! Answers that come before the body has: what is left of it must never be read as a request.
use super::*;

pub fn cases() -> Vec<Case> {
    [unread(), expectations(), cut_short()].into_iter().flatten().collect()
}

fn unread() -> Vec<Case> {
    let json = "Content-Type: application/json\r\n";
    table(
        "early answers",
        "RFC 9112 §9.3 and §9.5",
        [
            (
                "a large one is not waited for",
                post("Content-Length: 65537\r\n", SMUGGLED),
                ended(404),
            ),
            (
                "a huge one is not waited for",
                post("Content-Length: 9999999999999\r\n", SMUGGLED),
                { ended(404) },
            ),
            ("as much as is read out", post("Content-Length: 65536\r\n", SMUGGLED), waits(404)),
            (
                "too large to be read",
                login(format!("{json}Content-Length: 65537\r\n"), SMUGGLED),
                { ended(413) },
            ),
            (
                "chunks that are refused too late",
                {
                    let chunks = format!("{:x}\r\n{}\r\n{SMUGGLED}", 66_000, "x".repeat(66_000));
                    login("Transfer-Encoding: chunked\r\n", chunks)
                },
                ended(413),
            ),
            (
                "a wrong method with a body",
                {
                    [
                        &head("DELETE /login HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n")[..],
                        b"hello",
                    ]
                    .concat()
                },
                kept(405),
            ),
            (
                "from a foreign page with a body",
                {
                    let foreign = "Host: a\r\nOrigin: http://b.example\r\nContent-Length: 5\r\n";
                    [&head("POST /login HTTP/1.1", foreign)[..], b"hello"].concat()
                },
                kept(403),
            ),
            (
                "without a session",
                {
                    let lines = "Host: a\r\nOrigin: http://localhost\r\nContent-Length: 5\r\n";
                    [&head("POST /settings/name HTTP/1.1", lines)[..], b"hello"].concat()
                },
                kept(401),
            ),
            ("chunks nobody reads, broken", chunked(format!("5\r\nhelloX{SMUGGLED}")), ended(404)),
        ],
    )
}

fn expectations() -> Vec<Case> {
    let sized = |expect: &str| post(format!("Expect: {expect}\r\nContent-Length: 5\r\n"), "hello");
    let read = |expect: &str| {
        login(format!("Expect: {expect}\r\nContent-Length: {}\r\n", JSON.len()), JSON)
    };
    table(
        "expectations",
        "RFC 9110 §10.1.1",
        [
            ("the body comes unasked", read("100-continue"), kept(401)),
            ("in capitals", read("100-CONTINUE"), kept(401)),
            ("refused before the body", sized("100-continue"), ended(404)),
            (
                "refused, in chunks",
                {
                    post(
                        "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n",
                        "5\r\nhello\r\n0\r\n\r\n",
                    )
                },
                ended(404),
            ),
            ("without a body", get("Expect: 100-continue\r\n"), kept(404)),
            (
                "with an empty body",
                post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""),
                kept(404),
            ),
            ("twice", get("Expect: 100-continue\r\nExpect: 100-continue\r\n"), kept(404)),
            ("another", sized("tea"), ended(417)),
            ("another status", sized("101-continue"), ended(417)),
            ("a list", sized("100-continue, tea"), ended(417)),
            ("nothing", sized(""), ended(417)),
            ("a parameter", sized("100-continue;q=1"), ended(417)),
            ("a blank before it in the name", get("Expect : 100-continue\r\n"), ended(400)),
        ],
    )
}

fn cut_short() -> Vec<Case> {
    let raw = |text: &str| text.as_bytes().to_vec();
    table(
        "cut short",
        "RFC 9112 §8",
        [
            ("before anything", raw(""), Outcome::Cut(vec![])),
            ("behind an empty line", raw("\r\n"), Outcome::Cut(vec![])),
            ("in the method", raw("GE"), cut(400)),
            ("behind the method", raw("GET "), cut(400)),
            ("in the version", raw("GET /x HTTP/1."), cut(400)),
            ("behind the request line", raw("GET /x HTTP/1.1\r\n"), cut(400)),
            ("in a name", raw("GET /x HTTP/1.1\r\nHost: a\r\nX"), cut(400)),
            ("in a value", raw("GET /x HTTP/1.1\r\nHost: a\r\nX: "), cut(400)),
            ("before the empty line", raw("GET /x HTTP/1.1\r\nHost: a\r\n"), cut(400)),
            ("behind a CR", raw("GET /x HTTP/1.1\r\nHost: a\r\n\r"), cut(400)),
            ("behind a whole request", get(""), cut(404)),
            ("in a body", login("Content-Length: 9\r\n", "hello"), cut(400)),
            ("in a body nobody reads", post("Content-Length: 9\r\n", "hello"), cut(404)),
            ("in a chunk's size", chunked("5"), cut(404)),
            ("in a chunk's extension", chunked("5;x="), cut(404)),
            ("in a chunk", login("Transfer-Encoding: chunked\r\n", "5\r\nhel"), cut(400)),
            (
                "before the last chunk",
                login("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n"),
                cut(400),
            ),
            (
                "before the last line",
                login("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n"),
                { cut(400) },
            ),
            ("in a trailer", chunked("0\r\nX: "), cut(404)),
            (
                "in the second request",
                [get(""), raw("GET /x")].concat(),
                Outcome::Cut(vec![404, 400]),
            ),
            ("a size, and another request", chunked("5"), ended(404)),
            ("a trailer, and another request", chunked("0\r\nX: "), waits(404)),
            ("a method, and another request", raw("GE"), ended(501)),
            ("a target, and another request", raw("GET "), ended(400)),
            ("a field, and another request", raw("GET /x HTTP/1.1\r\nHost: a\r\nX: "), ended(400)),
        ],
    )
}
