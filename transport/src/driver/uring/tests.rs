//! What is particular to io_uring, seen from inside.
use super::*;

#[test]
fn the_probe_passes() {
    let features = probe().unwrap();
    println!("{features}");
}
