//! A TSDU being taken apart: the borders of SPDUs, concatenation and flow.

use super::code::{SPDUS, pi};
use super::concatenation::{Leniency, Position, may_stand};
use super::parameter::{Cursor, Header, read_header};
use super::sync::sync_type;
use super::{
    CONCATENATED_MAX, Category, DecodeError, DecodeErrorKind, DecodeRules, Flow, Head, ProcessingStep,
    ShortSpdu, SpduKind, processing_step,
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
    position: Position,
    /// The token part of the head, which counts after the SPDU behind it: the machine's note for its next
    /// call.
    pub(crate) deferred: Option<Head<'a>>,
    /// User data put together from segments, which count in place of those in the octets.
    pub(crate) joined: Option<&'a [u8]>,
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

    /// The PGI or PI of a parameter that is there again on its level, of those that this SPDU has.
    ///
    /// Strict rules refuse it; else [`SpduView::parse`] lets the last one count and says nothing, so that it
    /// costs nothing. This is for those who want to log it: it looks at all parameters, but at none of SPDUs
    /// that have at most one of one octet, as data SPDUs have.
    pub fn duplicate_parameter(&self) -> Option<u8> {
        const TWO_EMPTY_UNITS_OCTETS: usize = 4;
        if self.parameters.len() < TWO_EMPTY_UNITS_OCTETS {
            return None;
        }
        super::parameter::duplicate(self.kind, self.parameters)
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
            position: Position::Start,
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
        self.position = Position::End;
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
        match (self.position, self.flow, self.head) {
            (Position::Start, Flow::Normal, [0x01, 0x00, 0x01, 0x00, ..]) => {
                self.position = Position::BehindGive;
                Ok(Some(self.take(SpduKind::GiveTokens, 2, 0)))
            }
            (Position::BehindGive, Flow::Normal, [0x01, 0x00, ..]) => {
                self.position = Position::End;
                Ok(Some(self.take(SpduKind::DataTransfer, 2, 0)))
            }
            _ => self.next_spdu_of_any_kind(rules),
        }
    }

    /// Takes the next SPDU in the order in which they count; `None` at the end.
    ///
    /// As [`Tsdu::next_spdu`], but a DT comes before the synchronization point in front of it. The head still
    /// comes first: its taker keeps the tokens until the TSDU is spent. See [`super::processing_order`].
    ///
    /// # Errors
    /// [`DecodeError`] as [`Tsdu::next_spdu`]: of the DT too before the point in front of it was given.
    #[inline]
    pub fn next_in_processing_order(
        &mut self,
        rules: &DecodeRules,
    ) -> Result<Option<SpduView<'a>>, DecodeError> {
        match self.position {
            Position::Start | Position::End => self.next_spdu(rules),
            // Nothing stands behind a DT.
            _ if self.head.first() == Some(&SI_OF_DATA) => self.next_spdu(rules),
            _ => self.next_behind_head(rules),
        }
    }

    fn next_behind_head(&mut self, rules: &DecodeRules) -> Result<Option<SpduView<'a>>, DecodeError> {
        let before = self.clone();
        let Some(first) = self.next_spdu(rules)? else { return Ok(None) };
        let is_last = self.remaining_octets() == 0;
        if is_last || processing_step(first.kind) != ProcessingStep::SyncPoint {
            return Ok(Some(first));
        }
        let Some(data) = self.next_spdu(rules)? else { return Ok(Some(first)) };
        debug_assert_eq!(data.kind, SpduKind::DataTransfer, "nothing else follows a synchronization point");
        // What is left is the TSDU as it was, up to the DT.
        let first_octets = first.user_information_offset - first.offset;
        let head = &before.head[..first_octets];
        *self = Tsdu { head, tail_octets: 0, ..before };
        Ok(Some(data))
    }

    #[inline(never)]
    fn next_spdu_of_any_kind(&mut self, rules: &DecodeRules) -> Result<Option<SpduView<'a>>, DecodeError> {
        let at_end = self.head.is_empty() && self.tail_octets == 0;
        if self.position == Position::End || (at_end && self.position != Position::Start) {
            return Ok(None);
        }
        let view = self.find_spdu(rules);
        if view.is_err() {
            self.head = &[];
            self.tail_octets = 0;
            self.position = Position::End;
        }
        view.map(Some)
    }

    fn find_spdu(&mut self, rules: &DecodeRules) -> Result<SpduView<'a>, DecodeError> {
        let header = self.read_header(rules)?;
        let mut kind = resolve(header.code, self.position == Position::Start)
            .ok_or_else(|| self.error(None, DecodeErrorKind::UnknownSi(header.code)))?;
        let parameters = &self.head[header.octets..header.octets + header.length];
        if kind == SpduKind::MajorSyncPoint && !is_major_sync_point(parameters) {
            kind = SpduKind::ActivityEnd;
        }
        let rest = &self.head[header.octets + header.length..];
        if self.position == Position::Start && is_lone_data_transfer(kind, parameters, rest, rules) {
            kind = SpduKind::DataTransfer;
        } else {
            may_stand(kind, self.position, Leniency::of_receiver(rules))
                .map_err(|rule| self.error(Some(kind), rule.decode_error_kind()))?;
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
        // Whether the head has tokens makes a difference to strict rules only.
        self.position = Position::behind(kind, rules.strict && has_tokens(kind, parameters));
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
        if self.position == Position::Start
            && let Some(short) = ShortSpdu::from_first_octet(first)
        {
            return Err(self.error(None, DecodeErrorKind::ShortSpdu(short)));
        }
        let kind = resolve(first, self.position == Position::Start);
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
    /// Takes all that is left behind the first `octets`, which lie in the head: what lies in the head of it.
    pub(crate) fn take_rest(&mut self, octets: usize) -> &'a [u8] {
        let rest = &self.head[octets..];
        self.consumed += self.head.len() + self.tail_octets;
        self.head = &[];
        self.tail_octets = 0;
        self.position = Position::End;
        rest
    }

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
    let kinds = if first { &KINDS_FIRST } else { &KINDS_LATER };
    *kinds.get(usize::from(si))?
}

const KINDS_FIRST: [Option<SpduKind>; SI_END] = kinds(true);
const KINDS_LATER: [Option<SpduKind>; SI_END] = kinds(false);
/// SI of DT where it is no GT: behind a head.
const SI_OF_DATA: u8 = 1;
/// One more than the highest SI.
const SI_END: usize = 63;

/// The SPDU of each SI. Of two in one category, which only the parameters tell apart, the first one.
const fn kinds(first: bool) -> [Option<SpduKind>; SI_END] {
    let mut kinds = [None; SI_END];
    let mut index = 0;
    while index < SPDUS.len() {
        let code = &SPDUS[index];
        let fits = first != matches!(code.category, Category::Two);
        let slot = &mut kinds[code.si as usize];
        match *slot {
            None => *slot = Some(code.kind),
            Some(other) => {
                let other_fits = first != matches!(SPDUS[other as usize].category, Category::Two);
                if fits && !other_fits {
                    *slot = Some(code.kind);
                }
            }
        }
        index += 1;
    }
    kinds
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

/// True for a GT or PT whose Token Item names tokens.
fn has_tokens(kind: SpduKind, parameters: &[u8]) -> bool {
    if kind.category() != Category::Zero {
        return false;
    }
    let mut cursor = Cursor::new(parameters, 0);
    let mut bits = 0;
    while let Some(Ok(unit)) = cursor.next_unit(false) {
        if unit.code == pi::TOKEN {
            bits = unit.value.first().copied().unwrap_or(0);
        }
    }
    !crate::Tokens::from_bits_truncate(bits).is_empty()
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

/// True when a TSDU that begins with `head` and goes on elsewhere must be made contiguous before it is
/// handed to the machine: what begins it is not TD, or GT or PT, category 2 SPDUs and DT, with all parameters
/// in `head`.
///
/// Holds for a lone DT too: whether it is one shows only behind its parameters.
pub fn must_be_contiguous(head: &[u8]) -> bool {
    let Some(first) = spdu_octets(head) else { return true };
    match resolve(head[0], true) {
        Some(SpduKind::TypedData) => return false,
        Some(SpduKind::GiveTokens | SpduKind::PleaseTokens) => {}
        _ => return true,
    }
    let mut rest = &head[first..];
    for _ in 1..CONCATENATED_MAX {
        let kind = rest.first().and_then(|&si| resolve(si, false));
        match (kind, spdu_octets(rest)) {
            (Some(SpduKind::DataTransfer), Some(_)) => return false,
            (Some(kind), Some(octets)) if kind.category() == Category::Two => rest = &rest[octets..],
            _ => return true,
        }
    }
    true
}

/// Octets of the SPDU at the start of `octets` without user information; `None` unless all are there.
fn spdu_octets(octets: &[u8]) -> Option<usize> {
    let header = read_header(octets)?;
    let spdu = header.octets + header.length;
    (spdu <= octets.len()).then_some(spdu)
}
