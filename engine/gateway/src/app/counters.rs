//! Counts that only the application can make: who aborted and why, and which faults peers made.
//!
//! One shard writes, the admin thread reads; each number is written by a plain store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use colloquy_session::spdu::DecodeErrorKind;
use colloquy_session::{PeerFault, ProviderAbortReason};
use colloquy_shard::Fault;
use colloquy_transport::class0::TransportFaultKind;

use crate::tls::{TlsCounters, TlsTally};

use super::closing::Why;
use super::durations::{DurationCounts, DurationTally, Stage};

/// Who began an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortOrigin {
    /// The peer's user: AB with the user bit.
    PeerUser,
    /// A provider: the peer's, or the machine of this side.
    Provider,
    /// The gateway: something could not be carried over.
    Gateway,
    /// The gateway, at the deadline of a drain.
    Drain,
}

impl AbortOrigin {
    const ALL: [AbortOrigin; 4] =
        [AbortOrigin::PeerUser, AbortOrigin::Provider, AbortOrigin::Gateway, AbortOrigin::Drain];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            AbortOrigin::PeerUser => "peer_user",
            AbortOrigin::Provider => "provider",
            AbortOrigin::Gateway => "gateway",
            AbortOrigin::Drain => "drain",
        }
    }
}

const REASONS: [ProviderAbortReason; 4] = [
    ProviderAbortReason::TransportDisconnect,
    ProviderAbortReason::ProtocolError,
    ProviderAbortReason::Undefined,
    ProviderAbortReason::ImplementationRestriction,
];

/// The label's value of an abort reason.
pub(crate) fn reason_name(reason: ProviderAbortReason) -> &'static str {
    match reason {
        ProviderAbortReason::TransportDisconnect => "transport_disconnect",
        ProviderAbortReason::ProtocolError => "protocol_error",
        ProviderAbortReason::Undefined => "undefined",
        ProviderAbortReason::ImplementationRestriction => "implementation_restriction",
    }
}

/// What is counted by layer and kind. Few on purpose: the log has the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultCode {
    /// Layer: `tpkt`, `tpdu`, `spdu`.
    pub layer: &'static str,
    /// Kind of fault.
    pub code: &'static str,
}

const fn code(layer: &'static str, code: &'static str) -> FaultCode {
    FaultCode { layer, code }
}

/// Length of the table. A number, since a type that asks the table's length makes the optimizing compiler need the
/// crate's own functions to lay the type out: a cycle, which it refuses.
const FAULT_CODES_LEN: usize = 15;

const FAULT_CODES: [FaultCode; FAULT_CODES_LEN] = [
    code("tpkt", "version"),
    code("tpkt", "length"),
    code("tpdu", "length"),
    code("tpdu", "code"),
    code("tpdu", "parameter"),
    code("tpdu", "class"),
    code("tpdu", "inopportune"),
    code("tpdu", "too_long"),
    code("tpdu", "other"),
    code("spdu", "unknown_si"),
    code("spdu", "length"),
    code("spdu", "value"),
    code("spdu", "concatenation"),
    code("spdu", "inopportune"),
    code("spdu", "violation"),
];

impl FaultCode {
    /// The code of a fault.
    pub fn of(fault: &Fault) -> FaultCode {
        match fault {
            Fault::Transport(fault) => match fault.kind {
                TransportFaultKind::Version(_) => code("tpkt", "version"),
                TransportFaultKind::Length(_) => code("tpkt", "length"),
                TransportFaultKind::TpduLength(_) => code("tpdu", "length"),
                TransportFaultKind::TpduCode(_) => code("tpdu", "code"),
                TransportFaultKind::Parameter(_) => code("tpdu", "parameter"),
                TransportFaultKind::Class(_) => code("tpdu", "class"),
                TransportFaultKind::Inopportune(_) => code("tpdu", "inopportune"),
                TransportFaultKind::TsduTooLong(_) | TransportFaultKind::TpduTooLong(_) => {
                    code("tpdu", "too_long")
                }
                _ => code("tpdu", "other"),
            },
            Fault::Session(PeerFault::Decode(error)) => code("spdu", decode_code(&error.kind)),
            Fault::Session(PeerFault::Inopportune { .. }) => code("spdu", "inopportune"),
            Fault::Session(PeerFault::Violation { .. }) => code("spdu", "violation"),
        }
    }

    fn index(self) -> usize {
        FAULT_CODES.iter().position(|known| *known == self).expect("every code is in the table")
    }
}

fn decode_code(kind: &DecodeErrorKind) -> &'static str {
    match kind {
        DecodeErrorKind::UnknownSi(_) => "unknown_si",
        DecodeErrorKind::Truncated
        | DecodeErrorKind::EmptyTsdu
        | DecodeErrorKind::SpduLength { .. }
        | DecodeErrorKind::UnitLength { .. }
        | DecodeErrorKind::LongFormLength(_) => "length",
        DecodeErrorKind::NotAlone { .. }
        | DecodeErrorKind::CategoryTwoFirst
        | DecodeErrorKind::NotFirst
        | DecodeErrorKind::ExtendedConcatenation
        | DecodeErrorKind::ConcatenationOrder
        | DecodeErrorKind::WrongFlow => "concatenation",
        _ => "value",
    }
}

/// The counts of one shard.
#[derive(Debug, Default)]
pub struct AppCounters {
    aborts: [[AtomicU64; REASONS.len()]; AbortOrigin::ALL.len()],
    faults: [AtomicU64; FAULT_CODES_LEN],
    not_carried: AtomicU64,
    /// TLS and the PROXY protocol.
    pub(crate) tls: TlsCounters,
    relays_refused: AtomicU64,
    durations: [DurationCounts; Stage::ALL.len()],
    /// By why and by whether it was orderly.
    closed: [[AtomicU64; 2]; Why::ALL.len()],
}

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppTally {
    /// Aborts that are not zero: origin, reason, count.
    pub aborts: Vec<(&'static str, &'static str, u64)>,
    /// Faults of peers that are not zero.
    pub faults: Vec<(&'static str, &'static str, u64)>,
    /// Relays ended because something could not be carried over.
    pub not_carried: u64,
    /// TLS and the PROXY protocol.
    pub tls: TlsTally,
    /// Downstream sessions refused because no upstream could be opened.
    pub relays_refused: u64,
    /// How long things took, one for each of [`Stage::ALL`].
    pub durations: [DurationTally; Stage::ALL.len()],
    /// Accepted sessions that the gateway ended, those that are not zero: why, how, count.
    pub closed: Vec<(&'static str, &'static str, u64)>,
}

impl AppCounters {
    pub(crate) fn abort(&self, origin: AbortOrigin, reason: ProviderAbortReason) {
        let reason = REASONS.iter().position(|known| *known == reason).unwrap_or(0);
        bump(&self.aborts[origin as usize][reason]);
    }

    pub(crate) fn fault(&self, code: FaultCode) {
        bump(&self.faults[code.index()]);
    }

    pub(crate) fn not_carried(&self) {
        bump(&self.not_carried);
    }

    pub(crate) fn relay_refused(&self) {
        bump(&self.relays_refused);
    }

    /// Something took so long.
    pub(crate) fn took(&self, stage: Stage, duration: std::time::Duration) {
        self.durations[stage as usize].add(duration);
    }

    pub(crate) fn closed(&self, why: Why, released: bool) {
        bump(&self.closed[why as usize][usize::from(released)]);
    }

    /// The counts so far.
    pub fn snapshot(&self) -> AppTally {
        let aborts = AbortOrigin::ALL.iter().zip(&self.aborts).flat_map(|(origin, by_reason)| {
            let named = REASONS.iter().zip(by_reason);
            named.map(|(reason, count)| (origin.name(), reason_name(*reason), count.load(Relaxed)))
        });
        let closed = Why::ALL.iter().zip(&self.closed).flat_map(|(why, counts)| {
            let named = ["abort", "release"].into_iter().zip(counts);
            named.map(|(how, count)| (why.name(), how, count.load(Relaxed)))
        });
        let faults = FAULT_CODES.iter().zip(&self.faults);
        AppTally {
            aborts: aborts.filter(|(_, _, count)| *count > 0).collect(),
            faults: faults
                .map(|(code, count)| (code.layer, code.code, count.load(Relaxed)))
                .filter(|(_, _, count)| *count > 0)
                .collect(),
            not_carried: self.not_carried.load(Relaxed),
            tls: self.tls.snapshot(),
            relays_refused: self.relays_refused.load(Relaxed),
            durations: Stage::ALL.map(|stage| self.durations[stage as usize].snapshot()),
            closed: closed.filter(|(_, _, count)| *count > 0).collect(),
        }
    }
}

/// Adds one; sound because one thread only writes.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_back_by_label() {
        let counters = AppCounters::default();
        counters.abort(AbortOrigin::Drain, ProviderAbortReason::Undefined);
        counters.abort(AbortOrigin::Drain, ProviderAbortReason::Undefined);
        counters.fault(code("spdu", "violation"));
        let tally = counters.snapshot();
        assert_eq!(tally.aborts, [("drain", "undefined", 2)]);
        assert_eq!(tally.faults, [("spdu", "violation", 1)]);
    }

    #[test]
    fn every_fault_has_a_code_in_the_table() {
        use colloquy_transport::class0::TransportFault;
        let kinds = [
            TransportFaultKind::Version(1),
            TransportFaultKind::Length(1),
            TransportFaultKind::TpduLength(1),
            TransportFaultKind::TpduCode(1),
            TransportFaultKind::Parameter(1),
            TransportFaultKind::Class(1),
            TransportFaultKind::Inopportune(1),
            TransportFaultKind::TsduTooLong(1),
            TransportFaultKind::TpduTooLong(1),
        ];
        for kind in kinds {
            let fault = Fault::Transport(TransportFault { layer: "TPDU", offset: 0, kind });
            FaultCode::of(&fault).index();
        }
    }
}
