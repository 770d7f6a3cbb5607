//! Two machines under random legal users with symmetric synchronize in every set of functional units: octets, both
//! flows at once, and collisions.
//!
//! What is proven is that two machines of this kind understand each other. `[unverified]` otherwise.

mod machine_support;
mod machine_users;

use colloquy_session::State;
use machine_support::Random;
use machine_users::coverage::Coverage;
use machine_users::setup::Setup;
use machine_users::world::{Seed, World};

/// Steps that the test must have taken: TSDUs delivered, and requests that the machine took.
const STEPS_MIN: u64 = 200_000;

/// What must have come to pass, and how often at least.
const COVERED: &[(&str, u64)] = &[
    ("S-SYNC-MINOR ind", 1000),
    ("S-SYNC-MINOR ind, data separation", 100),
    ("S-SYNC-MINOR cnf", 300),
    ("S-SYNC-MAJOR cnf", 100),
    ("S-RESYNCHRONIZE cnf", 1000),
    ("S-ACTIVITY-RESUME ind", 20),
    ("S-ACTIVITY-END cnf", 10),
    ("resynchronize x resynchronize", 150),
    ("major sync pending x resynchronize", 10),
    ("minor sync confirmed late", 5),
    ("losing RS dropped", 20),
    ("quiet points in STA713", 5000),
];

#[test]
fn random_users_of_both_flows_need_no_abort() {
    let mut coverage = Coverage::default();
    if let Ok(text) = std::env::var("COLLOQUY_SESSION") {
        let seed = text.parse().expect("COLLOQUY_SESSION is a number");
        session(seed, true, &mut coverage);
        return;
    }
    let mut random = Random::from_environment(54);
    while coverage.steps < STEPS_MIN {
        session(random.bits(), false, &mut coverage);
    }
    println!("{coverage}");
    for (name, least) in COVERED {
        assert!(coverage.of(name) >= *least, "{name}: {} of {least}", coverage.of(name));
    }
    for state in [State::Sta05A, State::Sta06, State::Sta11A, State::Sta15A, State::Sta15B, State::Sta15C] {
        assert!(coverage.of_state(state) > 50, "{state:?}: {}", coverage.of_state(state));
    }
}

fn session(seed: u64, trace: bool, coverage: &mut Coverage) {
    let mut random = Random::new(seed);
    let setup = Setup::symmetric(&mut random);
    let mut world = World::with(Seed(seed), random, setup, trace, coverage);
    let steps = world.random.below(800);
    world.run(steps);
}
