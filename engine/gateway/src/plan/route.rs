//! What the shards share about a route.

/// What the shards share about a route.
#[derive(Debug, Default)]
pub struct RouteStatus {}
