//! Every SPDU in every state that can be reached: what the tables say, asked of the machine from outside.
//!
//! Beside the 147 purposes. The tester knows the state and the variables that it has brought the IUT to, so
//! that guards can be judged as the IUT must judge them; what comes out of the row, or of the blank cell, is
//! what it expects.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use colloquy_session::machine::tables::{self, Row};
use colloquy_session::machine::{Arguments, Event, Origin, Output, Spm, Variables};
use colloquy_session::{FunctionalUnits as Fu, State, TokenSide, Tokens};
use serde_json::json;

use super::bar::Bar;
use super::context::{Context, Facts, Proposal, Settings, all_at};
use super::dialogue::{Dialogue, shown};
use super::line::Arrival;
use super::octets::{self, resync, spdu, unit};
use super::purpose::{Stop, Verdict};
use super::report::{Deviating, Report};
use super::upper::reach;

/// A state as the tester can bring a responder into it over the network.
struct Scenario {
    state: State,
    units: Fu,
    tokens_at: TokenSide,
    /// The tester sends these after AC.
    way: fn() -> Vec<Vec<u8>>,
    /// V(M) then.
    v_m: u32,
    /// Vact then.
    active: bool,
    /// Prepare Type of a PR on the expedited flow, behind what leads there.
    prepared: Option<u8>,
}

const POINTS: Fu = reach::POINTS;
const ACTIVITIES: Fu = reach::ACTIVITIES;

/// States that a responder can be brought into without the help of its user.
static SCENARIOS: &[Scenario] = &[
    Scenario { way: Vec::new, ..DATA },
    Scenario { tokens_at: TokenSide::Responder, ..DATA },
    Scenario { units: Fu::DUPLEX, ..DATA },
    Scenario { units: ACTIVITIES, ..DATA },
    Scenario { units: ACTIVITIES, tokens_at: TokenSide::Responder, ..DATA },
    Scenario { units: ACTIVITIES, way: || vec![octets::activity_start(b"ACT1")], active: true, ..DATA },
    Scenario {
        units: Fu::HALF_DUPLEX.union(Fu::EXCEPTIONS).union(Fu::TYPED_DATA).union(Fu::NEGOTIATED_RELEASE),
        ..DATA
    },
    Scenario { state: State::Sta16, way: || vec![octets::gta()], ..DATA },
    Scenario { state: State::Sta15B, prepared: Some(2), ..DATA },
    Scenario { state: State::Sta15D, prepared: Some(4), ..DATA },
];

const DATA: Scenario = Scenario {
    state: State::Sta713,
    units: POINTS,
    tokens_at: TokenSide::Initiator,
    way: Vec::new,
    v_m: 1,
    active: false,
    prepared: None,
};

/// Walks the cells of a responder over the network.
pub(crate) fn walk(settings: &Settings, facts: &Facts, jobs: usize, bar: &Bar, report: &mut Report) {
    let context = Context { settings, facts };
    let mut tasks: Vec<(Option<&Scenario>, Event)> = Vec::new();
    for event in spdu_events() {
        tasks.push((None, event));
    }
    for scenario in SCENARIOS {
        let expedited = scenario.prepared.is_none() || facts.expedited;
        if expedited && facts.lacks(scenario.units).is_empty() && settings.units.contains(scenario.units) {
            tasks.extend(spdu_events().map(|event| (Some(scenario), event)));
        }
    }
    bar.begin("cells", tasks.len());
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((scenario, event)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bar.step();
                    let state = scenario.map_or(State::Sta01C, |scenario| scenario.state);
                    let verdict = match scenario {
                        Some(scenario) => over_network(&context, scenario, *event),
                        None => before_connect(&context, *event),
                    };
                    found
                        .lock()
                        .expect("nothing panics while it holds the list")
                        .push((state, *event, verdict));
                }
            });
        }
    });
    let found = found.into_inner().expect("nothing panics while it holds the list");
    found.into_iter().for_each(|(state, event, verdict)| note(report, "responder", state, event, verdict));
}

/// Walks the cells of a machine in this process, in the states that need its user too.
pub(crate) fn walk_user(report: &mut Report) {
    for state in reach::STATES {
        for event in spdu_events() {
            note(report, "user", state, event, in_process(state, event));
        }
    }
}

fn note(report: &mut Report, role: &'static str, state: State, event: Event, verdict: Verdict) {
    let cells = &mut report.cells;
    match verdict {
        Ok(()) => {
            cells.run += 1;
            cells.passed += 1;
        }
        Err(Stop::Deviation(deviation)) => {
            cells.run += 1;
            cells.failed += 1;
            let purpose = json!(format!("{state:?}/{}", event.name()));
            let title = format!("{} in {state:?}", event.name());
            report.deviations.push(Deviating::new(purpose, role, title, deviation));
        }
        Err(Stop::Skipped(_) | Stop::Unreachable(_)) => return,
    }
    let name = format!("{state:?}");
    if !cells.states.contains(&name) {
        cells.states.push(name);
    }
}

/// Events that a received SPDU raises and that octets tell apart: AEA has those of MAA.
fn spdu_events() -> impl Iterator<Item = Event> {
    Event::ALL.iter().copied().filter(|event| event.origin() == Origin::Spdu && *event != Event::Aea)
}

/// What the tables make of an event, as far as a peer can see it.
enum Expected {
    /// AB with the protocol error bit, where a session is up.
    ProtocolError,
    /// T-DISCONNECT and nothing else.
    Released,
    /// No protocol error: what is sent, if anything, is the row's and the user's.
    Taken(&'static Row),
    /// Nothing happens.
    Ignored,
}

/// Looks an event up with the variables of the tester's model.
fn expected(state: State, event: Event, variables: &Variables, number: u32) -> Expected {
    let arguments = arguments_of(event, number);
    let spm = Spm::at(state, *variables, &[]);
    match spm.row(event, &arguments) {
        Some(row) if row.outputs.contains(&Output::TDisReq) => Expected::Released,
        Some(row) => Expected::Taken(row),
        None => match state {
            State::Sta01C | State::Sta01D => Expected::Released,
            State::Sta01A | State::Sta16 => Expected::Ignored,
            _ => Expected::ProtocolError,
        },
    }
}

fn over_network(context: &Context<'_>, scenario: &Scenario, event: Event) -> Verdict {
    let Some(tsdu) = octets_of(event, scenario.v_m) else {
        return Err(Stop::Skipped("the SPDU has no octets of its own".to_owned()));
    };
    let variables = variables_of(scenario);
    let event = counts_as(event, &variables);
    let (tokens, expedited) = (Some(all_at(scenario.tokens_at)), variables.texp);
    let mut d = context.open_with(&Proposal { tokens, expedited, ..Proposal::of(scenario.units) })?;
    (scenario.way)().iter().for_each(|tsdu| d.send(tsdu));
    if scenario.state == State::Sta16 {
        d.expect_protocol_error()?;
    }
    if let Some(kind) = scenario.prepared {
        d.send_expedited(&octets::prepare(kind));
    }
    if expedited && is_expedited(event) {
        d.send_expedited(&tsdu);
    } else {
        d.send(&tsdu);
    }
    match expected(scenario.state, event, &variables, scenario.v_m) {
        _ if scenario.state == State::Sta16 => d.expect_ignored(),
        Expected::ProtocolError => d.expect_protocol_error(),
        _ if matches!(event, Event::AbNr | Event::AbR) => d.expect_abort_taken(),
        // Behind PR(AB) nothing but AB counts, of whatever unit it is.
        Expected::Taken(_) if scenario.state != State::Sta15D && !is_selected(event, &variables) => {
            d.expect_protocol_error()
        }
        Expected::Released => d.expect_released_past_answers(),
        Expected::Taken(row) => taken(&mut d, row),
        Expected::Ignored => d.expect_ignored(),
    }
}

/// The tester's model of the IUT, a responder, in the state of a scenario.
fn variables_of(scenario: &Scenario) -> Variables {
    let available = super::context::tokens_of(scenario.units);
    Variables {
        functional_units: scenario.units,
        tokens_owned: if scenario.tokens_at == TokenSide::Responder { available } else { Tokens::empty() },
        vtca: true,
        texp: scenario.prepared.is_some(),
        vact: scenario.active,
        v_m: scenario.v_m,
        v_a: scenario.v_m,
        v_r: u32::from(scenario.active),
        ..Variables::new()
    }
}

/// What is taken is no protocol error.
fn taken(d: &mut Dialogue, row: &Row) -> Verdict {
    match row.next {
        // DN and the kept transport connection: the session is over already.
        State::Sta01 | State::Sta01C | State::Sta16 => d.expect_anything_orderly(),
        _ => d.expect_no_error(),
    }
}

/// The first SPDU on a transport connection.
fn before_connect(context: &Context<'_>, event: Event) -> Verdict {
    if event == Event::Cn {
        return context.open(context.dialogue_units()?).map(|_| ());
    }
    let Some(tsdu) = octets_of(event, 1) else {
        return Err(Stop::Skipped("the SPDU has no octets of its own".to_owned()));
    };
    let mut d = context.transport()?;
    d.send(&tsdu);
    let may_answer = tables::cell(State::Sta01C, event).iter().any(|row| row.outputs.contains(&Output::Aa));
    let arrival = d.next();
    match &arrival {
        Arrival::Closed(_) => Ok(()),
        Arrival::Tsdu(octets) if may_answer && *octets == octets::abort_accept() => Ok(()),
        other => Err(d.deviation("T-DISCONNECT", shown(other))),
    }
}

/// One cell of a machine in this process: what its peer receives, what its user is told, and its state.
fn in_process(state: State, event: Event) -> Verdict {
    let mut u = reach::reach(state)?;
    let model = reach::model(state);
    let (v_a, v_m, v_r, vsc) = u.numbers();
    let v = *model.variables();
    let session =
        !matches!(state, State::Sta01A | State::Sta01C | State::Sta01D | State::Sta15D | State::Sta16);
    if session && !matches!(state, State::Sta02A | State::Sta02B | State::Sta08) {
        u.check((v_a, v_m, v_r, vsc) == (v.v_a, v.v_m, v.v_r, v.vsc), "the numbers of the model")?;
        u.check(u.tokens_owned() == v.tokens_owned, "the tokens of the model")?;
    }
    let Some(tsdu) = octets_of(event, v_m) else {
        return Err(Stop::Skipped("the SPDU has no octets of its own".to_owned()));
    };
    let event = counts_as(event, &v);
    if is_expedited(event) && v.texp {
        u.low.send_expedited(&tsdu);
    } else {
        u.low.send(&tsdu);
    }
    let outcome = outcome_of(model, event, v_m, session);
    let told: Vec<&str> = outcome.outputs.iter().filter_map(|output| indication_of(*output)).collect();
    u.saw(&told)?;
    u.check(u.state() == outcome.next, &format!("{:?}", outcome.next))?;
    // AB of a protocol error has at most 16 octets: with transport expedited it needs no PREPARE (8.4).
    let to_peer = |output: &&Output| indication_of(**output).is_none() && **output != Output::PrAb;
    for output in outcome.outputs.iter().filter(to_peer) {
        let arrival = u.low.next();
        let right = match (output, &arrival) {
            (Output::TDisReq, Arrival::Closed(_)) => true,
            (output, Arrival::Tsdu(octets) | Arrival::Expedited(octets)) => {
                octets.first() == si_of(*output).as_ref()
            }
            _ => false,
        };
        u.low.demand(right, output.name(), || shown(&arrival))?;
    }
    match outcome.next {
        State::Sta01 => Ok(()),
        _ => u.low.expect_quiet(),
    }
}

/// What the model makes of an event.
struct Outcome {
    outputs: Vec<Output>,
    next: State,
}

/// Runs an event through the model. An SPDU of a unit that is not selected is an error whatever its cell says.
fn outcome_of(mut model: Spm, event: Event, number: u32, session: bool) -> Outcome {
    let selected = is_selected(event, model.variables());
    let outcome = match session && !selected {
        true => model.protocol_error(),
        false => model.fire(event, &arguments_of(event, number)),
    };
    Outcome { outputs: outcome.outputs.to_vec(), next: model.state() }
}

/// The separation bit of a MIP is a reserved one where data separation was not selected, and ignored (2.6).
fn counts_as(event: Event, variables: &Variables) -> Event {
    match event {
        Event::MipD if !variables.fu(Fu::DATA_SEPARATION) => Event::Mip,
        event => event,
    }
}

/// False for SPDUs of units that were not selected, and for those of an expedited flow that there is not.
fn is_selected(event: Event, variables: &Variables) -> bool {
    if is_expedited(event) && !variables.texp {
        return false;
    }
    let units = unit_of(event);
    let negotiated = !variables.functional_units.is_empty();
    units.is_empty() || !negotiated || variables.functional_units.intersects(units)
}

/// The parameters of the SPDU that [`octets_of`] gives.
fn arguments_of(event: Event, number: u32) -> Arguments {
    let serial = match event {
        Event::Mia | Event::Maa => number.saturating_sub(1),
        _ => number,
    };
    let tokens = if matches!(event, Event::Gt | Event::Pt) { Tokens::DATA } else { Tokens::empty() };
    let functional_units = if event == Event::Ac { Fu::DUPLEX } else { Fu::empty() };
    let (kept, last) = (event == Event::FnR, event == Event::Cdo);
    Arguments { serial: Some(serial), tokens, kept, last, functional_units, ..Arguments::NONE }
}

fn is_expedited(event: Event) -> bool {
    matches!(event, Event::PrMaa | Event::PrRs | Event::PrRa | Event::PrAb | Event::Ex)
}

/// SI of an SPDU that answers another without the user; `None` for T-DISCONNECT.
fn si_of(output: Output) -> Option<u8> {
    Some(match output {
        Output::Aa => 26,
        Output::AbNr | Output::AbR => 25,
        Output::Gta => 22,
        Output::Oa => 16,
        Output::Cdo => 15,
        Output::RfNr | Output::RfR => 12,
        _ => return None,
    })
}

/// The indication of an output; `None` for what goes to the peer or to the transport.
fn indication_of(output: Output) -> Option<&'static str> {
    Some(match output {
        Output::SActDInd => "ActivityDiscard",
        Output::SActDCnf => "ActivityDiscardConfirm",
        Output::SActEInd => "ActivityEnd",
        Output::SActECnf => "ActivityEndConfirm",
        Output::SActIInd => "ActivityInterrupt",
        Output::SActICnf => "ActivityInterruptConfirm",
        Output::SActRInd => "ActivityResume",
        Output::SActSInd => "ActivityStart",
        Output::SCdInd => "CapabilityData",
        Output::SCdCnf => "CapabilityDataConfirm",
        Output::SCgInd => "ControlGive",
        Output::SConInd => "Connect",
        Output::SConCnfPos => "ConnectConfirm",
        Output::SConCnfNeg => "ConnectRefused",
        Output::SDtInd => "Data",
        Output::SExInd => "ExpeditedData",
        Output::STdInd => "TypedData",
        Output::SGtInd => "TokenGive",
        Output::SPtInd => "TokenPlease",
        Output::SRelInd => "Release",
        Output::SRelCnfPos | Output::SRelCnfNeg => "ReleaseConfirm",
        Output::SRsynInd => "Resynchronize",
        Output::SRsynCnf => "ResynchronizeConfirm",
        Output::SSynMajInd => "SyncMajor",
        Output::SSynMajCnf => "SyncMajorConfirm",
        Output::SSynMinInd | Output::SSynMinDsInd => "SyncMinor",
        Output::SSynMinCnf => "SyncMinorConfirm",
        Output::SPErInd => "ProviderException",
        Output::SUErInd => "UserException",
        Output::SPAbInd => "ProviderAbort",
        Output::SxAbInd => "UserAbort",
        _ => return None,
    })
}

/// The SPDU of an event, with the number that fits where it has one.
fn octets_of(event: Event, number: u32) -> Option<Vec<u8>> {
    let last = number.saturating_sub(1);
    let item = unit(5, &[unit(19, &[0]), unit(22, &[2])].concat());
    let duplex = unit(20, &[0, 2]);
    Some(match event {
        Event::Cn => spdu(13, &[item, duplex]),
        Event::Ac => spdu(14, &[item, duplex]),
        Event::Oa => spdu(16, &[unit(22, &[2])]),
        Event::Cdo => spdu(15, &[unit(25, &[2]), octets::user_data(b"x")]),
        Event::RfNr => spdu(12, &[unit(17, &[1])]),
        Event::RfR => spdu(12, &[unit(17, &[0])]),
        Event::FnNr => octets::finish(&[]),
        Event::FnR => spdu(9, &[unit(17, &[0])]),
        Event::Dn => octets::disconnect(),
        Event::Nf => octets::not_finished(),
        Event::AbNr => octets::abort(octets::USER_ABORT, &[]),
        Event::AbR => octets::abort(0x02, &[]),
        Event::Aa => octets::abort_accept(),
        Event::Dt => octets::dt(b"data"),
        Event::Ex => octets::ex(b"expedited"),
        Event::Td => octets::td(b"typed"),
        Event::Cd => octets::capability_data(&[]),
        Event::Cda => octets::capability_data_ack(&[]),
        Event::Gt => octets::gt(Tokens::DATA),
        Event::Pt => octets::pt(Tokens::DATA),
        Event::Gtc => octets::gtc(),
        Event::Gta => octets::gta(),
        Event::Mip => octets::mip(number),
        Event::MipD => octets::mip_separating(number),
        Event::Mia => octets::mia(last),
        Event::Map => octets::map(number),
        Event::Maa => octets::maa(last),
        Event::Ae => octets::ae(number),
        Event::RsA => octets::rs(resync::ABANDON, number, Some(0)),
        Event::RsR => octets::rs(resync::RESTART, number, Some(0)),
        Event::RsS => octets::rs(resync::SET, number, Some(0)),
        Event::Ra => octets::ra(number, Some(0)),
        Event::PrMaa => octets::prepare(1),
        Event::PrRs => octets::prepare(2),
        Event::PrRa => octets::prepare(3),
        Event::PrAb => octets::prepare(4),
        Event::As => octets::activity_start(b"ACT2"),
        Event::Ar => octets::activity_resume(b"ACT2", b"ACT1", number),
        Event::Ai => octets::activity_interrupt(0),
        Event::Aia => octets::activity_interrupt_ack(),
        Event::Ad => octets::activity_discard(0),
        Event::Ada => octets::activity_discard_ack(),
        Event::Er => octets::exception_report(),
        Event::Ed => octets::exception_data(0),
        _ => return None,
    })
}

/// Units one of which an SPDU needs; nothing for the kernel's, and for GT and PT.
fn unit_of(event: Event) -> Fu {
    match event {
        Event::Ex => Fu::EXPEDITED,
        Event::Td => Fu::TYPED_DATA,
        Event::Cd | Event::Cda => Fu::CAPABILITY_DATA,
        Event::Mip | Event::Mia => Fu::MINOR_SYNC,
        Event::MipD => Fu::DATA_SEPARATION,
        Event::Map => Fu::MAJOR_SYNC,
        Event::Maa => Fu::MAJOR_SYNC | Fu::ACTIVITY,
        Event::RsA | Event::RsR | Event::RsS | Event::Ra => Fu::RESYNCHRONIZE,
        Event::Er | Event::Ed => Fu::EXCEPTIONS,
        Event::Nf => Fu::NEGOTIATED_RELEASE,
        Event::As | Event::Ar | Event::Ai | Event::Aia | Event::Ad | Event::Ada => Fu::ACTIVITY,
        Event::Ae | Event::Gtc | Event::Gta => Fu::ACTIVITY,
        _ => Fu::empty(),
    }
}
