//! The caps on connections, counted in places that free themselves: how many are served at once, how
//! many are open, parked ones too, and how many of them one address has.
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Places {
    caps: Caps,
    taken: Mutex<Taken>,
}

#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Each of them has a coroutine.
    pub served: usize,
    pub open: usize,
    pub per_address: usize,
}

#[derive(Default)]
struct Taken {
    served: usize,
    open: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; dropping it gives it back.
pub struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
    served: bool,
}

impl Places {
    pub fn new(caps: Caps) -> Arc<Self> {
        Arc::new(Places { caps, taken: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `address` is `None` for a trusted proxy, which stands for many.
    pub fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Place> {
        let address = address.map(household);
        let mut taken = self.lock();
        if taken.served >= self.caps.served || taken.open >= self.caps.open {
            return None;
        }
        if let Some(address) = address {
            let count = taken.by_address.entry(address).or_default();
            if *count >= self.caps.per_address {
                return None;
            }
            *count += 1;
        }
        taken.served += 1;
        taken.open += 1;
        Some(Place { places: self.clone(), address, served: true })
    }

    /// Connections that are open.
    pub fn taken(&self) -> usize {
        self.lock().open
    }
}

impl Place {
    /// The connection stays open and is served no longer.
    pub fn park(mut self) -> Self {
        if std::mem::take(&mut self.served) {
            self.places.lock().served -= 1;
        }
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.open -= 1;
        taken.served -= usize::from(self.served);
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

    fn places(served: usize, open: usize, per_address: usize) -> Arc<Places> {
        Places::new(Caps { served, open, per_address })
    }

    #[test]
    fn places_run_out_and_come_back() {
        let places = places(3, 9, 2);
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
        let places = places(10, 10, 1);
        let _one = places.take(Some("2001:db8::1".parse().unwrap())).unwrap();
        assert!(places.take(Some("2001:db8::2".parse().unwrap())).is_none());
        assert!(places.take(Some("2001:db8:0:1::2".parse().unwrap())).is_some());
    }

    #[test]
    fn parked_connections_leave_room_for_those_that_are_served() {
        let places = places(1, 3, 2);
        let here = Some("192.0.2.1".parse().unwrap());
        let parked = places.take(here).unwrap().park();
        let served = places.take(here).unwrap();
        assert!(places.take(None).is_none(), "one is served already");
        let also_parked = served.park().park();
        assert!(places.take(here).is_none(), "the address has its two");
        let last = places.take(None).unwrap().park();
        assert!(places.take(None).is_none(), "three are open");
        assert_eq!(places.taken(), 3);
        drop((parked, also_parked, last));
        assert_eq!(places.taken(), 0);
        let again = places.take(here).unwrap();
        assert!(places.take(here).is_none());
        drop(again);
    }
}
