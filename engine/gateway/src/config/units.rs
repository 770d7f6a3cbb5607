//! The names of the functional units in a configuration.

use colloquy_session::FunctionalUnits as Fu;

/// Name and unit, in the order of the Session User Requirements (PI 20).
const UNITS: [(&str, Fu); 13] = [
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
    ("symmetric_synchronize", Fu::SYMMETRIC_SYNC),
    ("data_separation", Fu::DATA_SEPARATION),
];

/// The names alone.
pub(super) const NAMES: [&str; UNITS.len()] = {
    let mut names = [""; UNITS.len()];
    let mut index = 0;
    while index < UNITS.len() {
        names[index] = UNITS[index].0;
        index += 1;
    }
    names
};

/// The units of these names.
pub(super) fn of_names(names: &[String]) -> Fu {
    UNITS.iter().filter(|(name, _)| names.iter().any(|given| given == name)).map(|(_, unit)| *unit).collect()
}

/// Units that are named and cannot work without others that are not: the name, and what is missing.
pub(super) fn contradictions(units: Fu) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rules = [
        ("capability_data", Fu::CAPABILITY_DATA, Fu::ACTIVITY, "activity_management"),
        ("exceptions", Fu::EXCEPTIONS, Fu::HALF_DUPLEX, "half_duplex"),
        ("data_separation", Fu::DATA_SEPARATION, Fu::RESYNCHRONIZE, "resynchronize"),
    ];
    rules.into_iter().filter_map(move |(name, unit, needed, missing)| {
        (units.contains(unit) && !units.intersects(needed)).then_some((name, missing))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_a_name_of_its_own() {
        let all: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(of_names(&all), Fu::all());
        for name in &all {
            assert_eq!(of_names(std::slice::from_ref(name)).bits().count_ones(), 1, "{name}");
        }
    }

    #[test]
    fn a_unit_without_the_one_it_needs_is_named() {
        assert_eq!(contradictions(Fu::all()).count(), 0);
        let alone = Fu::CAPABILITY_DATA | Fu::EXCEPTIONS | Fu::DATA_SEPARATION;
        assert_eq!(contradictions(alone).count(), 3);
    }
}
