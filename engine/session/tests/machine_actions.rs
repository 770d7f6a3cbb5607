//! What actions do to the serial number variables, tokens and flags: the operation table and the worked
//! sequence of the reference (section 6), on two machines without octets.

use colloquy_session::machine::{Arguments, Cause, Event, Output, Queued, Spm, Variables, Vrsp};
use colloquy_session::{FunctionalUnits as Fu, State, Tokens};

const UNITS: Fu = Fu::HALF_DUPLEX.union(Fu::MINOR_SYNC).union(Fu::MAJOR_SYNC).union(Fu::RESYNCHRONIZE);
const ACTIVITY: Fu = Fu::HALF_DUPLEX.union(Fu::MINOR_SYNC).union(Fu::ACTIVITY).union(Fu::EXCEPTIONS);
const ALL: Tokens = Tokens::DATA.union(Tokens::MINOR).union(Tokens::MAJOR);

fn number(sn: u32) -> Arguments {
    Arguments { serial: Some(sn), ..Arguments::NONE }
}

/// Fires an event that a row must take.
fn fire(spm: &mut Spm, event: Event, arguments: &Arguments) {
    let outcome = spm.fire(event, arguments);
    assert!(matches!(outcome.cause, Cause::Row(_)), "{event:?} {arguments:?} in {spm:?}");
}

/// V(A), V(M), V(R), Vsc.
fn numbers(spm: &Spm) -> (u32, u32, u32, bool) {
    let v = spm.variables();
    (v.v_a, v.v_m, v.v_r, v.vsc)
}

/// Initiator and responder in STA713 with these units, all tokens at the initiator.
fn pair(units: Fu, sn: Option<u32>) -> (Spm, Spm) {
    let begin = |positions| Arguments { functional_units: units, serial: sn, positions, ..Arguments::NONE };
    let mut i = Spm::default();
    fire(&mut i, Event::SConReq, &Arguments::NONE);
    fire(&mut i, Event::TConCnf, &Arguments::NONE);
    let mut r = Spm::default();
    fire(&mut r, Event::TConInd, &Arguments::NONE);
    fire(&mut r, Event::Cn, &Arguments::NONE);
    fire(&mut r, Event::SConRspPos, &begin(Tokens::empty()));
    fire(&mut i, Event::Ac, &begin(Tokens::all()));
    assert_eq!((i.state(), r.state()), (State::Sta713, State::Sta713));
    assert!(i.variables().tokens_owned == i.variables().tokens_available());
    assert!(!i.variables().vtca && r.variables().vtca);
    (i, r)
}

#[test]
fn the_worked_sequence_of_synchronization_points() {
    let (mut i, mut r) = pair(UNITS, Some(1));
    let both = |i: &Spm, r: &Spm| (numbers(i), numbers(r));
    assert_eq!(both(&i, &r), ((1, 1, 0, false), (1, 1, 0, false)));
    fire(&mut i, Event::SSynMinReq, &Arguments::NONE);
    fire(&mut r, Event::Mip, &number(1));
    assert_eq!(both(&i, &r), ((1, 2, 0, false), (1, 2, 0, true)));
    fire(&mut i, Event::SSynMinReq, &Arguments::NONE);
    fire(&mut r, Event::Mip, &number(2));
    assert_eq!(both(&i, &r), ((1, 3, 0, false), (1, 3, 0, true)));
    fire(&mut r, Event::SSynMinRsp, &number(1));
    fire(&mut i, Event::Mia, &number(1));
    assert_eq!(both(&i, &r), ((2, 3, 0, false), (2, 3, 0, true)));
    fire(&mut i, Event::SGtReq, &Arguments::tokens(Tokens::MINOR | Tokens::DATA));
    fire(&mut r, Event::Gt, &Arguments::tokens(Tokens::MINOR | Tokens::DATA));
    assert_eq!(i.variables().tokens_owned, Tokens::MAJOR);
    assert_eq!(r.variables().tokens_owned, Tokens::MINOR | Tokens::DATA);
    fire(&mut r, Event::SSynMinReq, &Arguments::NONE);
    fire(&mut i, Event::Mip, &number(3));
    assert_eq!(both(&i, &r), ((3, 4, 0, true), (3, 4, 0, false)));
    // The right to confirm point 2 is lost with it.
    assert!(!r.fire(Event::SSynMinRsp, &number(2)).is_accepted());
    fire(&mut r, Event::SGtReq, &Arguments::tokens(Tokens::MINOR | Tokens::DATA));
    fire(&mut i, Event::Gt, &Arguments::tokens(Tokens::MINOR | Tokens::DATA));
    fire(&mut i, Event::SSynMajReq, &Arguments::NONE);
    fire(&mut r, Event::Map, &number(4));
    assert_eq!((i.state(), r.state()), (State::Sta04A, State::Sta10A));
    assert_eq!(both(&i, &r), ((4, 5, 0, false), (4, 5, 0, false)));
    fire(&mut r, Event::SSynMajRsp, &number(4));
    fire(&mut i, Event::Maa, &number(4));
    assert_eq!(both(&i, &r), ((5, 5, 5, false), (5, 5, 5, false)));
    fire(&mut i, Event::SRsynReqR, &number(5));
    fire(&mut r, Event::RsR, &number(5));
    assert_eq!((r.state(), r.variables().vrsp, r.variables().vrspnb), (State::Sta11A, Vrsp::R, 5));
    assert!(r.variables().discard_rcv_flow && r.variables().discard_snd_flow);
    fire(&mut r, Event::SRsynRsp, &Arguments { positions: ALL, ..number(5) });
    fire(&mut i, Event::Ra, &number(5));
    assert_eq!(both(&i, &r), ((5, 5, 5, false), (5, 5, 5, false)));
    assert_eq!((i.variables().tokens_owned, r.variables().tokens_owned), (Tokens::empty(), ALL));
    assert_eq!((i.variables().vrsp, i.variables().discard_rcv_flow), (Vrsp::No, false));
}

#[test]
fn abandon_and_set_put_the_numbers_and_forget_the_lower_limit() {
    // Abandon: the higher V(M) of the two counts.
    let v = Variables { functional_units: UNITS, v_m: 9, v_a: 7, v_r: 5, vtca: true, ..Variables::new() };
    let mut r = Spm::at(State::Sta713, v, &[]);
    fire(&mut r, Event::RsA, &number(4));
    assert_eq!((r.variables().v_m, r.variables().vrsp), (9, Vrsp::A));
    assert!(!r.fire(Event::SRsynRsp, &number(4)).is_accepted());
    fire(&mut r, Event::SRsynRsp, &number(9));
    assert_eq!(numbers(&r), (9, 9, 0, false));
    let mut r = Spm::at(State::Sta713, v, &[]);
    fire(&mut r, Event::RsA, &number(12));
    fire(&mut r, Event::SRsynRsp, &number(12));
    assert_eq!(numbers(&r), (12, 12, 0, false));
    // The requester takes an answer that is not below its own V(M).
    let mut i = Spm::at(State::Sta713, Variables { vtca: false, ..v }, &[]);
    fire(&mut i, Event::SRsynReqA, &number(9));
    assert!(matches!(i.fire(Event::Ra, &number(8)).cause, Cause::ProtocolError));
    let mut i = Spm::at(State::Sta713, Variables { vtca: false, ..v }, &[]);
    fire(&mut i, Event::SRsynReqA, &number(9));
    fire(&mut i, Event::Ra, &number(11));
    assert_eq!(numbers(&i), (11, 11, 0, false));
    // Set: any number; restart keeps V(R).
    for (request, number_set, v_r) in
        [(Event::SRsynReqS, 0, 0), (Event::SRsynReqS, 999_999, 0), (Event::SRsynReqR, 6, 5)]
    {
        let mut i = Spm::at(State::Sta713, Variables { vtca: false, ..v }, &[]);
        fire(&mut i, request, &number(number_set));
        fire(&mut i, Event::Ra, &number(number_set));
        assert_eq!(numbers(&i), (number_set, number_set, v_r, false), "{request:?}");
    }
    // A restart below V(R) is refused here and a protocol error from there.
    let mut i = Spm::at(State::Sta713, v, &[]);
    assert!(!i.fire(Event::SRsynReqR, &number(4)).is_accepted());
    assert!(matches!(i.fire(Event::RsR, &number(4)).cause, Cause::ProtocolError));
}

#[test]
fn an_activity_from_start_to_end_and_the_next_one_resumed() {
    let (mut i, mut r) = pair(ACTIVITY, None);
    fire(&mut i, Event::SActSReq, &Arguments::NONE);
    fire(&mut r, Event::As, &Arguments::NONE);
    for spm in [&i, &r] {
        assert_eq!(numbers(spm), (1, 1, 1, false));
        assert!(spm.variables().vact);
    }
    assert!(!i.fire(Event::SActSReq, &Arguments::NONE).is_accepted(), "one activity at a time");
    fire(&mut i, Event::SActEReq, &Arguments::NONE);
    fire(&mut r, Event::Ae, &number(1));
    assert_eq!((i.state(), r.state()), (State::Sta04B, State::Sta10B));
    assert!(!i.variables().vnextact && !r.variables().vnextact);
    fire(&mut r, Event::SActERsp, &number(1));
    fire(&mut i, Event::Aea, &number(1));
    for spm in [&i, &r] {
        assert_eq!(numbers(spm), (2, 2, 2, false));
        assert!(!spm.variables().vact, "the activity is over");
    }
    fire(&mut i, Event::SActRReq, &number(7));
    fire(&mut r, Event::Ar, &number(7));
    for spm in [&i, &r] {
        assert_eq!(numbers(spm), (8, 8, 1, false));
        assert!(spm.variables().vact);
    }
}

#[test]
fn a_major_point_leaves_the_activity_in_progress() {
    let (mut i, mut r) = pair(ACTIVITY | Fu::MAJOR_SYNC, None);
    fire(&mut i, Event::SActSReq, &Arguments::NONE);
    fire(&mut r, Event::As, &Arguments::NONE);
    fire(&mut i, Event::SSynMajReq, &Arguments::NONE);
    fire(&mut r, Event::Map, &number(1));
    fire(&mut r, Event::SSynMajRsp, &number(1));
    fire(&mut i, Event::Maa, &number(1));
    assert!(i.variables().vact && r.variables().vact);
}

#[test]
fn interrupt_discard_and_control_move_all_tokens() {
    for (request, indication, response, confirm) in [
        (Event::SActIReq, Event::Ai, Event::SActIRsp, Event::Aia),
        (Event::SActDReq, Event::Ad, Event::SActDRsp, Event::Ada),
    ] {
        let (mut i, mut r) = pair(ACTIVITY, None);
        fire(&mut i, Event::SActSReq, &Arguments::NONE);
        fire(&mut r, Event::As, &Arguments::NONE);
        fire(&mut i, Event::SGtReq, &Arguments::tokens(Tokens::DATA));
        fire(&mut r, Event::Gt, &Arguments::tokens(Tokens::DATA));
        fire(&mut i, request, &Arguments::NONE);
        fire(&mut r, indication, &Arguments::NONE);
        fire(&mut r, response, &Arguments::NONE);
        fire(&mut i, confirm, &Arguments::NONE);
        assert_eq!((i.variables().tokens_owned, r.variables().tokens_owned), (ALL, Tokens::empty()));
        assert!(!i.variables().vact && !r.variables().vact);
        assert_eq!((i.variables().vrsp, r.variables().vrsp), (Vrsp::No, Vrsp::No));
        assert!(!i.variables().discard_rcv_flow && !r.variables().discard_snd_flow);
        // Between activities, control passes whole.
        fire(&mut i, Event::SCgReq, &Arguments::NONE);
        fire(&mut r, Event::Gtc, &Arguments::NONE);
        fire(&mut i, Event::Gta, &Arguments::NONE);
        assert_eq!((i.variables().tokens_owned, r.variables().tokens_owned), (Tokens::empty(), ALL));
        assert_eq!((i.state(), r.state()), (State::Sta713, State::Sta713));
    }
}

#[test]
fn a_separated_point_is_remembered_until_the_next_resynchronization() {
    let (mut i, mut r) = pair(UNITS | Fu::DATA_SEPARATION, Some(4));
    fire(&mut i, Event::SSynMinDsReq, &Arguments::NONE);
    fire(&mut r, Event::MipD, &number(4));
    assert_eq!((i.variables().v_ado, i.variables().v_adi), (4, -1));
    assert_eq!((r.variables().v_ado, r.variables().v_adi), (-1, 4));
    fire(&mut i, Event::SRsynReqS, &number(1));
    fire(&mut r, Event::RsS, &number(1));
    fire(&mut r, Event::SRsynRsp, &number(1));
    fire(&mut i, Event::Ra, &number(1));
    assert_eq!((i.variables().v_ado, r.variables().v_adi), (-1, -1));
}

#[test]
fn a_new_session_forgets_the_variables_of_the_last_one() {
    let v =
        Variables { vcoll: true, vdnr: true, vsc: true, vrsp: Vrsp::S, v_r: 7, v_ado: 3, ..Variables::new() };
    let mut i = Spm::at(State::Sta02A, v, &[]);
    fire(&mut i, Event::Ac, &Arguments { functional_units: Fu::DUPLEX, ..number(30) });
    let expected = Variables { functional_units: Fu::DUPLEX, v_a: 30, v_m: 30, ..Variables::new() };
    assert_eq!(*i.variables(), expected);
}

#[test]
fn what_overtook_the_accept_is_replayed_after_it_in_order() {
    let v = Variables::new();
    let mut i = Spm::at(State::Sta02A, v, &[]);
    fire(&mut i, Event::Ex, &Arguments::NONE);
    fire(&mut i, Event::PrRs, &Arguments::NONE);
    assert_eq!(i.queue().len(), 2);
    let units = UNITS | Fu::EXPEDITED;
    let accept = Arguments { functional_units: units, transport_expedited: true, ..number(1) };
    let outcome = i.fire(Event::Ac, &accept);
    assert!(outcome.effects.replay);
    let (queued, outcome) = i.replay().expect("EX");
    assert_eq!((queued.event, &outcome.outputs[..]), (Event::Ex, &[Output::SExInd][..]));
    let (queued, _) = i.replay().expect("PR-RS");
    assert_eq!((queued.event, i.state()), (Event::PrRs, State::Sta15B));
    assert!(i.replay().is_none());
    assert!(i.queue().is_empty());
}

#[test]
fn an_event_that_is_queued_again_waits_for_the_next_replay() {
    let queue = [Queued { event: Event::PrRs, arguments: Arguments::NONE }];
    // Between activities a PR-RS waits in STA713, also when it comes out of the queue there.
    let v = Variables { functional_units: ACTIVITY, texp: true, ..Variables::new() };
    let mut r = Spm::at(State::Sta02A, v, &queue);
    fire(
        &mut r,
        Event::Ac,
        &Arguments { functional_units: ACTIVITY, transport_expedited: true, ..Arguments::NONE },
    );
    assert!(r.replay().is_some());
    assert_eq!((r.state(), r.queue().len()), (State::Sta713, 1));
    assert!(r.replay().is_none(), "once per replay");
}

#[test]
fn the_queue_is_bounded_and_ends_with_the_session() {
    let mut i = Spm::at(State::Sta02A, Variables::new(), &[]);
    for _ in 0..colloquy_session::machine::QUEUED_EVENTS_MAX {
        fire(&mut i, Event::Ex, &Arguments::NONE);
    }
    assert!(matches!(i.fire(Event::Ex, &Arguments::NONE).cause, Cause::ProtocolError));
    assert_eq!((i.state(), i.queue().len()), (State::Sta16, 0));
}

#[test]
fn an_exception_is_reported_only_by_who_lacks_the_data_token_in_the_data_phase() {
    let units = Fu::HALF_DUPLEX | Fu::EXCEPTIONS;
    let v = Variables { functional_units: units, ..Variables::new() };
    let mut spm = Spm::at(State::Sta713, v, &[]);
    let outcome = spm.exception_report().expect("p50 holds");
    assert!(matches!(outcome.cause, Cause::ExceptionReported));
    assert_eq!(&outcome.outputs[..], [Output::SPErInd, Output::Er]);
    assert_eq!((spm.state(), *spm.variables()), (State::Sta20, v));
    assert!(spm.exception_report().is_none(), "once");
    // What the peer does with it, and the way out: the token comes back.
    let mut peer = Spm::at(State::Sta713, Variables { tokens_owned: Tokens::DATA, ..v }, &[]);
    fire(&mut peer, Event::Er, &Arguments::NONE);
    assert_eq!(peer.state(), State::Sta20);
    fire(&mut peer, Event::SGtReq, &Arguments::tokens(Tokens::DATA));
    fire(&mut spm, Event::Gt, &Arguments::tokens(Tokens::DATA));
    assert_eq!((spm.state(), peer.state()), (State::Sta713, State::Sta713));
    let refused = [
        (State::Sta713, Variables { tokens_owned: Tokens::DATA, ..v }),
        (State::Sta713, Variables { functional_units: Fu::HALF_DUPLEX, ..v }),
        (State::Sta713, Variables { functional_units: Fu::DUPLEX | Fu::EXCEPTIONS, ..v }),
        (State::Sta713, Variables { functional_units: units | Fu::ACTIVITY, ..v }),
        (State::Sta16, v),
        (State::Sta19, v),
    ];
    for (state, v) in refused {
        let mut spm = Spm::at(state, v, &[]);
        assert!(spm.exception_report().is_none(), "{state:?} {v:?}");
        assert_eq!((spm.state(), *spm.variables()), (state, v));
    }
}
