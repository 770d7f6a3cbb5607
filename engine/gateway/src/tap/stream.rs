//! One session as the tap's reader has it: octets become TPKTs, TPKTs TSDUs, and these segments of a file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use colloquy_session::spdu::{DecodeRules, SpduKind, Tsdu, must_be_contiguous};

use super::filter::TapFilter;
use super::pcapng::{self, Packet};
use super::record::{Introduction, Run};
use super::redact::{REDACTED, redact_tsdu};
use super::segment::{Connection, Flag, ISO_TSAP, SEGMENT_OCTETS_MAX};
use super::walk::{DT, EOT, HEADER_OCTETS};
use crate::config::Config;
use crate::name::SessionName;

/// Octets of a TSDU that are waited for before its user data are told apart; the rest is user data.
const HEAD_OCTETS_MAX: usize = 256 << 10;
/// ED.
const ED: u8 = 0x10;
/// TPDUs that are the protocol's from the first octet to the last: CR, CC, DR, DC, ER.
const CONTROL: [u8; 5] = [0xe0, 0xd0, 0x80, 0xc0, 0x70];
/// TPKT header: version, reserved, length.
const TPKT_OCTETS: usize = 4;
/// Ports of connections whose own is not known.
const MADE_UP_PORTS: u32 = 28_000;
const FIRST_MADE_UP_PORT: u32 = 32_768;
/// Between the first sequence numbers of two connections.
const FIRST_NUMBERS_APART: u32 = 0x9e37_79b1;

/// Where segments go, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) octets: Vec<u8>,
    pub(super) tpdus: u64,
    pub(super) packets: u64,
    /// Of the last segment.
    segment: Vec<u8>,
}

/// A session of a tap.
#[derive(Debug)]
pub(super) struct Stream {
    about: String,
    /// This side opened the connection.
    initiates: bool,
    /// Of the last segment with octets, and the state and V(M) that it tells.
    comment: String,
    commented: Option<(colloquy_session::State, u32)>,
    connection: Connection,
    shook_hands: bool,
    /// Received, then sent.
    directions: [Direction; 2],
}

#[derive(Debug, Default)]
struct Direction {
    /// Of TPKTs that were not taken yet; behind what has come, that of one that is not whole.
    partial: Vec<u8>,
    /// So many octets of it were taken.
    taken: usize,
    /// TPKTs of a TSDU that is not whole.
    pending: Vec<Tpkt>,
    pending_octets: usize,
    /// What goes on is the rest of a TSDU of which enough was seen: whether it is kept.
    rest_of: Option<bool>,
    /// What came is no TPKT.
    lost: bool,
}

#[derive(Debug)]
struct Tpkt {
    octets: Vec<u8>,
    moment: Moment,
}

/// When, and how the session was.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: u64,
    state: colloquy_session::State,
    next_serial: u32,
}

impl Stream {
    /// Of a session that was introduced, the tap's `nth`.
    pub(super) fn new(
        (nth, name): (u32, SessionName),
        introduction: &Introduction,
        config: &Config,
        real_ports: bool,
    ) -> Self {
        let listener = introduction.listener.and_then(|index| config.listeners.get(index as usize));
        let target = introduction.target.and_then(|index| config.targets.get(index as usize));
        let mut about = format!("session {name}");
        if let Some(listener) = listener {
            about.push_str(&format!(", listener {}", listener.name));
        }
        if let Some(target) = target {
            about.push_str(&format!(", target {}", target.name));
        }
        let peer = introduction.peer;
        let own_port = FIRST_MADE_UP_PORT + nth % MADE_UP_PORTS;
        let own = match listener {
            Some(listener) => at_or_near(listener.address, peer.ip()),
            None => SocketAddr::new(near(peer.ip()), own_port as u16),
        };
        let (initiator, mut responder) = if introduction.initiates { (own, peer) } else { (peer, own) };
        if !real_ports {
            responder.set_port(ISO_TSAP);
        }
        Self {
            about,
            initiates: introduction.initiates,
            comment: String::new(),
            commented: None,
            connection: Connection::new(initiator, responder, nth.wrapping_mul(FIRST_NUMBERS_APART)),
            shook_hands: false,
            directions: [Direction::default(), Direction::default()],
        }
    }

    /// Takes in octets, and gives their buffer back.
    pub(super) fn take(&mut self, run: Run, filter: &TapFilter, sink: &mut Sink) -> Vec<u8> {
        let from = self.end_of(run.sent);
        let direction = &mut self.directions[usize::from(run.sent)];
        let moment = Moment { at: run.at, state: run.state, next_serial: run.next_serial };
        if run.resumes {
            let dropped = direction.untaken().len() + direction.pending_octets;
            *direction = Direction { lost: direction.lost, ..Direction::default() };
            self.connection.skip(from, run.left_out + dropped as u64);
        }
        let direction = &mut self.directions[usize::from(run.sent)];
        direction.partial.extend_from_slice(&run.octets);
        while let Some(octets) = self.directions[usize::from(run.sent)].next_tpkt() {
            self.tpkt(run.sent, Tpkt { octets, moment }, filter, sink);
        }
        self.directions[usize::from(run.sent)].forget_taken();
        run.octets
    }

    /// The session has ended.
    pub(super) fn end(&mut self, at: u64, sink: &mut Sink) {
        if !self.shook_hands {
            return;
        }
        let comment = format!("{}: it has ended", self.about);
        let mut segment = Vec::new();
        for from in [0, 1] {
            self.connection.segment(from, Flag::Fin, &[], &mut segment);
            put(sink, at, &segment, segment.len(), &comment);
        }
    }

    /// Which end of the connection sends: 0 is who opened it.
    fn end_of(&self, sent: bool) -> usize {
        usize::from(sent != self.initiates)
    }

    fn tpkt(&mut self, sent: bool, mut tpkt: Tpkt, filter: &TapFilter, sink: &mut Sink) {
        let direction = &mut self.directions[usize::from(sent)];
        let code = tpkt.octets.get(5).map(|code| code & 0xf0);
        if direction.lost || code.is_none() {
            if !filter.payload {
                tpkt.octets.fill(REDACTED);
            }
            return self.put(sent, &tpkt, filter, sink);
        }
        match code.filter(|_| tpkt.octets.len() >= HEADER_OCTETS) {
            Some(DT) => self.data(sent, tpkt, filter, sink),
            Some(ED) => {
                if !filter.payload {
                    redact_tsdu(&mut tpkt.octets[HEADER_OCTETS..], 0, true);
                }
                self.put(sent, &tpkt, filter, sink);
            }
            code => {
                let known = code.is_some_and(|code| CONTROL.contains(&code));
                if !known && !filter.payload {
                    let kept = tpkt.octets.len().min(TPKT_OCTETS + 2);
                    tpkt.octets[kept..].fill(REDACTED);
                }
                self.put(sent, &tpkt, filter, sink);
            }
        }
    }

    fn data(&mut self, sent: bool, mut tpkt: Tpkt, filter: &TapFilter, sink: &mut Sink) {
        let direction = &mut self.directions[usize::from(sent)];
        let last = tpkt.octets[HEADER_OCTETS - 1] & EOT != 0;
        if let Some(kept) = direction.rest_of {
            direction.rest_of = direction.rest_of.filter(|_| !last);
            if !filter.payload {
                tpkt.octets[HEADER_OCTETS..].fill(REDACTED);
            }
            return if kept { self.put(sent, &tpkt, filter, sink) } else { self.pass_over(sent, &tpkt) };
        }
        direction.pending_octets += tpkt.octets.len();
        direction.pending.push(tpkt);
        if last || direction.pending_octets > HEAD_OCTETS_MAX {
            let kept = self.tsdu(sent, last, filter, sink);
            self.directions[usize::from(sent)].rest_of = (!last).then_some(kept);
        }
    }

    /// Puts out what has come of a TSDU, if the tap is for it.
    fn tsdu(&mut self, sent: bool, whole: bool, filter: &TapFilter, sink: &mut Sink) -> bool {
        let direction = &mut self.directions[usize::from(sent)];
        let mut pending = std::mem::take(&mut direction.pending);
        direction.pending_octets = 0;
        // How much is to come is not known, only that there is more.
        let tail_octets = usize::from(!whole);
        let kept = match pending.as_mut_slice() {
            [tpkt] => keep(&mut tpkt.octets[HEADER_OCTETS..], tail_octets, filter),
            several => {
                let bodies = several.iter().map(|tpkt| &tpkt.octets[HEADER_OCTETS..]);
                let mut head = bodies.collect::<Vec<_>>().concat();
                let kept = keep(&mut head, tail_octets, filter);
                let mut rest = head.as_slice();
                for tpkt in several {
                    let (body, behind) = rest.split_at(tpkt.octets.len() - HEADER_OCTETS);
                    tpkt.octets[HEADER_OCTETS..].copy_from_slice(body);
                    rest = behind;
                }
                kept
            }
        };
        for tpkt in &pending {
            if kept { self.put(sent, tpkt, filter, sink) } else { self.pass_over(sent, tpkt) }
        }
        kept
    }

    fn pass_over(&mut self, sent: bool, tpkt: &Tpkt) {
        self.connection.skip(self.end_of(sent), tpkt.octets.len() as u64);
    }

    fn put(&mut self, sent: bool, tpkt: &Tpkt, filter: &TapFilter, sink: &mut Sink) {
        if filter.count.is_some_and(|max| sink.tpdus >= max) {
            return;
        }
        let moment = &tpkt.moment;
        if !self.shook_hands {
            self.shook_hands = true;
            let comment = format!("{}: addresses and TCP are made up where they are not known", self.about);
            self.connection.handshake(|segment| put(sink, moment.at, segment, segment.len(), &comment));
        }
        if self.commented != Some((moment.state, moment.next_serial)) {
            self.commented = Some((moment.state, moment.next_serial));
            self.comment = format!("{}, {}, V(M) {}", self.about, moment.state.name(), moment.next_serial);
        }
        let from = self.end_of(sent);
        let mut kept = filter.snap.unwrap_or(usize::MAX);
        let mut segment = std::mem::take(&mut sink.segment);
        for part in tpkt.octets.chunks(SEGMENT_OCTETS_MAX) {
            let headers = self.connection.header_octets();
            self.connection.segment(from, Flag::Push, part, &mut segment);
            let captured = headers + part.len().min(kept);
            kept = kept.saturating_sub(part.len());
            put(sink, moment.at, &segment[..captured], segment.len(), &self.comment);
        }
        sink.segment = segment;
        sink.tpdus += 1;
    }
}

impl Direction {
    fn untaken(&self) -> &[u8] {
        &self.partial[self.taken..]
    }

    /// Takes the next whole TPKT; where there is none, but octets that are no TPKT, these.
    fn next_tpkt(&mut self) -> Option<Vec<u8>> {
        let untaken = &self.partial[self.taken..];
        self.lost |= *untaken.first()? != 3;
        let mut octets = match *untaken {
            _ if self.lost => untaken.len(),
            [_, _, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
            _ => return None,
        };
        if octets < TPKT_OCTETS {
            self.lost = true;
            octets = untaken.len();
        }
        let tpkt = untaken.get(..octets)?.to_vec();
        self.taken += octets;
        Some(tpkt)
    }

    /// Lets go what was taken, once for all TPKTs of a run.
    fn forget_taken(&mut self) {
        self.partial.drain(..self.taken);
        self.taken = 0;
    }
}

fn put(sink: &mut Sink, at: u64, octets: &[u8], octets_in_all: usize, comment: &str) {
    pcapng::packet(&mut sink.octets, &Packet { at, octets, octets_in_all, comment });
    sink.packets += 1;
}

/// True where the tap is for the TSDU that begins with `head`, which is redacted then, if it is to be.
fn keep(head: &mut [u8], tail_octets: usize, filter: &TapFilter) -> bool {
    let kept = filter.spdus.is_empty() || has_one_of(head, tail_octets, &filter.spdus);
    if kept && !filter.payload {
        redact_tsdu(head, tail_octets, false);
    }
    kept
}

/// True where a TSDU has an SPDU of one of these kinds.
fn has_one_of(head: &[u8], tail_octets: usize, kinds: &[SpduKind]) -> bool {
    if tail_octets > 0 && must_be_contiguous(head) {
        return false;
    }
    let mut tsdu = Tsdu::with_tail(head, tail_octets);
    std::iter::from_fn(|| tsdu.next_spdu(&DecodeRules::LENIENT).ok().flatten())
        .any(|view| kinds.contains(&view.kind))
}

/// An address that a peer may well see at the other end of its connection.
fn near(peer: IpAddr) -> IpAddr {
    match peer {
        peer if peer.is_loopback() => peer,
        // Of the networks that are kept for documentation: nobody takes them for real.
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    }
}

fn at_or_near(address: SocketAddr, peer: IpAddr) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { near(peer) } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use colloquy_session::State;
    use colloquy_shard::SessionId;

    use super::*;
    use crate::tap::filter::TapRequest;

    fn dt(body: &[u8], last: bool) -> Vec<u8> {
        let octets = (body.len() + HEADER_OCTETS) as u16;
        [&[3, 0], &octets.to_be_bytes()[..], &[2, DT, if last { EOT } else { 0 }], body].concat()
    }

    fn stream() -> Stream {
        let introduction = Introduction {
            peer: ([10, 0, 0, 2], 5000).into(),
            initiates: false,
            listener: None,
            target: None,
            under_way: false,
            undecided: false,
        };
        let name = SessionName { shard: 0, session: SessionId { index: 7, generation: 2 } };
        Stream::new((0, name), &introduction, &Config::default(), false)
    }

    fn run(octets: &[u8]) -> Run {
        Run {
            at: 1,
            sent: false,
            state: State::Sta713,
            next_serial: 4,
            resumes: false,
            left_out: 0,
            octets: octets.to_vec(),
        }
    }

    fn filter(request: TapRequest) -> TapFilter {
        request.try_into().unwrap()
    }

    fn contains(octets: &[u8], part: &[u8]) -> bool {
        octets.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_tsdu_over_several_tpdus_is_redacted_however_it_is_cut() {
        let octets =
            [dt(b"\x01\x00\x01\x00sec", false), dt(b"ret", true), dt(b"\x09\x05\xc1\x03bye", true)].concat();
        for size in 1..octets.len() {
            let (mut stream, mut sink) = (stream(), Sink::default());
            for part in octets.chunks(size) {
                stream.take(run(part), &TapFilter::default(), &mut sink);
            }
            assert_eq!((sink.tpdus, sink.packets), (3, 6));
            assert!(contains(&sink.octets, &dt(b"\x01\x00\x01\x00***", false)));
            assert!(contains(&sink.octets, &dt(b"***", true)));
            assert!(contains(&sink.octets, &dt(b"\x09\x05\xc1\x03***", true)));
            assert!(contains(&sink.octets, b"session 0-7.2, STA713, V(M) 4"));
        }
    }

    #[test]
    fn payload_is_kept_when_asked_for() {
        let (mut stream, mut sink) = (stream(), Sink::default());
        let payload = filter(TapRequest { payload: true, ..TapRequest::default() });
        stream.take(run(&dt(b"\x01\x00\x01\x00secret", true)), &payload, &mut sink);
        assert!(contains(&sink.octets, b"secret"));
    }

    #[test]
    fn only_tsdus_with_the_kinds_asked_for_are_there() {
        let (mut stream, mut sink) = (stream(), Sink::default());
        let finish = filter(TapRequest { spdu: vec!["FN".to_owned()], ..TapRequest::default() });
        let octets = [dt(b"\x01\x00\x01\x00da", false), dt(b"ta", true), dt(b"\x09\x00", true)].concat();
        stream.take(run(&octets), &finish, &mut sink);
        assert_eq!(sink.tpdus, 1);
        assert!(contains(&sink.octets, &dt(b"\x09\x00", true)));
    }

    #[test]
    fn what_was_cut_off_is_forgotten_where_it_goes_on() {
        let (mut stream, mut sink) = (stream(), Sink::default());
        stream.take(run(&dt(b"\x01\x00\x01\x00begun", true)[..9]), &TapFilter::default(), &mut sink);
        let next = Run { resumes: true, left_out: 700, ..run(&dt(b"\x09\x00", true)) };
        stream.take(next, &TapFilter::default(), &mut sink);
        assert_eq!(sink.tpdus, 1);
        // Behind the SYN, the 9 octets that came and the 700 that did not.
        let mut segment = Vec::new();
        stream.connection.segment(0, Flag::Ack, &[], &mut segment);
        assert_eq!(segment[24..28], (710u32 + 9).to_be_bytes());
    }

    #[test]
    fn what_is_no_tpkt_and_the_rest_of_a_long_tsdu_are_redacted_whole() {
        let (mut stream, mut sink) = (stream(), Sink::default());
        stream.take(run(&dt(b"\x01\x00\x01\x00first", false)), &TapFilter::default(), &mut sink);
        for _ in 0..HEAD_OCTETS_MAX / 60_000 + 2 {
            stream.take(run(&dt(&[b's'; 60_000], false)), &TapFilter::default(), &mut sink);
        }
        stream.take(run(&dt(b"\x01\x00\x01\x00secret", true)), &TapFilter::default(), &mut sink);
        assert!(!contains(&sink.octets, b"secret") && !contains(&sink.octets, b"ssss"));
        stream.take(run(b"GET /secret HTTP/1.1"), &TapFilter::default(), &mut sink);
        stream.take(run(b"secret again"), &TapFilter::default(), &mut sink);
        assert!(!contains(&sink.octets, b"secret"));
    }
}
