//! Field lines: a name, a colon at once, a value.
use super::*;

pub fn cases() -> Vec<Case> {
    let broken = |line: &'static str| (line, get(line), ended(400));
    let names = table(
        "fields",
        "RFC 9112 §5.1",
        [
            broken("X : y\r\n"),
            broken("X\t: y\r\n"),
            broken(" X: y\r\n"),
            broken("X y: z\r\n"),
            broken("nothing\r\n"),
            broken(": y\r\n"),
            broken(":\r\n"),
            broken("\u{e9}: y\r\n"),
            broken("X(): y\r\n"),
            broken("X,Z: y\r\n"),
            broken("X/Z: y\r\n"),
            broken("X;Z: y\r\n"),
            broken("X=Z: y\r\n"),
            broken("X@Z: y\r\n"),
            broken("X[]: y\r\n"),
            broken("X\\: y\r\n"),
            broken("X{}: y\r\n"),
            broken("\"X\": y\r\n"),
            broken("<X>: y\r\n"),
        ],
    );
    let good = |line: &'static str| (line, get(line), kept(404));
    let values = table(
        "fields",
        "RFC 9110 §5",
        [
            good("X:y\r\n"),
            good("X:\r\n"),
            good("X:  \t \r\n"),
            good("X: y: z\r\n"),
            good("X: :\r\n"),
            good("X: \"y, z\"\r\n"),
            good("!#$%&'*+-.^_`|~0Az: y\r\n"),
            good("X: y\r\nX: z\r\n"),
            good("Cookie: a=b\r\nCookie: c=d\r\n"),
        ],
    );
    [names, values].into_iter().flatten().collect()
}
