//! Addresses, mutated, to our reader and to the `url` crate (WHATWG): what it refuses we refuse, and
//! what both take is the same place. See `check::peer::difference`. `urls [COUNT]`.
use chat_posta_fuzz::check::peer::{difference, holds};
use chat_posta_fuzz::posta::PeerUrl;
use std::process::ExitCode;
use url::Url;

const SCHEMES: [&str; 10] =
    ["https://", "https://", "https://", "HTTPS://", "http://", "", "", "ftp://", "https:/", "//"];
const HOSTS: [&str; 30] = [
    "alice.example",
    "Alice.EXAMPLE",
    "alice.example.",
    "a_b.example",
    "-a.example",
    "a-.example",
    "xn--bcher-kva.example",
    "xn--a.example",
    "bücher.example",
    "аlice.example",
    "localhost",
    "a.localhost",
    "127.0.0.1",
    "192.0.2.7",
    "0x7f.1",
    "2130706433",
    "256.1.1.1",
    "1.2.3",
    "a.0x7f",
    "127.000.0.1",
    "[::1]",
    "[2001:DB8::0:1]",
    "[::ffff:1.2.3.4]",
    "[fe80::1%25eth0]",
    "[::1",
    "ali ce.example",
    "alice%2eexample",
    "a..b",
    "",
    "user:pw@alice.example",
];
const PORTS: [&str; 11] =
    ["", "", "", ":443", ":80", ":8443", ":08443", ":", ":0", ":65536", ":+80"];
const PATHS: [&str; 22] = [
    "",
    "",
    "/",
    "/users/bob",
    "/users/bob/",
    "//x",
    "/%7ebob/%2f%c3%a5",
    "/å",
    "/x:y@z!$&'()*+,;=",
    "/.",
    "/../x",
    "/a/%2e%2E/x",
    "/a b",
    "/a\tb",
    "/a\\b",
    "\\b",
    "/%",
    "/%zz",
    "/%00",
    "?x=1",
    "#top",
    "/<b>\"`{}|^",
];
const SPARE: &[u8] = b"/:@?#%.[]\\ \t\n-_~aA0xX1f";

/// A number below `below`, the same ones every time (Knuth's generator).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % below
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.next(list.len())]
    }
}

fn main() -> ExitCode {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(300_000);
    let mut numbers = Numbers(5);
    let (mut both, mut neither, mut stricter, mut display) = (0, 0, 0, 0);
    for _ in 0..count {
        let parts = [&SCHEMES[..], &HOSTS, &PORTS, &PATHS].map(|list| numbers.pick(list));
        let mut bytes = parts.concat().into_bytes();
        if numbers.next(2) == 0 && !bytes.is_empty() {
            for _ in 0..=numbers.next(2) {
                let at = numbers.next(bytes.len());
                match numbers.next(3) {
                    0 => bytes[at] = SPARE[numbers.next(SPARE.len())],
                    1 => bytes.insert(at, SPARE[numbers.next(SPARE.len())]),
                    _ if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => {}
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some(difference) = difference(&text) {
            eprintln!("urls: {text:?}: {difference}");
            return ExitCode::FAILURE;
        }
        let (ours, theirs) = (PeerUrl::parse(&text), Url::parse(&text));
        match (&ours, &theirs) {
            (Ok(_), Ok(_)) => both += 1,
            (Err(_), Err(_)) => neither += 1,
            (Err(_), Ok(_)) => stricter += 1,
            // Without a scheme it is no URL, and an address to us.
            (Ok(_), Err(_)) => display += 1,
        }
        if let Ok(peer) = &ours {
            holds(peer);
        }
    }
    if both < count / 20 || neither < count / 20 {
        eprintln!("urls: of {count} only {both} were taken and {neither} refused by both");
        return ExitCode::FAILURE;
    }
    println!(
        "urls: {count} against the url crate: {both} taken by both, {neither} refused by both, \
         {stricter} refused by us alone, {display} in display form; no other place for any"
    );
    ExitCode::SUCCESS
}
