//! Which addresses may be dialled, and at which ports. A name that a user gives may lead anywhere, also into the network
//! this process runs in, so every address it resolves to is judged, and the judged address itself
//! is what is dialled. The ranges are IANA's special-purpose registries (RFC 6890) and what may
//! carry an IPv4 address of those.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an operator may open with `allow_private`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// A network of one's own: opened by `allow_private`.
    Private,
    /// Never the address of a server one would call.
    Never,
}
use Scope::{Never, Private};

struct Range {
    /// The first address, IPv4 in the last 32 bits.
    first: u128,
    /// How many of the leading bits of the address (32 or 128) count.
    prefix: u32,
    scope: Scope,
    why: &'static str,
}

const fn v4(first: [u8; 4], prefix: u32, scope: Scope, why: &'static str) -> Range {
    Range { first: u32::from_be_bytes(first) as u128, prefix, scope, why }
}

const fn v6(first: [u16; 8], prefix: u32, scope: Scope, why: &'static str) -> Range {
    let [a, b, c, d, e, f, g, h] = first;
    Range { first: Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits(), prefix, scope, why }
}

const V4: &[Range] = &[
    v4([0, 0, 0, 0], 8, Never, "this network and unspecified, RFC 791 §3.2"),
    v4([10, 0, 0, 0], 8, Private, "private, RFC 1918"),
    v4([100, 64, 0, 0], 10, Private, "shared by carrier-grade NAT, RFC 6598"),
    v4([127, 0, 0, 0], 8, Private, "loopback, RFC 1122 §3.2.1.3"),
    v4([169, 254, 0, 0], 16, Never, "link-local and cloud metadata, RFC 3927"),
    v4([172, 16, 0, 0], 12, Private, "private, RFC 1918"),
    v4([192, 0, 0, 0], 24, Never, "protocol assignments, RFC 6890 §2.1"),
    v4([192, 0, 2, 0], 24, Never, "documentation, RFC 5737"),
    v4([192, 88, 99, 0], 24, Never, "6to4 relays, RFC 7526"),
    v4([192, 168, 0, 0], 16, Private, "private, RFC 1918"),
    v4([198, 18, 0, 0], 15, Never, "benchmarking, RFC 2544"),
    v4([198, 51, 100, 0], 24, Never, "documentation, RFC 5737"),
    v4([203, 0, 113, 0], 24, Never, "documentation, RFC 5737"),
    v4([224, 0, 0, 0], 4, Never, "multicast, RFC 5771"),
    // With 255.255.255.255, limited broadcast (RFC 919 §7).
    v4([240, 0, 0, 0], 4, Never, "reserved (class E) and broadcast, RFC 1112 §4"),
];

const V6: &[Range] = &[
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, Never, "unspecified, RFC 4291 §2.5.2"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Private, "loopback, RFC 4291 §2.5.3"),
    // How many bits its prefix has, and so where it carries IPv4, is each network's own affair.
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Private, "local NAT64, RFC 8215"),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Never, "discard-only, RFC 6666"),
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, Never, "dummy prefix, RFC 9780"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Never, "Teredo, RFC 4380"),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Never, "benchmarking, RFC 5180"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Never, "protocol assignments, RFC 2928"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Never, "documentation, RFC 3849"),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Never, "documentation, RFC 9637"),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, Never, "segment routing, RFC 9602"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Private, "unique local, RFC 4193"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Never, "link-local, RFC 4291 §2.5.6"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Never, "site-local, deprecated by RFC 3879"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Never, "multicast, RFC 4291 §2.7"),
];

/// An IPv6 range whose addresses carry an IPv4 one and lead where that one leads.
struct Carrier {
    range: Range,
    /// Bits behind the IPv4 address.
    shift: u32,
}

const fn carrier(first: [u16; 8], prefix: u32, shift: u32, why: &'static str) -> Carrier {
    Carrier { range: v6(first, prefix, Never, why), shift }
}

const CARRIERS: &[Carrier] = &[
    carrier([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, 0, "IPv4-mapped, RFC 4291 §2.5.5.2"),
    carrier([0, 0, 0, 0, 0, 0, 0, 0], 96, 0, "IPv4-compatible, RFC 4291 §2.5.5.1"),
    carrier([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, 0, "SIIT, RFC 2765 §2.1"),
    carrier([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, 0, "NAT64, RFC 6052 §2.1"),
    carrier([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, 80, "6to4, RFC 3056 §2"),
];

/// All that IANA gives out as global unicast (RFC 4291 §2.4).
const GLOBAL: Range = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, Never, "global unicast");

impl Range {
    fn contains(&self, bits: u128, width: u32) -> bool {
        (bits ^ self.first) >> (width - self.prefix) == 0
    }
}

/// Why `address` may not be dialled; `None` when it may.
pub fn refusal(address: IpAddr, allow_private: bool) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refused_by(V4, v4.to_bits().into(), 32, allow_private).err(),
        IpAddr::V6(v6) => refusal_v6(v6.to_bits(), allow_private),
    }
}

fn refusal_v6(bits: u128, allow_private: bool) -> Option<&'static str> {
    match refused_by(V6, bits, 128, allow_private) {
        Err(why) => return Some(why),
        Ok(Some(_)) => return None,
        Ok(None) => {}
    }
    if let Some(carrier) = CARRIERS.iter().find(|carrier| carrier.range.contains(bits, 128)) {
        let carried = Ipv4Addr::from_bits((bits >> carrier.shift) as u32);
        return refusal(carried.into(), allow_private);
    }
    (!GLOBAL.contains(bits, 128)).then_some("not global unicast, RFC 4291 §2.4")
}

/// The range that was opened for `bits`, if it lies in one.
fn refused_by(
    ranges: &'static [Range],
    bits: u128,
    width: u32,
    allow_private: bool,
) -> Result<Option<&'static Range>, &'static str> {
    match ranges.iter().find(|range| range.contains(bits, width)) {
        Some(range) if range.scope == Never || !allow_private => Err(range.why),
        opened => Ok(opened),
    }
}

/// Ports from 1024 up at which no HTTP is spoken: those that browsers refuse (Fetch §2.9, port
/// blocking), and two whose servers take every line for an order.
const OTHERS: &[u16] = &[
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080, 11211,
];

/// Whether a server of HTTP may be at `port`. Below 1024 that is where the schemes have theirs.
pub fn is_http_port(port: u16) -> bool {
    matches!(port, 80 | 443) || (port >= 1024 && !OTHERS.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_other_protocols_are_not_dialled() {
        for port in [80, 443, 1024, 8080, 8443, 9101, 65535] {
            assert!(is_http_port(port), "{port}");
        }
        for port in
            [0, 1, 22, 25, 53, 81, 110, 143, 389, 444, 465, 587, 993, 1023, 6000, 6379, 6667]
        {
            assert!(!is_http_port(port), "{port}");
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Verdict {
        Open,
        Private,
        Never,
    }

    fn verdict(address: &str) -> Verdict {
        let address = address.parse().unwrap();
        match (refusal(address, false), refusal(address, true)) {
            (None, None) => Verdict::Open,
            (Some(_), None) => Verdict::Private,
            (Some(_), Some(_)) => Verdict::Never,
            (None, Some(_)) => unreachable!("opening more never closes anything"),
        }
    }

    /// Each range at both ends, and what lies just outside.
    #[test]
    fn ranges_end_where_they_should() {
        use Verdict::*;
        for (first, last, expected, before, after) in [
            ("0.0.0.0", "0.255.255.255", Never, None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Private, Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Private, Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Private, Some("126.255.255.255"), Some("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", Never, Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Private, Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Never, Some("191.255.255.255"), Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Never, Some("192.0.1.255"), Some("192.0.3.0")),
            ("192.88.99.0", "192.88.99.255", Never, Some("192.88.98.255"), Some("192.88.100.0")),
            (
                "192.168.0.0",
                "192.168.255.255",
                Private,
                Some("192.167.255.255"),
                Some("192.169.0.0"),
            ),
            ("198.18.0.0", "198.19.255.255", Never, Some("198.17.255.255"), Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Never, Some("198.51.99.255"), Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Never, Some("203.0.112.255"), Some("203.0.114.0")),
            ("224.0.0.0", "255.255.255.255", Never, Some("223.255.255.255"), None),
            ("2001::", "2001:1ff:ffff::", Never, Some("2000:ffff::"), Some("2001:200::")),
            ("2001:db8::", "2001:db8:ffff::", Never, Some("2001:db7::"), Some("2001:db9::")),
            ("3fff::", "3fff:fff:ffff::", Never, Some("3ffe::"), Some("3fff:1000::")),
        ] {
            assert_eq!(verdict(first), expected, "{first}");
            assert_eq!(verdict(last), expected, "{last}");
            for outside in before.iter().chain(&after) {
                assert_eq!(verdict(outside), Open, "{outside}");
            }
        }
    }

    #[test]
    fn every_form_of_address_is_judged() {
        use Verdict::*;
        for (address, expected) in [
            ("1.1.1.1", Open),
            ("2606:4700::1", Open),
            ("2a00:1450::1", Open),
            ("127.0.0.1", Private),
            ("169.254.169.254", Never),
            ("255.255.255.255", Never),
            ("::", Never),
            ("::1", Private),
            ("::2", Never),
            ("fc00::", Private),
            ("fdff:ffff::1", Private),
            ("fe00::1", Never),
            ("fe80::1", Never),
            ("febf::1", Never),
            ("fec0::1", Never),
            ("feff::1", Never),
            ("ff02::1", Never),
            ("100::1", Never),
            ("100:0:0:1::1", Never),
            ("100:0:0:2::1", Never),
            ("2001:2::1", Never),
            ("2001:20::1", Never),
            ("5f00::1", Never),
            ("4000::1", Never),
            ("8000::1", Never),
            // Mapped.
            ("::ffff:8.8.8.8", Open),
            ("::ffff:127.0.0.1", Private),
            ("::ffff:169.254.169.254", Never),
            ("::ffff:0.0.0.0", Never),
            // Compatible.
            ("::8.8.8.8", Open),
            ("::127.0.0.1", Private),
            ("::10.0.0.1", Private),
            ("::224.0.0.1", Never),
            // SIIT.
            ("::ffff:0:8.8.8.8", Open),
            ("::ffff:0:127.0.0.1", Private),
            ("::ffff:0:169.254.169.254", Never),
            // NAT64.
            ("64:ff9b::8.8.8.8", Open),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::169.254.169.254", Never),
            ("64:ff9b:1::8.8.8.8", Private),
            ("64:ff9b:1:7f00:0:100::", Private),
            ("64:ff9b:2::8.8.8.8", Never),
            // 6to4.
            ("2002:808:808::1", Open),
            ("2002:7f00:1::1", Private),
            ("2002:a9fe:a9fe::1", Never),
            // Teredo, whatever it carries.
            ("2001:0:808:808::f7f7:f7f7", Never),
            ("2001:0:808:808::80ff:fffe", Never),
        ] {
            assert_eq!(verdict(address), expected, "{address}");
        }
    }
}
