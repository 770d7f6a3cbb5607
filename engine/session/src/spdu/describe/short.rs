//! Short SPDUs of the 1997 amendment, described as far as their first octet goes.

use core::fmt;
use core::ops::Range;

use crate::spdu::{ShortRefusal, ShortSpdu, ShortSpduKind};

/// A short SPDU, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortSpduTree {
    /// What its first octet says.
    pub spdu: ShortSpdu,
    /// Where in the TSDU the octets behind the first are. Their form is not known.
    pub following: Range<usize>,
}

impl ShortSpduTree {
    /// Its bits by name and what they mean.
    pub fn bits(&self) -> Vec<(&'static str, String)> {
        if self.spdu.kind == ShortSpduKind::Other {
            return Vec::new();
        }
        let parameters = if self.spdu.has_parameters() { "parameters follow" } else { "no parameters" };
        let special = match self.spdu.refusal() {
            Some(ShortRefusal { is_persistent, transport_released }) => {
                let refusal = if is_persistent { "persistent" } else { "transient" };
                let transport = if transport_released { "transport released" } else { "transport kept" };
                format!("{refusal} + {transport}")
            }
            None => format!("{:02b}", self.spdu.special_bits()),
        };
        vec![("Parameter indicator", parameters.to_owned()), ("Special bits", special)]
    }
}

/// One line: `SRF { Parameter indicator: no parameters, Special bits: transient + transport kept } + 0`.
impl fmt::Display for ShortSpduTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.spdu.kind == ShortSpduKind::Other {
            return write!(f, "short SPDU {:02x} + {}", self.spdu.first_octet, self.following.len());
        }
        write!(f, "{} {{ ", self.spdu.kind.abbreviation())?;
        for (index, (name, meaning)) in self.bits().into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}: {meaning}")?;
        }
        write!(f, " }} + {}", self.following.len())
    }
}
