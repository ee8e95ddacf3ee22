//! Every form as it is printed, copied and cut short.
use super::*;

/// Where it leads, and the secret.
fn read(text: &str, allow: bool) -> Result<(&'static str, Origin, String), PairingError> {
    Ok(match Offer::parse(text, allow)? {
        Offer::Token(pairing) => ("token", pairing.origin, pairing.token.to_string()),
        Offer::Invite(setup) => ("invite", setup.origin, setup.secret.to_string()),
    })
}

fn origin_of((tls, host, port): (bool, &str, u16)) -> Origin {
    Origin { tls, host: host.into(), port }
}

#[test]
fn a_pairing_uri_gives_origin_and_token() {
    let alice = (true, "alice.example", 443);
    for (text, allow, origin) in [
        ("posta+v1://alice.example#token=mst_abc", false, alice),
        ("  posta+v1://Alice.Example:8443/#token=mst_abc\n", true, (true, "alice.example", 8443)),
        ("POSTA+V1://alice.example#name=x&token=mst_abc&later=1", false, alice),
        ("posta+v1://alice.exa\n  mple#token=mst_\r\nabc", false, alice),
        ("\u{feff}posta+v1://alice.example#token=\u{200b}mst_abc\u{a0}", false, alice),
        ("“posta+v1://alice.example#token=mst_abc”", false, alice),
        ("<posta+v1://alice.example#token=mst_abc>", false, alice),
        ("posta+v1://localhost:9101#token=mst_abc", true, (false, "localhost", 9101)),
        ("posta+v1://localhost:9101#token=mst_abc", false, (true, "localhost", 9101)),
        ("posta+v1://localhost#token=mst_abc", true, (false, "localhost", 80)),
        ("posta+v1://[::1]:9101#token=mst_abc", true, (false, "[::1]", 9101)),
        ("posta+v1://192.168.1.5#token=mst%5Fabc", true, (true, "192.168.1.5", 443)),
    ] {
        let expected = ("token", origin_of(origin), "mst_abc".to_owned());
        assert_eq!(read(text, allow), Ok(expected), "{text}");
    }
}

#[test]
fn a_deep_link_gives_origin_and_token() {
    let alice = (true, "alice.example", 443);
    for (text, allow, origin) in [
        ("posta://pair?token=mst_abc&url=https%3A%2F%2Falice.example", false, alice),
        ("posta://pair?url=https://alice.example/&token=mst_abc", false, alice),
        ("POSTA://Pair/?later=1&token=mst%5Fabc&url=https://Alice.Example/users/a#x", false, alice),
        ("posta://pair?token=mst_abc&url=alice.example", false, alice),
        ("posta://pair?tok\nen=mst_abc&url=https%3A%2F%2Falice.\n  example", false, alice),
        (
            "posta://pair?token=mst_abc&url=https://alice.example:8443",
            true,
            (true, "alice.example", 8443),
        ),
        (
            "posta://pair?token=mst_abc&url=http%3A%2F%2Flocalhost%3A9101",
            true,
            (false, "localhost", 9101),
        ),
    ] {
        let expected = ("token", origin_of(origin), "mst_abc".to_owned());
        assert_eq!(read(text, allow), Ok(expected), "{text}");
    }
}

#[test]
fn a_set_up_link_gives_origin_and_invite() {
    let alice = (true, "alice.example", 443);
    for (text, allow, origin) in [
        ("https://alice.example/setup#invite=pinv_abc", false, alice),
        ("HTTPS://Alice.Example/setup/#later=1&invite=pinv%5Fabc", false, alice),
        ("https://alice.example/users/alice/setup?x=1#invite=pinv_abc", false, alice),
        (" https://alice.example/set\n up#invite=pinv_abc\n", false, alice),
        ("https://alice.example:8443/setup#invite=pinv_abc", true, (true, "alice.example", 8443)),
        ("http://localhost:9101/setup#invite=pinv_abc", true, (false, "localhost", 9101)),
        ("https://localhost:9101/setup#invite=pinv_abc", false, (true, "localhost", 9101)),
        ("https://localhost:9101/setup#invite=pinv_abc", true, (true, "localhost", 9101)),
    ] {
        let expected = ("invite", origin_of(origin), "pinv_abc".to_owned());
        assert_eq!(read(text, allow), Ok(expected), "{text}");
    }
}

#[test]
fn damaged_ones_say_what_is_wrong() {
    use PairingError::{Empty, Extra, Host, Invite, NoInvite, NoToken, NoUrl, NotPairing};
    use PairingError::{Plain, Token};
    let long = format!("posta+v1://a.example#token={}", "x".repeat(MAX_SECRET + 1));
    let huge = format!("posta+v1://a.example#token={}", "x".repeat(MAX_TEXT));
    for (text, error) in [
        ("", Empty),
        (" \n\u{a0}", Empty),
        ("\"\"", Empty),
        ("alice.example", NotPairing),
        ("https://alice.example#token=mst_a", NotPairing),
        ("posta+v2://alice.example#token=mst_a", NotPairing),
        ("mailto:alice@a.example", NotPairing),
        ("posta+v1://#token=mst_a", Host),
        ("posta+v1://a..example#token=mst_a", Host),
        ("posta+v1://bücher.example#token=mst_a", Host),
        ("posta+v1://a.example:99999#token=mst_a", Host),
        ("posta+v1://a.example/x#token=mst_a", Extra),
        ("posta+v1://u@a.example#token=mst_a", Extra),
        ("posta+v1://a.example?x#token=mst_a", Extra),
        ("posta+v1://a.example", NoToken),
        ("posta+v1://a.example#", NoToken),
        ("posta+v1://a.example#token=", NoToken),
        ("posta+v1://a.example#tokens=mst_a", NoToken),
        ("posta+v1://a.example#token=mst_%0d%0aX:y", Token),
        ("posta+v1://a.example#token=mst_å", Token),
        ("posta+v1://a.example#token=%zz", Token),
        (&long, Token),
        (&huge, NotPairing),
        ("posta://", NotPairing),
        ("posta://open?token=mst_a&url=https://a.example", NotPairing),
        ("posta://pair", NoToken),
        ("posta://pair?url=https://a.example", NoToken),
        ("posta://pair?token=mst_a", NoUrl),
        ("posta://pair?token=mst_a&url=", NoUrl),
        ("posta://pair?token=mst_%0d%0a&url=https://a.example", Token),
        ("posta://pair?token=mst_a&url=https://", Host),
        ("posta://pair?token=mst_a&url=https://u@a.example", Host),
        ("posta://pair?token=mst_a&url=https%3A%2F%2Fa%ff", Host),
        ("posta://pair?token=mst_a&url=file://a.example", Host),
        ("posta://pair?token=mst_a&url=http://a.example", Plain),
        ("https://a.example/", NotPairing),
        ("https://a.example/setups#invite=pinv_a", NotPairing),
        ("https:///setup#invite=pinv_a", Host),
        ("https://u@a.example/setup#invite=pinv_a", Host),
        ("http://a.example/setup#invite=pinv_a", Plain),
        ("https://a.example/setup", NoInvite),
        ("https://a.example/setup#invite=", NoInvite),
        ("https://a.example/setup?invite=pinv_a", NoInvite),
        ("https://a.example/setup#invite=pinv_%20", Invite),
        ("https://a.example/setup#invite=pinv_å", Invite),
    ] {
        assert_eq!(read(text, true), Err(error), "{text}");
    }
    assert_eq!(read("http://localhost/setup#invite=pinv_a", false), Err(Plain));
}

#[test]
fn debug_and_errors_keep_the_secret_to_themselves() {
    for text in [
        "posta+v1://a.example#token=mst_secret",
        "posta://pair?token=mst_secret&url=a.example",
        "https://a.example/setup#invite=pinv_secret",
        "https://a.example/setup#invite=pinv_secret%20",
        "posta+v1://a.example#token=mst_secret%0a",
    ] {
        let shown = match Offer::parse(text, false) {
            Ok(offer) => format!("{offer:?}"),
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(!shown.contains("secret"), "{shown}");
    }
}
