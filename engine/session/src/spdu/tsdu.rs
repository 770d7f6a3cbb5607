//! A TSDU being taken apart: the borders of SPDUs, concatenation and flow.

use super::code::{SHORT_SPDU, SPDUS, pi};
use super::parameter::{Cursor, Header, read_header};
use super::sync::sync_type;
use super::{
    Category, DecodeError, DecodeErrorKind, DecodeRules, Flow, GiveTokens, PleaseTokens, ShortSpduKind,
    SpduKind,
};

/// A TSDU being taken apart: the contiguous head, and how many octets follow it elsewhere.
///
/// A transport that assembles a TSDU from several receive blocks hands over the first piece as the
/// head; only the user information field of DT, TD may run on past it.
///
/// ```text
///  consumed   head                tail_octets
/// |#########|------------------->|~~~~~~~~~~~~~>|
///            next SPDU                end of the TSDU
/// ```
#[derive(Clone, Debug)]
pub struct Tsdu<'a> {
    /// Octets not yet consumed of the head.
    pub(crate) head: &'a [u8],
    /// Octets of the TSDU that follow the head.
    pub(crate) tail_octets: usize,
    /// Octets consumed so far.
    pub(crate) consumed: usize,
    flow: Flow,
    place: Place,
    /// The token part of the head, which counts after the SPDU behind it: the machine's note for its next
    /// call.
    pub(crate) deferred: Option<Deferred<'a>>,
    /// User data put together from segments, which count in place of those in the octets.
    pub(crate) joined: Option<&'a [u8]>,
}

/// Tokens that count after what stands behind them in the TSDU.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deferred<'a> {
    Give(GiveTokens<'a>),
    Please(PleaseTokens<'a>),
}

/// Where in the TSDU the next SPDU is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start.
    First,
    /// Behind the category 0 SPDU at the head.
    Second,
    /// Behind a category 2 SPDU of this class.
    Later(Option<ExtendedClass>),
    /// A TSDU that is spent: complete, or found faulty.
    End,
}

/// The order in which SPDUs may follow each other in extended concatenation, one of each class.
///
/// The order is reconstructed: the table of legal sequences was not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ExtendedClass {
    ActivityBegin,
    SyncPoint,
    Data,
}

/// The borders of one SPDU in its TSDU: all octets borrowed, no parameter looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpduView<'a> {
    /// Which SPDU.
    pub kind: SpduKind,
    /// Offset of the SI in the TSDU.
    pub offset: usize,
    /// Offset of the parameter field in the TSDU.
    pub parameters_offset: usize,
    /// The parameter field.
    pub parameters: &'a [u8],
    /// Offset of the user information field in the TSDU: where the SPDU ends unless it has one.
    pub user_information_offset: usize,
    /// The user information field as far as it lies in the head; empty unless DT, TD or EX.
    pub user_information: &'a [u8],
    /// Octets of the user information field, with those that lie behind the head.
    pub user_information_octets: usize,
}

impl SpduView<'_> {
    /// The SI code.
    pub fn si(&self) -> u8 {
        self.kind.si()
    }

    /// The length indicator: octets of the parameter field.
    pub fn li_octets(&self) -> usize {
        self.parameters.len()
    }
}

impl<'a> Tsdu<'a> {
    /// A contiguous TSDU of the normal flow.
    pub fn new(octets: &'a [u8]) -> Self {
        Self::with_tail(octets, 0)
    }

    /// A TSDU of the normal flow whose first octets are `head` and which goes on for `tail_octets`
    /// elsewhere. [`must_be_contiguous`] must not hold for `head`.
    pub fn with_tail(head: &'a [u8], tail_octets: usize) -> Self {
        Self {
            head,
            tail_octets,
            consumed: 0,
            flow: Flow::Normal,
            place: Place::First,
            deferred: None,
            joined: None,
        }
    }

    /// A TSDU of the expedited flow.
    pub fn expedited(octets: &'a [u8]) -> Self {
        Self { flow: Flow::Expedited, ..Self::new(octets) }
    }

    /// The flow it came on.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Octets that no view has covered so far, those behind the head included. After a fault: none.
    pub fn remaining_octets(&self) -> usize {
        self.head.len() + self.tail_octets
    }

    /// Drops what was not yet taken.
    pub(crate) fn spend(&mut self) {
        self.head = &[];
        self.tail_octets = 0;
        self.place = Place::End;
        self.deferred = None;
    }

    /// Takes the next SPDU; `None` at the end.
    ///
    /// The SPDUs of a TSDU come in the order of the wire, the category 0 SPDU at the head first. That
    /// is not the order in which they count: the tokens of a GT or PT move *after* the category 2 SPDUs
    /// behind it, and in extended concatenation data count before a synchronization point.
    ///
    /// # Errors
    /// [`DecodeError`] when the next octets are no SPDU that may stand here. The TSDU is spent then:
    /// the next call gives `None`.
    #[inline]
    pub fn next_spdu(&mut self, rules: &DecodeRules) -> Result<Option<SpduView<'a>>, DecodeError> {
        // Nearly every TSDU is `01 00 01 00` and user data: GT and DT without parameters.
        match (self.place, self.flow, self.head) {
            (Place::First, Flow::Normal, [0x01, 0x00, 0x01, 0x00, ..]) => {
                self.place = Place::Second;
                Ok(Some(self.take(SpduKind::GiveTokens, 2, 0)))
            }
            (Place::Second, Flow::Normal, [0x01, 0x00, ..]) => {
                self.place = Place::End;
                Ok(Some(self.take(SpduKind::DataTransfer, 2, 0)))
            }
            _ => self.next_spdu_of_any_kind(rules),
        }
    }

    #[inline(never)]
    fn next_spdu_of_any_kind(&mut self, rules: &DecodeRules) -> Result<Option<SpduView<'a>>, DecodeError> {
        let at_end = self.head.is_empty() && self.tail_octets == 0;
        if self.place == Place::End || (at_end && self.place != Place::First) {
            return Ok(None);
        }
        let view = self.find_spdu(rules);
        if view.is_err() {
            self.head = &[];
            self.tail_octets = 0;
            self.place = Place::End;
        }
        view.map(Some)
    }

    fn find_spdu(&mut self, rules: &DecodeRules) -> Result<SpduView<'a>, DecodeError> {
        let header = self.read_header(rules)?;
        let mut kind = resolve(header.code, self.place == Place::First)
            .ok_or_else(|| self.error(None, DecodeErrorKind::UnknownSi(header.code)))?;
        let parameters = &self.head[header.octets..header.octets + header.length];
        if kind == SpduKind::MajorSyncPoint && !is_major_sync_point(parameters) {
            kind = SpduKind::ActivityEnd;
        }
        let rest = &self.head[header.octets + header.length..];
        if self.place == Place::First && is_lone_data_transfer(kind, parameters, rest, rules) {
            kind = SpduKind::DataTransfer;
        } else {
            self.check_place(kind, rules)?;
        }
        self.check_flow(kind, rules)?;

        let rest_octets = rest.len() + self.tail_octets;
        if kind == SpduKind::ExpeditedData {
            self.check_expedited(rest_octets)?;
        } else if kind.category() == Category::One && !kind.has_user_information() && rest_octets > 0 {
            let offset = self.consumed + header.octets + header.length;
            let kind_of_fault = DecodeErrorKind::NotAlone { octets: rest_octets };
            return Err(DecodeError { offset, ..self.error(Some(kind), kind_of_fault) });
        }
        self.place = match kind.category() {
            _ if kind.has_user_information() => Place::End,
            Category::Zero => Place::Second,
            Category::One => Place::End,
            Category::Two => Place::Later(extended_class(kind)),
        };
        Ok(self.take(kind, header.octets, header.length))
    }

    /// The header of the next SPDU, whose parameter field is known to lie in the head.
    fn read_header(&self, rules: &DecodeRules) -> Result<Header, DecodeError> {
        let Some(&first) = self.head.first() else {
            let contiguous = self.tail_octets == 0;
            return Err(self.error(
                None,
                match contiguous {
                    true => DecodeErrorKind::EmptyTsdu,
                    false => DecodeErrorKind::NotContiguous,
                },
            ));
        };
        if first & SHORT_SPDU != 0 && self.place == Place::First {
            let short = ShortSpduKind::from_first_octet(first);
            return Err(self.error(None, DecodeErrorKind::ShortSpdu(short)));
        }
        let kind = resolve(first, self.place == Place::First);
        if kind.is_none() {
            return Err(self.error(None, DecodeErrorKind::UnknownSi(first)));
        }
        let fault = |fault| Err(self.error(kind, fault));
        let Some(header) = read_header(self.head) else {
            return match self.tail_octets {
                0 => fault(DecodeErrorKind::Truncated),
                _ => fault(DecodeErrorKind::NotContiguous),
            };
        };
        let available = self.head.len() - header.octets;
        if header.length > available + self.tail_octets {
            let available = available + self.tail_octets;
            return fault(DecodeErrorKind::SpduLength { octets: header.length, available });
        }
        if header.length > available {
            return fault(DecodeErrorKind::NotContiguous);
        }
        if rules.strict && header.is_overlong() {
            return fault(DecodeErrorKind::LongFormLength(header.length as u16));
        }
        Ok(header)
    }

    /// The rules of concatenation. X.225 §6.3.7.
    fn check_place(&self, kind: SpduKind, rules: &DecodeRules) -> Result<(), DecodeError> {
        let fault = |fault| Err(self.error(Some(kind), fault));
        match (self.place, kind.category()) {
            (Place::First, Category::Two) => fault(DecodeErrorKind::CategoryTwoFirst),
            (Place::First, _) | (Place::Second, Category::Two) => Ok(()),
            (_, Category::Zero | Category::One) => fault(DecodeErrorKind::NotFirst),
            (Place::Later(last), Category::Two) => {
                if rules.strict && !rules.extended_concatenation {
                    return fault(DecodeErrorKind::ExtendedConcatenation);
                }
                match (last, extended_class(kind)) {
                    (Some(last), Some(class)) if last < class => Ok(()),
                    _ => fault(DecodeErrorKind::ConcatenationOrder),
                }
            }
            (Place::End, Category::Two) => unreachable!("a spent TSDU has no next SPDU"),
        }
    }

    /// One TSDU of the expedited flow carries one of PR, EX, AB, AA. Those two that belong there and
    /// nowhere else are tolerated on the normal flow: the tables decide about them.
    fn check_flow(&self, kind: SpduKind, rules: &DecodeRules) -> Result<(), DecodeError> {
        let allowed = match (self.flow, kind) {
            (Flow::Normal, SpduKind::Prepare | SpduKind::ExpeditedData) => !rules.strict,
            (Flow::Normal, _) => true,
            (Flow::Expedited, SpduKind::Prepare | SpduKind::ExpeditedData) => true,
            (Flow::Expedited, SpduKind::Abort | SpduKind::AbortAccept) => true,
            (Flow::Expedited, _) => false,
        };
        match allowed {
            true => Ok(()),
            false => Err(self.error(Some(kind), DecodeErrorKind::WrongFlow)),
        }
    }

    fn check_expedited(&self, octets: usize) -> Result<(), DecodeError> {
        let octets_max = super::ExpeditedData::OCTETS_MAX;
        if (1..=octets_max).contains(&octets) {
            return Ok(());
        }
        let kind = DecodeErrorKind::UserInformationLength { octets, octets_min: 1, octets_max };
        Err(self.error(Some(SpduKind::ExpeditedData), kind))
    }

    /// Takes an SPDU whose header and parameter field are in the head.
    #[inline]
    fn take(&mut self, kind: SpduKind, header_octets: usize, length: usize) -> SpduView<'a> {
        let offset = self.consumed;
        let (spdu, rest) = self.head.split_at(header_octets + length);
        let user_information_offset = offset + spdu.len();
        let has_user_information = kind.has_user_information();
        let (user_information, tail_octets) = match has_user_information {
            true => (rest, self.tail_octets),
            false => (&[][..], 0),
        };
        let user_information_octets = user_information.len() + tail_octets;
        self.head = &rest[user_information.len()..];
        self.tail_octets -= tail_octets;
        self.consumed = user_information_offset + user_information_octets;
        SpduView {
            kind,
            offset,
            parameters_offset: offset + header_octets,
            parameters: &spdu[header_octets..],
            user_information_offset,
            user_information,
            user_information_octets,
        }
    }

    fn error(&self, spdu: Option<SpduKind>, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { offset: self.consumed, spdu, parameter: None, kind }
    }
}

/// The SPDU with this SI. Codes that two SPDUs share mean the one of category 0 or 1 at the start of a
/// TSDU and the one of category 2 behind another SPDU.
pub(crate) fn resolve(si: u8, first: bool) -> Option<SpduKind> {
    let mut candidates = SPDUS.iter().filter(|known| known.si == si);
    let candidate = candidates.next()?;
    match candidates.find(|other| other.category != candidate.category) {
        Some(other) if first == (candidate.category == Category::Two) => Some(other.kind),
        _ => Some(candidate.kind),
    }
}

/// MAP and AE are both of category 2: the Sync Type Item tells which. The last one counts, as in
/// parsing. Faulty units are left to be found there.
pub(crate) fn is_major_sync_point(parameters: &[u8]) -> bool {
    let mut cursor = Cursor::new(parameters, 0);
    let mut bits = 0;
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        if unit.code == pi::SYNC_TYPE {
            bits = unit.value.first().copied().unwrap_or(0);
        }
    }
    bits & sync_type::MAJOR_SYNC_POINT != 0
}

/// A DT without GT in front, as some peers send it: SI 1 with nothing that only GT has, and octets
/// behind it that do not begin like another SPDU.
///
/// The SI of a category 2 SPDU is taken at its word even when its length is wrong: to report a broken
/// SPDU is better than to hand its octets to the user as data.
fn is_lone_data_transfer(kind: SpduKind, parameters: &[u8], rest: &[u8], rules: &DecodeRules) -> bool {
    if rules.strict || kind != SpduKind::GiveTokens || rest.is_empty() {
        return false;
    }
    let begins_like_spdu = match resolve(rest[0], false).map(SpduKind::category) {
        Some(Category::Two) => true,
        Some(Category::Zero | Category::One) => spdu_octets(rest).is_some(),
        None => false,
    };
    !begins_like_spdu && !has_give_tokens_parameter(parameters)
}

fn has_give_tokens_parameter(parameters: &[u8]) -> bool {
    let mut cursor = Cursor::new(parameters, 0);
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        if matches!(unit.code, pi::TOKEN | pi::USER_DATA) {
            return true;
        }
    }
    false
}

/// The class of an SPDU in extended concatenation; `None` when it never takes part.
fn extended_class(kind: SpduKind) -> Option<ExtendedClass> {
    match kind {
        SpduKind::ActivityStart | SpduKind::ActivityResume => Some(ExtendedClass::ActivityBegin),
        SpduKind::MinorSyncPoint
        | SpduKind::MajorSyncPoint
        | SpduKind::ActivityEnd
        | SpduKind::MinorSyncAck
        | SpduKind::MajorSyncAck
        | SpduKind::CapabilityDataAck => Some(ExtendedClass::SyncPoint),
        SpduKind::DataTransfer => Some(ExtendedClass::Data),
        _ => None,
    }
}

/// True when a TSDU that begins with `head` and goes on elsewhere must be made contiguous before it is
/// handed to the machine: its first SPDUs are not (GT or PT +) DT or TD with all parameters in `head`.
///
/// Holds for a lone DT too: whether it is one shows only behind its parameters.
pub fn must_be_contiguous(head: &[u8]) -> bool {
    let Some(first) = spdu_octets(head) else { return true };
    match resolve(head[0], true) {
        Some(SpduKind::TypedData) => false,
        Some(SpduKind::GiveTokens | SpduKind::PleaseTokens) => {
            let rest = &head[first..];
            let is_data = rest.first().and_then(|&si| resolve(si, false)) == Some(SpduKind::DataTransfer);
            !is_data || spdu_octets(rest).is_none()
        }
        _ => true,
    }
}

/// Octets of the SPDU at the start of `octets` without user information; `None` unless all are there.
fn spdu_octets(octets: &[u8]) -> Option<usize> {
    let header = read_header(octets)?;
    let spdu = header.octets + header.length;
    (spdu <= octets.len()).then_some(spdu)
}
