//! The check of a load plan: every fault at once, with the key it is in.

use colloquy_session::Selector;
use colloquy_transport::class0::TransportSelector;

use crate::plan::{
    DEPTH_MAX, IN_FLIGHT_MAX, LoadPlan, Mode, PlanError, SCHEMA_VERSION, SESSIONS_MAX, SSDU_OCTETS_MAX,
    THREADS_MAX,
};

impl LoadPlan {
    /// Checks every value and reports all faults at once.
    ///
    /// # Errors
    /// [`PlanError::Range`] with one line for each fault.
    pub fn validate(&self) -> Result<(), PlanError> {
        let mut faults = Vec::new();
        let mut check = |good: bool, fault: String| {
            if !good {
                faults.push(fault);
            }
        };
        let in_flight = u64::from(self.sessions) * u64::from(self.depth);
        check(
            self.schema_version == SCHEMA_VERSION,
            format!("schema_version = {}: only {SCHEMA_VERSION} is known", self.schema_version),
        );
        check(!self.to.is_empty(), "to: at least one address is needed, as in [\"127.0.0.1:10102\"]".into());
        check(
            (1..=SESSIONS_MAX).contains(&self.sessions),
            format!("sessions = {}: 1 to {SESSIONS_MAX}", self.sessions),
        );
        check(
            (1..=SSDU_OCTETS_MAX).contains(&self.ssdu_octets),
            format!("ssdu_octets = {}: 1 to {SSDU_OCTETS_MAX}", self.ssdu_octets),
        );
        check((1..=DEPTH_MAX).contains(&self.depth), format!("depth = {}: 1 to {DEPTH_MAX}", self.depth));
        check(in_flight <= IN_FLIGHT_MAX, format!("sessions x depth = {in_flight}: at most {IN_FLIGHT_MAX}"));
        check(
            self.mode == Mode::Closed
                || !self.step.is_empty()
                || (self.rate_per_s > 0.0 && self.rate_per_s.is_finite()),
            format!("rate_per_s = {}: an open loop needs a rate above 0", self.rate_per_s),
        );
        check(self.duration_ms > 0, "duration_ms = 0: at least 1".into());
        check(
            (1..=THREADS_MAX.min(self.sessions.max(1))).contains(&self.threads),
            format!("threads = {}: 1 to {THREADS_MAX}, and not more than sessions", self.threads),
        );
        faults.extend(self.connection_faults());
        faults.extend(self.step_faults());
        faults.extend(self.threshold_faults());
        faults.extend(self.mix_faults());
        if faults.is_empty() {
            return Ok(());
        }
        Err(PlanError::Range(faults.iter().map(|fault| self.origin.place(fault)).collect()))
    }

    /// Faults in what is proposed to the peer, and how it is connected to.
    fn connection_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |good: bool, fault: String| {
            if !good {
                faults.push(fault);
            }
        };
        check(
            (128..=8192).contains(&self.tpdu_octets_max) && self.tpdu_octets_max.is_power_of_two(),
            format!("tpdu_octets_max = {}: a power of two, 128 to 8192", self.tpdu_octets_max),
        );
        check(self.connecting_max > 0, "connecting_max = 0: at least 1".into());
        check(self.connect_timeout_ms > 0, "connect_timeout_ms = 0: at least 1".into());
        for (key, tsap) in [("calling_tsap", &self.calling_tsap), ("called_tsap", &self.called_tsap)] {
            check(TransportSelector::new(&tsap.octets).is_some(), format!("{key}: at most 32 octets"));
        }
        for (key, ssap) in [("calling_ssap", &self.calling_ssap), ("called_ssap", &self.called_ssap)] {
            check(Selector::new(&ssap.octets).is_some(), format!("{key}: at most 16 octets"));
        }
        check(
            !self.versions.is_empty() && self.versions.iter().all(|version| [1, 2].contains(version)),
            format!("versions = {:?}: 1, 2 or both", self.versions),
        );
        check(
            self.tsdu_octets_max == 0 || self.tsdu_octets_max >= 64,
            format!("tsdu_octets_max = {}: 0 or 64 to 65535", self.tsdu_octets_max),
        );
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_of_a_plan_are_reported_at_once() {
        let plan = LoadPlan { sessions: 0, depth: 0, tpdu_octets_max: 1000, ..LoadPlan::default() };
        let PlanError::Range(faults) = plan.validate().unwrap_err() else { panic!("range expected") };
        for key in ["to:", "sessions", "depth", "tpdu_octets_max"] {
            assert!(faults.iter().any(|fault| fault.starts_with(key)), "{key} in {faults:?}");
        }
    }

    #[test]
    fn an_open_loop_needs_a_rate() {
        let plan =
            LoadPlan { to: vec![([127, 0, 0, 1], 1).into()], mode: Mode::Poisson, ..LoadPlan::default() };
        assert!(plan.validate().unwrap_err().to_string().contains("rate_per_s"));
        assert!(LoadPlan { rate_per_s: 10.0, ..plan }.validate().is_ok());
    }
}
