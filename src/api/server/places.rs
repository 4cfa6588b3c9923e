//! How many connections each address holds.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use parking_lot::Mutex;

/// The bits of an IPv6 address that name a network; the rest is the subscriber's to choose.
const NETWORK_MASK_V6: u128 = !0 << 64;

/// The places that are taken, by address; bounded by the number of open connections.
type Taken = Arc<Mutex<BTreeMap<IpAddr, usize>>>;

/// The places of all addresses.
#[derive(Clone)]
pub(super) struct Places {
    limit: Option<NonZeroUsize>,
    taken: Taken,
}

/// One place; dropping it gives it back.
pub(super) struct Place {
    /// Where the place is counted; `None` when nothing is counted.
    counted: Option<(IpAddr, Taken)>,
}

impl Places {
    pub(super) fn new(limit: Option<NonZeroUsize>) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// Takes a place, or `None` when the address has all of its places taken.
    pub(super) fn take(&self, address: IpAddr) -> Option<Place> {
        let Some(limit) = self.limit else { return Some(Place { counted: None }) };
        let key = network_of(address);
        let mut taken = self.taken.lock();
        let count = taken.entry(key).or_insert(0);
        if *count >= limit.get() {
            return None;
        }
        *count += 1;
        Some(Place { counted: Some((key, Arc::clone(&self.taken))) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((key, taken)) = &self.counted else { return };
        let mut taken = taken.lock();
        match taken.get_mut(key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(key);
            }
        }
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(wide) => IpAddr::V6(Ipv6Addr::from_bits(wide.to_bits() & NETWORK_MASK_V6)),
        narrow @ IpAddr::V4(_) => narrow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_its_places_and_no_more_until_one_is_given_back() {
        let places = Places::new(NonZeroUsize::new(2));
        let first = places.take(address("192.0.2.1")).unwrap();
        let _second = places.take(address("::ffff:192.0.2.1")).unwrap();
        assert!(places.take(address("192.0.2.1")).is_none());
        assert!(places.take(address("192.0.2.2")).is_some());
        drop(first);
        assert!(places.take(address("192.0.2.1")).is_some());
    }

    #[test]
    fn one_ipv6_network_counts_as_one_address() {
        let places = Places::new(NonZeroUsize::new(1));
        let _held = places.take(address("2001:db8:0:1::1")).unwrap();
        assert!(places.take(address("2001:db8:0:1:ffff::2")).is_none());
        assert!(places.take(address("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn the_table_is_empty_when_all_places_are_given_back() {
        let places = Places::new(NonZeroUsize::new(5));
        let held: Vec<_> = (0..5).map(|_| places.take(address("192.0.2.1")).unwrap()).collect();
        drop(held);
        assert!(places.taken.lock().is_empty());
    }
}
