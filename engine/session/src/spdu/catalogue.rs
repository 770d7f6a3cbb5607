//! Which parameters each SPDU has, for documents and tools: the codec's own list, to be read.

use super::SpduKind;
use super::code::{Presence, Rule, group_rules, parameter_code};

/// One parameter of an SPDU, or of a PGI in it. X.225 §8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpduParameter {
    /// PGI or PI code.
    pub code: u8,
    /// Its name in the standard.
    pub name: &'static str,
    /// Whether it must be there.
    pub presence: ParameterPresence,
    /// The PGI it stands in.
    pub group: Option<u8>,
}

/// Whether a parameter must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPresence {
    /// Non-mandatory.
    Optional,
    /// Mandatory.
    Mandatory,
    /// Mandatory; its absence is tolerated unless the strict mode is chosen, because deployed peers leave it out.
    MandatoryTolerated,
    /// Non-mandatory, in version 2 only.
    Version2,
}

impl SpduKind {
    /// The parameters in the order they are sent, those of a PGI behind it.
    pub fn parameters(self) -> impl Iterator<Item = SpduParameter> {
        let of_group = move |code: u8| group_rules(self, code).unwrap_or(&[]).iter();
        self.code().parameters.iter().flat_map(move |rule| {
            let inner = of_group(rule.code).map(move |inner| parameter(inner, Some(rule.code)));
            std::iter::once(parameter(rule, None)).chain(inner)
        })
    }
}

fn parameter(rule: &Rule, group: Option<u8>) -> SpduParameter {
    SpduParameter {
        code: rule.code,
        name: parameter_code(rule.code).map_or("", |code| code.name),
        presence: match rule.presence {
            Presence::Optional => ParameterPresence::Optional,
            Presence::Mandatory => ParameterPresence::Mandatory,
            Presence::MandatoryIfStrict => ParameterPresence::MandatoryTolerated,
            Presence::Version2 => ParameterPresence::Version2,
        },
        group,
    }
}
