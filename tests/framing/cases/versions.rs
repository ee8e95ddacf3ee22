//! Versions, and whether a connection goes on (RFC 9112 §9.3).
use super::*;

pub fn cases() -> Vec<Case> {
    [spoken(), others(), persistence(), upgrades()].into_iter().flatten().collect()
}

fn spoken() -> Vec<Case> {
    let old = |line: &str, lines: &str| head(&format!("{line} HTTP/1.0"), lines);
    let stay = "Connection: keep-alive\r\n";
    let sized = format!("{stay}Content-Length: 5\r\n");
    table(
        "HTTP/1.0",
        "RFC 9112 §9.3 and §6.1",
        [
            ("ends with its answer", old("GET /x", ""), ended(404)),
            ("with a host", old("GET /x", "Host: a\r\n"), ended(404)),
            ("asks to stay", old("GET /x", stay), kept(404)),
            ("asks to stay in capitals", old("GET /x", "Connection: Keep-Alive\r\n"), kept(404)),
            ("asks for both", old("GET /x", "Connection: keep-alive, close\r\n"), ended(404)),
            ("another wish", old("GET /x", "Connection: x\r\n"), ended(404)),
            ("the proxy's field", old("GET /x", "Proxy-Connection: keep-alive\r\n"), ended(404)),
            ("a body", [&old("POST /x", &sized)[..], b"hello"].concat(), kept(404)),
            ("a body without a length", [&old("POST /x", "")[..], b"hello"].concat(), ended(404)),
            ("chunks", old("POST /x", "Transfer-Encoding: chunked\r\n"), ended(400)),
            (
                "chunks, asked to stay",
                {
                    let chunks = format!("{stay}Transfer-Encoding: chunked\r\n");
                    [&old("POST /x", &chunks)[..], b"0\r\n\r\n"].concat()
                },
                ended(400),
            ),
            ("two hosts", old("GET /x", "Host: a\r\nHost: b\r\n"), ended(400)),
            ("a broken host", old("GET /x", "Host: a b\r\n"), ended(400)),
            (
                "no patience for 100",
                {
                    let expecting = format!("{sized}Expect: 100-continue\r\n");
                    [&old("POST /x", &expecting)[..], b"hello"].concat()
                },
                kept(404),
            ),
            ("then 1.1", [old("GET /x", stay), get("")].concat(), Outcome::Kept(vec![404, 404])),
            ("1.1, then 1.0", [get(""), old("GET /x", "")].concat(), then(404)),
        ],
    )
}

fn others() -> Vec<Case> {
    let version = |version: &str| head(&format!("GET /x {version}"), "Host: a\r\n");
    table(
        "versions",
        "RFC 9112 §2.3",
        [
            ("1.2", version("HTTP/1.2"), ended(505)),
            ("2.0", version("HTTP/2.0"), ended(505)),
            ("0.9", version("HTTP/0.9"), ended(505)),
            ("9.9", version("HTTP/9.9"), ended(505)),
            ("2", version("HTTP/2"), ended(400)),
            ("1", version("HTTP/1"), ended(400)),
            ("1.", version("HTTP/1."), ended(400)),
            ("1.10", version("HTTP/1.10"), ended(400)),
            ("01.1", version("HTTP/01.1"), ended(400)),
            ("1,1", version("HTTP/1,1"), ended(400)),
            ("1.1x", version("HTTP/1.1x"), ended(400)),
            ("-1.1", version("HTTP/-1.1"), ended(400)),
            ("in lower case", version("http/1.1"), ended(400)),
            ("HTTPS", version("HTTPS/1.1"), ended(400)),
            ("ICY", version("ICY/1.1"), ended(400)),
            ("a blank inside", version("HTTP/ 1.1"), ended(400)),
            ("digits of another script", version("HTTP/\u{661}.1"), ended(400)),
            ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), ended(505)),
        ],
    )
}

fn persistence() -> Vec<Case> {
    table(
        "persistence",
        "RFC 9112 §9.3 and §9.6",
        [
            ("close", get("Connection: close\r\n"), ended(404)),
            ("close in capitals", get("Connection: CLOSE\r\n"), ended(404)),
            ("close in a list", get("Connection: x, close ,y\r\n"), ended(404)),
            ("close in a second field", get("Connection: x\r\nConnection: close\r\n"), ended(404)),
            ("close against keep-alive", get("Connection: keep-alive, close\r\n"), ended(404)),
            ("keep-alive", get("Connection: keep-alive\r\n"), kept(404)),
            ("a longer word", get("Connection: closed\r\n"), kept(404)),
            ("the proxy's field", get("Proxy-Connection: close\r\n"), kept(404)),
            ("a time", get("Keep-Alive: timeout=0\r\n"), kept(404)),
            ("nothing", get("Connection:\r\n"), kept(404)),
            (
                "close, and a body",
                post("Connection: close\r\nContent-Length: 5\r\n", "hello"),
                ended(404),
            ),
            (
                "close, and another request",
                [get("Connection: close\r\n"), SMUGGLED.into()].concat(),
                { ended(404) },
            ),
        ],
    )
}

fn upgrades() -> Vec<Case> {
    table(
        "upgrades",
        "RFC 9110 §7.8: none is taken, h2c smuggling",
        [
            ("a web socket", get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), kept(404)),
            (
                "h2c",
                get(
                    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
                ),
                kept(404),
            ),
            ("h2c alone", get("Connection: Upgrade\r\nUpgrade: h2c\r\n"), kept(404)),
            ("TLS", get("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"), kept(404)),
            (
                "with a body",
                post("Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n", "hello"),
                kept(404),
            ),
            (
                "and what would follow",
                [get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), SMUGGLED.into()].concat(),
                Outcome::Kept(vec![404, 200]),
            ),
        ],
    )
}
