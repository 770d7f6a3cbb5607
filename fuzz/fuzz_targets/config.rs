//! Fuzz target; the body is shared with the corpus replay.
#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| targets::config(octets));
