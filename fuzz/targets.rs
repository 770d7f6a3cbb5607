//! What each fuzz target does with its octets. Shared by cargo-fuzz and by the plain test that replays the
//! corpora, so that what a fuzzer once found stays found on machines without one.

use std::time::Duration;

use colloquy_session::spdu::{
    DecodeRules, Flow, Head, Spdu, SpduKind, SpduView, Tsdu, UnitData, concatenate, describe,
    processing_order,
};
use colloquy_session::{
    AcceptParameters, ConnectParameters, ConnectionIdentifier, Enclosure, FunctionalUnits, Indication,
    Selector, Session, SessionConfig, State, TokenSettings, Tokens, Transmit, Versions,
};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, EXPEDITED_OCTETS_MAX, Event};

/// TPKT and TPDU: a responder and an initiator fed the octets in pieces whose length the first octet sets.
pub(crate) fn transport(octets: &[u8]) {
    let Some((&first, rest)) = octets.split_first() else { return };
    let piece = usize::from(first).max(1);
    // Expedited data is agreed upon where the octets offer or confirm it.
    let config = Class0Config { tsdu_octets_max: 100_000, expedited: true, ..Class0Config::default() };
    for mut class0 in [Class0::responder(&config), Class0::initiator(&config)] {
        let mut out = TxBatch::new();
        if first % 2 == 1 {
            class0.connect_request(&ConnectTpdu::default(), &mut out);
        }
        for part in rest.chunks(piece) {
            class0.receive(Slice::from_vec(part.to_vec()));
            while let Some(event) = class0.next_event(&mut out) {
                match event {
                    Event::Connect(_) => class0.connect_response(&mut out),
                    Event::Data(body) => {
                        assert!(body.len() <= config.tsdu_octets_max);
                        class0.recycle(body.into_rest());
                    }
                    Event::Expedited(octets) => {
                        assert!(class0.expedited() && (1..=EXPEDITED_OCTETS_MAX).contains(&octets.len()));
                        assert_eq!(class0.expedited_request(&octets, &mut out), Ok(()));
                    }
                    _ => {}
                }
            }
            assert!(class0.held_octets() <= config.tsdu_octets_max + 70_000);
        }
    }
}

/// One TSDU, decoded strictly and tolerantly, whole and with a tail; what was decoded is encoded again, and
/// decoded again to the same.
pub(crate) fn spdu(octets: &[u8]) {
    for rules in [DecodeRules::LENIENT, DecodeRules::STRICT] {
        for tail_octets in [0, 5] {
            let mut tsdu = Tsdu::with_tail(octets, tail_octets);
            for _ in 0..=octets.len() {
                let Ok(Some(view)) = tsdu.next_spdu(&rules) else { break };
                if let Ok(spdu) = view.parse(&rules) {
                    encode(&spdu, tail_octets == 0);
                }
            }
        }
    }
    for flow in [Flow::Normal, Flow::Expedited] {
        let _ = describe::describe_tsdu(octets, flow, &DecodeRules::LENIENT).to_string();
    }
    concatenation(octets);
    unit_data(octets);
}

/// What is taken apart in the order of the wire is taken apart in processing order too, into the same SPDUs.
/// What may be concatenated of them again, a strict receiver takes.
fn concatenation(octets: &[u8]) {
    let rules = DecodeRules::LENIENT;
    let Some(by_wire) = views(octets, &rules, false) else { return };
    let in_order = views(octets, &rules, true).expect("the order does not make faults");
    let kinds: Vec<SpduKind> = by_wire.iter().map(|view| view.kind).collect();
    let mut order: Vec<usize> = processing_order(&kinds).collect();
    if matches!(kinds[..], [SpduKind::GiveTokens | SpduKind::PleaseTokens, _, ..]) {
        // The head is taken first, although it counts last.
        order.rotate_right(1);
    }
    assert_eq!(in_order, order.iter().map(|&index| by_wire[index]).collect::<Vec<_>>());

    let spdus: Option<Vec<Spdu<'_>>> = by_wire.iter().map(|view| view.parse(&rules).ok()).collect();
    let (head, behind) = match spdus.as_deref() {
        Some([Spdu::GiveTokens(give), behind @ ..]) => (Head::Give(*give), behind),
        Some([Spdu::PleaseTokens(please), behind @ ..]) => (Head::Please(*please), behind),
        _ => return,
    };
    let mut again = Vec::new();
    match concatenate(&head, behind, true, &mut again) {
        Ok(()) => {
            let strict = DecodeRules { extended_concatenation: true, ..DecodeRules::STRICT };
            let taken = views(&again, &strict, false).expect("what may be sent is taken");
            let is_same = |(view, kind): (&SpduView<'_>, &SpduKind)| view.kind.si() == kind.si();
            assert!(taken.len() == kinds.len() && taken.iter().zip(&kinds).all(is_same), "{kinds:?}");
        }
        Err(_) => assert!(again.is_empty(), "what may not be sent leaves nothing behind"),
    }
}

/// The SPDUs of a TSDU; `None` when it has a fault.
fn views<'a>(octets: &'a [u8], rules: &DecodeRules, in_order: bool) -> Option<Vec<SpduView<'a>>> {
    let mut tsdu = Tsdu::new(octets);
    let mut views = Vec::new();
    loop {
        let view = match in_order {
            true => tsdu.next_in_processing_order(rules),
            false => tsdu.next_spdu(rules),
        };
        match view.ok()? {
            Some(view) => views.push(view),
            None => return Some(views),
        }
    }
}

/// One T-UNIT-DATA: what was decoded is encoded again, and decoded again to the same.
fn unit_data(octets: &[u8]) {
    for rules in [DecodeRules::LENIENT, DecodeRules::STRICT] {
        let described = describe::describe_unit_data(octets, &rules);
        match UnitData::decode(octets, &rules) {
            Ok(unit_data) => {
                let mut encoded = Vec::new();
                unit_data.emit_into(&mut encoded);
                assert_eq!(encoded.len(), unit_data.encoded_octets());
                assert_eq!(UnitData::decode(&encoded, &DecodeRules::STRICT), Ok(unit_data));
                assert_eq!(described.error, None);
            }
            Err(fault) => assert!(fault.offset <= octets.len() && described.error == Some(fault)),
        }
        let _ = described.to_string();
    }
}

/// Whatever is tolerated in decoding may be refused in encoding, but must never be encoded as something else.
fn encode(spdu: &Spdu<'_>, is_whole: bool) {
    let mut encoded = Vec::new();
    if spdu.emit_into(&mut encoded).is_err() {
        assert!(encoded.is_empty(), "a refused SPDU leaves nothing behind");
        return;
    }
    assert_eq!(encoded.len(), spdu.encoded_octets());
    encoded.clear();
    spdu.emit_tsdu(&mut encoded).expect("it was emitted alone");
    let mut tsdu = Tsdu::new(&encoded);
    let mut last = None;
    while let Some(view) = tsdu.next_spdu(&DecodeRules::LENIENT).expect("what is emitted can be decoded") {
        last = Some(view.parse(&DecodeRules::LENIENT).expect("what is emitted can be parsed"));
    }
    if is_whole {
        let same = match (&last, spdu) {
            // Behind the first segment MAP and AE, which share their SI, carry nothing that tells them apart.
            (Some(Spdu::Segment(last)), Spdu::Segment(segment)) => {
                last.continues(segment.kind) && (last.end, last.user_data) == (segment.end, segment.user_data)
            }
            (last, spdu) => last.as_ref() == Some(spdu),
        };
        assert!(same, "{spdu:?} is decoded as {last:?} from {encoded:02x?}");
    }
}

/// A session machine fed TSDUs and requests: each step is an opcode, a length and that many octets.
pub(crate) fn tsdu_sequence(octets: &[u8]) {
    let mut rest = octets;
    let Some(role) = take(&mut rest) else { return };
    let config = SessionConfig { strict: role & 2 != 0, ..SessionConfig::default() };
    let mut session = if role & 1 == 0 { Session::responder(&config) } else { initiator(&config) };
    let mut now = Duration::ZERO;
    let mut over = transmit(&mut session);
    while let (false, Some(opcode), Some(length)) = (over, take(&mut rest), take(&mut rest)) {
        let (part, after) = rest.split_at(usize::from(length).min(rest.len()));
        rest = after;
        now += Duration::from_millis(u64::from(opcode));
        over = step(&mut session, opcode, part, now);
        if !over && session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
            over = transmit(&mut session);
        }
    }
    // What an owner does when the machine asks for T-DISCONNECT, or when the peer has gone.
    session.transport_disconnected(now);
    assert!(!transmit(&mut session), "there is no connection to end");
    assert_eq!(session.state(), State::Sta01);
}

/// Takes what there is to send; true when the machine wants the transport connection to end.
fn transmit(session: &mut Session) -> bool {
    let mut over = false;
    while let Some(transmit) = session.poll_transmit() {
        match transmit {
            Transmit::Tsdu(tsdu) => assert!(!tsdu.is_empty() && !over),
            _ => over = true,
        }
    }
    over
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    Some(first)
}

fn initiator(config: &SessionConfig) -> Session {
    let connect = ConnectParameters {
        identifier: ConnectionIdentifier::default(),
        calling: Selector::NULL,
        called: Selector::NULL,
        versions: Versions::V1 | Versions::V2,
        requirements: FunctionalUnits::HALF_DUPLEX | FunctionalUnits::DUPLEX,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tsdu_maximum_size: None,
        user_data: b"hello",
        second_initial_serial_number: None,
    };
    let mut session = Session::initiator(config, &connect).expect("these parameters are legal");
    session.transport_connected(Duration::ZERO, false);
    session
}

fn step(session: &mut Session, opcode: u8, part: &[u8], now: Duration) -> bool {
    let tokens = Tokens::from_bits_truncate(part.first().copied().unwrap_or(1));
    // Requests may be refused; then nothing has changed.
    let _ = match opcode % 10 {
        1 => session.data_request(part.len(), Enclosure::WHOLE).map(|segments| assert!(segments.count() > 0)),
        2 => session.token_give_request(now, tokens, &[]),
        3 => session.token_please_request(now, tokens, part),
        4 => session.release_request(now, part),
        5 => session.release_response(now, opcode > 100, part),
        6 => session.abort_request(now, part),
        _ => return receive(session, now, &mut Tsdu::new(part)),
    };
    transmit(session)
}

/// Gives the machine a TSDU, and an SPDU of which the TSDU brought the last segment; accepts what is asked for.
fn receive(session: &mut Session, now: Duration, tsdu: &mut Tsdu<'_>) -> bool {
    let mut over = false;
    while let Some(indication) = session.handle_tsdu(now, tsdu) {
        over |= transmit(session);
        if let Indication::Connect(connect) = indication {
            session.connect_response(now, &accept(connect.requirements)).expect("it was just asked for");
            over |= transmit(session);
        }
    }
    over |= transmit(session);
    let _ = session.take_fault();
    match session.take_joined() {
        Some(joined) if !over => receive(session, now, &mut joined.tsdu()),
        _ => over,
    }
}

fn accept(requirements: FunctionalUnits) -> AcceptParameters<'static> {
    AcceptParameters {
        identifier: ConnectionIdentifier::default(),
        responding: None,
        requirements,
        initial_serial_number: None,
        token_settings: TokenSettings::default(),
        tokens_please: Tokens::empty(),
        tsdu_maximum_size: None,
        user_data: &[],
        second_initial_serial_number: None,
    }
}

/// Configuration files, one after the other behind NUL: any texts are a configuration or a list of faults, and a
/// configuration can be compared with itself and kept.
pub(crate) fn config(octets: &[u8]) {
    use colloquy_gateway::config::{diff, keep_restart_keys, load_strs};
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let files: Vec<(&str, &str)> = text.split('\0').map(|text| ("fuzz.toml", text)).collect();
    match load_strs(&files) {
        Err(faults) => assert!(!faults.to_string().is_empty()),
        Ok(loaded) => {
            let _ = loaded.warnings.to_string();
            assert!(!loaded.effective().is_empty());
            assert!(diff(&loaded, &loaded).is_empty());
            let kept = keep_restart_keys(&loaded, loaded.clone());
            assert_eq!(kept.config, loaded.config);
        }
    }
}
