//! Replays the corpora of the fuzz targets: no input of theirs may panic, whatever it decodes to.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/machine_pair.rs"]
mod machine_pair;
#[path = "../../fuzz/targets.rs"]
mod targets;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("the folder is readable").path();
        let octets = fs::read(&path).expect("a corpus file is readable");
        // Every truncation too: the corpus is small, and a cut is the commonest fault of a peer.
        for end in (0..octets.len()).step_by(octets.len() / 64 + 1) {
            target(&octets[..end]);
        }
        target(&octets);
        count += 1;
    }
    assert!(count >= 10, "{}: only {count} inputs", folder.display());
}

#[test]
fn transport_corpus() {
    replay("transport", targets::transport);
}

#[test]
fn spdu_corpus() {
    replay("spdu", targets::spdu);
}

#[test]
fn tsdu_sequence_corpus() {
    replay("tsdu_sequence", targets::tsdu_sequence);
}

#[test]
fn machine_pair_corpus() {
    replay("machine_pair", machine_pair::run);
}

#[test]
fn config_corpus() {
    replay("config", targets::config);
}
