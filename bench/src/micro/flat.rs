//! Whole shards and their peers on one thread, so that valgrind can count what an SSDU costs the shards alone.
//!
//! A run ends by itself and needs nobody else: the peers are plain sockets of the same thread, written and read between
//! two turns of the shards. Callgrind collects inside [`measured_turn`] only (`--toggle-collect`), and so sees neither the
//! peers nor the setting up. The same number of SSDUs is in flight whatever the number of sessions, and all sessions
//! take their turn: what is left to differ is what the number of sessions costs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use colloquy_shard::{Application, Shard};
use colloquy_transport::driver::Driver;

use crate::pump::Exchange;

/// What callgrind is told to collect in.
pub const TOGGLE: &str = "*micro::flat::measured_turn*";
/// Longest time for one group of sessions, on a processor that valgrind simulates too.
const GROUP_TIME_MAX: Duration = Duration::from_secs(60);
/// Octets read at a time.
const ROOM_OCTETS: usize = 64 << 10;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct FlatPlan {
    /// Sessions, all established before the first SSDU.
    pub sessions: usize,
    /// Of them, how many have a request in flight at a time.
    pub at_once: usize,
    /// Requests before the measured ones: free lists and batches grow meanwhile.
    pub warm_up: u64,
    /// Requests that are measured, rounded up to whole groups.
    pub measured: u64,
}

/// Shards that are turned by hand.
pub trait Turn {
    /// One turn that does not wait.
    ///
    /// # Errors
    /// What makes the driver unusable.
    fn turn_once(&mut self) -> io::Result<()>;
}

impl<D: Driver, A: Application> Turn for Shard<D, A> {
    fn turn_once(&mut self) -> io::Result<()> {
        self.turn(Some(Duration::ZERO))
    }
}

/// Brings `plan.sessions` sessions up with what listens at `address`, and has requests answered; how many were
/// measured.
///
/// # Errors
/// What the system says; `TimedOut` when the shards do not answer.
pub fn run(
    shards: &mut [&mut dyn Turn],
    address: SocketAddr,
    exchange: &Exchange,
    plan: &FlatPlan,
) -> io::Result<u64> {
    let mut peers = Vec::with_capacity(plan.sessions);
    for _ in 0..plan.sessions {
        peers.push(Peer::open(shards, address, exchange)?);
    }
    let at_once = plan.at_once.clamp(1, plan.sessions.max(1));
    let mut room = vec![0; ROOM_OCTETS];
    let groups = plan.measured.div_ceil(at_once as u64);
    let warm_up_groups = plan.warm_up.div_ceil(at_once as u64);
    let mut first = 0;
    for group in 0..warm_up_groups + groups {
        let turn = if group < warm_up_groups { plain_turn } else { measured_turn };
        for offset in 0..at_once {
            let member = (first + offset) % peers.len();
            peers[member].request(exchange)?;
        }
        let began = Instant::now();
        let mut open = at_once;
        while open > 0 {
            turn(shards)?;
            open = 0;
            for offset in 0..at_once {
                let member = (first + offset) % peers.len();
                open += usize::from(!peers[member].go_on(exchange, &mut room)?);
            }
            in_time(began, "the shard does not echo")?;
        }
        first += at_once;
    }
    Ok(groups * at_once as u64)
}

/// A turn of each shard whose instructions count.
///
/// # Errors
/// As [`Shard::turn`].
#[inline(never)]
pub fn measured_turn(shards: &mut [&mut dyn Turn]) -> io::Result<()> {
    // What keeps this function and `plain_turn` apart: equal ones become one.
    std::hint::black_box(&shards);
    shards.iter_mut().try_for_each(|shard| shard.turn_once())
}

#[inline(never)]
fn plain_turn(shards: &mut [&mut dyn Turn]) -> io::Result<()> {
    shards.iter_mut().try_for_each(|shard| shard.turn_once())
}

/// One session's other end.
struct Peer {
    stream: TcpStream,
    /// Octets of the request that are not sent, and of the answer that are not received.
    unsent: usize,
    missing: usize,
}

impl Peer {
    /// Connects and goes through the opening; what is sent next is data.
    fn open(shards: &mut [&mut dyn Turn], address: SocketAddr, exchange: &Exchange) -> io::Result<Peer> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut room = [0; 1024];
        for step in &exchange.opening {
            stream.write_all(step)?;
            let mut answer = Vec::new();
            let began = Instant::now();
            while !is_whole_tpkt(&answer) {
                plain_turn(shards)?;
                let octets = received(stream.read(&mut room))?;
                answer.extend_from_slice(&room[..octets]);
                in_time(began, "the shard does not answer CR or CN")?;
            }
        }
        Ok(Peer { stream, unsent: 0, missing: 0 })
    }

    fn request(&mut self, exchange: &Exchange) -> io::Result<()> {
        self.unsent = exchange.request.len();
        self.missing = exchange.answer_octets;
        self.send(exchange)
    }

    fn send(&mut self, exchange: &Exchange) -> io::Result<()> {
        while self.unsent > 0 {
            let rest = &exchange.request[exchange.request.len() - self.unsent..];
            match self.stream.write(rest) {
                Ok(octets) => self.unsent -= octets,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends and receives what is possible; true when the whole answer is there.
    fn go_on(&mut self, exchange: &Exchange, room: &mut [u8]) -> io::Result<bool> {
        self.send(exchange)?;
        while self.missing > 0 {
            let want = self.missing.min(room.len());
            match received(self.stream.read(&mut room[..want]))? {
                0 => return Ok(false),
                octets => self.missing -= octets,
            }
        }
        Ok(self.unsent == 0)
    }
}

/// Octets of a read that does not wait; 0 where it would have waited.
fn received(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        read => read,
    }
}

fn in_time(began: Instant, what: &str) -> io::Result<()> {
    if began.elapsed() > GROUP_TIME_MAX {
        return Err(io::Error::new(io::ErrorKind::TimedOut, what));
    }
    Ok(())
}

fn is_whole_tpkt(octets: &[u8]) -> bool {
    octets.len() >= 4 && octets.len() >= usize::from(u16::from_be_bytes([octets[2], octets[3]]))
}
