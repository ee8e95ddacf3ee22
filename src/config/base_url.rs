//! The URL by which browsers reach us. It gives the relying party id (WebAuthn Level 3 §5.1.2), the
//! origin that ceremonies are checked against, and the invite links.

/// Longest host name and longest part of one (RFC 1035 §2.3.4), in bytes.
const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    pub https: bool,
    /// Lower case, never an address.
    pub host: String,
    pub port: u16,
}

impl BaseUrl {
    pub fn localhost(port: u16) -> BaseUrl {
        BaseUrl { https: false, host: "localhost".into(), port }
    }

    /// Scheme, host and port. An error says what is wrong, and why where that is not obvious.
    pub fn parse(text: &str) -> Result<BaseUrl, String> {
        let lower = text.to_ascii_lowercase();
        let (https, rest) = match lower.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err("expected a URL, such as https://chat.example".into()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err("expected no user name in it".into());
        }
        if authority.contains(['/', '?', '#', '\\']) {
            return Err("expected no path: chat-posta lives at the root of its host".into());
        }
        if authority.starts_with('[') {
            return Err(ADDRESS.into());
        }
        let (host, port) = match authority.split_once(':') {
            None => (authority, if https { 443 } else { 80 }),
            Some((host, port)) => (host, parse_port(port)?),
        };
        check_host(host)?;
        Ok(BaseUrl { https, host: host.to_owned(), port })
    }

    /// The origin as browsers serialise it: without a default port (RFC 6454 §6.2).
    pub fn origin(&self) -> String {
        let BaseUrl { https, host, port } = self;
        match (https, port) {
            (true, 443) => format!("https://{host}"),
            (true, _) => format!("https://{host}:{port}"),
            (false, 80) => format!("http://{host}"),
            (false, _) => format!("http://{host}:{port}"),
        }
    }

    pub fn rp_id(&self) -> &str {
        &self.host
    }

    /// Whether browsers grant passkeys there: over https, or on this very machine (Secure Contexts
    /// §3.1).
    pub fn is_secure_context(&self) -> bool {
        self.https || self.host == "localhost" || self.host.ends_with(".localhost")
    }
}

const ADDRESS: &str = "passkeys need a host name, and this is an address (localhost is fine)";

fn parse_port(digits: &str) -> Result<u16, String> {
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok());
    number
        .flatten()
        .filter(|port| *port != 0)
        .ok_or_else(|| "expected a port from 1 to 65535".into())
}

fn check_host(host: &str) -> Result<(), String> {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !host.is_ascii() {
        return Err("expected a host name in ASCII: write it in its xn-- form".into());
    }
    if host.len() > MAX_HOST || !host.split('.').all(is_label) {
        return Err("expected a host name, such as chat.example".into());
    }
    // Browsers read a host whose last part is a number as an IPv4 address (WHATWG URL §3.5), even
    // `10.1` and `0x7f.1`.
    let last = host.rsplit('.').next().unwrap_or(host);
    let hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if hex || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ADDRESS.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_become_origins() {
        for (text, origin, rp_id, secure) in [
            ("https://chat.example", "https://chat.example", "chat.example", true),
            ("HTTPS://Chat.Example:443/", "https://chat.example", "chat.example", true),
            ("https://chat.example:8443", "https://chat.example:8443", "chat.example", true),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
                "xn--bcher-kva.example",
                true,
            ),
            ("http://localhost:8080", "http://localhost:8080", "localhost", true),
            ("http://localhost:80", "http://localhost", "localhost", true),
            ("https://localhost:80", "https://localhost:80", "localhost", true),
            ("http://a.localhost:1", "http://a.localhost:1", "a.localhost", true),
            ("http://chat.lan", "http://chat.lan", "chat.lan", false),
            ("http://notlocalhost", "http://notlocalhost", "notlocalhost", false),
        ] {
            let url = BaseUrl::parse(text).expect(text);
            assert_eq!((url.origin().as_str(), url.rp_id()), (origin, rp_id));
            assert_eq!(url.is_secure_context(), secure, "{text}");
        }
        assert_eq!(BaseUrl::localhost(8080).origin(), "http://localhost:8080");
    }

    #[test]
    fn what_cannot_be_a_base_url_says_why() {
        for (bad, why) in [
            ("", "a URL"),
            ("chat.example", "a URL"),
            ("ftp://chat.example", "a URL"),
            ("https:/chat.example", "a URL"),
            ("https://", "a host name"),
            ("https://a..b", "a host name"),
            ("https://chat.example.", "a host name"),
            ("https://-a.example", "a host name"),
            ("https://a b", "a host name"),
            ("https://ø.example", "xn--"),
            ("https://chat.example/path", "no path"),
            ("https://chat.example//", "no path"),
            ("https://chat.example?x", "no path"),
            ("https://chat.example#x", "no path"),
            ("https://user@chat.example", "no user"),
            ("https://192.0.2.1", "passkeys need a host name"),
            ("https://192.0.2.1:8443", "passkeys need a host name"),
            ("http://127.1", "passkeys need a host name"),
            ("https://0x7f.0x1", "passkeys need a host name"),
            ("https://[2001:db8::1]", "passkeys need a host name"),
            ("https://chat.example:0", "a port"),
            ("https://chat.example:", "a port"),
            ("https://chat.example:+1", "a port"),
            ("https://chat.example:65536", "a port"),
        ] {
            let error = BaseUrl::parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
