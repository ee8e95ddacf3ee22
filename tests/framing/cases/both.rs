//! Both a length and a coding (CL.TE, TE.CL), and lengths that one of two servers ignores (CL.0,
//! 0.CL): the classic ways to hide a request in another's body.
use super::*;

const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";

pub fn cases() -> Vec<Case> {
    [together(), disguised(), ignored()].into_iter().flatten().collect()
}

fn together() -> Vec<Case> {
    let hidden = format!("0\r\n\r\n{SMUGGLED}");
    let whole = format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", hidden.len());
    let chunk = format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len());
    table("CL.TE and TE.CL", "RFC 9112 §6.3", [
        ("CL.TE with a request behind the last chunk", post(whole, hidden), ended(400)),
        (
            "TE.CL with a request in a chunk",
            post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", &chunk),
            ended(400),
        ),
        (
            "TE.CL, the coding first",
            post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", &chunk),
            ended(400),
        ),
        (
            "a length that is right",
            post("Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            ended(400),
        ),
        (
            "zero and chunks",
            post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            ended(400),
        ),
        (
            "a broken length",
            post("Content-Length: x\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            ended(400),
        ),
        (
            "two lengths",
            post("Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            ended(400),
        ),
        (
            "two codings",
            post(
                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n",
                CHUNKS,
            ),
            ended(400),
        ),
        (
            "far apart",
            post("Content-Length: 4\r\nX: y\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            ended(400),
        ),
        (
            "in HTTP/1.0",
            [
                head(
                    "POST /x HTTP/1.0",
                    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n",
                ),
                CHUNKS.into(),
            ]
            .concat(),
            ended(400),
        ),
        (
            "on GET",
            head("GET /x HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            ended(400),
        ),
    ])
}

fn disguised() -> Vec<Case> {
    let with = |coding: &str| post(format!("Content-Length: 15\r\n{coding}"), CHUNKS);
    table(
        "CL.TE and TE.CL",
        "one of the two disguised",
        [
            ("identity", with("Transfer-Encoding: identity\r\n"), ended(400)),
            ("an unknown coding", with("Transfer-Encoding: xchunked\r\n"), ended(400)),
            ("a list", with("Transfer-Encoding: gzip, chunked\r\n"), ended(400)),
            ("nothing", with("Transfer-Encoding:\r\n"), ended(400)),
            ("a blank before the colon", with("Transfer-Encoding : chunked\r\n"), ended(400)),
            ("a vertical tab", with("Transfer-Encoding:\x0bchunked\r\n"), ended(400)),
            ("folded", with("Transfer-Encoding:\r\n chunked\r\n"), ended(400)),
            ("continued", with(" Transfer-Encoding: chunked\r\n"), ended(400)),
            ("behind a bare LF", with("X: y\nTransfer-Encoding: chunked\r\n"), ended(400)),
            ("behind a bare CR", with("X: y\rTransfer-Encoding: chunked\r\n"), ended(400)),
            ("a NUL after", with("Transfer-Encoding: chunked\0\r\n"), ended(400)),
            ("quoted", with("Transfer-Encoding: \"chunked\"\r\n"), ended(400)),
            // Other fields: the length alone counts.
            ("an underscore", with("Transfer_Encoding: chunked\r\n"), kept(404)),
            ("prefixed", with("X-Transfer-Encoding: chunked\r\n"), kept(404)),
            (
                "the length disguised",
                { post("Content_Length: 4\r\nTransfer-Encoding: chunked\r\n", CHUNKS) },
                kept(404),
            ),
            (
                "the length behind a blank",
                { post("Transfer-Encoding: chunked\r\nContent-Length : 4\r\n", CHUNKS) },
                ended(400),
            ),
        ],
    )
}

fn ignored() -> Vec<Case> {
    let sized = format!("Host: a\r\nContent-Length: {}\r\n", SMUGGLED.len());
    let to = |line: &str| [&head(line, &sized)[..], SMUGGLED.as_bytes()].concat();
    table(
        "CL.0 and 0.CL",
        "RFC 9112 §6.3: bodies nobody expects",
        [
            ("to a page that takes none", to("POST /robots.txt HTTP/1.1"), kept(405)),
            ("to a static file", to("GET /robots.txt HTTP/1.1"), kept(200)),
            ("to HEAD", to("HEAD /robots.txt HTTP/1.1"), kept(200)),
            ("to a redirect", to("GET / HTTP/1.1"), kept(401)),
            ("to OPTIONS", to("OPTIONS /robots.txt HTTP/1.1"), kept(405)),
            ("to a foreign POST", to("POST /logout HTTP/1.1"), kept(403)),
            (
                "a length named hop-by-hop",
                post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello"),
                kept(404),
            ),
            ("a host named hop-by-hop", get("Connection: Host\r\n"), kept(404)),
            (
                "a length promised as a trailer",
                post("Trailer: Content-Length\r\nContent-Length: 5\r\n", "hello"),
                kept(404),
            ),
        ],
    )
}
