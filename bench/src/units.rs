//! The functional units that a plan may name.

use colloquy_session::FunctionalUnits as Fu;

/// Units that no operation of a plan uses: they change what serial numbers and resynchronization mean.
const NOT_IN_PLANS: Fu = Fu::SYMMETRIC_SYNC.union(Fu::DATA_SEPARATION);

/// The unit of this name, if a plan may have it.
pub fn named(name: &str) -> Option<Fu> {
    Fu::named(name).filter(|unit| !NOT_IN_PLANS.contains(*unit))
}

/// The names of these units, with a comma between.
pub fn names(units: Fu) -> String {
    (units - NOT_IN_PLANS).names().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_name_what_their_operations_can_use() {
        assert_eq!(named("typed_data"), Some(Fu::TYPED_DATA));
        assert_eq!(named("symmetric_synchronize"), None);
        assert_eq!(names(Fu::DUPLEX | Fu::TYPED_DATA | Fu::SYMMETRIC_SYNC), "duplex, typed_data");
    }
}
