//! Requests as they may come over the wire, good and hostile, as tables: one file a class. Each says
//! which section or which smuggling class it is about, and how it must end.
pub mod both;
pub mod chunks;
pub mod codings;
pub mod early;
pub mod fields;
pub mod hosts;
pub mod lengths;
pub mod lines;
pub mod sizes;
pub mod targets;
pub mod trailers;
pub mod turns;
pub mod versions;

/// The statuses of the answers in order, interim ones (100) left out, and the connection's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The connection goes on: what comes next is read as a request.
    Kept(Vec<u16>),
    /// The server ends it, whatever comes next.
    Ended(Vec<u16>),
    /// The server waits for more, and takes what comes next for a part of this. When the client ends
    /// its side, these are the answers.
    Waits(Vec<u16>),
    /// Nothing comes next: the client ends its side here, in the middle.
    Cut(Vec<u16>),
}

pub struct Case {
    pub class: &'static str,
    pub section: &'static str,
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub outcome: Outcome,
}

/// A row of a table.
pub type Row<'a> = (&'static str, Vec<u8>, Outcome);

fn table<const N: usize>(
    class: &'static str,
    section: &'static str,
    rows: [Row<'_>; N],
) -> Vec<Case> {
    let case = |(name, bytes, outcome)| Case { class, section, name, bytes, outcome };
    rows.into_iter().map(case).collect()
}

pub fn all() -> Vec<Case> {
    let tables = [
        lengths::cases(),
        codings::cases(),
        both::cases(),
        chunks::cases(),
        trailers::cases(),
        lines::cases(),
        fields::cases(),
        hosts::cases(),
        targets::cases(),
        versions::cases(),
        turns::cases(),
        early::cases(),
        sizes::cases(),
    ];
    tables.into_iter().flatten().collect()
}

/// One answer, and the connection goes on.
fn kept(status: u16) -> Outcome {
    Outcome::Kept(vec![status])
}

/// One answer, and the connection ends.
fn ended(status: u16) -> Outcome {
    Outcome::Ended(vec![status])
}

/// The first request is answered 404, and what follows it is refused.
fn then(refused: u16) -> Outcome {
    Outcome::Ended(vec![404, refused])
}

/// Answered, and then the rest of the body is waited for.
fn waits(status: u16) -> Outcome {
    Outcome::Waits(vec![status])
}

/// Cut off in the middle, which is told.
fn cut(status: u16) -> Outcome {
    Outcome::Cut(vec![status])
}

/// A head with this request line and these field lines, each with its own CRLF, and nothing added.
fn head(line: &str, lines: impl AsRef<[u8]>) -> Vec<u8> {
    [line.as_bytes(), b"\r\n", lines.as_ref(), b"\r\n"].concat()
}

/// A GET nobody has a page for: 404.
fn get(lines: impl AsRef<[u8]>) -> Vec<u8> {
    head("GET /x HTTP/1.1", [b"Host: a\r\n", lines.as_ref()].concat())
}

/// A POST to a place that is not there: it is answered 404 without its body being looked at, and the
/// engine then reads the body to find the next request.
fn post(lines: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = head("POST /x HTTP/1.1", [b"Host: a\r\n", lines.as_ref()].concat());
    [&head, body.as_ref()].concat()
}

/// The smallest body that is well-formed for `/login`: 401. Any other is 400.
const JSON: &str = r#"{"ceremony":"","credential":{"id":"","rawId":"","type":"","response":{"clientDataJSON":""}}}"#;

/// A POST to a place that reads its body to the end before it answers.
fn login(lines: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Vec<u8> {
    let lines = [b"Host: a\r\nOrigin: http://localhost\r\n", lines.as_ref()].concat();
    [&head("POST /login HTTP/1.1", lines), body.as_ref()].concat()
}

/// A POST in chunks: the body as it stands on the wire.
fn chunked(body: impl AsRef<[u8]>) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// A request that must never be answered: its 200 would show.
const SMUGGLED: &str = "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n";
