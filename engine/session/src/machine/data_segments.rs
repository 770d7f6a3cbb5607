//! The headers of one SSDU on its way out: one TSDU, or as many as the agreed TSDU size asks for.

use crate::Enclosure;
use crate::spdu::{DataHeader, DataTransfer, TypedData};

/// Octets in front of the user data of a segment of DT: GT, DT and Enclosure Item.
pub(super) const DATA_OVERHEAD_OCTETS: usize = 7;

/// GT and DT without parameters: what nearly every TSDU begins with.
pub(super) const PLAIN_HEADER: [u8; 4] = [0x01, 0x00, 0x01, 0x00];

/// GT without parameters.
const GIVE_TOKENS_OCTETS: usize = 2;

/// One segment of an SSDU: send `header`, then `octets` octets of user data, as one TSDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// GT + DT (or TD) with their parameters: at most 8 octets.
    header: [u8; 8],
    header_octets: u8,
    /// Octets of user data in this segment.
    pub octets: usize,
}

impl DataSegment {
    fn new(header: DataHeader, octets: usize) -> DataSegment {
        let source = header.as_octets();
        let mut header = [0; 8];
        header[..source.len()].copy_from_slice(source);
        DataSegment { header, header_octets: source.len() as u8, octets }
    }

    /// The octets to send in front of the user data.
    pub fn header(&self) -> &[u8] {
        &self.header[..usize::from(self.header_octets)]
    }
}

/// The segments of one SSDU, in order; exactly one unless segmenting was selected for this direction.
///
/// Empty where the state takes the request and discards it (a resynchronization or an abort of the peer
/// is under way).
#[derive(Clone, Debug)]
pub struct DataSegments {
    kind: DataKind,
    remaining_octets: usize,
    /// Octets of user data in one TSDU; `None` without segmenting.
    segment_octets_max: Option<usize>,
    /// What the next segment's Enclosure Item says about the beginning.
    begin: bool,
    /// What the last segment's Enclosure Item says about the end.
    end: bool,
    done: bool,
}

/// Which SPDU carries the SSDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataKind {
    /// DATA TRANSFER.
    Data,
    /// TYPED DATA.
    Typed,
}

impl DataKind {
    /// Octets in front of the user data of a segment: TD has no GT in front.
    pub(super) fn overhead_octets(self) -> usize {
        match self {
            DataKind::Data => DATA_OVERHEAD_OCTETS,
            DataKind::Typed => DATA_OVERHEAD_OCTETS - GIVE_TOKENS_OCTETS,
        }
    }
}

impl DataSegments {
    pub(super) fn new(
        kind: DataKind,
        octets: usize,
        enclosure: Enclosure,
        segment_octets_max: Option<usize>,
    ) -> DataSegments {
        let Enclosure { begin, end } = enclosure;
        DataSegments { kind, remaining_octets: octets, segment_octets_max, begin, end, done: false }
    }

    /// A request that the state takes and discards.
    pub(super) fn discarded(kind: DataKind) -> DataSegments {
        DataSegments { done: true, ..DataSegments::new(kind, 0, Enclosure::WHOLE, None) }
    }

    fn header(&self, enclosure: Option<Enclosure>) -> DataHeader {
        match self.kind {
            DataKind::Data => DataHeader::data_transfer(crate::Tokens::empty(), enclosure),
            DataKind::Typed => DataHeader::typed_data(enclosure),
        }
    }
}

impl Iterator for DataSegments {
    type Item = DataSegment;

    fn next(&mut self) -> Option<DataSegment> {
        if self.done {
            return None;
        }
        let Some(octets_max) = self.segment_octets_max else {
            self.done = true;
            return Some(DataSegment::new(self.header(None), self.remaining_octets));
        };
        let octets = self.remaining_octets.min(octets_max);
        self.remaining_octets -= octets;
        self.done = self.remaining_octets == 0;
        let enclosure = Enclosure { begin: self.begin, end: self.end && self.done };
        self.begin = false;
        Some(DataSegment::new(self.header(Some(enclosure)), octets))
    }
}

/// What DT and TD have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataSpdu<'a> {
    pub(super) kind: DataKind,
    pub(super) enclosure: Option<Enclosure>,
    pub(super) user_data: &'a [u8],
}

impl<'a> From<DataTransfer<'a>> for DataSpdu<'a> {
    fn from(spdu: DataTransfer<'a>) -> Self {
        Self { kind: DataKind::Data, enclosure: spdu.enclosure, user_data: spdu.user_information }
    }
}

impl<'a> From<TypedData<'a>> for DataSpdu<'a> {
    fn from(spdu: TypedData<'a>) -> Self {
        Self { kind: DataKind::Typed, enclosure: spdu.enclosure, user_data: spdu.user_information }
    }
}
