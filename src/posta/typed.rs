//! An address as people type and paste it: with white space, in brackets, as a link.
use super::url::{InvalidUrl, PeerUrl};

impl PeerUrl {
    /// Reads what somebody typed. Beside the canonical and the display form that is a `posta:` link,
    /// an `http:` one (which is asked by `https` all the same), something with white space, brackets
    /// or a comma around it, and a link to a conversation of this service, whose origin is `ours`.
    pub fn from_typed(typed: &str, ours: &str) -> Result<PeerUrl, InvalidUrl> {
        // Copying brings line breaks and marks that nobody sees along.
        let unseen = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        };
        let text: String = typed.chars().filter(|c| !unseen(*c)).collect();
        let around = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | ',' | ';');
        let text = text.trim_matches(around).trim_end_matches('.');
        if let Some(segment) = text.strip_prefix(ours).and_then(|path| path.strip_prefix("/c/")) {
            return PeerUrl::from_page_segment(segment.trim_end_matches('/'));
        }
        // `posta+v1:` stays what it is: a pairing URI is a secret, and nobody's address.
        let text = strip_scheme(text, "posta:").map_or(text, |rest| rest.trim_start_matches('/'));
        PeerUrl::parse(text).or_else(|invalid| match strip_scheme(text, "http://") {
            Some(rest) => PeerUrl::parse(rest),
            None => Err(invalid),
        })
    }
}

fn strip_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let head = text.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_type_addresses_in_many_ways() {
        let ours = "https://chat.example";
        for typed in [
            "bob.example",
            " bob.example\n",
            "https://bob.example/",
            "HTTPS://Bob.Example",
            "http://bob.example",
            "posta:bob.example",
            "posta://bob.example",
            "POSTA:https://bob.example",
            "<https://bob.example>",
            "\u{200b}bob.\nexample,",
            "bob.example.",
            "https://chat.example/c/bob.example",
        ] {
            let peer = PeerUrl::from_typed(typed, ours);
            assert_eq!(peer.as_ref().map(PeerUrl::display), Ok("bob.example"), "{typed:?}");
        }
        let path = PeerUrl::from_typed("https://chat.example/c/example.org%2Fusers%2Fbob", ours);
        assert_eq!(path.unwrap().display(), "example.org/users/bob");
    }

    #[test]
    fn what_is_no_address_stays_none_and_secrets_are_none() {
        for typed in [
            "",
            " ",
            "bob example",
            "mailto:bob@example.org",
            "bob@example.org",
            "posta+v1://bob.example#token=mst_x",
            "posta://pair?token=mst_x&url=https://bob.example",
            "https://bob.example/setup#invite=pinv_x",
            "javascript:alert(1)",
            "posta:",
        ] {
            assert_eq!(
                PeerUrl::from_typed(typed, "https://c.example"),
                Err(InvalidUrl),
                "{typed:?}"
            );
        }
    }
}
