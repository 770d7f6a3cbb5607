//! The gateway between initiators and responders on a simulated network that goes wrong in every way it can.
//!
//! Each schedule is drawn from a seed: sessions, their plans, block pools, windows, delays and faults. Whatever
//! happens, every session ends in exactly one declared way at each end, nothing is lost where a release was
//! confirmed, nothing is ever doubled, reordered or damaged, and nothing is left behind.
//!
//! `COLLOQUY_SEED=N` runs one schedule alone, `COLLOQUY_SCHEDULES=N` sets how many are run.

mod content;
mod initiator;
mod ledger;
mod responder;
mod world;

use colloquy_transport::driver::sim::SimFaultCounts;

/// Schedules of one run of the tests.
const SCHEDULES: u64 = 10_000;
/// Tests they are divided among.
const PARTS: u64 = 4;
/// So many schedules of one part reach every end and every fault.
const SCHEDULES_TELLING: u64 = 500;
/// Seeds begin here; each test binary run does the same ones.
const SEED_FIRST: u64 = 1;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// Runs one seed; a panic inside is told with its seed.
fn run(seed: u64) -> Result<world::Outcome, String> {
    std::panic::catch_unwind(|| world::run(seed)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_default())
    })
}

/// Runs one of [`PARTS`] equal parts of the schedules; parts run side by side.
fn every_schedule_of_faults_ends_in_declared_ends_with_nothing_lost(part: u64) {
    let single = from_environment("COLLOQUY_SEED");
    let count = from_environment("COLLOQUY_SCHEDULES").unwrap_or(SCHEDULES) / PARTS;
    let seeds: Vec<u64> = match single {
        Some(seed) if part == 0 => vec![seed],
        Some(_) => return,
        None => (SEED_FIRST + part * count..).take(count as usize).collect(),
    };
    let mut ends = [0; 5];
    let mut faults = SimFaultCounts::default();
    for seed in seeds {
        let outcome = run(seed).unwrap_or_else(|what| panic!("{what}\n  again with COLLOQUY_SEED={seed}"));
        for (sum, count) in ends.iter_mut().zip(outcome.ends) {
            *sum += count;
        }
        add(&mut faults, &outcome.faults);
    }
    println!("ends [confirmed, answered, refused, user abort, lost]: {ends:?}\n{faults:?}");
    if single.is_none() && count >= SCHEDULES_TELLING {
        // Schedules that reach nothing prove nothing.
        assert!(ends.iter().all(|count| *count > 0), "an end that no schedule reached: {ends:?}");
        assert!(faults.resets > 0 && faults.eofs > 0 && faults.short_reads > 0 && faults.short_writes > 0);
        assert!(faults.connects_refused > 0 && faults.buffers_exhausted > 0 && faults.stalls > 0);
    }
}

macro_rules! parts {
    ($($name:ident: $part:literal)*) => {
        $(#[test] fn $name() { every_schedule_of_faults_ends_in_declared_ends_with_nothing_lost($part) })*
    };
}

parts! {
    every_schedule_ends_declared_with_nothing_lost_1_of_4: 0
    every_schedule_ends_declared_with_nothing_lost_2_of_4: 1
    every_schedule_ends_declared_with_nothing_lost_3_of_4: 2
    every_schedule_ends_declared_with_nothing_lost_4_of_4: 3
}

#[test]
fn a_seed_reproduces_its_run_octet_for_octet() {
    for seed in SEED_FIRST..SEED_FIRST + 20 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}

fn add(sum: &mut SimFaultCounts, more: &SimFaultCounts) {
    sum.stalls += more.stalls;
    sum.short_reads += more.short_reads;
    sum.short_writes += more.short_writes;
    sum.resets += more.resets;
    sum.eofs += more.eofs;
    sum.connects_refused += more.connects_refused;
    sum.connect_timeouts += more.connect_timeouts;
    sum.buffers_exhausted += more.buffers_exhausted;
    sum.accepts_failed += more.accepts_failed;
    sum.overflows += more.overflows;
    sum.backlogs_full += more.backlogs_full;
}
