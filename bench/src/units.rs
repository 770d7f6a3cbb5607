//! Functional units by the names that plans (and configurations of the gateway) give them.

use colloquy_session::FunctionalUnits as Fu;

/// Name and unit, in the order of the Session User Requirements (PI 20).
///
/// Symmetric synchronize and data separation are missing: they change what serial numbers and resynchronization
/// mean, and no operation of a plan uses them.
const UNITS: [(&str, Fu); 11] = [
    ("half_duplex", Fu::HALF_DUPLEX),
    ("duplex", Fu::DUPLEX),
    ("expedited_data", Fu::EXPEDITED),
    ("minor_synchronize", Fu::MINOR_SYNC),
    ("major_synchronize", Fu::MAJOR_SYNC),
    ("resynchronize", Fu::RESYNCHRONIZE),
    ("activity_management", Fu::ACTIVITY),
    ("negotiated_release", Fu::NEGOTIATED_RELEASE),
    ("capability_data", Fu::CAPABILITY_DATA),
    ("exceptions", Fu::EXCEPTIONS),
    ("typed_data", Fu::TYPED_DATA),
];

/// The unit of this name.
pub fn named(name: &str) -> Option<Fu> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

/// The names of these units, with a comma between.
pub fn names(units: Fu) -> String {
    let names = UNITS.iter().filter(|(_, unit)| units.contains(*unit)).map(|(name, _)| *name);
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_unit_and_every_unit_has_one() {
        for (name, unit) in UNITS {
            assert_eq!(named(name), Some(unit));
            assert_eq!(names(unit), name);
            assert_eq!(unit.bits().count_ones(), 1);
        }
        assert_eq!(named("symmetric_synchronize"), None);
        assert_eq!(names(Fu::DUPLEX | Fu::TYPED_DATA), "duplex, typed_data");
    }
}
