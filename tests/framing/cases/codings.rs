//! `Transfer-Encoding`: `chunked` and nothing else, in one field (TE.TE: one of two servers is made
//! not to see it).
use super::*;

const BODY: &str = "5\r\nhello\r\n0\r\n\r\n";

pub fn cases() -> Vec<Case> {
    [good(), values(), names(), several()].into_iter().flatten().collect()
}

fn coding(value: &str) -> Vec<u8> {
    post(format!("Transfer-Encoding: {value}\r\n"), BODY)
}

fn lines(lines: &str) -> Vec<u8> {
    post(lines, BODY)
}

fn good() -> Vec<Case> {
    table(
        "coding",
        "RFC 9112 §6.1",
        [
            ("chunked", coding("chunked"), kept(404)),
            ("in any case", coding("ChUnKeD"), kept(404)),
            ("blanks around", coding("\t chunked \t"), kept(404)),
            ("no blank before", lines("Transfer-Encoding:chunked\r\n"), kept(404)),
            ("a name in any case", lines("tRANSFER-eNCODING: chunked\r\n"), kept(404)),
            ("on GET", head("GET /x HTTP/1.1", [CODED, BODY].concat()), Outcome::Kept(vec![404])),
            ("on DELETE", head("DELETE /x HTTP/1.1", [CODED, BODY].concat()), kept(404)),
            ("on HEAD", head("HEAD /x HTTP/1.1", [CODED, BODY].concat()), kept(404)),
            (
                "named hop-by-hop",
                lines("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n"),
                { kept(404) },
            ),
        ],
    )
}

/// With what follows it, a head and the beginning of a body; `head` adds the last line end, which
/// the next request may have before it.
const CODED: &str = "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn values() -> Vec<Case> {
    table(
        "coding",
        "TE.TE: values that almost say it",
        [
            ("a letter before", coding("xchunked"), ended(400)),
            ("a letter after", coding("chunkedx"), ended(400)),
            ("one letter too few", coding("chunke"), ended(400)),
            ("a blank inside", coding("chunk ed"), ended(400)),
            ("a tab inside", coding("chun\tked"), ended(400)),
            ("quoted", coding("\"chunked\""), ended(400)),
            ("quoted by apostrophes", coding("'chunked'"), ended(400)),
            ("a parameter", coding("chunked;q=1"), ended(400)),
            ("a parameter behind a blank", coding("chunked ; a=b"), ended(400)),
            ("a comma after", coding("chunked,"), ended(400)),
            ("a comma before", coding(",chunked"), ended(400)),
            ("a colon before", coding(": chunked"), ended(400)),
            ("nothing", coding(""), ended(400)),
            ("identity", coding("identity"), ended(400)),
            ("gzip", coding("gzip"), ended(400)),
            ("trailers", coding("trailers"), ended(400)),
            ("an unknown word", coding("cow"), ended(400)),
            ("the Kelvin sign, a K in lower case", coding("chun\u{212a}ed"), ended(400)),
            ("a no-break space after", coding("chunked\u{a0}"), ended(400)),
            ("a no-break space before", coding("\u{a0}chunked"), ended(400)),
            (
                "a byte that is not UTF-8",
                post(b"Transfer-Encoding: chunked\xff\r\n", BODY),
                ended(400),
            ),
            ("a vertical tab before", coding("\x0bchunked"), ended(400)),
            ("a form feed before", coding("\x0cchunked"), ended(400)),
            ("a NUL after", coding("chunked\0"), ended(400)),
            ("a backspace", coding("chunkedx\x08"), ended(400)),
            ("percent-encoded", coding("%63hunked"), ended(400)),
        ],
    )
}

fn names() -> Vec<Case> {
    table(
        "coding",
        "TE.TE: names that almost say it",
        [
            ("a blank before the colon", lines("Transfer-Encoding : chunked\r\n"), ended(400)),
            ("a tab before the colon", lines("Transfer-Encoding\t: chunked\r\n"), ended(400)),
            ("a blank before the name", lines(" Transfer-Encoding: chunked\r\n"), ended(400)),
            (
                "a blank before, further down",
                lines("X: y\r\n Transfer-Encoding: chunked\r\n"),
                ended(400),
            ),
            ("behind a bare LF", lines("X: y\nTransfer-Encoding: chunked\r\n"), ended(400)),
            ("behind a bare CR", lines("X: y\rTransfer-Encoding: chunked\r\n"), ended(400)),
            ("behind a NUL", lines("X: y\0Transfer-Encoding: chunked\r\n"), ended(400)),
            ("the value folded", lines("Transfer-Encoding:\r\n chunked\r\n"), ended(400)),
            ("the value folded by a tab", lines("Transfer-Encoding:\r\n\tchunked\r\n"), ended(400)),
            ("the colon on the next line", lines("Transfer-Encoding\r\n: chunked\r\n"), ended(400)),
            ("a blank in the name", lines("Transfer Encoding: chunked\r\n"), ended(400)),
            ("a colon in the name", lines("Transfer:Encoding: chunked\r\n"), then(400)),
            ("an underscore", lines("Transfer_Encoding: chunked\r\n"), then(400)),
            ("one letter too few", lines("Transfer-Encodin: chunked\r\n"), then(400)),
            ("prefixed", lines("X-Transfer-Encoding: chunked\r\n"), then(400)),
            ("MIME's own", lines("Content-Transfer-Encoding: chunked\r\n"), then(400)),
            ("what a client would accept", lines("TE: chunked\r\n"), then(400)),
        ],
    )
}

fn several() -> Vec<Case> {
    table(
        "coding",
        "RFC 9112 §6.1: several codings",
        [
            ("a list that ends in chunked", coding("gzip, chunked"), ended(400)),
            ("a list that does not", coding("chunked, gzip"), ended(400)),
            ("chunked twice", coding("chunked, chunked"), ended(400)),
            ("identity first", coding("identity, chunked"), ended(400)),
            ("identity last", coding("chunked, identity"), ended(400)),
            (
                "two fields",
                lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                { ended(400) },
            ),
            (
                "one unknown after",
                lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n"),
                { ended(400) },
            ),
            (
                "one unknown before",
                lines("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n"),
                { ended(400) },
            ),
            (
                "in another case",
                lines("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n"),
                { ended(400) },
            ),
            (
                "one empty",
                lines("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"),
                ended(400),
            ),
            ("folded list", lines("Transfer-Encoding: cow,\r\n chunked\r\n"), ended(400)),
        ],
    )
}
