//! Who is really asking, when a proxy we trust stands in between.
pub use crate::config::Network;
use crate::http::Fields;
use std::net::{IpAddr, SocketAddr};

pub fn is_trusted(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The browser's address and whether it speaks https. Each proxy appends the address it was called
/// from to `X-Forwarded-For`, so the list is read from its end, and the first one that is not a
/// proxy of ours is the client: everything before it the client may have made up.
pub fn client(peer: IpAddr, fields: &Fields, trusted: &[Network]) -> (IpAddr, bool) {
    let mut client = peer.to_canonical();
    if !is_trusted(trusted, client) {
        return (client, false);
    }
    let lines: Vec<&str> = fields.all("x-forwarded-for").collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = address(entry.trim()) else { break };
        client = address;
        if !is_trusted(trusted, client) {
            break;
        }
    }
    let proto = fields.all("x-forwarded-proto").last().and_then(|line| line.rsplit(',').next());
    (client, proto.is_some_and(|p| p.trim().eq_ignore_ascii_case("https")))
}

/// An address as proxies write it: bare, bracketed, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|a: SocketAddr| a.ip()));
    address.map(|a| a.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        let (address, prefix) = text.split_once('/').unwrap();
        Network { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
    }

    #[test]
    fn networks_hold_their_own() {
        for (block, address, inside) in [
            ("127.0.0.0/8", "127.9.9.9", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("10.1.2.3/32", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("::1/128", "::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
        ] {
            let got = network(block).contains(address.parse().unwrap());
            assert_eq!(got, inside, "{address} in {block}");
        }
    }

    #[test]
    fn only_what_trusted_proxies_saw_is_believed() {
        let trusted = [network("127.0.0.0/8"), network("10.0.0.0/8")];
        for (peer, forwarded, proto, expected) in [
            ("203.0.113.9", "192.0.2.1", "https", ("203.0.113.9", false)),
            ("127.0.0.1", "192.0.2.1", "https", ("192.0.2.1", true)),
            ("127.0.0.1", "", "", ("127.0.0.1", false)),
            ("::ffff:127.0.0.1", "192.0.2.1", "http", ("192.0.2.1", false)),
            ("127.0.0.1", "6.6.6.6, 192.0.2.1", "https", ("192.0.2.1", true)),
            ("127.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.7", "HTTPS", ("192.0.2.1", true)),
            ("127.0.0.1", "10.0.0.8,10.0.0.7", "https", ("10.0.0.8", true)),
            ("127.0.0.1", "192.0.2.1, unknown, 10.0.0.7", "https", ("10.0.0.7", true)),
            ("127.0.0.1", "[2001:db8::1]:443", "https", ("2001:db8::1", true)),
            ("127.0.0.1", "192.0.2.1:5000", "https", ("192.0.2.1", true)),
            ("127.0.0.1", "192.0.2.1", "https, http", ("192.0.2.1", false)),
        ] {
            let mut fields = Fields::default();
            for (name, value) in [("X-Forwarded-For", forwarded), ("X-Forwarded-Proto", proto)] {
                if !value.is_empty() {
                    fields.push(name, value);
                }
            }
            let (ip, https) = client(peer.parse().unwrap(), &fields, &trusted);
            assert_eq!(
                (ip, https),
                (expected.0.parse().unwrap(), expected.1),
                "{peer} {forwarded}"
            );
        }
        let mut two_lines = Fields::default();
        two_lines.push("x-forwarded-for", "6.6.6.6");
        two_lines.push("x-forwarded-for", "192.0.2.1");
        let (ip, _) = client("127.0.0.1".parse().unwrap(), &two_lines, &trusted);
        assert_eq!(ip, "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
