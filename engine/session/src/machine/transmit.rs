//! SPDUs on their way out: flow, segments, outbox.

use arrayvec::ArrayVec;

use super::content::Content;
use super::outbox::Outbox;
use super::session::Session;
use super::spm::is_sent;
use super::{Outcome, Output, join, tsdu_sizes};
use crate::spdu::{Flow, Segment, Spdu, SpduKind};
use crate::{Enclosure, ServiceError, Versions};

/// Octets of the longest SPDU: header and parameter field.
const SPDU_OCTETS_MAX: usize = 4 + 65_535;

/// Most octets of a TSDU of the expedited flow. X.214 §12.3.
const EXPEDITED_TSDU_OCTETS_MAX: usize = 16;

impl Session {
    /// Sends the SPDUs of an outcome that no user asked for: they are short and fit any TSDU.
    pub(super) fn transmit(&mut self, outcome: &Outcome, content: &Content<'_>) {
        let limits = self.send_limits();
        let sent = self.send_outputs(&outcome.outputs, content, limits);
        debug_assert_eq!(sent, Ok(()), "{:?} of the provider fit", outcome.outputs);
    }

    /// Appends the TSDUs of a row's outputs to the outbox. On error nothing was appended.
    ///
    /// Called before the row's actions run: SPDUs go by the values before the event.
    pub(super) fn send_outputs(
        &mut self,
        outputs: &[Output],
        content: &Content<'_>,
        limits: SendLimits,
    ) -> Result<(), ServiceError> {
        let spdus = self.spdus_of(outputs, content);
        if spdus.is_empty() {
            return Ok(());
        }
        let mark = self.cold().outbox.mark();
        for spdu in spdus {
            if let Err(error) = self.send_parts(spdu, limits) {
                self.cold().outbox.roll_back(mark);
                self.shed();
                return Err(error);
            }
        }
        Ok(())
    }

    /// The SPDUs that really go out for the outputs of a row, by the values before the event.
    pub(super) fn spdus_of<'u>(&self, outputs: &[Output], content: &Content<'u>) -> ArrayVec<Spdu<'u>, 3> {
        let texp = self.transport_expedited;
        let is_announced = |output| output == Output::PrAb && goes_ahead(content.spdu(Output::AbNr), texp);
        let really = outputs
            .iter()
            .copied()
            .filter(|output| !is_announced(*output) && is_sent(*output, outputs, self.spm.variables()));
        let symmetric = self.spm.variables().symmetric();
        let spdu = |output| match content.spdu(output)? {
            Spdu::Prepare(prepare) if symmetric => Some(Spdu::Prepare(content.naming_flows(prepare))),
            spdu => Some(spdu),
        };
        really.filter_map(spdu).collect()
    }

    pub(super) fn send_limits(&self) -> SendLimits {
        SendLimits { version: self.version, octets_max: self.send_octets_max() }
    }

    fn send_parts(&mut self, spdu: Spdu<'_>, limits: SendLimits) -> Result<(), ServiceError> {
        let texp = self.transport_expedited;
        put_parts(&mut self.cold().outbox, spdu, limits, texp)
    }
}

/// Puts an SPDU into an outbox: as one TSDU, or in segments where it is too long and version 2 allows it. On
/// error the outbox may hold some of them.
pub(super) fn put_parts(
    outbox: &mut Outbox,
    spdu: Spdu<'_>,
    limits: SendLimits,
    texp: bool,
) -> Result<(), ServiceError> {
    let kind = spdu.kind();
    let head_octets = kind.head().map_or(0, |_| HEAD_OCTETS);
    let octets_max =
        limits.octets_max.map_or(SPDU_OCTETS_MAX, |octets| octets - head_octets).min(SPDU_OCTETS_MAX);
    if spdu.encoded_octets() <= octets_max {
        return put(outbox, spdu, texp);
    }
    let user_data = join::user_data(&spdu);
    let octets = user_data.len();
    let begin = Some(Enclosure { begin: true, end: false });
    let segmented = limits.version == Some(Versions::V2) && join::can_be_segmented(kind);
    let first_octets = match user_data_that_fit(spdu, begin, octets_max).filter(|_| segmented) {
        // RF repeats its parameters, so that what the first segment has no room for no later one has.
        Some(first_octets) if first_octets > 0 || kind != SpduKind::Refuse => first_octets,
        _ => return Err(too_long(spdu, octets_max)),
    };
    let (first, mut rest) = user_data.split_at(first_octets.min(octets));
    put(outbox, join::with_user_data(spdu, first, begin), texp)?;
    let later_octets = match kind {
        SpduKind::Refuse => first_octets,
        _ => octets_max - SEGMENT_OVERHEAD_OCTETS,
    };
    loop {
        let (part, after) = rest.split_at(rest.len().min(later_octets));
        put(outbox, later_part(spdu, part, after.is_empty()), texp)?;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// How much of its user data an SPDU of at most `octets_max` octets has room for; `None` when its other parameters
/// alone are too long.
fn user_data_that_fit(spdu: Spdu<'_>, enclosure: Option<Enclosure>, octets_max: usize) -> Option<usize> {
    let user_data = join::user_data(&spdu);
    let encoded = |octets| join::with_user_data(spdu, &user_data[..octets], enclosure).encoded_octets();
    let mut octets = octets_max.checked_sub(encoded(0))?.min(user_data.len());
    // Their header, and length indicators that grow: a few octets.
    while encoded(octets) > octets_max {
        octets -= 1;
    }
    Some(octets)
}

/// Why an SPDU cannot be sent: its user data, or what else is in it.
fn too_long(spdu: Spdu<'_>, spdu_octets_max: usize) -> ServiceError {
    let octets = join::user_data(&spdu).len();
    match user_data_that_fit(spdu, None, spdu_octets_max) {
        Some(octets_max) => ServiceError::UserDataLength { octets, octets_max },
        None => ServiceError::Parameter("parameters that no TSDU of the agreed size holds"),
    }
}

/// A middle or last segment. RF repeats its parameters, because its user data are part of the Reason Code.
fn later_part<'a>(spdu: Spdu<'a>, user_data: &'a [u8], end: bool) -> Spdu<'a> {
    match spdu.kind() {
        SpduKind::Refuse => join::with_user_data(spdu, user_data, Some(Enclosure { begin: false, end })),
        kind => Spdu::Segment(Segment { kind, end, user_data }),
    }
}

fn put(outbox: &mut Outbox, spdu: Spdu<'_>, texp: bool) -> Result<(), ServiceError> {
    let flow = match goes_ahead(Some(spdu), texp) {
        true => Flow::Expedited,
        false => Flow::Normal,
    };
    let emitted = spdu.emit_tsdu(outbox.sink());
    emitted.map_err(|_| ServiceError::Parameter("a parameter is out of the limits of its SPDU"))?;
    outbox.finish_tsdu(flow);
    Ok(())
}

/// True for an SPDU of the expedited flow: EX and PR always, AB and AA as far as they fit. X.225 §8.
fn goes_ahead(spdu: Option<Spdu<'_>>, transport_expedited: bool) -> bool {
    match spdu {
        Some(Spdu::ExpeditedData(_) | Spdu::Prepare(_)) => true,
        Some(spdu @ (Spdu::Abort(_) | Spdu::AbortAccept(_))) => {
            transport_expedited && spdu.encoded_octets() <= EXPEDITED_TSDU_OCTETS_MAX
        }
        _ => false,
    }
}

/// GT or PT in front of a category 2 SPDU.
const HEAD_OCTETS: usize = 2;

/// SI and LI, Enclosure Item and the header of the user data, with long length indicators.
const SEGMENT_OVERHEAD_OCTETS: usize = 4 + 3 + 4;

/// What an SPDU to be sent has to keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendLimits {
    /// `None` before AC.
    pub(super) version: Option<Versions>,
    /// Longest TSDU.
    pub(super) octets_max: Option<usize>,
}

const _: () = assert!(
    HEAD_OCTETS + SEGMENT_OVERHEAD_OCTETS < tsdu_sizes::TSDU_OCTETS_MIN as usize,
    "the smallest TSDU has room for user data"
);
