//! Who is really asking, when a proxy we trust stands in between.
use super::Fields;
use std::net::{IpAddr, SocketAddr};

/// An address block such as `127.0.0.0/8` or `::1/128`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                (u32::from(ours) ^ u32::from(theirs)) & mask == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let mask =
                    u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                (u128::from(ours) ^ u128::from(theirs)) & mask == 0
            }
            _ => false,
        }
    }
}

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
