//! Brings a machine into each of its states, by valid SPDUs and primitives.

use colloquy_session::machine::{Arguments, Event, Spm, Variables};
use colloquy_session::{
    FunctionalUnits as Fu, Request, ResyncType, ResynchronizeParameters, State, TokenSide, Tokens,
};

use super::super::context::tokens_of;
use super::super::octets::{self, resync, spdu, unit};
use super::super::purpose::Stop;
use super::{Setup, Upper};

/// Every state with a transport connection, but STA01B, which the transport leaves by itself.
pub(crate) const STATES: [State; 30] = [
    State::Sta01A,
    State::Sta01C,
    State::Sta01D,
    State::Sta02A,
    State::Sta02B,
    State::Sta03,
    State::Sta04A,
    State::Sta04B,
    State::Sta05A,
    State::Sta05B,
    State::Sta05C,
    State::Sta06,
    State::Sta08,
    State::Sta09,
    State::Sta10A,
    State::Sta10B,
    State::Sta11A,
    State::Sta11B,
    State::Sta11C,
    State::Sta15A,
    State::Sta15B,
    State::Sta15C,
    State::Sta15D,
    State::Sta16,
    State::Sta18,
    State::Sta19,
    State::Sta20,
    State::Sta21,
    State::Sta22,
    State::Sta713,
];

/// Units with points and resynchronization, without activities.
pub(crate) const POINTS: Fu =
    Fu::DUPLEX.union(Fu::MINOR_SYNC).union(Fu::MAJOR_SYNC).union(Fu::RESYNCHRONIZE).union(Fu::TYPED_DATA);
/// Units with activities.
pub(crate) const ACTIVITIES: Fu =
    Fu::DUPLEX.union(Fu::MINOR_SYNC).union(Fu::ACTIVITY).union(Fu::CAPABILITY_DATA);
/// Units with exceptions.
pub(crate) const EXCEPTIONS: Fu = Fu::HALF_DUPLEX.union(Fu::EXCEPTIONS);

/// S-RESYNCHRONIZE request abandon.
pub(super) const ABANDON: Request<'static> = Request::Resynchronize(ResynchronizeParameters {
    resync_type: ResyncType::Abandon,
    serial_number: None,
    token_settings: None,
    user_data: &[],
    second: None,
});

/// A machine in this state; what was sent and indicated on the way is taken.
pub(crate) fn reach(state: State) -> Result<Upper, Stop> {
    let mut u = way(state)?;
    while !u.iut.borrow().out.is_empty() {
        let _ = u.low.next();
    }
    u.iut.borrow_mut().seen.clear();
    u.is(state)?;
    Ok(u)
}

fn way(state: State) -> Result<Upper, Stop> {
    match state {
        State::Sta01C => Ok(Setup::of(Fu::DUPLEX).waiting()),
        State::Sta01D => {
            let mut u = Setup::of(Fu::DUPLEX).waiting();
            let item = unit(5, &[unit(19, &[0]), unit(22, &[2])].concat());
            u.low.send(&spdu(13, &[item, unit(20, &[0, 2]), unit(60, &[1]), unit(194, &[0; 10_240])]));
            Ok(u)
        }
        State::Sta02A => Setup::of(Fu::DUPLEX).connecting(),
        State::Sta02B => Setup::of(Fu::DUPLEX).connecting_with(&[0; 10_241]),
        State::Sta08 => Setup::of(Fu::DUPLEX).indicated(),
        State::Sta01A => asked(Setup::of(Fu::DUPLEX).reuse(), &[Request::Abort { user_data: &[] }]),
        State::Sta03 => asked(Setup::of(Fu::DUPLEX), &[Request::Release { user_data: &[] }]),
        State::Sta16 => asked(Setup::of(Fu::DUPLEX), &[Request::Abort { user_data: &[] }]),
        State::Sta04A => asked(Setup::of(POINTS), &[Request::SyncMajor { user_data: &[] }]),
        State::Sta05A => asked(Setup::of(POINTS), &[ABANDON]),
        State::Sta04B => asked(Setup::of(ACTIVITIES), &[START, Request::ActivityEnd { user_data: &[] }]),
        State::Sta05B => {
            asked(Setup::of(ACTIVITIES), &[START, Request::ActivityInterrupt { reason: 0, user_data: &[] }])
        }
        State::Sta05C => {
            asked(Setup::of(ACTIVITIES), &[START, Request::ActivityDiscard { reason: 0, user_data: &[] }])
        }
        State::Sta18 => asked(Setup::of(ACTIVITIES), &[Request::ControlGive { user_data: &[] }]),
        State::Sta21 => asked(Setup::of(ACTIVITIES), &[Request::CapabilityData { user_data: &[] }]),
        State::Sta19 => {
            let setup = Setup::of(EXCEPTIONS).tokens(TokenSide::Responder);
            asked(setup, &[Request::UserException { reason: 0, user_data: &[] }])
        }
        State::Sta06 => {
            let mut u = asked(Setup::of(POINTS).expedited(), &[ABANDON])?;
            u.low.send_expedited(&octets::prepare(2));
            Ok(u)
        }
        State::Sta15A => {
            let mut u = asked(Setup::of(POINTS).expedited(), &[Request::SyncMajor { user_data: &[] }])?;
            u.low.send_expedited(&octets::prepare(1));
            Ok(u)
        }
        State::Sta15C => {
            let mut u = asked(Setup::of(POINTS).expedited(), &[ABANDON])?;
            u.low.send_expedited(&octets::prepare(3));
            Ok(u)
        }
        _ => told(state),
    }
}

const START: Request<'static> = Request::ActivityStart { identifier: b"ACT1", user_data: &[] };

/// An initiator whose user has asked for these.
fn asked(setup: Setup, requests: &[Request<'_>]) -> Result<Upper, Stop> {
    let mut u = setup.initiator()?;
    requests.iter().try_for_each(|request| u.ask(request))?;
    Ok(u)
}

/// A responder that was told something by the tester.
fn told(state: State) -> Result<Upper, Stop> {
    let (setup, tsdus) = match state {
        State::Sta09 => (Setup::of(Fu::DUPLEX), vec![octets::finish(&[])]),
        State::Sta10A => (Setup::of(POINTS), vec![octets::map(1)]),
        State::Sta11A => (Setup::of(POINTS), vec![octets::rs(resync::ABANDON, 1, Some(0))]),
        State::Sta10B => (Setup::of(ACTIVITIES), vec![octets::activity_start(b"A"), octets::ae(1)]),
        State::Sta11B => {
            (Setup::of(ACTIVITIES), vec![octets::activity_start(b"A"), octets::activity_interrupt(0)])
        }
        State::Sta11C => {
            (Setup::of(ACTIVITIES), vec![octets::activity_start(b"A"), octets::activity_discard(0)])
        }
        State::Sta22 => (Setup::of(ACTIVITIES), vec![octets::capability_data(&[])]),
        State::Sta20 => (Setup::of(EXCEPTIONS).tokens(TokenSide::Responder), vec![octets::exception_data(0)]),
        _ => (Setup::of(POINTS), Vec::new()),
    };
    let prepared = match state {
        State::Sta15B => Some(2),
        State::Sta15D => Some(4),
        _ => None,
    };
    let setup = if prepared.is_some() { setup.expedited() } else { setup };
    let mut u = setup.responder()?;
    tsdus.iter().for_each(|tsdu| u.low.send(tsdu));
    if let Some(kind) = prepared {
        u.low.send_expedited(&octets::prepare(kind));
    }
    Ok(u)
}

/// The tester's own model of a machine in this state: what the tables say about the events that lead there.
pub(crate) fn model(state: State) -> Spm {
    use Event::*;
    let asked = |units: Fu, expedited: bool, events: &[Event]| modelled(units, true, expedited, events);
    let told = |units: Fu, expedited: bool, events: &[Event]| modelled(units, false, expedited, events);
    match state {
        State::Sta02A | State::Sta02B => Spm::at(state, Variables::new(), &[]),
        State::Sta01C | State::Sta01D | State::Sta08 => {
            Spm::at(state, Variables { vtca: true, ..Variables::new() }, &[])
        }
        State::Sta01A => {
            let reuse =
                Variables { keep_transport: true, offer_reuse: true, ..in_data(Fu::DUPLEX, true, false) };
            let mut spm = Spm::at(State::Sta713, reuse, &[]);
            spm.fire(SUAbReq, &Arguments::NONE);
            spm
        }
        State::Sta19 => {
            let without = Variables { tokens_owned: Tokens::empty(), ..in_data(EXCEPTIONS, true, false) };
            let mut spm = Spm::at(State::Sta713, without, &[]);
            spm.fire(SUErReq, &Arguments::NONE);
            spm
        }
        State::Sta20 => {
            let with = Variables { tokens_owned: Tokens::DATA, ..in_data(EXCEPTIONS, false, false) };
            let mut spm = Spm::at(State::Sta713, with, &[]);
            spm.fire(Ed, &Arguments::NONE);
            spm
        }
        State::Sta03 => asked(Fu::DUPLEX, false, &[SRelReq]),
        State::Sta16 => asked(Fu::DUPLEX, false, &[SUAbReq]),
        State::Sta04A => asked(POINTS, false, &[SSynMajReq]),
        State::Sta05A => asked(POINTS, false, &[SRsynReqA]),
        State::Sta04B => asked(ACTIVITIES, false, &[SActSReq, SActEReq]),
        State::Sta05B => asked(ACTIVITIES, false, &[SActSReq, SActIReq]),
        State::Sta05C => asked(ACTIVITIES, false, &[SActSReq, SActDReq]),
        State::Sta18 => asked(ACTIVITIES, false, &[SCgReq]),
        State::Sta21 => asked(ACTIVITIES, false, &[SCdReq]),
        State::Sta06 => asked(POINTS, true, &[SRsynReqA, PrRs]),
        State::Sta15A => asked(POINTS, true, &[SSynMajReq, PrMaa]),
        State::Sta15C => asked(POINTS, true, &[SRsynReqA, PrRa]),
        State::Sta09 => told(Fu::DUPLEX, false, &[FnNr]),
        State::Sta10A => told(POINTS, false, &[Map]),
        State::Sta11A => told(POINTS, false, &[RsA]),
        State::Sta10B => told(ACTIVITIES, false, &[As, Ae]),
        State::Sta11B => told(ACTIVITIES, false, &[As, Ai]),
        State::Sta11C => told(ACTIVITIES, false, &[As, Ad]),
        State::Sta22 => told(ACTIVITIES, false, &[Cd]),
        State::Sta15B => told(POINTS, true, &[PrRs]),
        State::Sta15D => told(POINTS, true, &[PrAb]),
        _ => told(POINTS, false, &[]),
    }
}

/// Variables in data transfer: an initiator has all tokens, a responder none.
fn in_data(units: Fu, initiator: bool, expedited: bool) -> Variables {
    let tokens_owned = if initiator { tokens_of(units) } else { Tokens::empty() };
    let variables = Variables::new();
    Variables { functional_units: units, tokens_owned, vtca: !initiator, texp: expedited, ..variables }
}

fn modelled(units: Fu, initiator: bool, expedited: bool, events: &[Event]) -> Spm {
    let mut spm = Spm::at(State::Sta713, in_data(units, initiator, expedited), &[]);
    for event in events {
        // Every number on the way is V(M), which is 1.
        spm.fire(*event, &Arguments { serial: Some(1), ..Arguments::NONE });
    }
    spm
}
