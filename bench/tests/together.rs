//! Plans with `concatenate`: the same operations in fewer TSDUs.
#![allow(clippy::unwrap_used)] // A test.

#[allow(dead_code, reason = "shared with the tests of plain runs, which use more of it")]
mod responder;

use colloquy_bench::{Dialogue, DriverChoice, Go, LoadPlan, MinorConfirm, Mix, Report, run};
use responder::{Habit, Responder};

/// SSDUs of each session.
const SSDUS: u64 = 60;
const SESSIONS: u32 = 3;

fn plan(dialogue: Dialogue, depth: u32, mix: Mix) -> LoadPlan {
    LoadPlan {
        sessions: SESSIONS,
        depth,
        dialogue,
        ssdus_per_session_max: SSDUS,
        duration_ms: 60_000,
        driver: DriverChoice::Mio,
        mix,
        ..LoadPlan::default()
    }
}

/// Runs a plan that must come out clean. TSDUs that its sessions took in all, CN and FN left out.
fn tsdus(extended: bool, plan: &LoadPlan) -> (u64, Report) {
    let responder = Responder::start_with(Habit::Good, extended);
    let plan = LoadPlan { to: vec![responder.address], ..plan.clone() };
    let report = run(&plan, &mut |_| Go::On).unwrap();
    responder.stop();
    let what = format!("extended: {extended}, {:?}", plan.mix);
    assert!(report.is_clean(), "{what}: {:?} {:?} {:?}", report.counts, report.errors, report.operations);
    assert_eq!(report.counts.answered, SSDUS * u64::from(SESSIONS), "{what}");
    let sent = (report.generator.tsdus_per_ssdu * report.counts.sent as f64).round() as u64;
    (sent - 2 * report.counts.established, report)
}

/// TSDUs apart, together with a peer that takes the basic kind, and with one that takes the extended kind; the
/// operations are the same in number.
fn three_ways(plan: &LoadPlan) -> [u64; 3] {
    let apart = tsdus(true, plan);
    let concatenated = LoadPlan { mix: Mix { concatenate: true, ..plan.mix }, ..plan.clone() };
    let ways = [apart, tsdus(false, &concatenated), tsdus(true, &concatenated)];
    for (name, operation) in &ways[0].1.operations {
        for (_, report) in &ways[1..] {
            let found = report.operations.get(name).map(|found| (found.begun, found.completed));
            // How often the token goes over depends on how answers fall to turns.
            let same = *name == "token_turn" || found == Some((operation.begun, operation.completed));
            assert!(same, "{name}: {found:?} and not {operation:?}");
        }
    }
    ways.map(|(tsdus, _)| tsdus)
}

#[test]
fn minor_points_go_with_their_ssdus() {
    let ssdus = SSDUS * u64::from(SESSIONS);
    for depth in [1, 4] {
        for minor_confirm in [MinorConfirm::Optional, MinorConfirm::Explicit] {
            let mix = Mix { minor_sync_each: 3, minor_confirm, ..Mix::default() };
            let ways = three_ways(&plan(Dialogue::Duplex, depth, mix));
            assert_eq!(ways, [ssdus + ssdus / 3, ssdus + ssdus / 3, ssdus], "{depth} {minor_confirm:?}");
        }
    }
}

#[test]
fn an_activity_starts_with_its_first_ssdu() {
    let ssdus = SSDUS * u64::from(SESSIONS);
    let mix = Mix { activity_ssdus: 10, minor_sync_each: 1, capability_each: 2, ..Mix::default() };
    let ways = three_ways(&plan(Dialogue::Duplex, 2, mix));
    // Six activities a session: AS and AE (with its GT) of each, CD of each second, a point with each SSDU.
    let (starts, ends, capabilities) = (ssdus / 10, ssdus / 10, ssdus / 20);
    // What is waited for before it is asked for stays in TSDUs of its own.
    let beside = ends + capabilities;
    assert_eq!(ways, [2 * ssdus + starts + beside, 2 * ssdus + starts + beside, ssdus + beside]);
}

#[test]
fn the_data_token_goes_with_the_last_ssdu_of_a_turn() {
    let ssdus = SSDUS * u64::from(SESSIONS);
    for depth in [1, 3] {
        let [apart, basic, extended] = three_ways(&plan(Dialogue::HalfDuplex, depth, Mix::default()));
        let turns = ssdus / u64::from(depth);
        // The responder keeps the token until it is asked for, which takes a PT each turn.
        assert!(apart >= ssdus + turns, "{apart} TSDUs");
        for together in [basic, extended] {
            assert!(together + turns <= apart, "{together} and {apart} TSDUs, {turns} turns");
        }
    }
}

#[test]
fn a_mix_of_everything_in_half_duplex_stays_clean() {
    let mix = Mix {
        typed_each: 5,
        expedited_each: 8,
        exception_each: 20,
        minor_sync_each: 4,
        resync_each: 18,
        major_sync_each: 10,
        activity_ssdus: 24,
        activity_interrupt_each: 2,
        activity_discard_each: 3,
        ..Mix::default()
    };
    for depth in [1, 4] {
        let [apart, basic, extended] = three_ways(&plan(Dialogue::HalfDuplex, depth, mix));
        assert!(extended < basic && basic < apart, "{extended} {basic} {apart}");
    }
}
