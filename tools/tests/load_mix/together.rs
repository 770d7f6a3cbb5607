//! Plans with `concatenate` against echo and relay: the same operations, content checked, in fewer TSDUs.

use crate::{Stand, clean, plan_of, skip};
use colloquy_bench::DriverChoice;

/// Plans, and the TSDUs per SSDU that sharing them saves at least: starts, turns, and points that nothing else stands
/// in front of. In the mixed plan that is a point for each fourth SSDU, less each fifth of them, and a start for each
/// 24 SSDUs at least.
const PLANS: [(&str, f64); 4] = [("half-duplex", 0.2), ("sync", 0.09), ("activity", 0.4), ("mixed", 0.24)];

#[test]
fn plans_with_concatenation_run_clean_on_mio() {
    concatenated(DriverChoice::Mio);
}

#[test]
fn plans_with_concatenation_run_clean_on_io_uring() {
    if skip::io_uring_allowed("load plans that concatenate") {
        concatenated(DriverChoice::IoUring);
    }
}

fn concatenated(driver: DriverChoice) {
    let stand = Stand::start(driver);
    for (name, saved) in PLANS {
        for to in stand.ways() {
            let what = format!("{name} on {} to {to}", driver.as_str());
            let mut plan = plan_of(name, driver, to);
            // Large enough to travel by reference beside what goes with it.
            plan.ssdu_octets = 3000;
            let apart = clean(&plan, &what).generator.tsdus_per_ssdu;
            plan.mix.concatenate = true;
            let together = clean(&plan, &format!("{what}, together")).generator.tsdus_per_ssdu;
            assert!(together + saved <= apart, "{what}: {together} TSDUs per SSDU, {apart} apart");
        }
    }
    stand.stop();
}
