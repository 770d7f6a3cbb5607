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

/// Sessions with what listens somewhere, all established.
#[derive(Debug)]
pub struct Stand {
    exchange: Exchange,
    peers: Vec<Peer>,
    /// Of the next group.
    first: usize,
    room: Vec<u8>,
}

impl Stand {
    /// Brings `sessions` sessions up with what listens at `address` on one of `shards`.
    ///
    /// # Errors
    /// What the system says; `TimedOut` when the shards do not answer.
    pub fn open(
        shards: &mut [Box<dyn Turn>],
        address: SocketAddr,
        exchange: Exchange,
        sessions: usize,
    ) -> io::Result<Stand> {
        let peers =
            (0..sessions).map(|_| Peer::open(shards, address, &exchange)).collect::<io::Result<_>>()?;
        Ok(Stand { exchange, peers, first: 0, room: vec![0; ROOM_OCTETS] })
    }

    /// Has `requests` requests answered, rounded up to whole groups of `at_once` sessions, by turns ([`measured_turn`] or
    /// not); how many were.
    ///
    /// # Errors
    /// As [`Stand::open`].
    pub fn carry(
        &mut self,
        shards: &mut [Box<dyn Turn>],
        requests: u64,
        at_once: usize,
        measured: bool,
    ) -> io::Result<u64> {
        let turn = if measured { measured_turn } else { plain_turn };
        let at_once = at_once.clamp(1, self.peers.len().max(1));
        let groups = requests.div_ceil(at_once as u64);
        for _ in 0..groups {
            for offset in 0..at_once {
                let member = (self.first + offset) % self.peers.len();
                self.peers[member].request(&self.exchange)?;
            }
            let began = Instant::now();
            let mut open = at_once;
            while open > 0 {
                turn(shards)?;
                open = 0;
                for offset in 0..at_once {
                    let member = (self.first + offset) % self.peers.len();
                    open += usize::from(!self.peers[member].go_on(&self.exchange, &mut self.room)?);
                }
                in_time(began, "the shard does not echo")?;
            }
            self.first += at_once;
        }
        Ok(groups * at_once as u64)
    }
}

/// A turn of each shard whose instructions count.
///
/// # Errors
/// As [`Shard::turn`].
#[inline(never)]
pub fn measured_turn(shards: &mut [Box<dyn Turn>]) -> io::Result<()> {
    // What keeps this function and `plain_turn` apart: equal ones become one. A loop, because a closure in here would
    // have a name that the toggle matches too.
    std::hint::black_box(&shards);
    for shard in shards {
        shard.turn_once()?;
    }
    Ok(())
}

#[inline(never)]
fn plain_turn(shards: &mut [Box<dyn Turn>]) -> io::Result<()> {
    for shard in shards {
        shard.turn_once()?;
    }
    Ok(())
}

/// One session's other end.
#[derive(Debug)]
struct Peer {
    stream: TcpStream,
    /// Octets of the request that are not sent, and of the answer that are not received.
    unsent: usize,
    missing: usize,
}

impl Peer {
    /// Connects and goes through the opening; what is sent next is data.
    fn open(shards: &mut [Box<dyn Turn>], address: SocketAddr, exchange: &Exchange) -> io::Result<Peer> {
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
