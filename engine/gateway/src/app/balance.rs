//! Which target of a destination takes a session.
//!
//! Usable is a target that the operator has `ready`, that health checks do not hold for down, that may be connected
//! to, has fewer sessions than its `sessions_max`, and can be asked for what the downstream wants. An ejected one is
//! passed over only while the group has another that is usable: ejection is a guess, and the last one is kept.
//!
//! * `round_robin` is smooth and weighted, each shard for itself: of weights 5, 1, 1 it makes `a a b a c a a`.
//! * `least_sessions` takes the one that has, this session included, the fewest sessions for its weight; of equals
//!   the one whose turn it is.
//! * `hash` is weighted rendezvous hashing. A target's score for a value is `-log2(h) / weight`, where h in (0, 1] is
//!   the 64-bit FNV-1a of the target's name, a zero octet and the value, mixed by SplitMix64's function; the lowest
//!   score wins. It needs only names and weights, so it is the same on each shard and node and after each reload; a
//!   target that comes or goes moves the sessions that go to it or came from it, and no others.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::Duration;

use super::admission::refuse_reason;
use super::random::mix;
use super::route::RouteQuery;
use crate::config::{Balance, Config, ConnectionPolicy, Destination, HashOn, TargetConfig, TargetState};
use crate::plan::{Health, Plan, TargetStatus};

/// A destination's targets, and how one is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// Index of the upstream; `None`: one target alone.
    pub(crate) upstream: Option<usize>,
    pub(crate) targets: &'a [usize],
    pub(crate) balance: Balance,
    pub(crate) retries_max: u32,
}

impl<'a> Group<'a> {
    /// `None`: the destination is a refusal.
    pub(crate) fn of(config: &'a Config, destination: &'a Destination) -> Option<Group<'a>> {
        match destination {
            Destination::Target(target) => Some(Group {
                upstream: None,
                targets: std::slice::from_ref(target),
                balance: Balance::RoundRobin,
                retries_max: 0,
            }),
            Destination::Upstream(index) => {
                let upstream = &config.upstreams[*index];
                let (targets, balance) = (&upstream.targets, upstream.balance);
                Some(Group { upstream: Some(*index), targets, balance, retries_max: upstream.retries_max })
            }
            Destination::Refuse(_) => None,
        }
    }
}

/// Whether a target can take a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Usable {
    /// Not ready, down or never connected to.
    No,
    /// It cannot be asked for what the downstream wants.
    Unfit,
    /// It has as many sessions as it may.
    Full,
    /// Only as long as nothing better is there.
    Ejected,
    /// Yes.
    Yes,
}

impl Usable {
    /// Of a target as such: what a session wants is not looked at.
    pub(crate) fn of(config: &TargetConfig, status: &TargetStatus, now: Duration) -> Usable {
        if config.removed
            || status.state() != TargetState::Ready
            || status.health() == Health::Down
            || config.policy == ConnectionPolicy::IncomingOnly
        {
            Usable::No
        } else if status.sessions() as usize >= config.sessions_max {
            Usable::Full
        } else if status.ejected_until(now).is_some() {
            Usable::Ejected
        } else {
            Usable::Yes
        }
    }

    /// The RF reason where nothing better is there.
    fn refusal(self) -> u8 {
        match self {
            Usable::Unfit => refuse_reason::RESTRICTION,
            Usable::Full => refuse_reason::CONGESTION,
            _ => refuse_reason::USER_NOT_ATTACHED,
        }
    }
}

/// What a session that looks for a target brings.
pub(crate) struct Seeker<'a> {
    pub(crate) query: &'a RouteQuery,
    /// Targets that have failed it.
    pub(crate) tried: &'a [usize],
    pub(crate) now: Duration,
    /// True where the target's profile leaves something to propose.
    pub(crate) fits: &'a dyn Fn(&TargetConfig) -> bool,
}

/// Turns of a shard, for each upstream.
#[derive(Debug, Default)]
pub(crate) struct Turns(Vec<Vec<i64>>);

impl Turns {
    /// The target that takes the session.
    ///
    /// # Errors
    /// The RF reason where none does.
    pub(crate) fn choose(
        &mut self,
        plan: &Plan,
        group: &Group<'_>,
        seeker: &Seeker<'_>,
    ) -> Result<usize, u8> {
        let usable: Vec<Usable> = group.targets.iter().map(|target| usable(plan, *target, seeker)).collect();
        let best = usable.iter().copied().max().unwrap_or(Usable::No);
        if best < Usable::Ejected {
            return Err(best.refusal());
        }
        let has_failed = |place: usize| seeker.tried.contains(&group.targets[place]);
        let taking = |place: usize| usable[place] >= Usable::Ejected;
        // What has not failed this session comes first, even ejected: that others failed is the weaker sign.
        let fresh = (0..usable.len()).filter(|place| taking(*place) && !has_failed(*place));
        let best_fresh = fresh.clone().map(|place| usable[place]).max();
        let candidates: Vec<usize> = match best_fresh {
            Some(best) => fresh.filter(|place| usable[*place] == best).collect(),
            None => (0..usable.len()).filter(|place| usable[*place] == best).collect(),
        };
        let place = match group.balance {
            Balance::RoundRobin => self.next(plan, group, &candidates),
            Balance::LeastSessions => {
                let least = least_sessions(plan, group, &candidates);
                self.next(plan, group, &least)
            }
            Balance::Hash(on) => rendezvous(plan, group, &candidates, &hashed(on, seeker.query)),
        };
        Ok(group.targets[place])
    }

    /// The next of the candidates, smoothly by weight.
    fn next(&mut self, plan: &Plan, group: &Group<'_>, candidates: &[usize]) -> usize {
        let (Some(upstream), false) = (group.upstream, candidates.len() == 1) else { return candidates[0] };
        if self.0.len() <= upstream {
            self.0.resize_with(upstream + 1, Vec::new);
        }
        let turns = &mut self.0[upstream];
        turns.resize(group.targets.len(), 0);
        let weight = |place: usize| i64::from(plan.config.targets[group.targets[place]].weight);
        for place in candidates {
            turns[*place] += weight(*place);
        }
        // Of equals the first: `max_by_key` would give the last.
        let chosen = *candidates.iter().rev().max_by_key(|place| turns[**place]).expect("there is one");
        turns[chosen] -= candidates.iter().map(|place| weight(*place)).sum::<i64>();
        chosen
    }

    /// Begins anew, because the groups may be others.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn usable(plan: &Plan, target: usize, seeker: &Seeker<'_>) -> Usable {
    let config = &plan.config.targets[target];
    match Usable::of(config, &plan.targets[target], seeker.now) {
        Usable::No => Usable::No,
        _ if !(seeker.fits)(config) => Usable::Unfit,
        usable => usable,
    }
}

fn least_sessions(plan: &Plan, group: &Group<'_>, candidates: &[usize]) -> Vec<usize> {
    let load = |place: usize| {
        let target = group.targets[place];
        (u64::from(plan.targets[target].sessions()) + 1, u64::from(plan.config.targets[target].weight))
    };
    // Each is read once: other shards change them meanwhile.
    let loads: Vec<_> = candidates.iter().map(|place| load(*place)).collect();
    let compare = |left: &(u64, u64), right: &(u64, u64)| (left.0 * right.1).cmp(&(right.0 * left.1));
    let least = loads.iter().copied().min_by(|left, right| compare(left, right)).expect("there is one");
    let with_loads = candidates.iter().zip(&loads);
    with_loads.filter(|(_, load)| compare(load, &least) == Ordering::Equal).map(|(place, _)| *place).collect()
}

/// The octets that are hashed.
fn hashed(on: HashOn, query: &RouteQuery) -> Vec<u8> {
    match on {
        HashOn::CalledSsap => query.called_ssap.as_octets().to_vec(),
        HashOn::CallingSsap => query.calling_ssap.as_octets().to_vec(),
        HashOn::CalledTsap => query.called_tsap.as_octets().to_vec(),
        HashOn::CallingTsap => query.calling_tsap.as_octets().to_vec(),
        HashOn::Source => match query.source.map(|source| source.to_canonical()) {
            Some(IpAddr::V4(source)) => source.octets().to_vec(),
            Some(IpAddr::V6(source)) => source.octets().to_vec(),
            None => Vec::new(),
        },
    }
}

fn rendezvous(plan: &Plan, group: &Group<'_>, candidates: &[usize], value: &[u8]) -> usize {
    let score = |place: usize| {
        let target = &plan.config.targets[group.targets[place]];
        (Score { bits: minus_log2(hash(&target.name, value)), weight: target.weight }, place)
    };
    let scores = candidates.iter().map(|place| score(*place));
    scores.min_by(|(left, _), (right, _)| left.compare(right)).expect("there is one").1
}

/// `bits / weight`.
struct Score {
    bits: u64,
    weight: u32,
}

impl Score {
    fn compare(&self, other: &Score) -> Ordering {
        let (left, right) = (u128::from(self.bits), u128::from(other.bits));
        (left * u128::from(other.weight)).cmp(&(right * u128::from(self.weight)))
    }
}

fn hash(name: &str, value: &[u8]) -> u64 {
    let octets = name.bytes().chain([0]).chain(value.iter().copied());
    mix(octets
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)))
}

/// `-log2((hash + 1) / 2^64)` with 32 bits behind the point: in integers, for the same result on every machine.
fn minus_log2(hash: u64) -> u64 {
    let Some(number) = hash.checked_add(1) else { return 0 };
    let whole = number.leading_zeros();
    // In [1, 2) with 63 bits behind the point; each squaring gives one bit of the logarithm.
    let mut mantissa = number << whole;
    let mut fraction = 0_u64;
    for _ in 0..32 {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let carry = square >> 64 != 0;
        mantissa = if carry { (square >> 1) as u64 } else { square as u64 };
        fraction = fraction << 1 | u64::from(carry);
    }
    ((u64::from(whole) + 1) << 32) - fraction
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use colloquy_session::{FunctionalUnits, Selector};
    use colloquy_transport::class0::TransportSelector;

    use super::*;
    use crate::config::UpstreamConfig;
    use crate::plan::ConnectOutcome;

    fn plan(weights: &[(&str, u32)], balance: Balance) -> Plan {
        let address = ([127, 0, 0, 1], 1).into();
        let target = |(name, weight): &(&str, u32)| TargetConfig {
            weight: *weight,
            ..TargetConfig::new(name, address)
        };
        let all: Vec<usize> = (0..weights.len()).collect();
        Plan::new(Arc::new(Config {
            targets: weights.iter().map(target).collect(),
            upstreams: vec![UpstreamConfig { balance, ..UpstreamConfig::new("u", &all) }],
            ..Config::default()
        }))
    }

    fn query(called_ssap: &[u8]) -> RouteQuery {
        RouteQuery {
            listener: 0,
            called_tsap: TransportSelector::default(),
            calling_tsap: TransportSelector::default(),
            called_ssap: Selector::new(called_ssap).unwrap(),
            calling_ssap: Selector::default(),
            source: None,
            units: FunctionalUnits::DUPLEX,
        }
    }

    fn choose(turns: &mut Turns, plan: &Plan, value: &[u8], tried: &[usize]) -> Result<String, u8> {
        let group = Group::of(&plan.config, &Destination::Upstream(0)).unwrap();
        let seeker = Seeker { query: &query(value), tried, now: Duration::ZERO, fits: &|_| true };
        turns.choose(plan, &group, &seeker).map(|target| plan.config.targets[target].name.clone())
    }

    fn sequence(plan: &Plan, count: usize) -> String {
        let mut turns = Turns::default();
        (0..count).map(|_| choose(&mut turns, plan, b"", &[]).unwrap()).collect()
    }

    #[test]
    fn round_robin_is_smooth_and_weighted() {
        assert_eq!(sequence(&plan(&[("a", 1), ("b", 1), ("c", 1)], Balance::RoundRobin), 7), "abcabca");
        assert_eq!(
            sequence(&plan(&[("a", 5), ("b", 1), ("c", 1)], Balance::RoundRobin), 14),
            "aabacaaaabacaa"
        );
    }

    #[test]
    fn least_sessions_looks_at_sessions_for_the_weight() {
        let plan = plan(&[("a", 1), ("b", 3)], Balance::LeastSessions);
        let mut turns = Turns::default();
        let mut taken = String::new();
        for _ in 0..8 {
            let name = choose(&mut turns, &plan, b"", &[]).unwrap();
            let index = usize::from(name == "b");
            assert!(plan.targets[index].take_session(100));
            taken += &name;
        }
        assert_eq!(taken.matches('b').count(), 6, "{taken}");
        assert_eq!(sequence(&self::plan(&[("a", 1), ("b", 1)], Balance::LeastSessions), 4), "abab");
    }

    fn homes(plan: &Plan) -> BTreeMap<u16, String> {
        let mut turns = Turns::default();
        (0..10_000_u16)
            .map(|value| (value, choose(&mut turns, plan, &value.to_be_bytes(), &[]).unwrap()))
            .collect()
    }

    #[test]
    fn a_target_that_goes_moves_only_its_own() {
        let hash = Balance::Hash(HashOn::CalledSsap);
        let before = homes(&plan(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)], hash));
        // The order of the group does not matter.
        let after = homes(&plan(&[("d", 1), ("c", 1), ("a", 1)], hash));
        for (value, home) in &before {
            assert!(home == "b" || after[value] == *home, "{value} moved from {home} to {}", after[value]);
        }
        for name in ["a", "b", "c", "d"] {
            let share = before.values().filter(|home| *home == name).count();
            assert!((2300..2700).contains(&share), "{name}: {share}");
        }
    }

    #[test]
    fn weights_are_shares_and_a_change_moves_only_towards_it() {
        let hash = Balance::Hash(HashOn::CalledSsap);
        let before = homes(&plan(&[("a", 1), ("b", 1), ("c", 2)], hash));
        let share = before.values().filter(|home| *home == "c").count();
        assert!((4800..5200).contains(&share), "{share}");
        let after = homes(&plan(&[("a", 1), ("b", 3), ("c", 2)], hash));
        for (value, home) in &after {
            assert!(home == "b" || before[value] == *home);
        }
    }

    /// The hash is a contract between nodes and versions; these values were computed by another program.
    #[test]
    fn the_hash_is_what_it_always_was() {
        let hash = Balance::Hash(HashOn::CalledSsap);
        let homes = homes(&plan(&[("a", 1), ("b", 2), ("c", 3)], hash));
        let first: String = (0..32).map(|value| homes[&value].as_str()).collect();
        assert_eq!(first, "cccccaaabcbcaccabbbbacccbcccccbb");
        assert_eq!(super::hash("a", b"x"), 0x8248_bbd4_5c35_77a8);
    }

    #[test]
    fn the_logarithm_is_that_of_the_mathematicians() {
        let mut random = super::super::random::Random::new(1);
        for _ in 0..10_000 {
            let number = random.number() >> (random.number() % 64);
            let expected = 64.0 - ((number as f64) + 1.0).log2();
            let found = minus_log2(number) as f64 / f64::from(1_u32 << 16) / f64::from(1_u32 << 16);
            assert!((found - expected).abs() < 1e-8, "{number}: {found}, {expected}");
        }
        assert_eq!((minus_log2(0), minus_log2(u64::MAX)), (64 << 32, 0));
    }

    #[test]
    fn what_has_failed_a_session_comes_last() {
        let plan = plan(&[("a", 1), ("b", 1)], Balance::RoundRobin);
        let mut turns = Turns::default();
        assert_eq!(choose(&mut turns, &plan, b"", &[0]).unwrap(), "b");
        assert_eq!(choose(&mut turns, &plan, b"", &[1]).unwrap(), "a");
        assert_eq!(choose(&mut turns, &plan, b"", &[0, 1]).unwrap(), "a");
    }

    #[test]
    fn only_usable_targets_are_chosen_and_the_nearest_miss_is_the_reason() {
        let plan = plan(&[("a", 1), ("b", 1)], Balance::RoundRobin);
        let mut turns = Turns::default();
        let mut chosen = |tried: &[usize]| choose(&mut turns, &plan, b"", tried);
        plan.targets[0].set_state(TargetState::Drain);
        assert_eq!(chosen(&[]).unwrap(), "b");
        plan.targets[1].set_state(TargetState::Maint);
        assert_eq!(chosen(&[]), Err(130));
        plan.targets[0].set_state(TargetState::Ready);
        assert_eq!(plan.targets[0].checked(false, 1, 1), Some(Health::Down));
        assert_eq!(chosen(&[]), Err(130));
        assert_eq!(plan.targets[0].checked(true, 1, 1), Some(Health::Up));
        assert_eq!(chosen(&[]).unwrap(), "a");
    }

    #[test]
    fn an_ejected_target_is_kept_while_no_other_is_usable() {
        let plan = plan(&[("a", 1), ("b", 1)], Balance::RoundRobin);
        let mut turns = Turns::default();
        plan.targets[0].connect_ended(ConnectOutcome::Timeout, &plan.config.targets[0]);
        plan.targets[0].eject(Duration::ZERO, Duration::from_secs(1));
        for _ in 0..4 {
            assert_eq!(choose(&mut turns, &plan, b"", &[]).unwrap(), "b");
        }
        plan.targets[1].set_state(TargetState::Drain);
        assert_eq!(choose(&mut turns, &plan, b"", &[]).unwrap(), "a");
    }

    #[test]
    fn full_and_unfit_targets_have_reasons_of_their_own() {
        let mut full = plan(&[("a", 1)], Balance::RoundRobin);
        Arc::make_mut(&mut full.config).targets[0].sessions_max = 1;
        assert!(full.targets[0].take_session(1));
        let mut turns = Turns::default();
        assert_eq!(choose(&mut turns, &full, b"", &[]), Err(131));
        let group = Group::of(&full.config, &Destination::Target(0)).unwrap();
        let seeker = Seeker { query: &query(b""), tried: &[], now: Duration::ZERO, fits: &|_| false };
        assert_eq!(turns.choose(&full, &group, &seeker), Err(134));
    }
}
