//! Octets by chance, at every layer: whatever they are, the connection ends in a way that the log names.

use crate::faults::Job;
use crate::gateway::Gateway;
use crate::octets::{CN, CR, data, hex, ssdu, tpkt};
use crate::peer::Peer;

/// Peers of each kind.
const PEERS: u64 = 48;

/// SplitMix64: small, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    /// The octets with some changed, left out or doubled.
    fn mutated(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(octets.len());
            match self.below(4) {
                0 => octets[at] = self.next() as u8,
                1 => octets[at] ^= 1 << self.below(8),
                2 if octets.len() > 1 => drop(octets.remove(at)),
                _ => octets.insert(at, octets[at]),
            }
        }
        octets
    }
}

/// The seed of this run, from `COLLOQUY_SEED` or the clock; printed, so that a failure can be run again.
pub(crate) fn seed() -> u64 {
    let seed =
        std::env::var("COLLOQUY_SEED").ok().map(|text| text.parse().expect("COLLOQUY_SEED is a number"));
    let seed = seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.expect("a clock behind 1970").as_nanos() as u64
    });
    println!("COLLOQUY_SEED={seed}");
    seed
}

/// What one peer sends.
fn sent(kind: u64, random: &mut Random) -> Vec<u8> {
    let spdus = [
        hex(CN),
        hex("0100 0100 a1a2a3a4a5"),
        hex("0903 110101"),
        hex("0103 100101"),
        hex("190e 110105 3109 0d1905061301001601"),
        hex("0100 0103 190101 a1a2a3"),
    ];
    let mut octets = Vec::new();
    match kind {
        // No TPKT at all.
        0 => {
            let count = 1 + random.below(2000);
            octets = random.octets(count);
        }
        // A TPDU by chance in a good TPKT.
        1 => {
            for _ in 0..4 {
                let count = 3 + random.below(60);
                octets.extend(tpkt(&random.octets(count)));
            }
        }
        // A CR with mistakes, then a good one.
        2 => {
            octets = random.mutated(&CR);
            octets.extend(CR);
        }
        // SPDUs with mistakes instead of CN.
        3 => {
            octets.extend(CR);
            let spdu = random.below(spdus.len());
            octets.extend(data(&random.mutated(&spdus[spdu])));
        }
        // SPDUs with mistakes, and TSDUs by chance, in a session.
        _ => {
            octets.extend(CR);
            octets.extend(data(&hex(CN)));
            for _ in 0..8 {
                let spdu = random.below(spdus.len());
                octets.extend(match random.below(3) {
                    0 => ssdu(b"good"),
                    1 => data(&random.octets(20)),
                    _ => data(&random.mutated(&spdus[spdu])),
                });
            }
        }
    }
    octets
}

/// Every job of this module, with its name.
pub(crate) fn jobs(gateway: &Gateway, seed: u64) -> Vec<Job<'_>> {
    let kinds = 5;
    let job = move |number: u64| -> Job<'_> {
        let mut random = Random(seed ^ (number << 32));
        let octets = sent(number % kinds, &mut random);
        let cut = 1 + random.below(octets.len());
        let listener = if number.is_multiple_of(2) { "echo" } else { "relay" };
        let job = move || {
            let mut peer = Peer::connect(gateway.address(listener));
            // In two segments, so that nothing depends on where they end.
            peer.send(&octets[..cut]);
            peer.send(&octets[cut..]);
            peer.half_close();
            let _ = peer.receive_all();
            let (fault, end) = gateway.log().fault_and_end(peer.address());
            if end["reason"] == "protocol_error" {
                let fault = fault.expect("a protocol error has a record of what was wrong");
                assert!(fault["layer"].is_string() && fault["reason"].is_string(), "{fault}");
                assert!(fault["offset"].is_u64(), "{fault}: where?");
            }
        };
        (format!("random {number} of seed {seed}"), Box::new(job))
    };
    (0..PEERS * kinds).map(job).collect()
}
