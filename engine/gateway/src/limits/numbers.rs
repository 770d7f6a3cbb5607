//! The numbers of the limits as a configuration has them.

use crate::config::Config;

/// The numbers of one scope; 0: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Sessions at once.
    pub sessions_max: u64,
    /// Connections in a second.
    pub connects_per_second_max: u64,
    /// Connections whose S-CONNECT is not answered.
    pub not_established_max: u64,
    /// Octets of user data in a second.
    pub octets_per_second_max: u64,
}

/// The numbers of every scope that a session is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllNumbers {
    pub(crate) all: Numbers,
    pub(crate) listener: Numbers,
    /// Without a route there is nothing to limit.
    pub(crate) route: Numbers,
    pub(crate) source: Numbers,
}

impl AllNumbers {
    /// Those for a session of a listener, and of a route where it has one.
    pub(crate) fn of(config: &Config, listener: usize, route: Option<usize>) -> AllNumbers {
        let limits = &config.limits;
        let count = |value: usize| value as u64;
        AllNumbers {
            all: Numbers {
                sessions_max: count(limits.sessions_max),
                connects_per_second_max: limits.connects_per_second_max,
                not_established_max: count(limits.connections_not_established_max),
                octets_per_second_max: limits.octets_per_second_max,
            },
            listener: config.listeners.get(listener).map_or_else(Numbers::default, |listener| Numbers {
                sessions_max: count(listener.sessions_max),
                connects_per_second_max: listener.connects_per_second_max,
                not_established_max: count(listener.connections_not_established_max),
                octets_per_second_max: listener.octets_per_second_max,
            }),
            route: route.and_then(|route| config.routes.get(route)).map_or_else(Numbers::default, |route| {
                Numbers {
                    sessions_max: count(route.sessions_max),
                    connects_per_second_max: route.connects_per_second_max,
                    not_established_max: 0,
                    octets_per_second_max: route.octets_per_second_max,
                }
            }),
            source: Numbers {
                sessions_max: count(limits.source_sessions_max),
                connects_per_second_max: limits.source_connects_per_second_max,
                not_established_max: count(limits.source_connections_not_established_max),
                octets_per_second_max: limits.source_octets_per_second_max,
            },
        }
    }

    /// The lowest limit of octets per second; `None`: there is none.
    pub(crate) fn octets_per_second_min(&self) -> Option<u64> {
        let scopes = [self.all, self.listener, self.route, self.source];
        scopes.iter().map(|numbers| numbers.octets_per_second_max).filter(|rate| *rate > 0).min()
    }
}
