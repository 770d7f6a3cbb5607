//! Where a session goes: the first route that fits, or the destination of its listener.
//!
//! A listener with a target or an upstream of its own is routed only by routes that name it, and goes to its own
//! where none of them fits. A listener without is routed by routes that name it and by those that name none.
//!
//! What a peer gets when nothing fits:
//!
//! | what is missing | answer |
//! |---|---|
//! | no route of the listener has the called TSAP, whatever CN would say | DR, reason 3 |
//! | no route of the listener has both the called TSAP and the called SSAP | RF 129 |
//! | routes have them, but for other callers or sources | RF 130 |
//! | routes have all that, but want functional units that were not proposed | RF 134 |
//! | the route says `refuse` | RF with its reason |
//! | no target of the destination is usable (see [`super::balance`]) | RF 130 |
//! | targets are usable but for their `sessions_max`, or those of the gateway | RF 131 |
//! | targets are usable but for their profile, which leaves nothing to propose | RF 134 |

use std::net::IpAddr;

use colloquy_session::{FunctionalUnits, Selector};
use colloquy_transport::class0::{ConnectTpdu, TransportSelector};

use super::admission::refuse_reason;
use crate::config::{Config, Destination, ListenerApplication, RouteConfig};

/// What routes look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteQuery {
    /// Index of the listener.
    pub listener: usize,
    /// Called TSAP of CR; empty where CR has none.
    pub called_tsap: TransportSelector,
    /// Calling TSAP of CR; empty where CR has none.
    pub calling_tsap: TransportSelector,
    /// Called SSAP of CN.
    pub called_ssap: Selector,
    /// Calling SSAP of CN.
    pub calling_ssap: Selector,
    /// Source address.
    pub source: Option<IpAddr>,
    /// Functional units proposed.
    pub units: FunctionalUnits,
}

impl RouteQuery {
    /// The selectors of CR.
    pub(crate) fn transport(&self) -> ConnectTpdu {
        ConnectTpdu {
            calling: Some(self.calling_tsap),
            called: Some(self.called_tsap),
            ..ConnectTpdu::default()
        }
    }
}

/// Where a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The route that says so; `None`: the listener.
    pub route: Option<usize>,
    /// Where to.
    pub destination: Destination,
}

/// The first route that fits, or the listener's own destination.
///
/// # Errors
/// The RF reason where nothing fits.
pub(crate) fn choose(config: &Config, query: &RouteQuery) -> Result<Chosen, u8> {
    let mut closest = Fit::Nothing;
    for (index, route) in routes_of(config, query.listener) {
        let fit = fit(route, query);
        if fit == Fit::Whole {
            return Ok(Chosen { route: Some(index), destination: route.destination });
        }
        closest = closest.max(fit);
    }
    own_destination(config, query.listener).ok_or(match closest {
        Fit::Nothing => refuse_reason::SELECTOR_UNKNOWN,
        Fit::Called => refuse_reason::USER_NOT_ATTACHED,
        Fit::AllButUnits | Fit::Whole => refuse_reason::RESTRICTION,
    })
}

/// False where no CN could be routed behind a CR with this called TSAP.
pub(crate) fn could_take(config: &Config, listener: usize, called_tsap: &TransportSelector) -> bool {
    own_destination(config, listener).is_some()
        || routes_of(config, listener).any(|(_, route)| has(route.called_tsaps.as_deref(), called_tsap))
}

/// How far a route fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It is for other called selectors.
    Nothing,
    /// The called selectors are its own.
    Called,
    /// All fits but the functional units.
    AllButUnits,
    /// All fits.
    Whole,
}

fn fit(route: &RouteConfig, query: &RouteQuery) -> Fit {
    if !has(route.called_tsaps.as_deref(), &query.called_tsap)
        || !has(route.called_ssaps.as_deref(), &query.called_ssap)
    {
        return Fit::Nothing;
    }
    let source_fits = route.sources.as_ref().is_none_or(|networks| {
        let source = query.source.map(|source| source.to_canonical());
        source.is_some_and(|source| networks.iter().any(|network| network.contains(&source)))
    });
    if !has(route.calling_tsaps.as_deref(), &query.calling_tsap)
        || !has(route.calling_ssaps.as_deref(), &query.calling_ssap)
        || !source_fits
    {
        return Fit::Called;
    }
    if query.units.contains(route.functional_units) { Fit::Whole } else { Fit::AllButUnits }
}

fn has<T: PartialEq>(wanted: Option<&[T]>, given: &T) -> bool {
    wanted.is_none_or(|wanted| wanted.contains(given))
}

/// The routes that a listener looks at, in their order.
fn routes_of(config: &Config, listener: usize) -> impl Iterator<Item = (usize, &RouteConfig)> {
    let unnamed = own_destination(config, listener).is_none();
    config.route_order.iter().map(|index| (*index, &config.routes[*index])).filter(move |(_, route)| {
        route.listeners.as_ref().map_or(unnamed, |listeners| listeners.contains(&listener))
    })
}

fn own_destination(config: &Config, listener: usize) -> Option<Chosen> {
    let destination = match config.listeners.get(listener)?.application {
        ListenerApplication::Relay { target } => Destination::Target(target),
        ListenerApplication::Balance { upstream } => Destination::Upstream(upstream),
        _ => return None,
    };
    Some(Chosen { route: None, destination })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ListenerConfig, TargetConfig};

    const HERE: usize = 0;
    const OWN: usize = 1;

    fn tsap(octets: &[u8]) -> TransportSelector {
        TransportSelector::new(octets).unwrap()
    }

    fn ssap(octets: &[u8]) -> Selector {
        Selector::new(octets).unwrap()
    }

    fn query() -> RouteQuery {
        RouteQuery {
            listener: HERE,
            called_tsap: tsap(b"T"),
            calling_tsap: tsap(b"ct"),
            called_ssap: ssap(b"S"),
            calling_ssap: ssap(b"cs"),
            source: Some("::ffff:192.0.2.7".parse().unwrap()),
            units: FunctionalUnits::DUPLEX,
        }
    }

    fn config(routes: Vec<RouteConfig>) -> Config {
        let address = ([127, 0, 0, 1], 0).into();
        Config {
            listeners: vec![
                ListenerConfig::new("here", address, ListenerApplication::Routed),
                ListenerConfig::new("own", address, ListenerApplication::Relay { target: 0 }),
            ],
            route_order: (0..routes.len()).collect(),
            routes,
            targets: vec![TargetConfig::new("t", address)],
            ..Config::default()
        }
    }

    fn route() -> RouteConfig {
        RouteConfig::new("r", Destination::Target(0))
    }

    /// The table of the module's documentation, as far as it is decided here.
    #[test]
    fn what_is_missing_decides_the_reason() {
        let fits = Ok(Chosen { route: Some(0), destination: Destination::Target(0) });
        let rows = [
            (route(), fits),
            (RouteConfig { called_tsaps: Some(vec![tsap(b"T")]), ..route() }, fits),
            (RouteConfig { called_tsaps: Some(vec![tsap(b"X")]), ..route() }, Err(129)),
            (RouteConfig { called_ssaps: Some(vec![ssap(b"X"), ssap(b"S")]), ..route() }, fits),
            (RouteConfig { called_ssaps: Some(vec![ssap(b"X")]), ..route() }, Err(129)),
            (RouteConfig { calling_tsaps: Some(vec![tsap(b"ct")]), ..route() }, fits),
            (RouteConfig { calling_tsaps: Some(vec![tsap(b"X")]), ..route() }, Err(130)),
            (RouteConfig { calling_ssaps: Some(vec![ssap(b"cs")]), ..route() }, fits),
            (RouteConfig { calling_ssaps: Some(vec![ssap(b"")]), ..route() }, Err(130)),
            (RouteConfig { sources: Some(vec!["192.0.2.0/24".parse().unwrap()]), ..route() }, fits),
            (RouteConfig { sources: Some(vec!["198.51.100.0/24".parse().unwrap()]), ..route() }, Err(130)),
            (RouteConfig { functional_units: FunctionalUnits::DUPLEX, ..route() }, fits),
            (RouteConfig { functional_units: FunctionalUnits::all(), ..route() }, Err(134)),
            (RouteConfig { listeners: Some(vec![HERE]), ..route() }, fits),
            (RouteConfig { listeners: Some(vec![OWN]), ..route() }, Err(129)),
        ];
        for (route, expected) in rows {
            assert_eq!(choose(&config(vec![route.clone()]), &query()), expected, "{route:?}");
        }
        assert_eq!(choose(&config(Vec::new()), &query()), Err(129));
    }

    #[test]
    fn the_first_route_of_the_order_that_fits_is_taken() {
        let first = RouteConfig { called_ssaps: Some(vec![ssap(b"X")]), ..route() };
        let refusing = RouteConfig { destination: Destination::Refuse(131), ..route() };
        let mut config = config(vec![first, refusing, route()]);
        assert_eq!(choose(&config, &query()).unwrap().destination, Destination::Refuse(131));
        config.route_order = vec![2, 1, 0];
        assert_eq!(choose(&config, &query()).unwrap().route, Some(2));
        // The nearest miss of all routes decides.
        config.routes[1].functional_units = FunctionalUnits::all();
        config.route_order = vec![1, 0];
        assert_eq!(choose(&config, &query()), Err(134));
    }

    #[test]
    fn a_listener_with_a_target_of_its_own_is_routed_by_routes_that_name_it() {
        let own = RouteQuery { listener: OWN, ..query() };
        let to_own = Chosen { route: None, destination: Destination::Target(0) };
        assert_eq!(choose(&config(vec![route()]), &own), Ok(to_own));
        let named = RouteConfig { listeners: Some(vec![OWN]), ..route() };
        assert_eq!(choose(&config(vec![named.clone()]), &own).unwrap().route, Some(0));
        let other = RouteConfig { called_ssaps: Some(vec![ssap(b"X")]), ..named };
        assert_eq!(choose(&config(vec![other]), &own), Ok(to_own));
    }

    #[test]
    fn a_called_tsap_that_no_route_could_take_is_known_before_cn() {
        let only = RouteConfig { called_tsaps: Some(vec![tsap(b"T")]), ..route() };
        assert!(could_take(&config(vec![only.clone()]), HERE, &tsap(b"T")));
        assert!(!could_take(&config(vec![only.clone()]), HERE, &tsap(b"U")));
        assert!(!could_take(&config(vec![only.clone()]), HERE, &TransportSelector::default()));
        assert!(could_take(&config(vec![only.clone(), route()]), HERE, &tsap(b"U")));
        assert!(could_take(&config(vec![only]), OWN, &tsap(b"U")));
    }
}
