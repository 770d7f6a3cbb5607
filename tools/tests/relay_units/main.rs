//! Users of all functional units at both ends of the relay, over a simulated network: random legal requests, until
//! both come to rest.
//!
//! Whatever they do and however it crosses: content comes through whole and in order, or is purged by something both
//! users know of; at rest tokens are at exactly one end and serial numbers are the same at both; and no session ends
//! that no user ended.
//!
//! `COLLOQUY_SEED=N` runs one schedule alone, `COLLOQUY_SCHEDULES=N` sets how many are run.

mod action;
mod content;
mod plan;
mod user;
mod world;

/// Schedules of one run of the tests: with the least number of steps each, a million steps.
const SCHEDULES: u64 = 5_000;
/// Tests they are divided among.
const PARTS: u64 = 2;
/// Requests taken and indications given in one run of the tests, at least: schedules that do little prove little.
const STEPS_PER_SCHEDULE_MIN: u64 = 200;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

fn users_of_all_units_agree(part: u64) {
    let count = from_environment("COLLOQUY_SCHEDULES").unwrap_or(SCHEDULES) / PARTS;
    let seeds = match from_environment("COLLOQUY_SEED") {
        Some(seed) if part == 0 => seed..seed + 1,
        Some(_) => return,
        None => part * count + 1..(part + 1) * count + 1,
    };
    let schedules = seeds.end - seeds.start;
    let mut steps = 0;
    let mut told = std::collections::BTreeMap::new();
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| world::run(seed)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default())
        });
        let outcome = outcome.unwrap_or_else(|what| panic!("{what}\n  again with COLLOQUY_SEED={seed}"));
        steps += outcome.steps;
        for (name, count) in outcome.told {
            *told.entry(name).or_insert(0_u64) += count;
        }
    }
    println!("{schedules} schedules, {steps} steps, indications: {told:?}");
    if schedules > 100 {
        assert!(steps / schedules >= STEPS_PER_SCHEDULE_MIN, "{steps} steps in {schedules} schedules");
        for name in user::INDICATIONS {
            assert!(told.contains_key(name), "no schedule brought {name}: {told:?}");
        }
    }
}

#[test]
fn users_of_all_units_agree_1_of_2() {
    users_of_all_units_agree(0);
}

#[test]
fn users_of_all_units_agree_2_of_2() {
    users_of_all_units_agree(1);
}
