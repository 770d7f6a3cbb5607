//! The names of the functional units in a configuration.

use colloquy_session::FunctionalUnits as Fu;

/// The names alone.
pub(super) const NAMES: [&str; Fu::NAMED.len()] = {
    let mut names = [""; Fu::NAMED.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Fu::NAMED[index].1;
        index += 1;
    }
    names
};

/// The units of these names.
pub(super) fn of_names(names: &[String]) -> Fu {
    names.iter().filter_map(|name| Fu::named(name)).collect()
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
    fn all_names_together_are_all_units() {
        let all: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(of_names(&all), Fu::all());
    }

    #[test]
    fn a_unit_without_the_one_it_needs_is_named() {
        assert_eq!(contradictions(Fu::all()).count(), 0);
        let alone = Fu::CAPABILITY_DATA | Fu::EXCEPTIONS | Fu::DATA_SEPARATION;
        assert_eq!(contradictions(alone).count(), 3);
    }
}
