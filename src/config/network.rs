//! Address blocks (RFC 4632 §3.1, RFC 4291 §2.3).
use std::net::IpAddr;

/// An address block such as `127.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
}

impl Network {
    /// `address/prefix`, or an address alone for a block of one.
    pub fn parse(text: &str) -> Result<Network, String> {
        let expected = || {
            format!("{text:?}: expected an address or a network, such as 10.0.0.0/8 or 2001:db8::1")
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        if address != address.to_canonical() {
            return Err(format!("{text:?}: write IPv4 networks as IPv4"));
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(expected)?
            }
            Some(_) => return Err(expected()),
        };
        let network = Network { address, prefix };
        // 10.1.2.3/8 is either 10.0.0.0/8 or 10.1.2.3: whom to trust is no place for a guess.
        if network.first() != address {
            let first = network.first();
            return Err(format!("{text:?}: the network of that prefix is {first}/{prefix}"));
        }
        Ok(network)
    }

    /// An IPv4 address in IPv6's mapped form (RFC 4291 §2.5.5.2) counts as itself.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.first()
    }

    fn first(&self) -> IpAddr {
        masked(self.address, self.prefix)
    }
}

/// The address with all bits behind the prefix cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_their_addresses_and_no_others() {
        for (block, address, inside) in [
            ("127.0.0.0/8", "127.255.0.1", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.2/31", "10.1.2.3", true),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("2001:db8::/32", "2001:db8:9::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::/0", "10.0.0.1", false),
        ] {
            let network = Network::parse(block).expect(block);
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address} in {block}");
        }
    }

    #[test]
    fn what_is_no_network_says_so() {
        for bad in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "::/129",
            "::/1000",
            "10.0.0/8",
            "localhost",
            "10.0.0.0/x",
            "10.0.0.0/8/8",
            "fe80::1%eth0",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
        let guess = Network::parse("10.1.2.3/8").unwrap_err();
        assert!(guess.ends_with("the network of that prefix is 10.0.0.0/8"), "{guess}");
    }
}
