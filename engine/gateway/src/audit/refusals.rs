//! Peers that TLS, a binding or the PROXY protocol has turned away: counted, and audited in one record a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use colloquy_shard::WireFault;
use serde_json::{Value, json};

use super::Audit;
use crate::record::{Record, RecordEvent};

/// Time between two records.
const INTERVAL: Duration = Duration::from_secs(60);

/// What was counted since the last record.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    counts: BTreeMap<String, u64>,
    noted: Duration,
}

impl Refusals {
    /// Counts a record that tells of one.
    pub(crate) fn count(&mut self, record: &Record) {
        let kind = match record.event {
            RecordEvent::Wire(WireFault::Tls(fault)) => format!("tls {:?}", fault.kind),
            RecordEvent::Wire(WireFault::Proxy(_)) => "proxy".to_owned(),
            RecordEvent::Misbound { .. } => "binding".to_owned(),
            _ => return,
        };
        *self.counts.entry(kind).or_default() += 1;
    }

    /// Audits them when it is time, or at the end.
    pub(crate) fn note(&mut self, audit: &Audit, now: Duration, at_end: bool) {
        if self.counts.is_empty() || (!at_end && now.saturating_sub(self.noted) < INTERVAL) {
            return;
        }
        self.noted = now;
        let counts = std::mem::take(&mut self.counts);
        audit.note(Value::Null, "peers.refused", json!({ "counts": counts }), "refused");
    }
}
