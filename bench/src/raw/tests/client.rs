//! A client of the tests: its openings, its random octets, its deadlines.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// However busy the machine is, an answer comes within it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// CR with TPDU size 8192 and two selectors.
pub(super) const CR: &[u8] =
    &[3, 0, 0, 22, 17, 0xe0, 0, 0, 0x12, 0x34, 0, 0xc0, 1, 0x0d, 0xc1, 2, 0, 1, 0xc2, 2, 0, 2];

/// CN in the plain shape of MMS, called selector 0001, 3 octets of user data.
pub(super) const CN: &[u8] = &[
    3, 0, 0, 34, 2, 0xf0, 0x80, 0x0d, 25, 5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x33, 2, 0, 2, 0x34,
    2, 0, 1, 0xc1, 3, 0x61, 0x62, 0x63,
];

/// Octets of CC and AC to these.
pub(super) const CC_OCTETS: usize = CR.len();
pub(super) const AC_OCTETS: usize = 4 + 3 + 2 + 8 + 4 + 4;

pub(super) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(super) fn receive(mut stream: &TcpStream, octets: usize) -> Vec<u8> {
    let mut received = vec![0; octets];
    stream.read_exact(&mut received).unwrap();
    received
}

pub(super) fn open(to: SocketAddr) -> TcpStream {
    let mut stream = connect(to);
    stream.write_all(CR).unwrap();
    assert_eq!(receive(&stream, CC_OCTETS)[5], 0xd0);
    stream.write_all(CN).unwrap();
    assert_eq!(receive(&stream, AC_OCTETS)[7], 0x0e);
    stream
}

/// Waits until `holds`, which other threads make true.
pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        // Polls with the deadline above.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// xorshift64*, printed and taken back so that a failure can be seen again.
pub(super) struct Random(u64);

impl Random {
    /// From `COLLOQUY_RAW_SEED`, or else the clock.
    pub(super) fn new(test: &str) -> Random {
        let seed = match std::env::var("COLLOQUY_RAW_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1,
        };
        println!("{test}: COLLOQUY_RAW_SEED={seed}");
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound
    }

    pub(super) fn octets(&mut self, octets: usize) -> Vec<u8> {
        let mut made = Vec::with_capacity(octets + 8);
        while made.len() < octets {
            made.extend_from_slice(&self.next().to_le_bytes());
        }
        made.truncate(octets);
        made
    }
}
