//! Tables of spellings, and properties that every accepted spelling must have.
use super::*;

#[test]
fn spellings_of_one_peer_become_one() {
    let table = [
        ("https://alice.example", "https://alice.example", "alice.example"),
        ("https://alice.example/", "https://alice.example", "alice.example"),
        ("alice.example", "https://alice.example", "alice.example"),
        ("alice.example/", "https://alice.example", "alice.example"),
        ("HTTPS://Alice.EXAMPLE", "https://alice.example", "alice.example"),
        ("https://alice.example.", "https://alice.example", "alice.example"),
        ("https://alice.example:443/", "https://alice.example", "alice.example"),
        ("alice.example:443", "https://alice.example", "alice.example"),
        ("alice.example:", "https://alice.example", "alice.example"),
        ("alice.example:80", "https://alice.example:80", "alice.example:80"),
        ("alice.example:08443", "https://alice.example:8443", "alice.example:8443"),
        ("example.org/users/Bob", "https://example.org/users/Bob", "example.org/users/Bob"),
        ("example.org/users/bob/", "https://example.org/users/bob/", "example.org/users/bob/"),
        ("example.org//x", "https://example.org//x", "example.org//x"),
        ("https//x", "https://https//x", "https//x"),
        ("a.example/x://y", "https://a.example/x://y", "a.example/x://y"),
        (
            "a.example/%7ebob/%2f%c3%a5",
            "https://a.example/~bob/%2F%C3%A5",
            "a.example/~bob/%2F%C3%A5",
        ),
        ("a.example/å", "https://a.example/%C3%A5", "a.example/%C3%A5"),
        ("xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("192.0.2.7:8443", "https://192.0.2.7:8443", "192.0.2.7:8443"),
        ("[2001:DB8::0:1]", "https://[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443/x"),
        ("http://localhost:9101", "http://localhost:9101", "localhost:9101"),
        ("localhost:9101", "http://localhost:9101", "localhost:9101"),
        ("https://localhost:9101/", "http://localhost:9101", "localhost:9101"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("alice.localhost:9101/a", "http://alice.localhost:9101/a", "alice.localhost:9101/a"),
        ("http://127.0.0.1:9101", "http://127.0.0.1:9101", "127.0.0.1:9101"),
        ("[::1]:9101", "http://[::1]:9101", "[::1]:9101"),
    ];
    for (text, canonical, display) in table {
        let url = PeerUrl::parse(text).unwrap_or_else(|_| panic!("{text} is refused"));
        assert_eq!(url.canonical(), canonical, "{text}");
        assert_eq!(url.display(), display, "{text}");
        holds(&url);
    }
}

#[test]
fn what_is_no_participant_is_refused() {
    let long_label = format!("{}.example", "a".repeat(64));
    let long = format!("a.example/{}", "x".repeat(MAX_URL));
    // Short enough as typed, too long once encoded.
    let grows = format!("a.example/{}", "å".repeat(900));
    for text in [
        "",
        "/",
        "https://",
        "https:///x",
        "//alice.example",
        "http://alice.example",
        "ftp://alice.example",
        "javascript://alice.example",
        "javascript:alert(1)",
        "posta+v1://alice.example",
        "alice@alice.example",
        "https://user:pw@alice.example",
        "alice.example?x=1",
        "alice.example/x?y",
        "alice.example#top",
        "alice.example/#",
        "alice.example:0",
        "alice.example:65536",
        "alice.example:+80",
        "alice.example:8a",
        "alice..example",
        ".example",
        "alice.example..",
        "-a.example",
        "a-.example",
        "ali ce.example",
        " alice.example",
        "alice.example\n",
        "alice.example/a\tb",
        "alice.example/a b",
        "alice.example/<b>",
        "alice.example/\"x",
        "alice.example/a\\b",
        "alice.example\\b",
        "alice.example/%",
        "alice.example/%4",
        "alice.example/%zz",
        "alice.example/%00",
        "alice.example/%0a",
        "alice.example/.",
        "alice.example/../x",
        "alice.example/a/%2e%2E/x",
        "bücher.example",
        "аlice.example", // a Cyrillic а
        "256.1.1.1",
        "1.2.3",
        "2130706433",
        "0x7f.1",
        "a.0x7f",
        "127.000.0.1",
        "[::1",
        "[fe80::1%25eth0]",
        "[::1]x",
        "::1",
        &long_label,
        &long,
        &grows,
    ] {
        assert_eq!(PeerUrl::parse(text), Err(InvalidUrl), "{text}");
    }
}

/// Everything that must be true of any URL that was accepted.
fn holds(url: &PeerUrl) {
    let again = |text: &str| PeerUrl::parse(text).unwrap_or_else(|_| panic!("{text} is refused"));
    assert_eq!(again(url.canonical()), *url);
    assert_eq!(again(url.display()), *url);
    let page = url.page();
    let segment = page.strip_prefix("/c/").unwrap();
    assert!(!segment.contains(['/', ':', '?', '#', '&', '"', '<', ' ']), "{segment}");
    assert_eq!(PeerUrl::from_page_segment(segment).as_ref(), Ok(url));
    // A browser or proxy may have left the harmless ones plain.
    assert_eq!(PeerUrl::from_page_segment(&segment.replace("%3A", ":")).as_ref(), Ok(url));
    assert!(url.display().starts_with(url.host()) && !url.host().is_empty());
}

/// Texts made of URL-ish pieces in random order: whatever is accepted is stable in both forms, and
/// nothing panics.
#[test]
fn whatever_is_accepted_is_stable() {
    const PIECES: [&str; 36] = [
        "https://",
        "http://",
        "HTTPS:",
        "//",
        "/",
        "/",
        ":",
        ":80",
        ":443",
        ":9101",
        "@",
        "?",
        "#",
        "%41",
        "%2f",
        "%7E",
        "%c3%a5",
        "%",
        "..",
        ".",
        "a",
        "B.example",
        "example.org",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[2001:db8::1]",
        "0x7f",
        "1",
        "-",
        "_",
        "~",
        "å",
        "\u{202e}",
        "users",
        "(x)",
    ];
    let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = move |below: usize| {
        // xorshift64: plenty for a test, and the same texts every time
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let mut accepted = 0;
    for _ in 0..50_000 {
        let text: String = (0..1 + random(6)).map(|_| PIECES[random(PIECES.len())]).collect();
        if let Ok(url) = PeerUrl::parse(&text) {
            accepted += 1;
            holds(&url);
        }
    }
    assert!(accepted > 1_000, "only {accepted} of the texts were URLs");
}

#[test]
fn a_participant_is_asked_at_its_own_place() {
    for (text, tls, host, port, path) in [
        ("alice.example", true, "alice.example", 443, "/"),
        ("alice.example:8443/x:y", true, "alice.example", 8443, "/x:y"),
        ("[2001:db8::1]:8443/x", true, "[2001:db8::1]", 8443, "/x"),
        ("localhost:9101", false, "localhost", 9101, "/"),
    ] {
        let url = PeerUrl::parse(text).unwrap();
        let origin = Origin { tls, host: host.to_owned(), port };
        assert_eq!(url.place(), (origin, path));
    }
}

#[test]
fn hosts_stand_alone() {
    for (text, host) in [
        ("alice.example", "alice.example"),
        ("alice.example:8443/x:y", "alice.example"),
        ("[2001:db8::1]:8443/x", "[2001:db8::1]"),
        ("localhost:9101", "localhost"),
    ] {
        assert_eq!(PeerUrl::parse(text).unwrap().host(), host);
    }
}
