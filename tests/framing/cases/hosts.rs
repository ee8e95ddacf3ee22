//! `Host`: exactly one, and one that can be a host.
use super::*;

pub fn cases() -> Vec<Case> {
    [good(), broken()].into_iter().flatten().collect()
}

fn hosted(lines: &str) -> Vec<u8> {
    head("GET /x HTTP/1.1", lines)
}

fn good() -> Vec<Case> {
    table(
        "hosts",
        "RFC 9112 §3.2",
        [
            ("a name", hosted("Host: chat.example\r\n"), kept(404)),
            ("a port", hosted("Host: chat.example:8080\r\n"), kept(404)),
            ("an empty port", hosted("Host: chat.example:\r\n"), kept(404)),
            ("in any case", hosted("hOST: CHAT.example\r\n"), kept(404)),
            ("IPv4", hosted("Host: 192.0.2.1\r\n"), kept(404)),
            ("IPv6", hosted("Host: [2001:db8::1]:80\r\n"), kept(404)),
            ("a dot at the end", hosted("Host: chat.example.\r\n"), kept(404)),
            ("an underscore", hosted("Host: my_host\r\n"), kept(404)),
            ("not the first field", hosted("X: y\r\nHost: a\r\n"), kept(404)),
        ],
    )
}

fn broken() -> Vec<Case> {
    table(
        "hosts",
        "RFC 9112 §3.2: refused",
        [
            ("none", hosted(""), ended(400)),
            ("empty", hosted("Host:\r\n"), ended(400)),
            ("twice", hosted("Host: a\r\nHost: b\r\n"), ended(400)),
            ("twice the same", hosted("Host: a\r\nHost: a\r\n"), ended(400)),
            ("twice, in other case", hosted("Host: a\r\nhost: b\r\n"), ended(400)),
            ("twice, far apart", hosted("Host: a\r\nX: y\r\nHost: b\r\n"), ended(400)),
            ("once empty", hosted("Host: a\r\nHost:\r\n"), ended(400)),
            ("a blank before the colon", hosted("Host : a\r\n"), ended(400)),
            ("a blank before the name", hosted(" Host: a\r\n"), ended(400)),
            ("a blank inside", hosted("Host: a b\r\n"), ended(400)),
            ("a list", hosted("Host: a, b\r\n"), ended(400)),
            ("a path", hosted("Host: a/b\r\n"), ended(400)),
            ("a query", hosted("Host: a?b\r\n"), ended(400)),
            ("a fragment", hosted("Host: a#b\r\n"), ended(400)),
            ("user info", hosted("Host: u@a\r\n"), ended(400)),
            ("a scheme", hosted("Host: http://a\r\n"), ended(400)),
            ("two ports", hosted("Host: a:1:2\r\n"), ended(400)),
            ("a port too large", hosted("Host: a:65536\r\n"), ended(400)),
            ("a port of letters", hosted("Host: a:http\r\n"), ended(400)),
            ("a signed port", hosted("Host: a:+80\r\n"), ended(400)),
            ("an open bracket", hosted("Host: [::1\r\n"), ended(400)),
            ("IPv6 without brackets", hosted("Host: ::1\r\n"), ended(400)),
            ("IPv4 in brackets", hosted("Host: [127.0.0.1]\r\n"), ended(400)),
            ("something behind the bracket", hosted("Host: [::1]x\r\n"), ended(400)),
            ("beyond ASCII", hosted("Host: \u{e9}.example\r\n"), ended(400)),
            ("a tab inside", hosted("Host: a\tb\r\n"), ended(400)),
            ("a backslash", hosted("Host: a\\b\r\n"), ended(400)),
            ("a bracket around a name", hosted("Host: [a]\r\n"), ended(400)),
        ],
    )
}
