//! Fuzz target; the body is shared with the corpus replay.
#![no_main]

#[path = "../machine_pair.rs"]
mod machine_pair;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| machine_pair::run(octets));
