//! Two machines under random legal users with every set of functional units, with collisions forced: test
//! purpose 143, and reference 7.5.

mod machine_support;
mod machine_users;

use machine_support::Random;
use machine_users::coverage::Coverage;
use machine_users::world::World;

/// Steps that a run of the tests must have taken.
const STEPS_MIN: u64 = 1_000_000;

#[test]
fn a_million_steps_of_random_users_need_no_abort() {
    let mut coverage = Coverage::default();
    if let Ok(text) = std::env::var("COLLOQUY_SESSION") {
        let seed = text.parse().expect("COLLOQUY_SESSION is a number");
        session(seed, true, &mut coverage);
        return;
    }
    let mut random = Random::from_environment(225);
    while coverage.steps < STEPS_MIN {
        session(random.bits(), false, &mut coverage);
    }
    println!("{coverage}");
}

fn session(seed: u64, trace: bool, coverage: &mut Coverage) {
    let mut world = World::new(seed, trace, coverage);
    let steps = world.random.below(800);
    world.run(steps);
}
