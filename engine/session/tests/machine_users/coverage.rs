//! What the random sessions ran into, by name: a property that was never put to the test proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use colloquy_session::{Indication, ResyncType, State};

/// Counts by name.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    counts: BTreeMap<&'static str, u64>,
    resyncs: BTreeMap<(usize, &'static str, &'static str), u64>,
    state_counts: Vec<(State, u64)>,
    pub(crate) steps: u64,
}

impl Coverage {
    pub(crate) fn hit(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Two resynchronizations met at this side (0: the session initiator).
    pub(crate) fn resyncs_met(&mut self, side: usize, own: ResyncType, received: ResyncType) {
        *self.resyncs.entry((side, name_of(own), name_of(received))).or_default() += 1;
    }

    pub(crate) fn state(&mut self, state: State) {
        match self.state_counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => self.state_counts.push((state, 1)),
        }
    }

    pub(crate) fn of(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn of_state(&self, state: State) -> u64 {
        self.state_counts.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count)
    }

    /// Least count among the pairs of resynchronizations: nine for each side.
    pub(crate) fn least_pair_of_resyncs(&self) -> u64 {
        match self.resyncs.len() {
            18 => self.resyncs.values().copied().min().unwrap_or(0),
            _ => 0,
        }
    }

    /// Adds what another thread saw.
    pub(crate) fn add(&mut self, other: Coverage) {
        for (name, count) in other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        for (pair, count) in other.resyncs {
            *self.resyncs.entry(pair).or_default() += count;
        }
        for (state, count) in other.state_counts {
            match self.state_counts.iter_mut().find(|(known, _)| *known == state) {
                Some((_, sum)) => *sum += count,
                None => self.state_counts.push((state, count)),
            }
        }
        self.steps += other.steps;
    }
}

fn name_of(resync_type: ResyncType) -> &'static str {
    match resync_type {
        ResyncType::Restart => "restart",
        ResyncType::Abandon => "abandon",
        ResyncType::Set => "set",
    }
}

/// The name of an indication, for the table.
pub(crate) fn name_of_indication(indication: &Indication<'_>) -> &'static str {
    match indication {
        Indication::Connect(_) => "S-CONNECT ind",
        Indication::ConnectConfirm(_) => "S-CONNECT cnf",
        Indication::ConnectRefused(_) => "S-CONNECT cnf, refused",
        Indication::Data { .. } => "S-DATA ind",
        Indication::TypedData { .. } => "S-TYPED-DATA ind",
        Indication::TokenGive { .. } => "S-TOKEN-GIVE ind",
        Indication::TokenPlease { .. } => "S-TOKEN-PLEASE ind",
        Indication::Release { .. } => "S-RELEASE ind",
        Indication::ReleaseConfirm { affirmative: true, .. } => "S-RELEASE cnf",
        Indication::ReleaseConfirm { .. } => "S-RELEASE cnf, negative",
        Indication::UserAbort { .. } => "S-U-ABORT ind",
        Indication::ProviderAbort { .. } => "S-P-ABORT ind",
        Indication::ExpeditedData { .. } => "S-EXPEDITED-DATA ind",
        Indication::CapabilityData { .. } => "S-CAPABILITY-DATA ind",
        Indication::CapabilityDataConfirm { .. } => "S-CAPABILITY-DATA cnf",
        Indication::ControlGive { .. } => "S-CONTROL-GIVE ind",
        Indication::SyncMinor { data_separation: true, .. } => "S-SYNC-MINOR ind, data separation",
        Indication::SyncMinor { .. } => "S-SYNC-MINOR ind",
        Indication::SyncMinorConfirm { .. } => "S-SYNC-MINOR cnf",
        Indication::SyncMajor { .. } => "S-SYNC-MAJOR ind",
        Indication::SyncMajorConfirm { .. } => "S-SYNC-MAJOR cnf",
        Indication::Resynchronize(_) => "S-RESYNCHRONIZE ind",
        Indication::ResynchronizeConfirm(_) => "S-RESYNCHRONIZE cnf",
        Indication::ProviderException { .. } => "S-P-EXCEPTION-REPORT ind",
        Indication::UserException { .. } => "S-U-EXCEPTION-REPORT ind",
        Indication::ActivityStart { .. } => "S-ACTIVITY-START ind",
        Indication::ActivityResume(_) => "S-ACTIVITY-RESUME ind",
        Indication::ActivityInterrupt { .. } => "S-ACTIVITY-INTERRUPT ind",
        Indication::ActivityInterruptConfirm { .. } => "S-ACTIVITY-INTERRUPT cnf",
        Indication::ActivityDiscard { .. } => "S-ACTIVITY-DISCARD ind",
        Indication::ActivityDiscardConfirm { .. } => "S-ACTIVITY-DISCARD cnf",
        Indication::ActivityEnd { .. } => "S-ACTIVITY-END ind",
        Indication::ActivityEndConfirm { .. } => "S-ACTIVITY-END cnf",
        _ => "an indication without a name here",
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>9}  steps", self.steps)?;
        for (name, count) in &self.counts {
            writeln!(f, "{count:>9}  {name}")?;
        }
        for ((side, own, received), count) in &self.resyncs {
            let side = if *side == 0 { "initiator" } else { "responder" };
            writeln!(f, "{count:>9}  resynchronize {own} of the {side} met {received}")?;
        }
        for (state, count) in &self.state_counts {
            writeln!(f, "{count:>9}  steps in {state:?}")?;
        }
        Ok(())
    }
}
