//! What a person pastes to connect their posta-server: one meaning in every form, https wherever
//! it can be, and no secret in what is shown.
use super::choice;
use crate::posta::{Offer, Pairing, PeerUrl, percent_encode};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for allow in [false, true] {
        let offer = Offer::parse(text, allow);
        // Blanks and marks that nobody sees mean nothing, wherever they got in.
        let at = choice(bytes) as usize % (text.len() + 1);
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let spread = format!("\u{feff}{}\r\n \u{200b}{}\u{2060}\t", &text[..at], &text[at..]);
        if spread.len() < 4096 {
            let (one, other) = (describe(&offer), describe(&Offer::parse(&spread, allow)));
            assert_eq!(one, other, "{spread:?}");
        }
        match offer {
            Ok(Offer::Token(pairing)) => token(&pairing, allow),
            Ok(Offer::Invite(invite)) => place(&invite.origin, allow),
            Err(e) => assert!(!e.to_string().contains(text) || text.len() < 30),
        }
    }
}

fn describe<E: std::fmt::Debug>(offer: &Result<Offer, E>) -> String {
    match offer {
        Ok(Offer::Token(Pairing { origin, token })) => format!("{origin:?} {}", token.as_str()),
        other => format!("{other:?}"),
    }
}

/// A host that the address of a participant may have too, and TLS unless it is this machine.
fn place(origin: &crate::http::client::Origin, allow: bool) {
    let peer = PeerUrl::parse(&format!("{}:{}", origin.host, origin.port)).expect("a host");
    let (theirs, path) = peer.place();
    assert_eq!((&theirs.host, theirs.port, path), (&origin.host, origin.port, "/"));
    assert_eq!(origin.tls, theirs.tls || !allow);
}

fn token(pairing: &Pairing, allow: bool) {
    let Pairing { origin, token } = pairing;
    place(origin, allow);
    assert!(!token.is_empty() && token.len() <= 1024);
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)));
    let shown = format!("{pairing:?}");
    let innocent = format!("Pairing origin tls host port true false {origin:?}");
    assert!(innocent.contains(token.as_str()) || !shown.contains(token.as_str()));
    // The same, written in the two forms that hold a token.
    let (host, port) = (&origin.host, origin.port);
    let secret = percent_encode(token);
    let place = percent_encode(&format!("{host}:{port}"));
    for text in [
        format!("posta+v1://{host}:{port}#token={secret}"),
        format!("posta+v1://{host}:{port}/#later=1&token={secret}"),
        format!("posta://pair?token={secret}&url={place}"),
        format!("POSTA://pair/?url=https%3a//{place}/x&token={secret}#y"),
    ] {
        let again = Offer::parse(&text, allow).unwrap_or_else(|e| panic!("{text}: {e}"));
        let Offer::Token(again) = again else { panic!("{text} holds a token") };
        assert_eq!((&again.origin, again.token.as_str()), (origin, token.as_str()), "{text}");
    }
}
