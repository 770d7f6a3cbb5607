//! The mix of a plan: which operations happen among the SSDUs, and how often.

use colloquy_session::{FunctionalUnits as Fu, ResyncType};
use serde::{Deserialize, Serialize};

use crate::plan::{Dialogue, LoadPlan};
use crate::units;

/// What a minor synchronization point asks its acceptor for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MinorConfirm {
    /// A confirmation, which is waited for.
    #[default]
    Explicit,
    /// Nothing; a confirmation that comes is recorded.
    Optional,
}

/// The kind of resynchronization, as [`ResyncType`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncKind {
    /// Back to the lowest point that a restart may go to.
    #[default]
    Restart,
    /// On with a number not used yet.
    Abandon,
    /// To a number that the generator chooses, ahead of the next one.
    Set,
}

impl From<ResyncKind> for ResyncType {
    fn from(kind: ResyncKind) -> ResyncType {
        match kind {
            ResyncKind::Restart => ResyncType::Restart,
            ResyncKind::Abandon => ResyncType::Abandon,
            ResyncKind::Set => ResyncType::Set,
        }
    }
}

/// The `[mix]` table of a plan; 0 leaves an operation out. `configs/load.toml` explains every key.
///
/// Counts of SSDUs are those of S-DATA, in one session connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mix {
    /// SSDUs from one typed SSDU to the next.
    pub typed_each: u32,
    /// SSDUs from one expedited SSDU to the next.
    pub expedited_each: u32,
    /// SSDUs from one minor synchronization point to the next.
    pub minor_sync_each: u32,
    /// What minor points ask for.
    pub minor_confirm: MinorConfirm,
    /// SSDUs from one major synchronization point to the next.
    pub major_sync_each: u32,
    /// SSDUs from one resynchronization to the next.
    pub resync_each: u32,
    /// The kind of resynchronization.
    pub resync_type: ResyncKind,
    /// Resynchronize while SSDUs are in flight, which purges them.
    pub resync_purges: bool,
    /// SSDUs from one user exception report to the next.
    pub exception_each: u32,
    /// SSDUs of an activity.
    pub activity_ssdus: u32,
    /// Activities from one that is interrupted half-way, and resumed, to the next.
    pub activity_interrupt_each: u32,
    /// Activities from one that is discarded half-way to the next.
    pub activity_discard_each: u32,
    /// Activities from one that begins with capability data to the next.
    pub capability_each: u32,
    /// SSDUs of a session connection, which is then released and followed by another.
    pub session_ssdus: u32,
    /// Session connections from one that is aborted, not released, to the next.
    pub abort_each: u32,
    /// Activity starts, minor points and the data token share the TSDU of their SSDU.
    pub concatenate: bool,
}

impl Mix {
    /// The units that the operations need.
    pub fn units(&self) -> Fu {
        let needed = [
            (self.typed_each, Fu::TYPED_DATA),
            (self.expedited_each, Fu::EXPEDITED),
            (self.minor_sync_each, Fu::MINOR_SYNC),
            (self.major_sync_each, Fu::MAJOR_SYNC),
            (self.resync_each, Fu::RESYNCHRONIZE),
            (self.exception_each, Fu::EXCEPTIONS),
            (self.activity_ssdus, Fu::ACTIVITY),
            (self.capability_each, Fu::CAPABILITY_DATA),
        ];
        needed.into_iter().filter(|(each, _)| *each > 0).map(|(_, unit)| unit).collect()
    }

    /// True when session connections follow one another.
    pub fn churns(&self) -> bool {
        self.session_ssdus > 0
    }

    /// What contradicts itself, one line for each fault; `proposed` are the units of the whole plan.
    pub(crate) fn faults(&self, dialogue: Dialogue, proposed: Fu) -> Vec<String> {
        let needs = [
            ("activity_interrupt_each", self.activity_interrupt_each, "activity_ssdus", self.activity_ssdus),
            ("activity_discard_each", self.activity_discard_each, "activity_ssdus", self.activity_ssdus),
            ("capability_each", self.capability_each, "activity_ssdus", self.activity_ssdus),
            ("abort_each", self.abort_each, "session_ssdus", self.session_ssdus),
            ("resync_purges", u32::from(self.resync_purges), "resync_each", self.resync_each),
        ];
        let mut faults: Vec<String> = needs
            .into_iter()
            .filter(|(_, value, _, needed)| *value > 0 && *needed == 0)
            .map(|(key, _, needed, _)| format!("mix.{key}: needs mix.{needed} above 0"))
            .collect();
        if self.exception_each > 0 && dialogue != Dialogue::HalfDuplex {
            faults.push(
                "mix.exception_each: exceptions are reported by the side without the data token: \
                 needs dialogue = \"half_duplex\""
                    .into(),
            );
        }
        let to_a_point = self.resync_each > 0 && self.resync_type != ResyncKind::Abandon;
        if to_a_point && !proposed.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC) {
            faults.push(
                "mix.resync_type: only \"abandon\" is possible without synchronization points: \
                 needs mix.minor_sync_each or mix.major_sync_each above 0, or the unit in units"
                    .into(),
            );
        }
        faults
    }
}

impl LoadPlan {
    /// The functional units proposed: those named in the plan, else what dialogue and mix need.
    pub fn functional_units(&self) -> Fu {
        if self.units.is_empty() {
            return self.units_needed();
        }
        self.units.iter().filter_map(|name| units::named(name)).collect()
    }

    /// The functional units without which the plan cannot be carried out.
    pub fn units_needed(&self) -> Fu {
        self.mix.units()
            | match self.dialogue {
                Dialogue::Duplex => Fu::DUPLEX,
                Dialogue::HalfDuplex => Fu::HALF_DUPLEX,
            }
    }

    /// What is wrong with units and mix, one line for each fault.
    pub(crate) fn mix_faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self
            .units
            .iter()
            .filter(|name| units::named(name).is_none())
            .map(|name| format!("units: no unit {name:?} that a plan can use"))
            .collect();
        let proposed = self.functional_units();
        let missing = self.units_needed() - proposed;
        if !missing.is_empty() && !self.units.is_empty() {
            faults.push(format!("units: {} missing, which dialogue or mix need", units::names(missing)));
        }
        let other = match self.dialogue {
            Dialogue::Duplex => Fu::HALF_DUPLEX,
            Dialogue::HalfDuplex => Fu::DUPLEX,
        };
        if proposed.intersects(other) {
            faults.push(format!("units: {} contradicts dialogue", units::names(other)));
        }
        for (unit, needed) in [(Fu::CAPABILITY_DATA, Fu::ACTIVITY), (Fu::EXCEPTIONS, Fu::HALF_DUPLEX)] {
            if proposed.contains(unit) && !proposed.contains(needed) && !missing.contains(needed) {
                faults.push(format!("units: {} needs {}", units::names(unit), units::names(needed)));
            }
        }
        let within =
            self.mix.units() & (Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE | Fu::EXCEPTIONS);
        if proposed.contains(Fu::ACTIVITY) && self.mix.activity_ssdus == 0 && !within.is_empty() {
            faults.push(format!(
                "units: with activity_management {} only happen within activities: needs mix.activity_ssdus above 0",
                units::names(within)
            ));
        }
        faults.extend(self.mix.faults(self.dialogue, proposed));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanError;

    fn plan(dialogue: Dialogue, units: &[&str], mix: Mix) -> LoadPlan {
        LoadPlan {
            to: vec![([127, 0, 0, 1], 1).into()],
            dialogue,
            units: units.iter().map(|name| (*name).to_owned()).collect(),
            mix,
            ..LoadPlan::default()
        }
    }

    fn faults(plan: &LoadPlan) -> Vec<String> {
        match plan.validate() {
            Ok(()) => Vec::new(),
            Err(PlanError::Range(faults)) => faults,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn units_follow_from_the_operations() {
        let mix = Mix { typed_each: 2, minor_sync_each: 3, resync_each: 4, ..Mix::default() };
        let plan = plan(Dialogue::HalfDuplex, &[], mix);
        assert_eq!(faults(&plan), [""; 0]);
        let expected = Fu::HALF_DUPLEX | Fu::TYPED_DATA | Fu::MINOR_SYNC | Fu::RESYNCHRONIZE;
        assert_eq!(plan.functional_units(), expected);
    }

    #[test]
    fn units_given_must_be_known_and_hold_what_is_needed() {
        let mix = Mix { typed_each: 2, ..Mix::default() };
        assert_eq!(
            faults(&plan(Dialogue::Duplex, &["duplex", "typed_data", "activity_management"], mix)),
            [""; 0]
        );
        let found = faults(&plan(Dialogue::Duplex, &["half_duplex", "typed", "capability_data"], mix));
        for part in
            ["\"typed\"", "duplex, typed_data missing", "half_duplex contradicts", "capability_data needs"]
        {
            assert!(found.iter().any(|fault| fault.contains(part)), "{part} in {found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn keys_that_need_others_are_named_all_at_once() {
        let mix = Mix {
            activity_interrupt_each: 1,
            activity_discard_each: 1,
            capability_each: 1,
            abort_each: 1,
            resync_purges: true,
            exception_each: 1,
            ..Mix::default()
        };
        let found = faults(&plan(Dialogue::Duplex, &[], mix));
        for key in [
            "activity_interrupt_each",
            "activity_discard_each",
            "capability_each",
            "abort_each",
            "resync_purges",
            "exception_each",
        ] {
            assert!(
                found.iter().any(|fault| fault.starts_with(&format!("mix.{key}:"))),
                "{key} in {found:?}"
            );
        }
    }

    #[test]
    fn a_resynchronization_to_a_point_needs_points() {
        for (resync_type, good) in
            [(ResyncKind::Restart, false), (ResyncKind::Set, false), (ResyncKind::Abandon, true)]
        {
            let mix = Mix { resync_each: 5, resync_type, ..Mix::default() };
            assert_eq!(faults(&plan(Dialogue::Duplex, &[], mix)).is_empty(), good, "{resync_type:?}");
            let with_points = Mix { major_sync_each: 3, ..mix };
            assert_eq!(faults(&plan(Dialogue::Duplex, &[], with_points)), [""; 0]);
        }
    }

    #[test]
    fn with_the_activity_unit_points_need_activities() {
        let mix = Mix { minor_sync_each: 5, ..Mix::default() };
        let named = ["duplex", "minor_synchronize", "activity_management"];
        let found = faults(&plan(Dialogue::Duplex, &named, mix));
        assert!(found.len() == 1 && found[0].contains("mix.activity_ssdus"), "{found:?}");
        assert_eq!(faults(&plan(Dialogue::Duplex, &named, Mix { activity_ssdus: 9, ..mix })), [""; 0]);
    }

    #[test]
    fn an_unknown_key_of_the_mix_is_refused() {
        let error = toml::from_str::<LoadPlan>("[mix]\nmajor_each = 2\n").unwrap_err().to_string();
        assert!(error.contains("major_each"), "{error}");
    }
}
