//! What is logged about limits: one event for many refusals.

use crate::config::Config;
use crate::limits::{Limit, Refusal, Scope};

pub(super) fn emit(config: &Config, refusal: &Refusal) {
    let listener = match refusal.scope {
        Scope::Listener(index) => config.listeners.get(usize::from(index)).map(|listener| &*listener.name),
        _ => None,
    };
    let route = match refusal.scope {
        Scope::Route(index) => config.routes.get(usize::from(index)).map(|route| &*route.name),
        _ => None,
    };
    let source = refusal.source.map(|source| source.to_string());
    let (scope, limit, count) = (refusal.scope.name(), refusal.limit.name(), refusal.count);
    macro_rules! event {
        ($id:literal, $text:literal) => {
            tracing::warn!(event_id = $id, scope, limit, listener, route, source, count, $text)
        };
    }
    match refusal.limit {
        Limit::Sessions | Limit::ConnectsPerSecond | Limit::NotEstablished => {
            event!("CLQ-L01", "connections refused because of a limit");
        }
        Limit::OctetsPerSecond => event!("CLQ-L02", "sessions delayed because of a limit"),
        Limit::Network => event!("CLQ-L03", "connections refused from a network that is not let in"),
        Limit::Memory => event!("CLQ-L04", "connections refused because a shard's memory budget is used up"),
    }
}
