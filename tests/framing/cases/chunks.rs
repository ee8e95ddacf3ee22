//! The chunked coding: sizes, extensions, data and their line ends.
use super::*;

pub fn cases() -> Vec<Case> {
    [good(), sizes(), extensions(), data()].into_iter().flatten().collect()
}

/// One chunk "hello" whose size line is this, and the end.
fn size(line: &str) -> Vec<u8> {
    chunked(format!("{line}hello\r\n0\r\n\r\n"))
}

/// In chunks, and read to the end: 401 when every byte arrived, otherwise 400.
fn read(body: impl AsRef<[u8]>) -> Vec<u8> {
    login("Transfer-Encoding: chunked\r\n", body)
}

fn good() -> Vec<Case> {
    let (first, second) = JSON.split_at(40);
    let one = format!("{:x}\r\n{JSON}\r\n0\r\n\r\n", JSON.len());
    let two = format!("28\r\n{first}\r\n{:X};a=b\r\n{second}\r\n000\r\nA: b\r\n\r\n", second.len());
    let each: String = JSON.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    table(
        "chunks",
        "RFC 9112 §7.1",
        [
            ("none", chunked("0\r\n\r\n"), kept(404)),
            ("several", chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), kept(404)),
            ("a size in upper case", chunked("A\r\n0123456789\r\n0\r\n\r\n"), kept(404)),
            ("a size in lower case", chunked("a\r\n0123456789\r\n0\r\n\r\n"), kept(404)),
            ("leading zeros", size("0005\r\n"), kept(404)),
            ("fifteen digits", size("000000000000005\r\n"), kept(404)),
            ("an end of several zeros", chunked("5\r\nhello\r\n0000\r\n\r\n"), kept(404)),
            ("data that looks like the end", chunked("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), kept(404)),
            ("data of line ends", chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), kept(404)),
            (
                "data that looks like a request",
                { chunked(format!("{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len())) },
                kept(404),
            ),
            ("read whole from one", read(one), kept(401)),
            ("read whole from two, extended and trailed", read(two), kept(401)),
            ("read whole byte for byte", read(each + "0\r\n\r\n"), kept(401)),
            (
                "followed by a request",
                { chunked(format!("5\r\nhello\r\n0\r\n\r\n{SMUGGLED}")) },
                Outcome::Kept(vec![404, 200]),
            ),
            ("the size missing yet", chunked(""), then_ended()),
            ("the data not complete", read("ff\r\nhello"), waits(400)),
            ("a chunk without end", chunked("7fffffffffffff\r\nhello"), waits(404)),
        ],
    )
}

/// Answered; the next request is read as a chunk, which it is not.
fn then_ended() -> Outcome {
    ended(404)
}

fn sizes() -> Vec<Case> {
    table(
        "chunks",
        "RFC 9112 §7.1: sizes",
        [
            ("a plus sign", size("+5\r\n"), ended(404)),
            ("a minus sign", size("-5\r\n"), ended(404)),
            ("a prefix", size("0x5\r\n"), ended(404)),
            ("a blank before", size(" 5\r\n"), ended(404)),
            ("a tab before", size("\t5\r\n"), ended(404)),
            ("a blank after", size("5 \r\n"), ended(404)),
            ("a tab after", size("5\t\r\n"), ended(404)),
            ("a blank inside", size("0 5\r\n"), ended(404)),
            ("no digit of sixteen", size("g\r\n"), ended(404)),
            ("an underscore", size("0_5\r\n"), ended(404)),
            ("a comma", size("5,5\r\n"), ended(404)),
            ("a fraction", size("5.0\r\n"), ended(404)),
            ("quoted", size("\"5\"\r\n"), ended(404)),
            ("a fullwidth digit", size("\u{ff15}\r\n"), ended(404)),
            ("nothing", size("\r\n"), ended(404)),
            ("a NUL after", size("5\0\r\n"), ended(404)),
            ("sixteen digits", size("0000000000000005\r\n"), ended(404)),
            ("2^64 + 5, which wraps", size("10000000000000005\r\n"), ended(404)),
            ("2^64 - 1, or -1", size("ffffffffffffffff\r\n"), ended(404)),
            ("2^32 + 5, which wraps in 32 bits", size("100000005\r\n"), waits(404)),
            ("a line that ends in LF", size("5\n"), ended(404)),
            ("a line that ends in CR", size("5\r"), ended(404)),
            ("a line that ends in LF CR", size("5\n\r"), ended(404)),
            ("a line that ends in CR CR LF", size("5\r\r\n"), ended(404)),
            ("told to its reader", read("5 \r\nhello\r\n0\r\n\r\n"), ended(400)),
        ],
    )
}

fn extensions() -> Vec<Case> {
    table(
        "chunks",
        "RFC 9112 §7.1.1: extensions",
        [
            ("a name", size("5;x\r\n"), kept(404)),
            ("a name and a value", size("5;x=y\r\n"), kept(404)),
            ("a quoted value", size("5;x=\"y;z\"\r\n"), kept(404)),
            ("several", size("5;a;b=c;d=\"e\"\r\n"), kept(404)),
            ("nothing", size("5;\r\n"), kept(404)),
            ("blanks", size("5; x = y\r\n"), kept(404)),
            ("on the last chunk", chunked("5\r\nhello\r\n0;x=y\r\n\r\n"), kept(404)),
            ("a request", size("5;GET /robots.txt HTTP/1.1\r\n"), kept(404)),
            ("a blank before the semicolon", size("5 ;x\r\n"), ended(404)),
            ("no size", size(";x\r\n"), ended(404)),
            ("a bare LF, TERM.EXT", size("5;\n"), ended(404)),
            ("a bare LF inside, EXT.TERM", size("5;x\ny\r\n"), ended(404)),
            ("a bare CR inside", size("5;x\ry\r\n"), ended(404)),
            ("a quoted line end", size("5;x=\"\r\n\"\r\n"), ended(404)),
            ("a NUL", size("5;x\0\r\n"), ended(404)),
            ("a bare LF on the last chunk", chunked("0;x\n\r\n\r\n"), ended(404)),
            (
                "a bare LF that hides a request",
                {
                    chunked(format!(
                        "2;\nxx\r\n{:x}\r\n0\r\n\r\n{SMUGGLED}\r\n0\r\n\r\n",
                        SMUGGLED.len() + 5
                    ))
                },
                ended(404),
            ),
        ],
    )
}

fn data() -> Vec<Case> {
    let ends = |body: &str| (chunked(body), ended(404));
    let row = |name, (bytes, outcome)| (name, bytes, outcome);
    table(
        "chunks",
        "RFC 9112 §7.1: data and the end",
        [
            row("one byte too many", ends("5\r\nhello!\r\n0\r\n\r\n")),
            row("one byte too few", ends("5\r\nhell\r\n0\r\n\r\n")),
            row("nothing behind the data", ends("5\r\nhello0\r\n\r\n")),
            row("LF behind the data", ends("5\r\nhello\n0\r\n\r\n")),
            row("CR behind the data", ends("5\r\nhello\r0\r\n\r\n")),
            row("LF CR behind the data", ends("5\r\nhello\n\r0\r\n\r\n")),
            row("two bytes that are no line end", ends("5\r\nhelloXX0\r\n\r\n")),
            row("an empty line between", ends("5\r\nhello\r\n\r\n0\r\n\r\n")),
            row("a blank between", ends("5\r\nhello\r\n 0\r\n\r\n")),
            row("the last size ended by LF", ends("5\r\nhello\r\n0\n\r\n")),
            row("the last line ended by LF", ends("5\r\nhello\r\n0\r\n\n")),
            row("both by LF", ends("5\r\nhello\r\n0\n\n")),
            row("the last line a bare CR", ends("5\r\nhello\r\n0\r\n\rX")),
            row("no last line", ends("5\r\nhello\r\n0\r\n")),
        ],
    )
}
