//! From which size on a body beside its headers is cheaper as an I/O vector of its own than as a copy.
//!
//! Builds what one system call carries in both ways, and sends it over TCP on the loopback: `count` TSDUs, each of GT,
//! MIP and DT concatenated, whose 19 octets of headers are always copied, and a body. The time is that of the sender
//! alone: building, and building with the system call. Both ways take turns, so that whatever else the machine does
//! falls on both; the table tells the lower quartile of each.
//!
//! ```text
//! nice cargo run --release -p colloquy-bench --example concatenate
//! ```
//!
//! On the machine of `bench/results/2026-11-22-xeon-2-cores-virtual-concatenate` the 2 KiB of `COPY_THRESHOLD_OCTETS`
//! hold: below, copies are cheaper (by half where many small bodies share a call); the two meet at 2 KiB with 32 bodies
//! a call, and between 2 and 4 KiB with fewer; from 8 KiB on references are cheaper everywhere. A vector costs the
//! system call 40 to 50 ns, a copy of 2 KiB somewhat more.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::hint::black_box;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{COPY_THRESHOLD_OCTETS, Slice};

/// Octets of the memory that bodies come from: that of the default receive pool, so that they are as cold as there.
const POOL_OCTETS: usize = 32 * (64 << 10);
/// TPKT, DT TPDU, GT with a token item, MIP with its number, DT.
const HEADER: [u8; 19] = [3, 0, 0, 0, 2, 0xf0, 0x80, 1, 3, 16, 1, 1, 49, 3, 42, 1, 49, 1, 0];
const COUNTS: [usize; 4] = [1, 2, 8, 32];
const SIZES: [usize; 12] = [64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16_384];
/// Times each way is measured for each size and count.
const ROUNDS: usize = 4000;
/// Octets of one system call at most: more would not fit the send buffer without waiting.
const CALL_OCTETS_MAX: usize = 256 << 10;

/// What `TxBatch` holds, with the choice of the way left to the caller.
#[derive(Default)]
struct Batch {
    arena: Vec<u8>,
    parts: Vec<Part>,
}

enum Part {
    Arena(Range<usize>),
    Slice(Slice),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Copy,
    Reference,
}

impl Batch {
    fn put_copy(&mut self, octets: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(octets);
        match self.parts.last_mut() {
            Some(Part::Arena(range)) => range.end = self.arena.len(),
            _ => self.parts.push(Part::Arena(start..self.arena.len())),
        }
    }

    fn build(&mut self, way: Way, bodies: &[Slice]) {
        self.arena.clear();
        self.parts.clear();
        for body in bodies {
            self.put_copy(&HEADER);
            match way {
                Way::Copy => self.put_copy(body),
                Way::Reference => self.parts.push(Part::Slice(body.clone())),
            }
        }
    }

    fn send(&self, to: &mut TcpStream) -> io::Result<usize> {
        let mut vectors = [IoSlice::new(&[]); 2 * COUNTS[COUNTS.len() - 1]];
        for (vector, part) in vectors.iter_mut().zip(&self.parts) {
            *vector = match part {
                Part::Arena(range) => IoSlice::new(&self.arena[range.clone()]),
                Part::Slice(slice) => IoSlice::new(slice),
            };
        }
        to.write_vectored(&vectors[..self.parts.len()])
    }
}

/// Times of one way.
#[derive(Default)]
struct Times {
    build: Vec<Duration>,
    call: Vec<Duration>,
}

impl Times {
    /// Lower quartiles in nanoseconds for each body.
    fn each(&mut self, count: usize) -> (f64, f64) {
        let quartile = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 4].as_nanos() as f64 / count as f64
        };
        (quartile(&mut self.build), quartile(&mut self.call))
    }
}

struct Bodies {
    pool: Slice,
    at: usize,
}

impl Bodies {
    fn next(&mut self, octets: usize) -> Slice {
        if self.at + octets > self.pool.len() {
            self.at = 0;
        }
        self.at += octets;
        self.pool.sub(self.at - octets..self.at)
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiver, _) = listener.accept()?;
    sender.set_nodelay(true)?;
    let mut bodies = Bodies { pool: Slice::from_vec(vec![0x5a; POOL_OCTETS]), at: 0 };
    println!(
        "nanoseconds for each header and body: by copy | by reference (the threshold is {COPY_THRESHOLD_OCTETS})"
    );
    println!(
        "{:>7}{:>8}  {:>8} |{:>8}   {:>9} |{:>9}  cheaper",
        "count", "octets", "build", "", "with call", ""
    );
    for count in COUNTS {
        for octets in SIZES {
            if count * octets <= CALL_OCTETS_MAX {
                row(count, octets, &mut bodies, &mut sender, &mut receiver)?;
            }
        }
        println!();
    }
    Ok(())
}

fn row(
    count: usize,
    octets: usize,
    bodies: &mut Bodies,
    sender: &mut TcpStream,
    receiver: &mut TcpStream,
) -> io::Result<()> {
    let (mut copy, mut reference) = (Times::default(), Times::default());
    let mut batch = Batch::default();
    let mut received = vec![0; count * (octets + HEADER.len())];
    for round in 0..2 * ROUNDS {
        let way = if round % 2 == 0 { Way::Copy } else { Way::Reference };
        let taken: Vec<Slice> = (0..count).map(|_| bodies.next(octets)).collect();
        let began = Instant::now();
        batch.build(way, black_box(&taken));
        let built = Instant::now();
        let sent = batch.send(sender)?;
        // Slices are given back when what they hold was sent, as the driver does it.
        batch.parts.clear();
        let called = Instant::now();
        assert_eq!(sent, received.len(), "the send buffer takes one call");
        receiver.read_exact(&mut received)?;
        let times = if way == Way::Copy { &mut copy } else { &mut reference };
        times.build.push(built - began);
        times.call.push(called - began);
    }
    let ((copy_build, copy_call), (build, call)) = (copy.each(count), reference.each(count));
    let cheaper = match (copy_call - call) / copy_call {
        share if share > 0.03 => "reference",
        share if share < -0.03 => "copy",
        _ => "neither (3 %)",
    };
    println!(
        "{count:>7}{octets:>8}  {copy_build:>8.0} |{build:>8.0}   {copy_call:>9.0} |{call:>9.0}  {cheaper}"
    );
    Ok(())
}
