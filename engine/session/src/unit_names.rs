//! The names of the functional units, as configurations, plans and reports give them.

use crate::FunctionalUnits;

impl FunctionalUnits {
    /// Each unit beside the kernel with its name, in the order of the Session User Requirements (PI 20).
    pub const NAMED: [(FunctionalUnits, &'static str); 13] = [
        (FunctionalUnits::HALF_DUPLEX, "half_duplex"),
        (FunctionalUnits::DUPLEX, "duplex"),
        (FunctionalUnits::EXPEDITED, "expedited_data"),
        (FunctionalUnits::MINOR_SYNC, "minor_synchronize"),
        (FunctionalUnits::MAJOR_SYNC, "major_synchronize"),
        (FunctionalUnits::RESYNCHRONIZE, "resynchronize"),
        (FunctionalUnits::ACTIVITY, "activity_management"),
        (FunctionalUnits::NEGOTIATED_RELEASE, "negotiated_release"),
        (FunctionalUnits::CAPABILITY_DATA, "capability_data"),
        (FunctionalUnits::EXCEPTIONS, "exceptions"),
        (FunctionalUnits::TYPED_DATA, "typed_data"),
        (FunctionalUnits::SYMMETRIC_SYNC, "symmetric_synchronize"),
        (FunctionalUnits::DATA_SEPARATION, "data_separation"),
    ];

    /// The unit of a name.
    pub fn named(name: &str) -> Option<FunctionalUnits> {
        Self::NAMED.iter().find(|(_, known)| *known == name).map(|(unit, _)| *unit)
    }

    /// The names of these units.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.into_iter().filter(move |(unit, _)| self.contains(*unit)).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_a_name_and_every_name_means_one_unit() {
        assert_eq!(FunctionalUnits::all().names().count(), 13);
        for (unit, name) in FunctionalUnits::NAMED {
            assert_eq!(FunctionalUnits::named(name), Some(unit));
            assert_eq!(unit.names().collect::<Vec<_>>(), [name]);
            assert_eq!(unit.bits().count_ones(), 1);
        }
        assert_eq!(FunctionalUnits::named("telepathy"), None);
    }
}
