//! Request targets in their four forms.
use super::*;

pub fn cases() -> Vec<Case> {
    [origin(), absolute(), others()].into_iter().flatten().collect()
}

fn to(target: &str) -> Vec<u8> {
    head(&format!("GET {target} HTTP/1.1"), "Host: a\r\n")
}

fn origin() -> Vec<Case> {
    table(
        "targets",
        "RFC 9112 §3.2.1: origin form",
        [
            ("a path", to("/x"), kept(404)),
            ("a query", to("/x?y=z&z"), kept(404)),
            ("an empty query", to("/x?"), kept(404)),
            ("two question marks", to("/x?y?z"), kept(404)),
            ("two slashes", to("//x/y"), kept(404)),
            ("a host behind two slashes", to("//b.example/"), kept(404)),
            ("dots", to("/y/../x"), kept(404)),
            ("dots encoded", to("/%2e%2e/x"), kept(404)),
            ("an encoded slash", to("/x%2fy"), kept(404)),
            ("an encoded NUL", to("/x%00"), kept(404)),
            ("an encoded line end", to("/x%0d%0aHost:%20b"), kept(404)),
            ("a broken escape", to("/x%zz"), kept(404)),
            ("an escape cut short", to("/x%2"), kept(404)),
            ("what browsers leave as it is", to("/x|^`{}\"<>"), kept(404)),
            ("a backslash", to("/x\\y"), kept(404)),
            ("a colon in the path", to("/x:80"), kept(404)),
            ("a whole URL in the path", to("/http://b.example/"), kept(404)),
            ("a fragment", to("/x#y"), ended(400)),
            ("no slash", to("x"), ended(400)),
            ("a query alone", to("?x"), ended(400)),
            ("a dot", to("."), ended(400)),
            ("beyond ASCII", to("/\u{e9}"), ended(400)),
            (
                "a byte that is not UTF-8",
                [&b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"[..]].concat(),
                ended(400),
            ),
            ("nothing", to(""), ended(400)),
        ],
    )
}

fn absolute() -> Vec<Case> {
    table(
        "targets",
        "RFC 9112 §3.2.2: absolute form",
        [
            ("a host and a path", to("http://a/x"), kept(404)),
            ("another host than the field's", to("http://b.example/x"), kept(404)),
            ("https", to("https://a/x"), kept(404)),
            ("a scheme in upper case", to("HTTP://a/x"), kept(404)),
            ("a port", to("http://a:8080/x"), kept(404)),
            ("no path", to("http://a"), kept(401)),
            ("a query without a path", to("http://a?x"), kept(401)),
            ("IPv6", to("http://[::1]:80/x"), kept(404)),
            ("no Host field", head("GET http://a/x HTTP/1.1", ""), ended(400)),
            (
                "two Host fields",
                head("GET http://a/x HTTP/1.1", "Host: a\r\nHost: b\r\n"),
                ended(400),
            ),
            ("a broken Host field", head("GET http://a/x HTTP/1.1", "Host: a b\r\n"), ended(400)),
            ("no Host field in HTTP/1.0", head("GET http://a/x HTTP/1.0", ""), ended(404)),
            ("user info", to("http://u@a/x"), ended(400)),
            ("user info and a password", to("http://u:p@a/x"), ended(400)),
            ("no host", to("http:///x"), ended(400)),
            ("nothing behind the slashes", to("http://"), ended(400)),
            ("one slash", to("http:/a/x"), ended(400)),
            ("no slash", to("http:a"), ended(400)),
            ("no scheme", to("://a/x"), ended(400)),
            ("another scheme", to("ftp://a/x"), ended(400)),
            ("file", to("file:///etc/passwd"), ended(400)),
            ("javascript", to("javascript://a/x"), ended(400)),
            ("a fragment", to("http://a/x#y"), ended(400)),
            ("a broken port", to("http://a:b/x"), ended(400)),
            ("a port too large", to("http://a:99999/x"), ended(400)),
            ("a backslash in the host", to("http://a\\b/x"), ended(400)),
            ("a bracket left open", to("http://[::1/x"), ended(400)),
        ],
    )
}

fn others() -> Vec<Case> {
    let line = |line: &str| head(line, "Host: a\r\n");
    table(
        "targets",
        "RFC 9112 §3.2.3 and §3.2.4: authority and asterisk form",
        [
            ("CONNECT", line("CONNECT a:443 HTTP/1.1"), ended(501)),
            ("CONNECT without a port", line("CONNECT a HTTP/1.1"), ended(501)),
            ("CONNECT to a path", line("CONNECT /x HTTP/1.1"), ended(501)),
            (
                "CONNECT with a body",
                {
                    let head = head("CONNECT a:443 HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n");
                    [&head[..], b"hello"].concat()
                },
                ended(501),
            ),
            (
                "CONNECT and what it would tunnel",
                { [&line("CONNECT a:80 HTTP/1.1")[..], SMUGGLED.as_bytes()].concat() },
                ended(501),
            ),
            ("an authority on GET", line("GET a:443 HTTP/1.1"), ended(400)),
            ("an authority on POST", line("POST a:443 HTTP/1.1"), ended(400)),
            ("an asterisk on OPTIONS", line("OPTIONS * HTTP/1.1"), ended(501)),
            ("an asterisk on GET", line("GET * HTTP/1.1"), ended(400)),
            ("an asterisk and a path", line("OPTIONS */x HTTP/1.1"), ended(400)),
            ("OPTIONS of a page", line("OPTIONS /x HTTP/1.1"), kept(404)),
            ("TRACE", line("TRACE /x HTTP/1.1"), ended(501)),
        ],
    )
}
