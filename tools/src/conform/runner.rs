//! Runs the purposes: on several connections at once, with every wait bounded, and on to the next whatever
//! the IUT does.

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use colloquy_session::spdu::SpduKind;
use colloquy_session::{FunctionalUnits as Fu, Versions};

use super::bar::Bar;
use super::context::{Context, Facts, Proposal, Settings, words};
use super::dialogue::{Dialogue, Reply};
use super::line::{Arrival, Line};
use super::purpose::{Deviation, Purpose, Stop, Verdict};
use super::purposes::connect_accept_of;

/// What one test came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// In which role the IUT was tested.
    pub(crate) role: &'static str,
    /// How.
    pub(crate) verdict: Verdict,
}

/// Finds out what a responder can do.
///
/// # Errors
/// Why there is no transport connection.
pub(crate) fn probe(settings: &Settings) -> Result<Facts, String> {
    let mut facts = Facts::default();
    let unknown = Facts::default();
    let context = Context { settings, facts: &unknown };
    let all = settings.units - (Fu::HALF_DUPLEX | Fu::DUPLEX | Fu::SYMMETRIC_SYNC);
    let with_duplex = all - Fu::EXCEPTIONS;
    let half_duplex_echo = propose(&context, Fu::HALF_DUPLEX | all, Versions::V2, &mut facts)?;
    facts.half_duplex_units = half_duplex_echo.map(|dialogue| dialogue.units);
    if let Some(mut dialogue) = propose(&context, Fu::DUPLEX | with_duplex, Versions::V2, &mut facts)? {
        facts.duplex_units = Some(dialogue.units);
        facts.echo = dialogue.echo(b"conformance test").is_ok();
    }
    facts.version_1 = propose(&context, Fu::DUPLEX, Versions::V1, &mut facts)?.is_some();
    Ok(facts)
}

/// A session with whatever of `units` the IUT selects; `None` where it refuses. Units that it does not know
/// may make it close: then it is asked for the dialogue unit alone.
fn propose(
    context: &Context<'_>,
    units: Fu,
    versions: Versions,
    facts: &mut Facts,
) -> Result<Option<Dialogue>, String> {
    let dialogue_unit = units & (Fu::HALF_DUPLEX | Fu::DUPLEX);
    for units in [units, dialogue_unit] {
        let expedited = context.settings.expedited;
        let data = b"connect data".to_vec();
        let proposal = Proposal { versions, expedited, user_data: data.clone(), ..Proposal::of(units) };
        let mut dialogue = match context.transport_with(expedited) {
            Ok(dialogue) => dialogue,
            Err(Stop::Unreachable(reason)) => return Err(reason),
            Err(_) => continue,
        };
        facts.expedited |= dialogue.has_expedited();
        dialogue.send(&proposal.cn(context.settings));
        let Arrival::Tsdu(octets) = dialogue.next() else { continue };
        let reply = Reply { octets, flow: Default::default() };
        let Ok(accept) = connect_accept_of(&dialogue, &reply) else { continue };
        facts.connect_echo |= accept.user_data.ends_with(&data);
        dialogue.take_accept(&accept, units, true);
        if dialogue.units.intersects(dialogue_unit) && accept.item.versions == versions {
            return Ok(Some(dialogue));
        }
    }
    Ok(None)
}

/// Tests a responder. Gives an outcome for each purpose that has a test for responders.
///
/// A purpose after which the IUT cannot be reached any more is noted as a deviation, and the rest is skipped.
pub(crate) fn responder(
    settings: &Settings,
    facts: &Facts,
    purposes: &[&'static Purpose],
    jobs: usize,
    bar: &Bar,
) -> Vec<(u16, Outcome)> {
    bar.begin("purposes", purposes.len());
    let next = AtomicUsize::new(0);
    let gone = AtomicBool::new(false);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, purposes.len().max(1)) {
            scope.spawn(|| {
                while let Some(purpose) = purposes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bar.step();
                    let Some(test) = purpose.responder else { continue };
                    let verdict = if gone.load(Ordering::Relaxed) {
                        Err(Stop::Skipped("the IUT cannot be reached any more".to_owned()))
                    } else if let Some(reason) = inapplicable(purpose, facts) {
                        Err(Stop::Skipped(reason))
                    } else {
                        test(&Context { settings, facts })
                    };
                    let verdict = lost(verdict, settings, &gone);
                    let outcome = (purpose.number, Outcome { role: "responder", verdict });
                    outcomes.lock().expect("no test panics while it holds the list").push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().expect("no test panics while it holds the list")
}

/// A purpose that could not connect: once more after a pause; then the IUT is gone.
fn lost(verdict: Verdict, settings: &Settings, gone: &AtomicBool) -> Verdict {
    let Err(Stop::Unreachable(reason)) = verdict else { return verdict };
    if gone.load(Ordering::Relaxed) || is_reachable(settings) {
        return Err(Stop::Skipped(format!("no transport connection: {reason}")));
    }
    gone.store(true, Ordering::Relaxed);
    Err(Stop::Deviation(Deviation {
        sent: "CR".to_owned(),
        expected: "CC".to_owned(),
        received: format!("{reason}; the IUT cannot be reached any more"),
    }))
}

fn is_reachable(settings: &Settings) -> bool {
    let end = Instant::now() + settings.waits.answer.max(Duration::from_secs(1));
    loop {
        if Line::connect(settings.address, &settings.names, false, settings.waits.answer).is_ok() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        // Polls a peer that may be starting again; the loop is bounded.
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Why a purpose does not apply to this responder.
fn inapplicable(purpose: &Purpose, facts: &Facts) -> Option<String> {
    let missing = facts.lacks(purpose.units);
    if purpose.expedited && !facts.expedited {
        return Some("no transport expedited".to_owned());
    }
    if !missing.is_empty() {
        return Some(format!("the IUT does not select {}", words(missing)));
    }
    (purpose.echo && !facts.echo).then(|| "the IUT's user does not send data back".to_owned())
}

/// Tests initiators: each connection that comes runs the next purpose. `call` is told before each, where the
/// tester can make the IUT connect; `idle` is how long it waits for a connection.
pub(crate) fn initiator(
    listener: &TcpListener,
    settings: &Settings,
    purposes: &[&'static Purpose],
    idle: Duration,
    call: &mut dyn FnMut(),
) -> Vec<(u16, Outcome)> {
    let mut outcomes = Vec::new();
    let mut silent = false;
    for purpose in purposes {
        let Some(test) = purpose.initiator else { continue };
        let verdict = match silent {
            true => Err(Stop::Skipped("no initiator connects any more".to_owned())),
            false => {
                call();
                match accept(listener, idle) {
                    Some(stream) => incoming(stream, settings, test),
                    None => {
                        silent = true;
                        Err(Stop::Skipped("no initiator connects".to_owned()))
                    }
                }
            }
        };
        outcomes.push((purpose.number, Outcome { role: "initiator", verdict }));
    }
    outcomes
}

fn incoming(
    stream: std::net::TcpStream,
    settings: &Settings,
    test: super::purpose::InitiatorTest,
) -> Verdict {
    let unreachable = |reason| Stop::Skipped(format!("no transport connection: {reason}"));
    let line = Line::accept(stream, settings.expedited, settings.waits.answer).map_err(unreachable)?;
    let mut dialogue = Dialogue::new(Box::new(line), settings.waits, settings.manner);
    let reply = dialogue.expect(SpduKind::Connect)?;
    test(&mut dialogue, &reply.octets)
}

fn accept(listener: &TcpListener, within: Duration) -> Option<std::net::TcpStream> {
    listener.set_nonblocking(true).ok()?;
    let end = Instant::now() + within;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).ok()?;
                return Some(stream);
            }
            Err(_) if Instant::now() >= end => return None,
            // Polls the listener, which has no accept with a limit.
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}
