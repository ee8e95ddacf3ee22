//! Addresses of participants: stable in every form, and what the `url` crate (WHATWG) has them for.
use crate::posta::{PeerUrl, percent_encode};
use url::{Host, Url};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = PeerUrl::parse(text);
    if let Ok(peer) = &parsed {
        holds(peer);
    }
    for ours in ["https://chat.example", "\0"] {
        if let Ok(peer) = PeerUrl::from_typed(text, ours) {
            holds(&peer);
        }
    }
    if let Ok(peer) = PeerUrl::from_page_segment(text) {
        holds(&peer);
    }
    assert_eq!(PeerUrl::from_page_segment(&percent_encode(text)), parsed);
    if let Some(difference) = difference(text) {
        panic!("{text:?}: {difference}");
    }
}

/// Everything that must be true of any address that was taken.
pub fn holds(peer: &PeerUrl) {
    assert_eq!(PeerUrl::parse(peer.canonical()).as_ref(), Ok(peer));
    assert_eq!(PeerUrl::parse(peer.display()).as_ref(), Ok(peer));
    // Typed, it is the same; without what is taken for the end of a sentence, and where no page of
    // this service is there to be confused with.
    if !peer.canonical().ends_with(['.', ',', ';', '\'']) {
        assert_eq!(PeerUrl::from_typed(peer.display(), "\0").as_ref(), Ok(peer));
        assert_eq!(PeerUrl::from_typed(peer.canonical(), "\0").as_ref(), Ok(peer));
    }
    let page = peer.page();
    let segment = page.strip_prefix("/c/").expect("a page of ours");
    assert!(!segment.contains(['/', ':', '?', '#', '&', '"', '<', '>', ' ']), "{segment}");
    assert!(segment.is_ascii());
    assert_eq!(PeerUrl::from_page_segment(segment).as_ref(), Ok(peer));
    let (origin, path) = peer.place();
    assert_eq!(origin.host, peer.host());
    assert!(!origin.host.is_empty() && origin.port != 0 && path.starts_with('/'));
    assert!(path.bytes().all(|b| b.is_ascii_graphic() && !b"#?\"<>\\".contains(&b)), "{path}");
    assert!(origin.host == origin.host.to_ascii_lowercase());
}

/// How our reading of `text` and WHATWG's differ, where they must not: what they refuse we refuse,
/// and what both take is the same place. Ours is meant to be stricter; its two freedoms are that
/// punycode is not decoded, so that a label may begin `xn--` and be none, and that loopback hosts
/// have `http` whatever was written.
pub fn difference(text: &str) -> Option<String> {
    let ours = PeerUrl::parse(text).ok()?;
    let (origin, path) = ours.place();
    let same = |theirs: &Url| {
        let host = match theirs.host() {
            Some(Host::Ipv6(address)) => format!("[{address}]"),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        let plain = theirs.username().is_empty()
            && theirs.password().is_none()
            && theirs.query().is_none()
            && theirs.fragment().is_none();
        plain && host == origin.host
    };
    match Url::parse(ours.canonical()) {
        Err(_) if origin.host.split('.').any(|label| label.starts_with("xn--")) => return None,
        Err(e) => return Some(format!("{ours:?}: WHATWG refuses it: {e}")),
        Ok(theirs) => {
            let port = theirs.port_or_known_default();
            if !same(&theirs) || port != Some(origin.port) || theirs.path() != path {
                return Some(format!("{ours:?} is {theirs:?} to WHATWG"));
            }
        }
    }
    if !text.contains("://") || text.find("://") > text.find('/') {
        return None; // the display form is no URL
    }
    match Url::parse(text) {
        Err(e) => Some(format!("as written, WHATWG refuses it: {e}")),
        // A dot behind the host is another host to WHATWG, and the same to us and to DNS.
        Ok(theirs) => {
            let same_port = theirs.port_or_known_default() == Some(origin.port)
                || (theirs.port().is_none() && !origin.tls);
            let undotted = theirs.host_str().is_some_and(|host| host.ends_with('.'));
            (!(same(&theirs) || undotted) || !same_port)
                .then(|| format!("as written it is {theirs:?} to WHATWG, to us {ours:?}"))
        }
    }
}
