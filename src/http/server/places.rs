//! The caps on connections, overall and per address, counted in places that free themselves.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

pub struct Places {
    max: usize,
    max_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; dropping it gives it back.
pub struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
}

impl Places {
    pub fn new(max: usize, max_per_address: usize) -> Arc<Self> {
        Arc::new(Places { max, max_per_address, taken: Mutex::default() })
    }

    /// `address` is `None` for a trusted proxy, which stands for many.
    pub fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let address = address.map(household);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= self.max {
            return None;
        }
        if let Some(address) = address {
            let count = taken.by_address.entry(address).or_default();
            if *count >= self.max_per_address {
                return None;
            }
            *count += 1;
        }
        taken.total += 1;
        Some(Place { places: self.clone(), address })
    }

    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = taken.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// One IPv6 customer has a whole /64.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from(u128::from(a) & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_run_out_and_come_back() {
        let places = Places::new(3, 2);
        let here = Some("192.0.2.1".parse().unwrap());
        let one = places.take(here).unwrap();
        let _two = places.take(here).unwrap();
        assert!(places.take(here).is_none(), "the address is full");
        let _proxy = places.take(None).unwrap();
        assert!(places.take(Some("192.0.2.2".parse().unwrap())).is_none(), "all are taken");
        drop(one);
        assert_eq!(places.taken(), 2);
        assert!(places.take(here).is_some());
    }

    #[test]
    fn neighbours_in_one_v6_network_count_as_one() {
        let places = Places::new(10, 1);
        let _one = places.take(Some("2001:db8::1".parse().unwrap())).unwrap();
        assert!(places.take(Some("2001:db8::2".parse().unwrap())).is_none());
        assert!(places.take(Some("2001:db8:0:1::2".parse().unwrap())).is_some());
    }
}
