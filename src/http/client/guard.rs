//! Which addresses may be dialled. A name that a user gives may lead anywhere, so every address it
//! resolves to is looked at, and that very address is dialled.
use crate::config::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// Not on the public internet, with the reason (IANA's special-purpose registries, RFC 6890).
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network, RFC 791"),
    ("10.0.0.0/8", "private, RFC 1918"),
    ("100.64.0.0/10", "carrier-grade NAT, RFC 6598"),
    ("127.0.0.0/8", "loopback, RFC 1122"),
    ("169.254.0.0/16", "link-local and cloud metadata, RFC 3927"),
    ("172.16.0.0/12", "private, RFC 1918"),
    ("192.0.0.0/24", "protocol assignments, RFC 6890"),
    ("192.0.2.0/24", "documentation, RFC 5737"),
    ("192.88.99.0/24", "6to4 relays, RFC 7526"),
    ("192.168.0.0/16", "private, RFC 1918"),
    ("198.18.0.0/15", "benchmarking, RFC 2544"),
    ("198.51.100.0/24", "documentation, RFC 5737"),
    ("203.0.113.0/24", "documentation, RFC 5737"),
    ("224.0.0.0/4", "multicast, RFC 5771"),
    ("240.0.0.0/4", "reserved and broadcast, RFC 1112"),
    ("::/128", "unspecified, RFC 4291"),
    ("::1/128", "loopback, RFC 4291"),
    ("64:ff9b:1::/48", "local NAT64, RFC 8215"),
    ("100::/64", "discard only, RFC 6666"),
    ("100:0:0:1::/64", "dummy prefix, RFC 9780"),
    ("2001::/23", "protocol assignments with Teredo, ORCHID and benchmarking, RFC 2928"),
    ("2001:db8::/32", "documentation, RFC 3849"),
    ("3fff::/20", "documentation, RFC 9637"),
    ("5f00::/16", "segment routing, RFC 9602"),
    ("fc00::/7", "unique local, RFC 4193"),
    ("fe80::/10", "link-local, RFC 4291"),
    ("fec0::/10", "site-local, RFC 3879"),
    ("ff00::/8", "multicast, RFC 4291"),
];

/// Never a server's address, whatever the operator allows.
const NEVER: &[&str] = &["0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8"];

static SPECIAL_NETWORKS: LazyLock<Vec<Network>> =
    LazyLock::new(|| SPECIAL.iter().filter_map(|(block, _)| Network::parse(block).ok()).collect());
static NEVER_NETWORKS: LazyLock<Vec<Network>> =
    LazyLock::new(|| NEVER.iter().filter_map(|block| Network::parse(block).ok()).collect());

/// Whether `address` may be dialled. `allow_private` opens what is special, but not what can never
/// be a server.
pub fn allows(address: IpAddr, allow_private: bool) -> bool {
    let blocks = if allow_private { &NEVER_NETWORKS } else { &SPECIAL_NETWORKS };
    let within = |address: IpAddr| blocks.iter().any(|block| block.contains(address));
    if within(address) {
        return false;
    }
    match address {
        IpAddr::V4(_) => true,
        // An IPv6 address that carries an IPv4 one leads where that one leads.
        IpAddr::V6(v6) => {
            carried(v6).into_iter().flatten().all(|v4| allows(v4.into(), allow_private))
        }
    }
}

/// The IPv4 addresses inside an IPv6 one, by each scheme that puts them there.
fn carried(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let s = address.segments();
    let v4 =
        |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match s {
        // The two that are nobody's IPv4 address: unspecified and loopback.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // Mapped ::ffff:0:0/96 (RFC 4291 §2.5.5.2), compatible ::/96 (§2.5.5.1).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => [v4(high, low), None],
        // SIIT ::ffff:0:0:0/96 (RFC 2765).
        [0, 0, 0, 0, 0xffff, 0, high, low] => [v4(high, low), None],
        // NAT64 64:ff9b::/96 (RFC 6052). Its local sibling 64:ff9b:1::/48 is special as a whole, since
        // only its network knows where in it the IPv4 address stands.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [v4(high, low), None],
        // 6to4 2002::/16 (RFC 3056).
        [0x2002, high, low, ..] => [v4(high, low), None],
        // Teredo 2001::/32 (RFC 4380): the server, and the client with its bits turned.
        [0x2001, 0, high, low, _, _, x, y] => [v4(high, low), v4(!x, !y)],
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_parse() {
        assert_eq!(SPECIAL_NETWORKS.len(), SPECIAL.len());
        assert_eq!(NEVER_NETWORKS.len(), NEVER.len());
    }

    #[test]
    fn only_public_addresses_are_allowed() {
        for (address, public, with_private) in [
            ("1.1.1.1", true, true),
            ("93.184.216.34", true, true),
            ("2606:4700::1", true, true),
            ("2a00:1450::1", true, true),
            ("127.0.0.1", false, true),
            ("10.1.2.3", false, true),
            ("172.16.0.1", false, true),
            ("172.31.255.255", false, true),
            ("172.32.0.1", true, true),
            ("192.168.1.1", false, true),
            ("169.254.169.254", false, true),
            ("100.64.0.1", false, true),
            ("100.128.0.1", true, true),
            ("192.0.2.1", false, true),
            ("198.18.0.1", false, true),
            ("198.19.255.255", false, true),
            ("198.51.100.7", false, true),
            ("203.0.113.7", false, true),
            ("0.0.0.0", false, false),
            ("0.1.2.3", false, false),
            ("224.0.0.1", false, false),
            ("255.255.255.255", false, false),
            ("240.0.0.1", false, false),
            ("::", false, false),
            ("::1", false, true),
            ("fe80::1", false, true),
            ("fec0::1", false, true),
            ("fd00::1", false, true),
            ("ff02::1", false, false),
            ("2001:db8::1", false, true),
            ("3fff::1", false, true),
            ("100::1", false, true),
            ("2001:2::1", false, true),
            // IPv4 inside IPv6
            ("::ffff:127.0.0.1", false, true),
            ("::ffff:8.8.8.8", true, true),
            ("::ffff:0.0.0.0", false, false),
            ("::127.0.0.1", false, true),
            ("::10.0.0.1", false, true),
            ("::ffff:0:127.0.0.1", false, true),
            ("64:ff9b::10.0.0.1", false, true),
            ("64:ff9b::8.8.8.8", true, true),
            ("64:ff9b:1::192.168.0.1", false, true),
            ("64:ff9b:1:7f00:0:100::", false, true),
            ("2002:7f00:1::", false, true),
            ("2002:808:808::", true, true),
            ("2001:0:808:808::f5ff:fffe", false, true),
        ] {
            let ip = address.parse().unwrap();
            assert_eq!(allows(ip, false), public, "{address}");
            assert_eq!(allows(ip, true), with_private, "{address} with private ones allowed");
        }
    }
}
