//! Events about targets: they belong to no session.

use crate::record::{Record, RecordEvent};

pub(super) fn emit(target: Option<&str>, record: &Record) {
    let shard = record.subject.shard;
    let address = record.subject.peer.map(|address| address.to_string());
    match record.event {
        RecordEvent::TargetHealth { up: false, reason } => {
            tracing::error!(
                event_id = "CLQ-R01",
                shard,
                target,
                address,
                reason,
                "target is down, health checks fail"
            );
        }
        RecordEvent::TargetHealth { up: true, .. } => {
            tracing::info!(event_id = "CLQ-R02", shard, target, address, "target is up, health checks pass");
        }
        RecordEvent::TargetEjected { time } => {
            let eject_ms = time.as_millis() as u64;
            tracing::warn!(
                event_id = "CLQ-R03",
                shard,
                target,
                address,
                eject_ms,
                "target ejected, sessions failed in a row"
            );
        }
        RecordEvent::TargetRestored => {
            tracing::info!(
                event_id = "CLQ-R04",
                shard,
                target,
                address,
                "target takes sessions again, ejection over"
            );
        }
        RecordEvent::WarmFailed { reason, failures, again_in } => {
            let again_ms = again_in.as_millis() as u64;
            tracing::warn!(
                event_id = "CLQ-R07",
                shard,
                target,
                address,
                reason,
                failures,
                again_ms,
                "connections to be open beforehand fail"
            );
        }
        _ => {}
    }
}
