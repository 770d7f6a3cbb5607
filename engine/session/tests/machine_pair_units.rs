//! Two machines under random legal users with every set of functional units, with collisions forced: test
//! purpose 143, and reference 7.5.

mod machine_support;
mod machine_users;

use colloquy_session::State;
use machine_support::Random;
use machine_users::coverage::Coverage;
use machine_users::world::World;

/// Steps that the test must have taken: TSDUs delivered, and requests that the machine took.
const STEPS_MIN: u64 = 1_000_000;

/// What must have come to pass, and how often at least.
const COVERED: &[(&str, u64)] = &[
    ("release x release", 50),
    ("release x resynchronize", 10),
    ("resynchronize x resynchronize", 1000),
    ("interrupt x resynchronize: interrupt wins", 5),
    ("interrupt x resynchronize: the resynchronization loses", 5),
    ("discard x resynchronize: discard wins", 5),
    ("discard x resynchronize: the resynchronization loses", 5),
    ("major sync pending x resynchronize", 50),
    ("major sync pending x exception", 2),
    ("activity end pending x resynchronize", 5),
    ("activity end pending x exception", 2),
    ("abort x a pending request", 50),
    ("abort x abort", 2),
    ("token give x please", 500),
    ("control give x please", 10),
    ("exception x data token", 5),
    ("minor sync confirmed late", 5),
    ("EX kept for later", 20),
    ("EX indicated later", 20),
    ("transport lost", 300),
    ("transport connection reused", 100),
    ("data purged", 1000),
    ("losing RS dropped", 100),
    ("pending request cancelled", 500),
    ("request refused", 100_000),
    ("quiet points in STA713", 50_000),
];

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
    assert!(coverage.steps >= STEPS_MIN);
    for (name, least) in COVERED {
        assert!(coverage.of(name) >= *least, "{name}: {} of {least}", coverage.of(name));
    }
    assert!(coverage.least_pair_of_resyncs() >= 10, "every two types met on both sides");
    for state in State::ALL {
        // Data overflow has tests of its own.
        let unreached = matches!(state, State::Sta01B | State::Sta01D | State::Sta02B);
        assert!(unreached || coverage.of_state(state) > 50, "{state:?}: {}", coverage.of_state(state));
    }
}

fn session(seed: u64, trace: bool, coverage: &mut Coverage) {
    let mut world = World::new(seed, trace, coverage);
    let steps = world.random.below(800);
    world.run(steps);
}
