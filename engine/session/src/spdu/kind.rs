//! Which SPDU: the kinds, their categories and how SI codes map to them.

use super::code::{SPDUS, SpduCode};

/// Every SPDU of X.225, after SI codes shared by two SPDUs were told apart by position.
///
/// MAJOR SYNC ACK and ACTIVITY END ACK are the same octets; only the state tells them apart, and both
/// are [`SpduKind::MajorSyncAck`] here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum SpduKind {
    ExceptionReport,
    GiveTokens,
    DataTransfer,
    PleaseTokens,
    ExpeditedData,
    Prepare,
    NotFinished,
    Finish,
    Disconnect,
    Refuse,
    Connect,
    Accept,
    ConnectDataOverflow,
    OverflowAccept,
    GiveTokensConfirm,
    GiveTokensAck,
    Abort,
    ActivityInterrupt,
    AbortAccept,
    ActivityInterruptAck,
    ActivityResume,
    TypedData,
    ResynchronizeAck,
    MajorSyncPoint,
    ActivityEnd,
    MajorSyncAck,
    ActivityStart,
    ExceptionData,
    MinorSyncPoint,
    MinorSyncAck,
    Resynchronize,
    ActivityDiscard,
    ActivityDiscardAck,
    CapabilityData,
    CapabilityDataAck,
}

/// How an SPDU may share a TSDU with others. X.225 §6.3.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Alone, or first in front of category 2 SPDUs: GT, PT.
    Zero,
    /// Always alone.
    One,
    /// Never alone, never first: always behind a GT or PT of the same TSDU.
    Two,
}

impl SpduKind {
    /// Every kind.
    pub const ALL: [SpduKind; SPDUS.len()] = {
        let mut all = [SpduKind::ExceptionReport; SPDUS.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = SPDUS[index].kind;
            index += 1;
        }
        all
    };

    /// The SI code.
    pub fn si(self) -> u8 {
        self.code().si
    }

    /// The name as the standard prints it, for example `GIVE TOKENS`.
    pub fn name(self) -> &'static str {
        self.code().name
    }

    /// The abbreviation as the standard prints it, for example `GT`.
    pub fn abbreviation(self) -> &'static str {
        self.code().abbreviation
    }

    /// The category.
    pub fn category(self) -> Category {
        self.code().category
    }

    /// The SPDU that must go in front when this one is sent; `None` unless category 2.
    pub fn head(self) -> Option<SpduKind> {
        super::concatenation::head(self)
    }

    /// True for the SPDUs whose user data follow the parameter field up to the end of the TSDU.
    pub fn has_user_information(self) -> bool {
        matches!(self, SpduKind::DataTransfer | SpduKind::TypedData | SpduKind::ExpeditedData)
    }

    pub(crate) fn code(self) -> &'static SpduCode {
        // `SPDUS` is in the order of the variants; a test holds it to that.
        &SPDUS[self as usize]
    }
}
