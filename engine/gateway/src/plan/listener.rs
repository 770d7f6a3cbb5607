//! What the shards share about a listener.

/// What the shards share about a listener.
#[derive(Debug, Default)]
pub struct ListenerStatus {}
