//! Concatenation: which SPDUs may share a TSDU, in one table for the receiving and the sending side, and the
//! order in which they count.
//!
//! Basic concatenation puts one category 2 SPDU behind a GT or PT; every SPM sends and receives it. Extended
//! concatenation puts more of them there, towards a peer that said that it takes it (Protocol Options of its CN
//! or AC). The table of legal extended sequences was not available: classes and their order are reconstructed,
//! and so is the rule that the head is the one of the first SPDU behind it.
//!
//! ```text
//! on the wire   GT or PT   [AS | AR]   [MIP | MAP | AE | MIA | MAA | CDA]   [DT]
//! they count       4           1                       3                     2
//! ```

use super::emit::{EmitError, Sink};
use super::{Category, DataTransfer, DecodeErrorKind, DecodeRules, GiveTokens, PleaseTokens, Spdu, SpduKind};
use crate::Enclosure;

/// Most SPDUs in one TSDU: the head and one of each class of extended concatenation.
pub const CONCATENATED_MAX: usize = 4;

/// What a category 2 SPDU asks of its TSDU.
#[derive(Clone, Copy)]
struct Row {
    /// Which of GT and PT goes in front.
    head: SpduKind,
    /// True where the head may have a Token Item, whose tokens move after this SPDU has counted.
    tokens: bool,
    /// The class in extended concatenation; `None` when the SPDU never takes part.
    class: Option<Class>,
}

/// The classes of extended concatenation, in the order of the wire: at most one SPDU of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    ActivityBegin,
    SyncPoint,
    Data,
}

/// The table. `None` for SPDUs of category 0 and 1, which begin a TSDU.
#[rustfmt::skip]
const fn row(kind: SpduKind) -> Option<Row> {
    use SpduKind::*;
    let (head, tokens, class) = match kind {
        ActivityStart        => (GiveTokens,   true,  Some(Class::ActivityBegin)),
        ActivityResume       => (GiveTokens,   true,  Some(Class::ActivityBegin)),
        MinorSyncPoint       => (GiveTokens,   true,  Some(Class::SyncPoint)),
        MajorSyncPoint       => (GiveTokens,   true,  Some(Class::SyncPoint)),
        ActivityEnd          => (GiveTokens,   true,  Some(Class::SyncPoint)),
        MinorSyncAck         => (PleaseTokens, true,  Some(Class::SyncPoint)),
        MajorSyncAck         => (PleaseTokens, true,  Some(Class::SyncPoint)),
        CapabilityDataAck    => (PleaseTokens, true,  Some(Class::SyncPoint)),
        DataTransfer         => (GiveTokens,   true,  Some(Class::Data)),
        CapabilityData       => (GiveTokens,   true,  None),
        Resynchronize        => (GiveTokens,   false, None),
        ActivityInterrupt    => (GiveTokens,   false, None),
        ActivityDiscard      => (GiveTokens,   false, None),
        ResynchronizeAck     => (PleaseTokens, true,  None),
        ActivityInterruptAck => (PleaseTokens, true,  None),
        ActivityDiscardAck   => (PleaseTokens, true,  None),
        ExceptionReport      => (PleaseTokens, true,  None),
        ExceptionData        => (PleaseTokens, true,  None),
        _ => return None,
    };
    Some(Row { head, tokens, class })
}

/// The GT or PT that goes in front of an SPDU; `None` unless it is of category 2.
pub(super) fn head(kind: SpduKind) -> Option<SpduKind> {
    row(kind).map(|row| row.head)
}

/// Where in its TSDU the next SPDU stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// At the start.
    Start,
    /// Behind a GT without tokens: nearly every SPDU.
    BehindGive,
    /// Behind a GT with tokens.
    BehindGiveOfTokens,
    /// Behind a PT without tokens.
    BehindPlease,
    /// Behind a PT with tokens.
    BehindPleaseForTokens,
    /// Behind a category 2 SPDU of this class.
    BehindClass(Option<Class>),
    /// Behind the last SPDU.
    End,
}

impl Position {
    /// The position behind an SPDU; `tokens` tells whether it has a Token Item with tokens, and only a GT or
    /// PT has.
    pub(super) fn behind(kind: SpduKind, tokens: bool) -> Position {
        match kind.category() {
            _ if kind.has_user_information() => Position::End,
            Category::Zero => match (kind, tokens) {
                (SpduKind::PleaseTokens, false) => Position::BehindPlease,
                (SpduKind::PleaseTokens, true) => Position::BehindPleaseForTokens,
                (_, false) => Position::BehindGive,
                (_, true) => Position::BehindGiveOfTokens,
            },
            Category::One => Position::End,
            Category::Two => Position::BehindClass(row(kind).and_then(|row| row.class)),
        }
    }
}

/// Which rules of concatenation count.
#[derive(Clone, Copy)]
pub(super) struct Leniency {
    /// Any head goes with any SPDU, with and without tokens.
    pub(super) any_head: bool,
    /// More than one category 2 SPDU.
    pub(super) extended: bool,
}

impl Leniency {
    /// What a receiver takes: when it is not strict, extended concatenation even though it did not offer it.
    pub(super) fn of_receiver(rules: &DecodeRules) -> Leniency {
        Leniency { any_head: !rules.strict, extended: !rules.strict || rules.extended_concatenation }
    }
}

/// A rule of concatenation that SPDUs break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConcatenationRule {
    /// A category 2 SPDU always stands behind a GT or PT of its TSDU.
    #[error("category 2 SPDU without GT or PT in front")]
    CategoryTwoFirst,
    /// Category 0 and 1 SPDUs only begin a TSDU.
    #[error("category 0 or 1 SPDU behind another SPDU")]
    NotFirst,
    /// A category 1 SPDU is alone, and what follows DT, TD or EX is their user information.
    #[error("nothing may stand behind this SPDU")]
    NotLast,
    /// Each category 2 SPDU has its head: GT or PT.
    #[error("category 2 SPDU behind the wrong one of GT and PT")]
    WrongHead,
    /// In front of RS, AI and AD stands a GT without Token Item.
    #[error("tokens in front of an SPDU that resets them")]
    HeadWithTokens,
    /// More than one category 2 SPDU, towards a receiver that did not offer to take that.
    #[error("extended concatenation was not offered")]
    ExtendedConcatenation,
    /// Category 2 SPDUs that cannot be concatenated, or not in this order.
    #[error("SPDUs cannot be concatenated in this order")]
    Order,
}

impl ConcatenationRule {
    pub(super) fn decode_error_kind(self) -> DecodeErrorKind {
        match self {
            ConcatenationRule::CategoryTwoFirst => DecodeErrorKind::CategoryTwoFirst,
            ConcatenationRule::NotFirst | ConcatenationRule::NotLast => DecodeErrorKind::NotFirst,
            ConcatenationRule::WrongHead => DecodeErrorKind::WrongHead,
            ConcatenationRule::HeadWithTokens => DecodeErrorKind::HeadWithTokens,
            ConcatenationRule::ExtendedConcatenation => DecodeErrorKind::ExtendedConcatenation,
            ConcatenationRule::Order => DecodeErrorKind::ConcatenationOrder,
        }
    }
}

/// Checks that an SPDU may stand at a position: the one question of both sides. X.225 §6.3.7.
pub(super) fn may_stand(
    kind: SpduKind,
    position: Position,
    leniency: Leniency,
) -> Result<(), ConcatenationRule> {
    let (please, tokens) = match (position, row(kind)) {
        (Position::Start, None) => return Ok(()),
        (Position::Start, Some(_)) => return Err(ConcatenationRule::CategoryTwoFirst),
        (Position::End, _) => return Err(ConcatenationRule::NotLast),
        (_, None) => return Err(ConcatenationRule::NotFirst),
        (Position::BehindClass(_), Some(_)) if !leniency.extended => {
            return Err(ConcatenationRule::ExtendedConcatenation);
        }
        (Position::BehindClass(last), Some(row)) => {
            return match (last, row.class) {
                (Some(last), Some(class)) if last < class => Ok(()),
                _ => Err(ConcatenationRule::Order),
            };
        }
        (Position::BehindGive, Some(_)) => (false, false),
        (Position::BehindGiveOfTokens, Some(_)) => (false, true),
        (Position::BehindPlease, Some(_)) => (true, false),
        (Position::BehindPleaseForTokens, Some(_)) => (true, true),
    };
    match row(kind) {
        Some(row) if !leniency.any_head && please != (row.head == SpduKind::PleaseTokens) => {
            Err(ConcatenationRule::WrongHead)
        }
        Some(row) if !leniency.any_head && tokens && !row.tokens => Err(ConcatenationRule::HeadWithTokens),
        _ => Ok(()),
    }
}

/// The category 0 SPDU at the head of a TSDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head<'a> {
    /// GT. Tokens that it names move after the SPDUs behind it have counted.
    Give(GiveTokens<'a>),
    /// PT.
    Please(PleaseTokens<'a>),
}

impl<'a> Head<'a> {
    /// GT without Token Item.
    pub const GIVE: Head<'static> =
        Head::Give(GiveTokens { tokens: crate::Tokens::empty(), enclosure: None, user_data: &[] });
    /// PT without Token Item.
    pub const PLEASE: Head<'static> =
        Head::Please(PleaseTokens { tokens: crate::Tokens::empty(), enclosure: None, user_data: &[] });

    /// The head as an SPDU.
    pub fn spdu(self) -> Spdu<'a> {
        match self {
            Head::Give(give) => Spdu::GiveTokens(give),
            Head::Please(please) => Spdu::PleaseTokens(please),
        }
    }

    fn has_tokens(&self) -> bool {
        match self {
            Head::Give(give) => !give.tokens.is_empty(),
            Head::Please(please) => !please.tokens.is_empty(),
        }
    }
}

/// Why SPDUs cannot be sent as one TSDU: always the caller's fault. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConcatenationError {
    /// The SPDU at `index` breaks a rule of concatenation.
    #[error("SPDU {index}: {rule}")]
    Rule {
        /// Index among the SPDUs behind the head.
        index: usize,
        /// The rule.
        rule: ConcatenationRule,
    },
    /// An SPDU cannot be emitted.
    #[error(transparent)]
    Emit(#[from] EmitError),
}

/// Appends one TSDU to `sink`: the head and the category 2 SPDUs behind it, in the order of the wire.
///
/// `extended` tells that the peer offered to receive extended concatenation. With no SPDU behind it the head
/// stands alone. A DT may be the last SPDU only; its user information field ends the TSDU, and so may be
/// sent from where it is, see [`concatenate_headers`].
///
/// # Errors
/// [`ConcatenationError`]: the rule that is broken, or the SPDU that cannot be emitted; nothing was written.
///
/// X.225 §6.3.7.
pub fn concatenate(
    head: &Head<'_>,
    spdus: &[Spdu<'_>],
    extended: bool,
    sink: &mut dyn Sink,
) -> Result<(), ConcatenationError> {
    concatenate_with(head, spdus, None, extended, sink)
}

/// Appends the headers of a TSDU that ends in a DT: all of it but the user information field, which follows
/// from elsewhere. `enclosure` is the Enclosure Item of the DT, the SPDUs are those in front of it.
///
/// # Errors
/// As [`concatenate`]; the index of the DT is one past those of the SPDUs.
pub fn concatenate_headers(
    head: &Head<'_>,
    spdus: &[Spdu<'_>],
    enclosure: Option<Enclosure>,
    extended: bool,
    sink: &mut dyn Sink,
) -> Result<(), ConcatenationError> {
    let data = Spdu::DataTransfer(DataTransfer { enclosure, user_information: &[] });
    concatenate_with(head, spdus, Some(data), extended, sink)
}

fn concatenate_with(
    head: &Head<'_>,
    spdus: &[Spdu<'_>],
    last: Option<Spdu<'_>>,
    extended: bool,
    sink: &mut dyn Sink,
) -> Result<(), ConcatenationError> {
    let leniency = Leniency { any_head: false, extended };
    let mut position = Position::behind(head.spdu().kind(), head.has_tokens());
    head.spdu().check()?;
    for (index, spdu) in spdus.iter().chain(&last).enumerate() {
        let rule = |rule| ConcatenationError::Rule { index, rule };
        may_stand(spdu.kind(), position, leniency).map_err(rule)?;
        spdu.check()?;
        position = Position::behind(spdu.kind(), false);
    }
    // Every SPDU was checked, so that none of them fails once octets are written.
    head.spdu().emit_into(sink)?;
    spdus.iter().chain(&last).try_for_each(|spdu| Ok(spdu.emit_into(sink)?))
}

/// When the SPDUs of a TSDU count: smaller first.
///
/// Data in the TSDU of a synchronization point belong in front of it, although they stand behind it. The
/// tokens of the head move last: those who send data, a point and the data token in one TSDU own the token for
/// all of it. An SPDU alone in its TSDU has no order to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProcessingStep {
    /// AS and AR.
    ActivityBegin,
    /// DT.
    Data,
    /// MIP, MAP, AE, their acknowledgements, CDA, and every SPDU that is the only one behind its head.
    SyncPoint,
    /// The Token Item of a GT or PT.
    Tokens,
}

/// The step of an SPDU. A total order on the SPDUs of one TSDU, since no two of a class share one.
pub const fn processing_step(kind: SpduKind) -> ProcessingStep {
    match kind {
        SpduKind::ActivityStart | SpduKind::ActivityResume => ProcessingStep::ActivityBegin,
        SpduKind::DataTransfer => ProcessingStep::Data,
        SpduKind::GiveTokens | SpduKind::PleaseTokens => ProcessingStep::Tokens,
        _ => ProcessingStep::SyncPoint,
    }
}

/// The order in which the SPDUs of one TSDU count: indices into `kinds`, which are in the order of the wire.
///
/// [`super::Tsdu::next_in_processing_order`] takes a TSDU apart in this order, heads excepted: a GT or PT comes
/// first there, for its head must be known, and its taker keeps the tokens for last.
pub fn processing_order(kinds: &[SpduKind]) -> impl Iterator<Item = usize> {
    const STEPS: [ProcessingStep; CONCATENATED_MAX] = [
        ProcessingStep::ActivityBegin,
        ProcessingStep::Data,
        ProcessingStep::SyncPoint,
        ProcessingStep::Tokens,
    ];
    STEPS.into_iter().flat_map(move |step| {
        let at_step = move |&index: &usize| processing_step(kinds[index]) == step;
        (0..kinds.len()).filter(at_step)
    })
}
