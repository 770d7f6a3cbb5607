//! A connection of the lower tester to the IUT: what was sent, what is expected, and what came.

use std::time::Duration;

use colloquy_session::spdu::{Accept, DecodeRules, Flow, Spdu, SpduKind, Tsdu};
use colloquy_session::{FunctionalUnits, Tokens, Versions};

use super::alternatives;
use super::line::{Arrival, Link};
use super::octets::{self, hex};
use super::purpose::{Deviation, Stop, Verdict};

/// How long the tester waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For an answer that must come.
    pub(crate) answer: Duration,
    /// To be sure that nothing comes.
    pub(crate) quiet: Duration,
    /// For the IUT's timer TIM.
    pub(crate) tim: Duration,
}

/// What the tester demands beyond the common ground.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// The IUT is configured to refuse what the lenient readings tolerate.
    pub(crate) strict: bool,
    /// Without AB a protocol error counts as not answered, though the reference lets it pass.
    pub(crate) abort_demanded: bool,
    /// What the IUT's user answers is known: it is our own.
    pub(crate) known_user: bool,
}

/// TSDUs sent that a deviation shows.
const SENT_SHOWN: usize = 3;
/// Unsolicited SPDUs that an expectation passes over.
const PASSED_OVER_MAX: usize = 16;

/// A transport connection, and the session on it.
pub(crate) struct Dialogue {
    link: Box<dyn Link>,
    waits: Waits,
    pub(crate) manner: Manner,
    sent: Vec<String>,
    /// Functional units in use.
    pub(crate) units: FunctionalUnits,
    /// Version in use.
    pub(crate) version: Versions,
    /// Longest TSDU that may be sent to the IUT, where segmenting is selected.
    pub(crate) send_octets_max: Option<usize>,
}

/// A TSDU of the IUT.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Its octets.
    pub(crate) octets: Vec<u8>,
    /// The flow it came on.
    pub(crate) flow: Flow,
}

impl Reply {
    /// Its SPDUs; empty when it is no sequence of valid ones.
    pub(crate) fn spdus(&self) -> Vec<Spdu<'_>> {
        let mut tsdu = match self.flow {
            Flow::Normal => Tsdu::new(&self.octets),
            Flow::Expedited => Tsdu::expedited(&self.octets),
        };
        let mut spdus = Vec::new();
        loop {
            match tsdu.next_spdu(&DecodeRules::LENIENT) {
                Ok(None) => return spdus,
                Ok(Some(view)) => match view.parse(&DecodeRules::LENIENT) {
                    Ok(spdu) => spdus.push(spdu),
                    Err(_) => return Vec::new(),
                },
                Err(_) => return Vec::new(),
            }
        }
    }

    /// The SPDU of this kind in it.
    pub(crate) fn find(&self, kind: SpduKind) -> Option<Spdu<'_>> {
        self.spdus().into_iter().find(|spdu| spdu.kind() == kind)
    }

    /// Names and octets.
    pub(crate) fn shown(&self) -> String {
        let names: Vec<&str> = self.spdus().iter().map(|spdu| spdu.kind().abbreviation()).collect();
        let flow = if self.flow == Flow::Expedited { "expedited " } else { "" };
        let names = if names.is_empty() { "invalid".to_owned() } else { names.join("+") };
        format!("{flow}{names} [{}]", hex(&self.octets))
    }
}

/// What came, in words.
pub(crate) fn shown(arrival: &Arrival) -> String {
    match arrival {
        Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Flow::Normal }.shown(),
        Arrival::Expedited(octets) => Reply { octets: octets.clone(), flow: Flow::Expedited }.shown(),
        Arrival::Closed(how) => format!("transport connection gone ({how})"),
        Arrival::Silence => "nothing".to_owned(),
    }
}

impl Dialogue {
    /// A dialogue without a session.
    pub(crate) fn new(link: Box<dyn Link>, waits: Waits, manner: Manner) -> Dialogue {
        Dialogue {
            link,
            waits,
            manner,
            sent: Vec::new(),
            units: FunctionalUnits::empty(),
            version: Versions::V2,
            send_octets_max: None,
        }
    }

    /// True when transport expedited is used.
    pub(crate) fn has_expedited(&self) -> bool {
        self.link.has_expedited()
    }

    /// Sends octets as a TSDU.
    pub(crate) fn send(&mut self, tsdu: &[u8]) {
        self.note(format!("[{}]", hex(tsdu)));
        self.link.send(tsdu);
    }

    /// Sends octets as an expedited TSDU.
    pub(crate) fn send_expedited(&mut self, tsdu: &[u8]) {
        self.note(format!("expedited [{}]", hex(tsdu)));
        self.link.send_expedited(tsdu);
    }

    /// Notes for a deviation what was done.
    pub(crate) fn note(&mut self, what: String) {
        if self.sent.len() == SENT_SHOWN {
            self.sent.remove(0);
        }
        self.sent.push(what);
    }

    /// T-DISCONNECT request.
    pub(crate) fn close(&mut self) {
        self.note("T-DISCONNECT".to_owned());
        self.link.close();
    }

    /// What comes within the time of an answer.
    pub(crate) fn next(&mut self) -> Arrival {
        self.link.receive(self.waits.answer)
    }

    /// What comes within the time after which nothing is taken to come.
    pub(crate) fn next_soon(&mut self) -> Arrival {
        self.link.receive(self.waits.quiet)
    }

    /// The IUT does other than it should.
    pub(crate) fn deviation(&self, expected: impl Into<String>, received: impl Into<String>) -> Stop {
        let (expected, received) = (expected.into(), received.into());
        Stop::Deviation(Deviation { sent: self.sent.join(", "), expected, received })
    }

    /// An error unless `holds`.
    pub(crate) fn demand(&self, holds: bool, expected: &str, received: impl FnOnce() -> String) -> Verdict {
        if holds { Ok(()) } else { Err(self.deviation(expected, received())) }
    }

    /// The TSDU with an SPDU of this kind. The IUT's user may ask for tokens at any time: a PT that is not
    /// expected is passed over.
    pub(crate) fn expect(&mut self, kind: SpduKind) -> Result<Reply, Stop> {
        for _ in 0..=PASSED_OVER_MAX {
            let arrival = self.next();
            let reply = match &arrival {
                Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Flow::Normal },
                Arrival::Expedited(octets) => Reply { octets: octets.clone(), flow: Flow::Expedited },
                _ => return Err(self.deviation(kind.abbreviation(), shown(&arrival))),
            };
            if reply.find(kind).is_some() {
                return Ok(reply);
            }
            if !self.is_passed_over(&reply) {
                return Err(self.deviation(kind.abbreviation(), reply.shown()));
            }
        }
        Err(self.deviation(kind.abbreviation(), "other SPDUs without end"))
    }

    /// What an IUT may send while something else is expected of it: requests for tokens, and the confirmation of an
    /// earlier minor point, which its user gives or not, and when it likes.
    fn is_passed_over(&self, reply: &Reply) -> bool {
        match reply.spdus()[..] {
            [Spdu::PleaseTokens(_)] => true,
            [Spdu::PleaseTokens(_), Spdu::MinorSyncAck(_)] => !self.manner.known_user,
            _ => false,
        }
    }

    /// An SPDU of this kind with these octets in it.
    pub(crate) fn expect_exactly(&mut self, kind: SpduKind, tsdu: &[u8]) -> Verdict {
        let reply = self.expect(kind)?;
        self.demand(reply.octets == tsdu, &format!("{} [{}]", kind.abbreviation(), hex(tsdu)), || {
            reply.shown()
        })
    }

    /// A whole SSDU of S-DATA with this content.
    pub(crate) fn expect_data(&mut self, expected: &[u8]) -> Verdict {
        let (ssdu, _) = self.receive_data()?;
        let words = format!("DT with {} octets [{}]", expected.len(), hex(expected));
        self.demand(ssdu == expected, &words, || format!("{} octets [{}]", ssdu.len(), hex(&ssdu)))
    }

    /// A whole SSDU of S-DATA, and the TSDUs it came in.
    pub(crate) fn receive_data(&mut self) -> Result<(Vec<u8>, Vec<Reply>), Stop> {
        let (mut ssdu, mut replies) = (Vec::new(), Vec::new());
        loop {
            let reply = self.expect(SpduKind::DataTransfer)?;
            let Some(Spdu::DataTransfer(data)) = reply.find(SpduKind::DataTransfer) else { continue };
            ssdu.extend_from_slice(data.user_information);
            let end = data.enclosure.is_none_or(|enclosure| enclosure.end);
            replies.push(reply);
            if end {
                return Ok((ssdu, replies));
            }
        }
    }

    /// User data of an SPDU, joined from its segments where it comes in several.
    pub(crate) fn receive_joined(&mut self, kind: SpduKind) -> Result<Vec<u8>, Stop> {
        let mut reply = self.expect(kind)?;
        let mut joined = Vec::new();
        let mut parts = 0;
        loop {
            // Later segments leave out what tells apart two SPDUs with one SI.
            let spdu = reply.spdus().pop().filter(|spdu| spdu.kind().si() == kind.si());
            let Some((data, end)) = spdu.and_then(|spdu| part_of(&spdu, parts == 0)) else {
                return Err(self.deviation("a segment in its order", reply.shown()));
            };
            joined.extend_from_slice(data);
            if end {
                return Ok(joined);
            }
            parts += 1;
            reply = match self.next() {
                Arrival::Tsdu(octets) => Reply { octets, flow: Flow::Normal },
                other => return Err(self.deviation("the next segment", shown(&other))),
            };
        }
    }

    /// A whole SSDU of S-TYPED-DATA with this content.
    pub(crate) fn expect_typed_data(&mut self, expected: &[u8]) -> Verdict {
        let mut ssdu = Vec::new();
        loop {
            let reply = self.expect(SpduKind::TypedData)?;
            let Some(Spdu::TypedData(data)) = reply.find(SpduKind::TypedData) else { continue };
            ssdu.extend_from_slice(data.user_information);
            if data.enclosure.is_none_or(|enclosure| enclosure.end) {
                let words = format!("TD with {} octets", expected.len());
                return self.demand(ssdu == expected, &words, || format!("[{}]", hex(&ssdu)));
            }
        }
    }

    /// What a protocol error with a session up leads to.
    pub(crate) fn expect_protocol_error(&mut self) -> Verdict {
        alternatives::protocol_error(self)
    }

    /// T-DISCONNECT without an SPDU before it.
    pub(crate) fn expect_released(&mut self) -> Verdict {
        let arrival = self.next();
        let released = matches!(arrival, Arrival::Closed(_));
        self.demand(released, "T-DISCONNECT and nothing before it", || shown(&arrival))
    }

    /// T-DISCONNECT; data and answers that were under way may come before it, AB may not.
    pub(crate) fn expect_released_past_answers(&mut self) -> Verdict {
        const UNDER_WAY_MAX: usize = 8;
        for _ in 0..UNDER_WAY_MAX {
            let arrival = self.next();
            match &arrival {
                Arrival::Closed(_) => return Ok(()),
                Arrival::Tsdu(octets) => {
                    let reply = Reply { octets: octets.clone(), flow: Flow::Normal };
                    let abort = matches!(reply.spdus().last(), Some(Spdu::Abort(_)) | None);
                    self.demand(!abort, "T-DISCONNECT", || reply.shown())?;
                }
                other => return Err(self.deviation("T-DISCONNECT", shown(other))),
            }
        }
        Err(self.deviation("T-DISCONNECT", "other SPDUs without end"))
    }

    /// The tester's AB is taken.
    pub(crate) fn expect_abort_taken(&mut self) -> Verdict {
        alternatives::abort_taken(self)
    }

    /// T-DISCONNECT by the IUT's timer TIM.
    pub(crate) fn expect_released_by_timer(&mut self) -> Verdict {
        let arrival = self.link.receive(self.waits.tim);
        let released = matches!(arrival, Arrival::Closed(_));
        self.demand(released, "T-DISCONNECT when TIM has expired", || shown(&arrival))
    }

    /// RF, or T-DISCONNECT: the answers to a CN that cannot be taken.
    pub(crate) fn expect_refused_or_released(&mut self) -> Verdict {
        alternatives::refused(self, None)
    }

    /// RF with this reason.
    pub(crate) fn expect_refused(&mut self, reason: u8) -> Verdict {
        alternatives::refused(self, Some(reason))
    }

    /// GT with these tokens.
    pub(crate) fn expect_given(&mut self, tokens: Tokens) -> Verdict {
        let reply = self.expect(SpduKind::GiveTokens)?;
        let given = match reply.find(SpduKind::GiveTokens) {
            Some(Spdu::GiveTokens(give)) => give.tokens,
            _ => Tokens::empty(),
        };
        self.demand(given.contains(tokens), &format!("GT with {tokens:?}"), || reply.shown())
    }

    /// The TSDU with an SPDU of this kind; `before` may come in front of it.
    pub(crate) fn expect_past(&mut self, kind: SpduKind, before: &[SpduKind]) -> Result<Reply, Stop> {
        for _ in 0..=before.len() {
            let arrival = self.next();
            let Arrival::Tsdu(octets) = &arrival else {
                return Err(self.deviation(kind.abbreviation(), shown(&arrival)));
            };
            let reply = Reply { octets: octets.clone(), flow: Flow::Normal };
            if reply.find(kind).is_some() {
                return Ok(reply);
            }
            if !before.iter().any(|other| reply.find(*other).is_some()) {
                return Err(self.deviation(kind.abbreviation(), reply.shown()));
            }
        }
        Err(self.deviation(kind.abbreviation(), "other SPDUs"))
    }

    /// What was sent is no protocol error: the tester ends the session by AB, and no AB comes back.
    ///
    /// An IUT that had met an error would have sent its AB before it saw the tester's.
    pub(crate) fn expect_no_error(&mut self) -> Verdict {
        self.end_session(|reply| !matches!(reply.spdus().last(), Some(Spdu::Abort(_))))
    }

    /// The IUT may take what was sent or not, but it ends the session when it is told to.
    pub(crate) fn expect_anything_orderly(&mut self) -> Verdict {
        self.end_session(|_| true)
    }

    fn end_session(&mut self, may_come: impl Fn(&Reply) -> bool) -> Verdict {
        /// SPDUs that an IUT may have under way.
        const UNDER_WAY_MAX: usize = 64;
        self.link.send(&octets::abort(octets::USER_ABORT, &[]));
        for _ in 0..UNDER_WAY_MAX {
            let arrival = self.next();
            let reply = match &arrival {
                Arrival::Tsdu(octets) => Reply { octets: octets.clone(), flow: Flow::Normal },
                Arrival::Expedited(octets) => Reply { octets: octets.clone(), flow: Flow::Expedited },
                Arrival::Closed(_) => return Ok(()),
                Arrival::Silence => {
                    return Err(self.deviation("no AB, and T-DISCONNECT after the tester's AB", "nothing"));
                }
            };
            if matches!(reply.spdus()[..], [Spdu::AbortAccept(_)]) {
                return Ok(());
            }
            if !may_come(&reply) {
                return Err(self.deviation("no protocol error", reply.shown()));
            }
        }
        Err(self.deviation("T-DISCONNECT after the tester's AB", "other SPDUs without end"))
    }

    /// A protocol error, or in a lenient reading nothing.
    pub(crate) fn expect_protocol_error_or_ignored(&mut self) -> Verdict {
        match self.manner.strict {
            true => self.expect_protocol_error(),
            false => self.expect_anything_orderly(),
        }
    }

    /// A protocol error, or in a lenient reading the answer to the SPDU without the parameter in question.
    pub(crate) fn expect_protocol_error_or(&mut self, lenient: SpduKind) -> Verdict {
        alternatives::protocol_error_or(self, (!self.manner.strict).then_some(lenient))
    }

    /// A protocol error, or T-DISCONNECT without an answer.
    pub(crate) fn expect_protocol_error_or_released(&mut self) -> Verdict {
        let demanded = std::mem::replace(&mut self.manner.abort_demanded, false);
        let verdict = self.expect_protocol_error();
        self.manner.abort_demanded = demanded;
        verdict
    }

    /// Nothing, or the end of the transport connection: what an SPDU behind the end of a session leads to. An IUT
    /// whose timer is not known is not waited for.
    pub(crate) fn expect_ignored(&mut self) -> Verdict {
        if self.manner.known_user {
            return self.expect_released_by_timer();
        }
        let arrival = self.link.receive(self.waits.quiet);
        let ignored = matches!(arrival, Arrival::Silence | Arrival::Closed(_));
        self.demand(ignored, "nothing, or T-DISCONNECT", || shown(&arrival))
    }

    /// Nothing comes, and the transport connection stays.
    pub(crate) fn expect_quiet(&mut self) -> Verdict {
        let arrival = self.link.receive(self.waits.quiet);
        self.demand(arrival == Arrival::Silence, "nothing", || shown(&arrival))
    }

    /// Sends an SSDU, in segments where that is selected, and demands its echo.
    ///
    /// In half duplex the data token goes with the SSDU and comes back by S-TOKEN-PLEASE.
    pub(crate) fn echo(&mut self, ssdu: &[u8]) -> Verdict {
        if self.units.contains(FunctionalUnits::HALF_DUPLEX) {
            self.send(&octets::dt_giving(Tokens::DATA, ssdu));
            self.expect_data(ssdu)?;
            return self.fetch(Tokens::DATA);
        }
        self.send_data(ssdu);
        self.expect_data(ssdu)
    }

    /// Asks for tokens and waits for them.
    pub(crate) fn fetch(&mut self, tokens: Tokens) -> Verdict {
        self.send(&octets::pt(tokens));
        self.expect_given(tokens)
    }

    /// Sends an SSDU, in segments where that is selected.
    pub(crate) fn send_data(&mut self, ssdu: &[u8]) {
        let Some(octets_max) = self.send_octets_max else {
            return self.send(&octets::dt(ssdu));
        };
        let count = ssdu.chunks(octets_max - 7).count().max(1);
        for index in 0..count {
            let part = ssdu.chunks(octets_max - 7).nth(index).unwrap_or_default();
            let enclosure = u8::from(index == 0) | u8::from(index + 1 == count) << 1;
            self.send(&octets::dt_segment(enclosure, part));
        }
    }

    /// Releases the session: FN, DN.
    pub(crate) fn release(&mut self) -> Verdict {
        self.send(&octets::finish(&[]));
        self.expect(SpduKind::Disconnect)?;
        self.close();
        Ok(())
    }

    /// Takes units, version and sizes from an AC.
    pub(crate) fn take_accept(&mut self, accept: &Accept<'_>, proposed: FunctionalUnits, initiating: bool) {
        self.units = accept.requirements & proposed;
        self.version = accept.item.versions;
        let sizes = accept.item.tsdu_maximum_size.unwrap_or_default();
        let towards_iut =
            if initiating { sizes.initiator_to_responder } else { sizes.responder_to_initiator };
        self.send_octets_max = (towards_iut != 0).then_some(usize::from(towards_iut));
    }
}

/// User data of an SPDU or of a later segment of it, and whether they end there; `None` out of order.
fn part_of<'s>(spdu: &Spdu<'s>, first: bool) -> Option<(&'s [u8], bool)> {
    let (data, enclosure) = match spdu {
        Spdu::Segment(segment) => return (!first).then_some((segment.user_data, segment.end)),
        Spdu::Finish(finish) => (finish.user_data, finish.enclosure),
        Spdu::Disconnect(disconnect) => (disconnect.user_data, disconnect.enclosure),
        Spdu::Abort(abort) => (abort.user_data, abort.enclosure),
        Spdu::MajorSyncPoint(point) => (point.user_data, point.enclosure),
        Spdu::MajorSyncAck(ack) => (ack.user_data, ack.enclosure),
        Spdu::Accept(accept) => (accept.user_data, accept.enclosure),
        _ => return None,
    };
    first.then_some((data, enclosure.is_none_or(|enclosure| enclosure.end)))
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        self.link.close();
    }
}
