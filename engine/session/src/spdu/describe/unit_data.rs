//! UNIT DATA, described.

use core::fmt;
use core::ops::Range;

use super::{ParameterTree, describe_level, display_units};
use crate::spdu::code::{UNIT_DATA, UNIT_DATA_SI};
use crate::spdu::parameter::read_header;
use crate::spdu::unit_data::{UnitData, UnitDataFault};
use crate::spdu::{DecodeRules, UnitDataFaultKind};

/// A T-UNIT-DATA of the connectionless session protocol, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitDataTree {
    /// Octets of the parameter field, as the length indicator tells.
    pub li_octets: usize,
    /// Parameters in the order of the wire.
    pub parameters: Vec<ParameterTree>,
    /// Where the user information field is.
    pub user_information: Range<usize>,
    /// Why it would be discarded.
    pub error: Option<UnitDataFault>,
}

impl UnitDataTree {
    /// Name as the standard prints it.
    pub const NAME: &'static str = "UNIT DATA";
    /// Abbreviation.
    pub const ABBREVIATION: &'static str = "UD";
    /// SI code.
    pub const SI: u8 = UNIT_DATA_SI;

    /// True when the octets begin with another SI, so that nothing of them could be described.
    pub fn is_another_spdu(&self) -> bool {
        self.error.is_some_and(|fault| matches!(fault.kind, UnitDataFaultKind::NotUnitData(_)))
    }
}

/// Describes a T-UNIT-DATA, a broken one as far as it goes.
pub fn describe_unit_data(octets: &[u8], rules: &DecodeRules) -> UnitDataTree {
    let error = UnitData::decode(octets, rules).err();
    let header = read_header(octets).filter(|header| header.code == UNIT_DATA_SI);
    let Some(header) = header else {
        return UnitDataTree { li_octets: 0, parameters: Vec::new(), user_information: 0..0, error };
    };
    let end = octets.len().min(header.octets + header.length);
    let parameters = &octets[header.octets..end];
    UnitDataTree {
        li_octets: header.length,
        parameters: describe_level(None, UNIT_DATA, parameters, header.octets, |_| Vec::new()),
        user_information: end..octets.len(),
        error,
    }
}

/// One line: `UD { Version Number: 1 } + 3`.
impl fmt::Display for UnitDataTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.error
            && self.is_another_spdu()
        {
            return write!(f, "! {error}");
        }
        f.write_str("UD ")?;
        display_units(f, &self.parameters)?;
        write!(f, " + {}", self.user_information.len())?;
        match &self.error {
            Some(error) => write!(f, " ! {error}"),
            None => Ok(()),
        }
    }
}
