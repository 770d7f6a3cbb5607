//! One end of a class 0 transport connection.

use std::collections::VecDeque;

use crate::buf::{Body, Slice, TxBatch};

use super::expedited::{self, ExpeditedError};
use super::intake::{self, Assembly};
use super::tpdu::{self, Control, cause, reason};
use super::tpkt::{self, Announced, PREFIX_OCTETS, TPDU_OCTETS_MAX, TPKT_HEADER_OCTETS};
use super::{Class0Config, ConnectTpdu, Event, TransportFault, TransportFaultKind, segment};

/// One end of a class 0 transport connection.
///
/// Octets go in with [`Class0::receive`], events come out of [`Class0::next_event`] until it gives `None`;
/// what is owed to the peer goes into a [`TxBatch`] of the caller. A TSDU inside one received slice is a
/// sub-slice of it. One that straddles slices is kept as a list of slices until it is whole.
///
/// ```text
/// initiator   Idle ── CR sent ──► CrSent ── CC received ──► Open
/// responder   Idle ── CR received ──► CrReceived ── CC sent ──► Open
/// any         ── DR, DC, ER or a fault, or DR sent ──► Closed: what arrives is dropped
/// ```
///
/// While nothing is under way it owns no memory outside its own 120 octets.
#[derive(Debug)]
pub struct Class0 {
    /// Received and not read.
    input: Slice,
    /// Received after `input`.
    queue: VecDeque<Slice>,
    /// A TSDU under way, or a TPDU that straddles.
    assembly: Option<Box<Assembly>>,
    /// The CR that waits for its answer.
    connect: Option<Box<ConnectTpdu>>,
    tsdu_octets_max: usize,
    pinned_octets_max: usize,
    /// Start of a TPKT whose prefix straddles: the first `prefix_octets` of it.
    prefix: [u8; PREFIX_OCTETS],
    prefix_octets: u8,
    /// Proposed while connecting, selected once open.
    tpdu_octets: u32,
    /// The peer's reference; 0 while unknown.
    peer_reference: u16,
    phase: Phase,
    initiator: bool,
    /// Configured, then (once open) agreed by both ends.
    expedited: bool,
}

const _: () = assert!(size_of::<Class0>() <= 120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    CrSent,
    CrReceived,
    Open,
    Closed,
}

/// This end's reference. Class 0 has one transport connection a network connection, so it may be a constant.
const REFERENCE: u16 = 1;

impl Class0 {
    /// The end that connected the network connection and sends CR.
    pub fn initiator(config: &Class0Config) -> Class0 {
        Class0::new(config, true)
    }

    /// The end that accepted it and waits for CR.
    pub fn responder(config: &Class0Config) -> Class0 {
        Class0::new(config, false)
    }

    fn new(config: &Class0Config, initiator: bool) -> Class0 {
        Class0 {
            input: Slice::default(),
            queue: VecDeque::new(),
            assembly: None,
            connect: None,
            tsdu_octets_max: config.tsdu_octets_max,
            pinned_octets_max: config.pinned_octets_max,
            prefix: [0; PREFIX_OCTETS],
            prefix_octets: 0,
            tpdu_octets: tpdu::coded_size(config.tpdu_octets_max),
            peer_reference: 0,
            phase: Phase::Idle,
            initiator,
            expedited: config.expedited,
        }
    }

    /// Puts a CR into `out`.
    ///
    /// It proposes [`ConnectTpdu::tpdu_octets`], at most the configured maximum, which is also proposed when
    /// there is none. Expedited data is proposed where [`Class0Config::expedited`] says so, whatever
    /// [`ConnectTpdu::expedited`] says. Does nothing but at the start of an initiator.
    pub fn connect_request(&mut self, connect: &ConnectTpdu, out: &mut TxBatch) {
        if self.phase != Phase::Idle || !self.initiator {
            return;
        }
        let wanted = connect.tpdu_octets.unwrap_or(self.tpdu_octets).min(self.tpdu_octets);
        self.tpdu_octets = tpdu::coded_size(wanted);
        let parameters =
            ConnectTpdu { tpdu_octets: Some(self.tpdu_octets), expedited: self.expedited, ..*connect };
        out.put_header(&tpdu::connect_tpkt(tpdu::CR, 0, REFERENCE, &parameters));
        self.phase = Phase::CrSent;
    }

    /// Puts a CC into `out`: the selectors of the CR, the selected size if the CR proposed one, and expedited data if
    /// the CR proposed it and [`Class0Config::expedited`] is set.
    ///
    /// Does nothing unless a CR waits for its answer.
    pub fn connect_response(&mut self, out: &mut TxBatch) {
        if self.phase != Phase::CrReceived {
            return;
        }
        let connect = self.connect.take().expect("a CR waits in this phase");
        self.tpdu_octets = match connect.tpdu_octets {
            Some(proposed) => tpdu::coded_size(proposed.min(self.tpdu_octets)),
            None => TPDU_OCTETS_MAX,
        };
        let tpdu_octets = connect.tpdu_octets.map(|_| self.tpdu_octets);
        self.expedited &= connect.expedited;
        let parameters = ConnectTpdu { tpdu_octets, expedited: self.expedited, ..*connect };
        out.put_header(&tpdu::connect_tpkt(tpdu::CC, self.peer_reference, REFERENCE, &parameters));
        self.phase = Phase::Open;
    }

    /// Ends the transport connection. Puts a DR into `out` as the answer to a CR or CR sent; once open, class 0
    /// just closes the network connection (X.224 §6.7.1), and nothing is put.
    ///
    /// What is received afterwards is dropped.
    pub fn disconnect_request(&mut self, reason: u8, out: &mut TxBatch) {
        if matches!(self.phase, Phase::CrReceived | Phase::CrSent) {
            // A refusal leaves the source reference unassigned (X.224 §13.5.3).
            let source = if self.initiator { REFERENCE } else { 0 };
            out.put_header(&tpdu::disconnect_request_tpkt(self.peer_reference, source, reason));
        }
        self.close();
    }

    /// Takes octets in; drain [`Class0::next_event`] afterwards. What was not drained before stays in front.
    pub fn receive(&mut self, octets: Slice) {
        if self.phase == Phase::Closed || octets.is_empty() {
            return;
        }
        if self.input.is_empty() && self.queue.is_empty() {
            self.input = octets;
        } else if !self.queue.is_empty() || !self.input.join(&octets) {
            self.queue.push_back(octets);
        }
    }

    /// The next event from the octets received; answers owed to the peer go to `out`.
    ///
    /// A CR is to be answered before the event after it is asked for: the peer may not send DT before the CC.
    pub fn next_event(&mut self, out: &mut TxBatch) -> Option<Event> {
        loop {
            if self.phase == Phase::Closed || !self.refill() {
                return None;
            }
            let under_way = self.assembly.as_ref().is_some_and(|assembly| assembly.missing_octets > 0);
            let step = if under_way { self.continue_tpdu(out) } else { self.start_tpdu(out) };
            match step {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(fault) => {
                    self.close();
                    return Some(Event::Fault(fault));
                }
            }
        }
    }

    /// The next TSDU where it is one DT TPDU that lies whole in what was received: nearly every one. `None`: ask
    /// [`Class0::next_event`], which says the same and more.
    #[inline]
    pub fn next_whole_tsdu(&mut self) -> Option<Slice> {
        if self.phase != Phase::Open || self.assembly.is_some() || self.prefix_octets != 0 {
            return None;
        }
        let body_octets = tpkt::whole_data(&self.input)?;
        if body_octets > self.tsdu_octets_max {
            return None;
        }
        let end = PREFIX_OCTETS + body_octets;
        if end < self.input.len() {
            let tsdu = self.input.sub(PREFIX_OCTETS..end);
            self.input.advance(end);
            return Some(tsdu);
        }
        let mut tsdu = std::mem::take(&mut self.input);
        tsdu.advance(PREFIX_OCTETS);
        Some(tsdu)
    }

    /// True when nothing that was received is left to read: [`Class0::next_event`] gives `None`.
    #[inline]
    pub fn is_drained(&self) -> bool {
        self.input.is_empty() && self.queue.capacity() == 0
    }

    /// As [`Class0::data_request`] for a short header and a body as it was received.
    #[inline]
    pub fn plain_data_request(&self, header: &[u8; 4], body: &Body, out: &mut TxBatch) {
        if body.rest().is_empty() {
            self.whole_data_request(header, body.head(), out);
        } else if self.phase == Phase::Open {
            segment::put(header, body.head(), body.rest(), self.tpdu_octets, out);
        }
    }

    /// The same for a body in one slice.
    #[inline]
    pub fn whole_data_request(&self, header: &[u8; 4], body: &Slice, out: &mut TxBatch) {
        if self.phase != Phase::Open {
            return;
        }
        let tpkt_octets = PREFIX_OCTETS + header.len() + body.len();
        if tpkt_octets <= TPKT_HEADER_OCTETS + self.tpdu_octets as usize {
            segment::put_whole(header, body, out);
        } else {
            segment::put(header, body, &[], self.tpdu_octets, out);
        }
    }

    /// Puts one TSDU, `header` then `body`, into `out` as TPDUs of the selected size.
    ///
    /// Puts nothing unless the connection is open, and nothing for no octets at all.
    pub fn data_request(&self, header: &[u8], body: &[Slice], out: &mut TxBatch) {
        if self.phase == Phase::Open {
            match body {
                [head, rest @ ..] => segment::put(header, head, rest, self.tpdu_octets, out),
                [] => segment::put(header, &Slice::EMPTY, &[], self.tpdu_octets, out),
            }
        }
    }

    /// Puts one expedited TSDU into `out`, behind what is there already: RFC 1006 has one ordered stream for both
    /// flows. There is no acknowledgement: in class 0 the stream needs no EA.
    ///
    /// # Errors
    /// [`ExpeditedError`] where the service was not agreed upon or `octets` are not 1 to 16; nothing was put.
    pub fn expedited_request(&mut self, octets: &[u8], out: &mut TxBatch) -> Result<(), ExpeditedError> {
        if !self.expedited() {
            return Err(ExpeditedError::NotConfirmed);
        }
        expedited::put(octets, out)
    }

    /// Gives the vector of an [`Event::Data`] body back for reuse, by any connection of the thread.
    pub fn recycle(&mut self, rest: Vec<Slice>) {
        intake::recycle(rest);
    }

    /// Copies out what is held in receive blocks, so that they can be reused.
    ///
    /// For a shard whose pool runs short: a TSDU under way may keep blocks for as long as its peer likes.
    pub fn unpin(&mut self) {
        self.input = std::mem::take(&mut self.input).detached();
        for slice in &mut self.queue {
            *slice = std::mem::take(slice).detached();
        }
        if let Some(assembly) = &mut self.assembly {
            assembly.unpin();
        }
    }

    /// True once the CC was sent or received.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// True while the connection is open and both ends have said in CR and CC that they use transport expedited
    /// data.
    pub fn expedited(&self) -> bool {
        self.expedited && self.is_open()
    }

    /// The TPDU size in octets that this end does not exceed: proposed, then selected.
    pub fn tpdu_octets(&self) -> u32 {
        self.tpdu_octets
    }

    /// Octets received that wait for more (an incomplete TPKT or TSDU).
    pub fn held_octets(&self) -> usize {
        let queued: usize = self.queue.iter().map(|slice| slice.len()).sum();
        let assembled =
            self.assembly.as_ref().map_or(0, |assembly| assembly.octets() + assembly.expedited_octets());
        self.input.len() + queued + assembled + usize::from(self.prefix_octets)
    }

    /// True when no octet waits for more; [`Class0::held_octets`] gives 0.
    #[inline]
    pub fn holds_nothing(&self) -> bool {
        self.assembly.is_none() && self.is_drained() && self.prefix_octets == 0
    }

    /// True where a TSDU that has begun goes on behind the TPKT that is under way, if one is.
    pub fn goes_on_behind_tpkt(&self) -> bool {
        self.assembly.as_ref().is_some_and(|assembly| {
            let ends_tsdu = assembly.missing_octets > 0 && !assembly.expedited && assembly.eot;
            !ends_tsdu && !assembly.control
        })
    }

    /// Octets that are still to come until the next TPKT begins: 0 where the next octet begins one. `None` while octets
    /// wait to be read, or the beginning of a TPKT has come that does not say yet how long it is.
    pub fn octets_to_tpkt(&self) -> Option<usize> {
        let missing = self.assembly.as_ref().map_or(0, |assembly| assembly.missing_octets);
        (self.is_drained() && self.prefix_octets == 0).then_some(missing)
    }

    /// Octets of the receive pool that [`Class0::unpin`] would free, as far as the assembly pins them.
    pub fn pinned_octets(&self) -> usize {
        self.assembly.as_ref().map_or(0, |assembly| assembly.pinned_octets())
    }

    /// Makes `input` hold octets; false when none are left.
    fn refill(&mut self) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        // Also drops the block of an input read to its end, and the memory of a queue read to its end.
        self.input = self.queue.pop_front().unwrap_or_default();
        if self.queue.is_empty() && self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
        !self.input.is_empty()
    }

    /// Reads the prefix of a TPKT, and the TPDU if it lies in the input whole.
    fn start_tpdu(&mut self, out: &mut TxBatch) -> Step {
        let gathered = usize::from(self.prefix_octets);
        let fill = self.input.len().min(PREFIX_OCTETS - gathered);
        self.prefix[gathered..gathered + fill].copy_from_slice(&self.input[..fill]);
        let known = &self.prefix[..gathered + fill];
        let announced = match tpkt::announced(known, self.phase == Phase::Open) {
            Ok(announced) => announced,
            Err(fault) => return Err(self.answered(fault, known, out)),
        };
        let whole =
            gathered == 0 && announced.is_some_and(|announced| announced.octets() <= self.input.len());
        if !whole {
            self.input.advance(fill);
        }
        self.prefix_octets = if announced.is_some() { 0 } else { (gathered + fill) as u8 };
        match announced {
            None => Ok(None),
            Some(Announced::Data { body_octets, eot }) => self.start_data(body_octets, eot, whole, out),
            Some(Announced::Expedited { body_octets }) => self.start_expedited(body_octets, whole, out),
            Some(Announced::Control { tpkt_octets }) if whole => {
                let tpkt = self.take_input(tpkt_octets);
                self.control(&tpkt, out)
            }
            Some(Announced::Control { tpkt_octets }) => {
                // It ends the connection or comes before any data: a TSDU under way is lost with it.
                let assembly = self.assembly.get_or_insert_with(Assembly::take);
                assembly.clear();
                assembly.control = true;
                assembly.missing_octets = tpkt_octets - PREFIX_OCTETS;
                assembly.push_control(&self.prefix);
                if assembly.missing_octets == 0 { self.finish_control(out) } else { Ok(None) }
            }
        }
    }

    /// A DT TPDU: delivers it, or begins or goes on to assemble.
    fn start_data(&mut self, body_octets: usize, eot: bool, whole: bool, out: &mut TxBatch) -> Step {
        if self.phase != Phase::Open {
            let fault = tpkt::fault("TPDU", 5, TransportFaultKind::Inopportune(tpdu::DT));
            return Err(self.answered(fault, &self.prefix, out));
        }
        let assembled = self.assembly.as_ref().map_or(0, |assembly| assembly.octets());
        if assembled + body_octets > self.tsdu_octets_max {
            let kind = TransportFaultKind::TsduTooLong(assembled + body_octets);
            return Err(self.answered(tpkt::fault("TPDU", 2, kind), &self.prefix, out));
        }
        if whole && eot && self.assembly.is_none() {
            let mut body = self.take_input(PREFIX_OCTETS + body_octets);
            body.advance(PREFIX_OCTETS);
            return Ok(Some(Event::Data(Body::new(body))));
        }
        if whole {
            self.input.advance(PREFIX_OCTETS);
        }
        let assembly = self.assembly.get_or_insert_with(Assembly::take);
        assembly.missing_octets = body_octets;
        assembly.eot = eot;
        Ok(if body_octets == 0 { self.finish_data() } else { None })
    }

    /// An ED TPDU: delivers it, or begins to gather it beside the TSDU that is being assembled.
    fn start_expedited(&mut self, body_octets: usize, whole: bool, out: &mut TxBatch) -> Step {
        let fault = if !self.expedited() {
            Some(tpkt::fault("TPDU", 5, TransportFaultKind::Inopportune(tpdu::ED)))
        } else if !expedited::is_length(body_octets) {
            Some(tpkt::fault("TPDU", 5, TransportFaultKind::ExpeditedOctets(body_octets)))
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(self.answered(fault, &self.prefix, out));
        }
        if whole {
            let mut octets = self.take_input(PREFIX_OCTETS + body_octets);
            octets.advance(PREFIX_OCTETS);
            return Ok(Some(Event::Expedited(octets)));
        }
        let assembly = self.assembly.get_or_insert_with(Assembly::take);
        assembly.expedited = true;
        assembly.missing_octets = body_octets;
        Ok(None)
    }

    /// Takes what the input has of the TPDU under way.
    fn continue_tpdu(&mut self, out: &mut TxBatch) -> Step {
        let assembly = self.assembly.as_ref().expect("a TPDU is under way");
        let piece = self.take_input(assembly.missing_octets.min(self.input.len()));
        let assembly = self.assembly.as_mut().expect("a TPDU is under way");
        assembly.missing_octets -= piece.len();
        let complete = assembly.missing_octets == 0;
        if assembly.expedited {
            assembly.push_expedited(&piece);
            return Ok(if complete { Some(self.finish_expedited()) } else { None });
        }
        if assembly.control {
            assembly.push_control(&piece);
            return if complete { self.finish_control(out) } else { Ok(None) };
        }
        assembly.push(piece, complete && assembly.eot, self.pinned_octets_max);
        Ok(if complete { self.finish_data() } else { None })
    }

    /// The end of a DT TPDU, which may be the end of its TSDU.
    fn finish_data(&mut self) -> Option<Event> {
        let mut assembly = self.assembly.take().expect("a TPDU was under way");
        if !assembly.eot {
            self.assembly = Some(assembly);
            return None;
        }
        let body = assembly.finish();
        Assembly::give_back(assembly);
        Some(Event::Data(body))
    }

    /// The end of an ED TPDU that did not arrive in one slice.
    fn finish_expedited(&mut self) -> Event {
        let assembly = self.assembly.as_mut().expect("a TPDU was under way");
        let octets = assembly.finish_expedited();
        // Without octets there is no TSDU to go on with.
        if assembly.octets() == 0
            && let Some(assembly) = self.assembly.take()
        {
            Assembly::give_back(assembly);
        }
        Event::Expedited(octets)
    }

    fn finish_control(&mut self, out: &mut TxBatch) -> Step {
        let assembly = self.assembly.take().expect("a TPDU was under way");
        let step = self.control(assembly.control_octets(), out);
        Assembly::give_back(assembly);
        step
    }

    /// Acts on a TPDU other than DT and ED.
    fn control(&mut self, octets: &[u8], out: &mut TxBatch) -> Step {
        let control = tpdu::decode(octets).map_err(|fault| {
            if self.phase != Phase::Open {
                // Whatever is wrong with its CR or CC, the peer knows it by the reference in it.
                self.peer_reference = tpdu::source_reference(octets);
            }
            self.answered(fault, octets, out)
        })?;
        match (control, self.phase) {
            (Control::ConnectionRequest(cr), Phase::Idle) if !self.initiator => {
                self.peer_reference = cr.source;
                if !cr.class_0_allowed {
                    let fault = tpkt::fault("TPDU", 10, TransportFaultKind::Class(cr.class));
                    return Err(self.answered(fault, octets, out));
                }
                self.connect = Some(Box::new(cr.parameters));
                self.phase = Phase::CrReceived;
                Ok(Some(Event::Connect(cr.parameters)))
            }
            (Control::ConnectionConfirm(cc), Phase::CrSent) => {
                self.peer_reference = cc.source;
                if cc.class != 0 {
                    let fault = tpkt::fault("TPDU", 10, TransportFaultKind::Class(cc.class));
                    return Err(self.answered(fault, octets, out));
                }
                // Without a size in the CC the proposal holds.
                let selected = cc.parameters.tpdu_octets.unwrap_or(self.tpdu_octets);
                self.tpdu_octets = selected.min(self.tpdu_octets);
                // A CC that confirms what was not proposed agrees to nothing.
                self.expedited &= cc.parameters.expedited;
                self.phase = Phase::Open;
                Ok(Some(Event::ConnectConfirm(cc.parameters)))
            }
            (
                Control::DisconnectRequest { source, reason },
                Phase::CrSent | Phase::CrReceived | Phase::Open,
            ) => {
                if self.phase == Phase::Open {
                    out.put_header(&tpdu::disconnect_confirm_tpkt(source, REFERENCE));
                }
                self.close();
                Ok(Some(Event::Disconnect { reason }))
            }
            (Control::DisconnectConfirm, Phase::CrSent | Phase::CrReceived | Phase::Open) => {
                self.close();
                Ok(Some(Event::Disconnect { reason: reason::NOT_SPECIFIED }))
            }
            (Control::Error { cause }, Phase::CrSent | Phase::CrReceived | Phase::Open) => {
                self.close();
                Ok(Some(Event::Disconnect { reason: cause }))
            }
            _ => {
                let fault = tpkt::fault("TPDU", 5, TransportFaultKind::Inopportune(octets[5]));
                Err(self.answered(fault, octets, out))
            }
        }
    }

    /// Puts what the peer is told about its fault into `out`; `octets` are what of the TPKT is known.
    ///
    /// ER where a TPDU was received and rejected, DR where there was no TPDU or nothing is wrong with it, and
    /// nothing in answer to ER, DR and DC.
    fn answered(&self, fault: TransportFault, octets: &[u8], out: &mut TxBatch) -> TransportFault {
        let disconnect = |reason| {
            let source = if self.phase == Phase::Open || self.initiator { REFERENCE } else { 0 };
            tpdu::disconnect_request_tpkt(self.peer_reference, source, reason)
        };
        let error = |cause| {
            let invalid = &octets[TPKT_HEADER_OCTETS..=fault.offset];
            tpdu::error_tpkt(self.peer_reference, cause, invalid)
        };
        out.put_header(&match fault.kind {
            TransportFaultKind::Version(_)
            | TransportFaultKind::Length(_)
            | TransportFaultKind::TpduTooLong(_) => disconnect(reason::PROTOCOL_ERROR),
            TransportFaultKind::TsduTooLong(_) => disconnect(reason::NOT_SPECIFIED),
            TransportFaultKind::Class(_) => disconnect(reason::NEGOTIATION_FAILED),
            TransportFaultKind::TpduLength(_) | TransportFaultKind::ExpeditedOctets(_) => {
                error(cause::NOT_SPECIFIED)
            }
            TransportFaultKind::Parameter(_) => error(cause::INVALID_PARAMETER_VALUE),
            TransportFaultKind::Inopportune(tpdu::ER | tpdu::DR | tpdu::DC) => tpdu::Encoded::new(),
            TransportFaultKind::TpduCode(_) | TransportFaultKind::Inopportune(_) => {
                error(cause::INVALID_TPDU_TYPE)
            }
        });
        fault
    }

    #[inline]
    fn take_input(&mut self, octets: usize) -> Slice {
        if octets == self.input.len() { std::mem::take(&mut self.input) } else { self.input.split_to(octets) }
    }

    fn close(&mut self) {
        self.phase = Phase::Closed;
        self.input = Slice::default();
        self.queue = VecDeque::new();
        self.connect = None;
        self.prefix_octets = 0;
        if let Some(assembly) = self.assembly.take() {
            Assembly::give_back(assembly);
        }
    }
}

/// What a part of the input leads to: an event, nothing yet, or a fault that has been answered.
type Step = Result<Option<Event>, TransportFault>;

impl Announced {
    /// Octets of the TPKT.
    fn octets(self) -> usize {
        match self {
            Announced::Data { body_octets, .. } | Announced::Expedited { body_octets } => {
                PREFIX_OCTETS + body_octets
            }
            Announced::Control { tpkt_octets } => tpkt_octets,
        }
    }
}
