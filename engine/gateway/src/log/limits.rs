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
    let (sources, from_others) = (refusal.sources, refusal.from_others);
    let alone = refusal.most.first().filter(|_| sources == 1 && from_others == 0);
    let source = alone.map(|(source, _)| source.to_string());
    // Who has most of them comes first.
    let named = refusal.most.iter().map(|(source, count)| format!("{source} ({count})"));
    let top_sources = (sources > 1).then(|| named.collect::<Vec<String>>().join(", "));
    let from_others = (from_others > 0 && sources > 0).then_some(from_others);
    let (scope, limit, count) = (refusal.scope.name(), refusal.limit.name(), refusal.count);
    macro_rules! event {
        ($id:literal, $text:literal) => {
            tracing::warn!(
                event_id = $id,
                scope,
                limit,
                listener,
                route,
                source,
                count,
                sources,
                top_sources,
                from_others,
                $text
            )
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
