//! Named peer profiles: what kinds of peers take from who connects to them, as data.

use std::fmt;
use std::sync::LazyLock;

use colloquy_session::{FunctionalUnits, Versions};
use serde::Deserialize;

use super::units;

/// The table.
const TABLE: &str = include_str!("peer_profiles.toml");

/// What `profile` of a target may say; a test holds it equal to the table.
pub(super) const NAMES: [&str; 14] = [
    "mms",
    "mms-plain",
    "transparent",
    "full",
    "isode",
    "libiec61850",
    "csp0924",
    "iec61850bean",
    "iec61850-rs",
    "hat-drivers",
    "rusty-cotp",
    "ftam",
    "x400-1984",
    "x400-1988",
];

static PROFILES: LazyLock<Vec<PeerProfile>> = LazyLock::new(|| {
    let table: Table = toml::from_str(TABLE).expect("a test reads the table");
    table.profile.into_iter().map(PeerProfile::of).collect()
});

/// A peer profile by its place in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Profile(u8);

#[allow(non_upper_case_globals, reason = "they are names of rows, as variants would be")]
impl Profile {
    /// `mms`: version 2, kernel and duplex, no TSDU maximum size, no connection identifier.
    pub const Mms: Profile = Profile(0);
    /// `transparent`: all that the downstream proposed.
    pub const Transparent: Profile = Profile(1);
}

impl Profile {
    /// The profile of this name or alias.
    pub fn named(name: &str) -> Option<Profile> {
        let place = PROFILES.iter().position(|profile| profile.is_called(name))?;
        u8::try_from(place).ok().map(Profile)
    }

    /// Every profile, in the order of the table.
    pub fn all() -> impl Iterator<Item = Profile> {
        (0..PROFILES.len()).filter_map(|place| u8::try_from(place).ok()).map(Profile)
    }

    /// Its rules.
    pub fn rules(self) -> &'static PeerProfile {
        &PROFILES[usize::from(self.0)]
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rules().name)
    }
}

/// What one kind of peer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProfile {
    /// Its name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// For whom it is.
    pub about: String,
    /// Versions offered.
    pub versions: Versions,
    /// They are offered whatever the downstream offers.
    pub plain_version: bool,
    /// Functional units offered.
    pub functional_units: FunctionalUnits,
    /// The connection identifier goes over.
    pub connection_identifier: bool,
    /// The TSDU maximum sizes go over.
    pub tsdu_maximum_size: bool,
    /// Transport expedited data may be proposed.
    pub transport_expedited: bool,
    /// TPDU size proposed at most.
    pub tpdu_octets_max: u32,
    /// Octets of a TSAP selector.
    pub tsap_octets_max: usize,
    /// Octets of an SSAP selector.
    pub ssap_octets_max: usize,
    /// S-CONNECT must have user data.
    pub user_data_required: bool,
    /// Octets of user data of S-CONNECT; `None`: as the version says.
    pub connect_user_data_octets_max: Option<usize>,
    /// Octets of user data of every other SPDU with such a parameter; `None`: as the version says.
    pub user_data_octets_max: Option<usize>,
    /// Every length in CN must be one octet.
    pub short_lengths: bool,
    /// The downstream gets the SSAP it has called, not the one that AC gives.
    pub echo_called_ssap: bool,
}

impl PeerProfile {
    /// True for its name and its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    fn of(row: Row) -> PeerProfile {
        let versions = row.versions.iter().fold(Versions::empty(), |versions, number| {
            versions | if *number == 1 { Versions::V1 } else { Versions::V2 }
        });
        PeerProfile {
            versions,
            functional_units: row
                .functional_units
                .map_or(FunctionalUnits::all(), |names| units::of_names(&names))
                - FunctionalUnits::SYMMETRIC_SYNC,
            name: row.name,
            aliases: row.aliases,
            about: row.about,
            plain_version: row.plain_version,
            connection_identifier: row.connection_identifier,
            tsdu_maximum_size: row.tsdu_maximum_size,
            transport_expedited: row.transport_expedited,
            tpdu_octets_max: row.tpdu_octets_max.unwrap_or(8192),
            tsap_octets_max: row.tsap_octets_max.unwrap_or(32),
            ssap_octets_max: row.ssap_octets_max.unwrap_or(16),
            user_data_required: row.connect_user_data == Need::Required,
            connect_user_data_octets_max: row.connect_user_data_octets_max,
            user_data_octets_max: row.user_data_octets_max,
            short_lengths: row.short_lengths,
            echo_called_ssap: row.responding_selector == Responding::Called,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    profile: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    about: String,
    versions: Vec<u8>,
    #[serde(default)]
    plain_version: bool,
    functional_units: Option<Vec<String>>,
    #[serde(default)]
    connection_identifier: bool,
    #[serde(default)]
    tsdu_maximum_size: bool,
    #[serde(default)]
    transport_expedited: bool,
    tpdu_octets_max: Option<u32>,
    tsap_octets_max: Option<usize>,
    ssap_octets_max: Option<usize>,
    #[serde(default)]
    connect_user_data: Need,
    connect_user_data_octets_max: Option<usize>,
    user_data_octets_max: Option<usize>,
    #[serde(default)]
    short_lengths: bool,
    #[serde(default)]
    responding_selector: Responding,
}

#[derive(Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Need {
    #[default]
    Optional,
    Required,
}

#[derive(Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Responding {
    #[default]
    Given,
    Called,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_its_names_are_those_of_the_key() {
        let table: Table = toml::from_str(TABLE).unwrap_or_else(|error| panic!("{error}"));
        for row in &table.profile {
            let known = |name: &String| units::NAMES.contains(&name.as_str());
            assert!(row.functional_units.iter().flatten().all(known), "{}", row.name);
            assert!(!row.versions.is_empty() && row.versions.iter().all(|version| [1, 2].contains(version)));
        }
        let rules = || Profile::all().map(Profile::rules);
        let names: Vec<&str> = rules()
            .flat_map(|rules| std::iter::once(&rules.name).chain(&rules.aliases))
            .map(String::as_str)
            .collect();
        assert_eq!(names, NAMES);
        for name in NAMES {
            assert!(Profile::named(name).is_some_and(|profile| profile.rules().is_called(name)));
        }
        assert_eq!(Profile::named("other"), None);
    }

    #[test]
    fn the_constants_are_the_rows_of_their_names() {
        assert_eq!(Profile::named("mms"), Some(Profile::Mms));
        assert_eq!(Profile::named("full"), Some(Profile::Transparent));
        assert_eq!(format!("{:?}", Profile::Mms), "mms");
    }

    /// The length of CN is summed up for the plain shape alone.
    #[test]
    fn short_lengths_are_asked_for_with_the_plain_shape_only() {
        for rules in Profile::all().map(Profile::rules).filter(|rules| rules.short_lengths) {
            assert!(rules.plain_version && rules.functional_units == FunctionalUnits::DUPLEX);
            assert!(!rules.connection_identifier && !rules.tsdu_maximum_size);
        }
    }
}
