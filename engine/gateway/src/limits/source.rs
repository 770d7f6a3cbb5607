//! What is known of each source address that has sessions, or had some a moment ago.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::gate::Gate;

/// Sources known at once; those beyond share one account.
pub const SOURCES_MAX: usize = 1 << 16;
/// Locks, so that shards seldom meet at one.
const STRIPES: usize = 16;
const STRIPE_SOURCES_MAX: usize = SOURCES_MAX / STRIPES;
/// A full stripe is not searched for unused entries more often than that.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);

/// The account of one source.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// `None`: the account of those that have none of their own.
    address: Option<IpAddr>,
    pub(super) gate: Gate,
}

impl Source {
    /// The source; `None` where several share the account.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// All sources.
#[derive(Debug)]
pub(super) struct Sources {
    hasher: RandomState,
    stripes: [Mutex<Stripe>; STRIPES],
    overflow: Arc<Source>,
    overflowed: AtomicU64,
}

#[derive(Debug, Default)]
struct Stripe {
    known: HashMap<IpAddr, Arc<Source>>,
    sweep_at: Duration,
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            hasher: RandomState::new(),
            stripes: std::array::from_fn(|_| Mutex::default()),
            overflow: Arc::default(),
            overflowed: AtomicU64::new(0),
        }
    }
}

impl Sources {
    /// The account of a source, which has one from here on; the shared one when there are too many.
    pub(super) fn account(&self, address: IpAddr, now: Duration) -> Arc<Source> {
        let mut stripe = self.stripe(address);
        if let Some(known) = stripe.known.get(&address) {
            return Arc::clone(known);
        }
        if stripe.known.len() >= STRIPE_SOURCES_MAX && stripe.sweep_at <= now {
            stripe.sweep(now);
            stripe.sweep_at = now + SWEEP_PAUSE;
        }
        if stripe.known.len() >= STRIPE_SOURCES_MAX {
            self.overflowed.fetch_add(1, Relaxed);
            return Arc::clone(&self.overflow);
        }
        let source = Arc::new(Source { address: Some(address), gate: Gate::default() });
        stripe.known.insert(address, Arc::clone(&source));
        source
    }

    /// Takes an account back, and forgets the source if nothing of it matters any more.
    pub(super) fn forget_unused(&self, source: Arc<Source>, now: Duration) {
        let Some(address) = source.address() else { return };
        let mut stripe = self.stripe(address);
        drop(source);
        if stripe.known.get(&address).is_some_and(|source| is_unused(source, now)) {
            stripe.known.remove(&address);
        }
    }

    /// Forgets what each source has taken of its octets.
    pub(super) fn forget_octets(&self) {
        for stripe in &self.stripes {
            lock(stripe).known.values().for_each(|source| source.gate.forget_octets());
        }
        self.overflow.gate.forget_octets();
    }

    /// Sources that matter.
    pub(super) fn count(&self, now: Duration) -> usize {
        let each = self.stripes.iter().map(|stripe| {
            let mut stripe = lock(stripe);
            stripe.sweep(now);
            stripe.known.len()
        });
        each.sum()
    }

    /// Connections whose source had to share an account.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Relaxed)
    }

    fn stripe(&self, address: IpAddr) -> MutexGuard<'_, Stripe> {
        lock(&self.stripes[self.hasher.hash_one(address) as usize % STRIPES])
    }
}

impl Stripe {
    fn sweep(&mut self, now: Duration) {
        self.known.retain(|_, source| !is_unused(source, now));
    }
}

/// Nobody has it beside the table, which is locked, and a new account would be no different.
fn is_unused(source: &Arc<Source>, now: Duration) -> bool {
    Arc::strong_count(source) == 1 && source.gate.is_unused(now)
}

/// Nothing is left half done by a panic within, so a poisoned lock is as good as any.
fn lock(stripe: &Mutex<Stripe>) -> MutexGuard<'_, Stripe> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What counts as one source: an address, of IPv6 its first bits. IPv4 in IPv6 is IPv4.
pub(super) fn source_of(address: IpAddr, ipv6_prefix: u8) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_prefix.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Numbers;
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_source_is_an_address_or_the_network_that_it_is_in() {
        let of = |text: &str, prefix| source_of(text.parse().unwrap(), prefix).to_string();
        assert_eq!(of("10.1.2.3", 64), "10.1.2.3");
        assert_eq!(of("::ffff:10.1.2.3", 64), "10.1.2.3");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", 64), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", 32), "2001:db8::");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", 128), "2001:db8:1:2:3:4:5:6");
    }

    #[test]
    fn the_number_of_sources_is_bounded_and_unused_ones_make_room() {
        let sources = Sources::default();
        let numbers = Numbers::default();
        let held: Vec<_> = (0..200_000)
            .map(|number| {
                let source = sources.account(address(number), NOW);
                source.gate.enter(NOW, &numbers).unwrap();
                source
            })
            .collect();
        assert!(sources.count(NOW) <= SOURCES_MAX);
        let shared = held.iter().filter(|source| source.address().is_none()).count() as u64;
        assert_eq!(sources.overflowed(), shared);
        assert!(shared >= 200_000 - SOURCES_MAX as u64);
        for source in held {
            source.gate.leave(false);
        }
        let later = NOW + SWEEP_PAUSE;
        assert_eq!(sources.account(address(900_000), later).address(), Some(address(900_000)));
        assert_eq!(sources.count(later), 0);
    }

    #[test]
    fn a_source_whose_rate_is_not_paid_for_is_remembered() {
        let sources = Sources::default();
        let numbers = Numbers { connects_per_second_max: 1, ..Numbers::default() };
        let source = sources.account(address(1), NOW);
        source.gate.enter(NOW, &numbers).unwrap();
        source.gate.leave(false);
        sources.forget_unused(source, NOW);
        assert_eq!(sources.count(NOW), 1);
        let later = NOW + Duration::from_secs(1);
        let source = sources.account(address(1), later);
        sources.forget_unused(source, later);
        assert_eq!(sources.count(later), 0);
    }
}
