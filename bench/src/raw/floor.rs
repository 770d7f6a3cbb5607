//! The TCP floor: what a send and a receive cost when nothing else happens.
//!
//! One thread owns both ends of a loopback connection and sends there and back. Nobody sleeps, so nobody is woken,
//! and nothing is asked of an event loop: no server can answer a request in less than one receive and one send.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Octets of one send, at most: what surely fits the buffers of a connection without a reader.
pub const FLOOR_OCTETS_MAX: usize = 64 << 10;

/// Round trips between two looks at the clock.
const BATCH: u32 = 16;

/// How long and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorPlan {
    /// Octets of each send, 1 to [`FLOOR_OCTETS_MAX`].
    pub octets: usize,
    /// Rounds, each with a median of its own.
    pub rounds: usize,
    /// Length of a round.
    pub round: Duration,
}

/// What a send and a receive cost, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// Median of each round, for **one** send and **one** receive: a server's share of a round trip, so half of the way
    /// there and back.
    pub send_receive_ns: Vec<f64>,
}

impl Floor {
    /// Median over the rounds; NaN without rounds.
    pub fn median_ns(&self) -> f64 {
        median(&mut self.send_receive_ns.clone())
    }
}

/// Measures on the calling thread.
///
/// # Errors
/// `InvalidInput` for octets out of range; else what the system says.
pub fn floor(plan: &FloorPlan) -> io::Result<Floor> {
    if !(1..=FLOOR_OCTETS_MAX).contains(&plan.octets) {
        let text = format!("octets: {} is not within 1 to {FLOOR_OCTETS_MAX}", plan.octets);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let (mut near, mut far) = pair()?;
    let mut octets = vec![0x5a; plan.octets];
    // A round to warm up, which does not count.
    round(&mut near, &mut far, &mut octets, plan.round)?;
    let rounds = (0..plan.rounds).map(|_| round(&mut near, &mut far, &mut octets, plan.round));
    Ok(Floor { send_receive_ns: rounds.collect::<io::Result<_>>()? })
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    // Somebody else may have connected before.
    let far = loop {
        let (far, from) = listener.accept()?;
        if from == near.local_addr()? {
            break far;
        }
    };
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

fn round(near: &mut TcpStream, far: &mut TcpStream, octets: &mut [u8], length: Duration) -> io::Result<f64> {
    let started = Instant::now();
    let mut batches = Vec::new();
    loop {
        let before = Instant::now();
        for _ in 0..BATCH {
            near.write_all(octets)?;
            far.read_exact(octets)?;
            far.write_all(octets)?;
            near.read_exact(octets)?;
        }
        batches.push(before.elapsed().as_nanos() as f64 / f64::from(2 * BATCH));
        if started.elapsed() >= length {
            return Ok(median(&mut batches));
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => (values[len / 2 - 1] + values[len / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_and_a_receive_take_their_time_in_every_round() {
        for octets in [1, 64, FLOOR_OCTETS_MAX] {
            let plan = FloorPlan { octets, rounds: 3, round: Duration::from_millis(2) };
            let floor = floor(&plan).unwrap();
            assert_eq!(floor.send_receive_ns.len(), 3);
            // Two system calls take longer than that on any machine.
            assert!(floor.send_receive_ns.iter().all(|ns| *ns > 20.0), "{floor:?}");
            assert!(floor.median_ns() > 20.0);
        }
    }

    #[test]
    fn octets_out_of_range_are_named() {
        for octets in [0, FLOOR_OCTETS_MAX + 1] {
            let plan = FloorPlan { octets, rounds: 1, round: Duration::ZERO };
            let error = floor(&plan).unwrap_err();
            assert!(error.to_string().contains(&octets.to_string()), "{error}");
        }
    }

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [9.0, 1.0, 3.0]), 3.0);
        assert!(median(&mut []).is_nan());
    }
}
