//! Five hundred connections on two io_uring drivers: random sizes, pauses, aborts and held slices, every
//! octet checked, and everything given back. A seed reproduces a run: `COLLOQUY_SEED`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{PoolConfig, Slice, TxBatch};
use colloquy_transport::driver::options::{BufferScheme, DriverOptions, SubmissionPolling};
use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe};
use colloquy_transport::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver};
use colloquy_transport::net::{ListenOptions, listen};

const CONNECTIONS: usize = 500;
/// Octets of one direction at most.
const OCTETS_MAX: usize = 100_000;
/// Of a hundred connections.
const ABORTED: usize = 4;
/// Octets before the pattern.
const HEAD_OCTETS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn five_hundred_connections_lose_nothing_and_leave_nothing() {
    if let Err(error) = probe() {
        println!("SKIP io_uring stress: {error}");
        return;
    }
    let seed = std::env::var("COLLOQUY_SEED").map_or_else(|_| entropy(), |seed| seed.parse().unwrap());
    println!("COLLOQUY_SEED={seed}");
    let descriptors = descriptor_count();
    for (round, config) in [
        UringConfig::default(),
        // Queues that overflow, a pool that runs dry, multishot accept throughout.
        UringConfig {
            submission_entries: 16,
            completion_entries: 32,
            accept_burst_max: 1,
            pool: PoolConfig { block_count: 8, block_octets: 16 << 10 },
            ..UringConfig::default()
        },
        // Bundles from a pool that runs dry, and large sends without a copy.
        UringConfig {
            completion_entries: 1024,
            pool: PoolConfig { block_count: 8, block_octets: 16 << 10 },
            options: DriverOptions {
                buffers: BufferScheme::Bundle,
                zero_copy_send_octets_min: 4096,
                ..DriverOptions::default()
            },
            ..UringConfig::default()
        },
        // A thread of the kernel submits, from a queue that is full all the time.
        UringConfig {
            submission_entries: 16,
            completion_entries: 32,
            options: DriverOptions {
                buffers: BufferScheme::Plain,
                submission_polling: Some(SubmissionPolling { idle: Duration::from_millis(1), core: None }),
                busy_poll: Duration::from_micros(20),
                ..DriverOptions::default()
            },
            ..UringConfig::default()
        },
    ]
    .into_iter()
    .enumerate()
    {
        run(config, Random((seed + round as u64) | 1));
        assert_eq!(descriptor_count(), descriptors, "descriptors are back, round {round}");
    }
}

fn run(config: UringConfig, mut random: Random) {
    let mut server = Side::new(config);
    let mut client = Side::new(config);
    let socket = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
    let address = socket.local_addr().unwrap();
    server.driver.listen(socket).unwrap();
    let blocks = server.driver.stats().blocks_free;
    for number in 0..CONNECTIONS {
        let id = client.driver.connect(address, &ConnectOptions::default()).unwrap();
        client.add(id, Some(number as u64), &mut random);
    }
    let deadline = Instant::now() + PATIENCE;
    while client.closed < CONNECTIONS || server.closed < CONNECTIONS {
        assert!(Instant::now() < deadline, "stuck:\nclient {client:?}\nserver {server:?}");
        client.turn(&mut random);
        server.turn(&mut random);
    }
    for side in [&mut client, &mut server] {
        side.held.clear();
        side.driver.wait(Some(Duration::ZERO), &mut Vec::new()).unwrap();
        let stats = side.driver.stats();
        assert_eq!((stats.connections, stats.octets_pinned), (0, 0), "{stats:?}");
        // At most the one that the kernel is in the middle of.
        assert!(stats.blocks_free + 1 >= blocks, "{stats:?}");
    }
    println!("client {:?}\nserver {:?}", client.driver.stats(), server.driver.stats());
}

/// One driver and its connections.
struct Side {
    driver: UringDriver,
    connections: HashMap<ConnectionId, Link>,
    /// Slices kept for a while, which starves the pool.
    held: VecDeque<Held>,
    spare: Vec<TxBatch>,
    completions: Vec<Completion>,
    closed: usize,
}

/// A slice with what must be in it.
struct Held {
    slice: Slice,
    stream: u64,
    position: usize,
}

/// One end of a connection.
struct Link {
    /// Number of the connection; the acceptor learns it from the head.
    number: Option<u64>,
    /// The first octets of the stream: number and length.
    head: Vec<u8>,
    /// Octets to receive in all, once the head is known.
    to_receive: usize,
    /// True at the connecting end, which picks the seed of one direction; the other end has the other.
    connecting: bool,
    open: bool,
    received: usize,
    sent: usize,
    to_send: usize,
    sending: bool,
    paused: bool,
    /// The peer's FIN was seen.
    ended: bool,
    closing: bool,
    /// Octets after which this end aborts.
    abort_at: Option<usize>,
}

impl Side {
    fn new(config: UringConfig) -> Side {
        Side {
            driver: UringDriver::new(config).unwrap(),
            connections: HashMap::new(),
            held: VecDeque::new(),
            spare: Vec::new(),
            completions: Vec::new(),
            closed: 0,
        }
    }

    fn add(&mut self, id: ConnectionId, number: Option<u64>, random: &mut Random) {
        let to_send = HEAD_OCTETS + random.below(OCTETS_MAX);
        let link = Link {
            number,
            head: Vec::new(),
            to_receive: usize::MAX,
            connecting: number.is_some(),
            open: number.is_none(),
            received: 0,
            sent: 0,
            to_send,
            sending: false,
            paused: false,
            ended: false,
            closing: false,
            abort_at: (random.below(100) < ABORTED).then(|| random.below(to_send)),
        };
        assert!(self.connections.insert(id, link).is_none(), "{id:?} was given away twice");
    }

    fn turn(&mut self, random: &mut Random) {
        let mut completions = std::mem::take(&mut self.completions);
        self.driver.wait(Some(Duration::from_millis(1)), &mut completions).unwrap();
        for completion in completions.drain(..) {
            self.take(completion, random);
        }
        self.completions = completions;
        // Between all and none of what is held goes; the rest starves the receivers for a turn.
        for _ in 0..random.below(self.held.len() + 2) {
            if let Some(held) = self.held.pop_front() {
                held.check();
            }
        }
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.act(id, random);
        }
    }

    fn take(&mut self, completion: Completion, random: &mut Random) {
        match completion {
            Completion::Accepted { connection, .. } => self.add(connection, None, random),
            Completion::Connected(id) => self.connections.get_mut(&id).unwrap().open = true,
            Completion::Received(id, slice) => self.receive(id, slice, random),
            Completion::Sent(id, mut batch) => {
                self.connections.get_mut(&id).unwrap().sending = false;
                batch.clear();
                self.spare.push(batch);
            }
            Completion::Eof(id) => {
                let link = self.connections.get_mut(&id).unwrap();
                link.ended = true;
                // An abort is a reset, so this is the graceful end of a peer that had everything.
                assert_eq!((link.received, link.sent), (link.to_receive, link.to_send), "{id:?} ended early");
            }
            Completion::Failed(id, error) => {
                // Only an abort of the other end may do that.
                assert!(
                    matches!(error.raw_os_error(), Some(libc::ECONNRESET | libc::EPIPE)),
                    "{id:?} failed: {error}"
                );
                self.close(id, Close::Graceful);
            }
            Completion::Closed(id) => {
                assert!(self.connections.remove(&id).unwrap().closing, "{id:?} closed by itself");
                self.closed += 1;
            }
            other => panic!("{other:?}"),
        }
    }

    fn receive(&mut self, id: ConnectionId, slice: Slice, random: &mut Random) {
        let link = self.connections.get_mut(&id).unwrap();
        assert!(link.open && !link.ended && !link.closing, "{id:?} received {slice:?}");
        let position = link.received;
        link.received += slice.len();
        let mut rest = slice;
        if link.head.len() < HEAD_OCTETS {
            link.head.extend_from_slice(&rest.split_to(rest.len().min(HEAD_OCTETS - link.head.len())));
            let Some((number, length)) =
                link.head.split_first_chunk().filter(|_| link.head.len() == HEAD_OCTETS)
            else {
                return;
            };
            let number = u64::from_be_bytes(*number);
            assert_eq!(link.number.unwrap_or(number), number, "octets of another connection");
            link.number = Some(number);
            link.to_receive = u64::from_be_bytes(length.try_into().unwrap()) as usize;
        }
        assert!(link.received <= link.to_receive, "octets doubled");
        let stream = stream(link.number.unwrap(), !link.connecting);
        let held = Held { position: position.max(HEAD_OCTETS), stream, slice: rest };
        if random.below(3) == 0 { self.held.push_back(held) } else { held.check() }
    }

    /// Sends, pauses, resumes, closes or aborts, or nothing.
    fn act(&mut self, id: ConnectionId, random: &mut Random) {
        let link = self.connections.get_mut(&id).unwrap();
        let Some(number) = link.number.filter(|_| link.open && !link.closing) else { return };
        match random.below(12) {
            0 if !link.paused => {
                link.paused = true;
                self.driver.pause(id);
            }
            1 | 2 if link.paused => {
                link.paused = false;
                self.driver.resume(id);
            }
            _ => {}
        }
        let link = self.connections.get_mut(&id).unwrap();
        if link.sending {
            return;
        }
        if link.abort_at.is_some_and(|at| link.sent >= at) {
            return self.close(id, Close::Abort);
        }
        if link.sent < link.to_send {
            let magnitude = 4 + random.below(13);
            let octets = (1 + random.below(1 << magnitude)).min(link.to_send - link.sent);
            let mut batch = self.spare.pop().unwrap_or_default();
            let head = [number.to_be_bytes(), (link.to_send as u64).to_be_bytes()].concat();
            fill(&mut batch, &head, stream(number, link.connecting), link.sent, octets, random);
            link.sent += octets;
            link.sending = true;
            return self.driver.send(id, batch);
        }
        // The connecting end closes when both directions are whole, the other in answer to its FIN.
        if link.ended || (link.connecting && link.received == link.to_receive) {
            self.close(id, Close::Graceful);
        }
    }

    fn close(&mut self, id: ConnectionId, how: Close) {
        let link = self.connections.get_mut(&id).unwrap();
        if !std::mem::replace(&mut link.closing, true) {
            self.driver.close(id, how);
        }
    }
}

impl Held {
    fn check(self) {
        let right = self
            .slice
            .iter()
            .enumerate()
            .all(|(at, &octet)| octet == octet_at(self.stream, self.position + at));
        assert!(right, "stream {:x}: wrong octets from {} on", self.stream, self.position);
    }
}

/// Octets `position..position + octets` of a stream, in parts of random size; it begins with `head`.
fn fill(batch: &mut TxBatch, head: &[u8], stream: u64, position: usize, octets: usize, random: &mut Random) {
    let all: Vec<u8> = (position..position + octets)
        .map(|at| head.get(at).copied().unwrap_or_else(|| octet_at(stream, at)))
        .collect();
    let mut rest = Slice::from_vec(all);
    while !rest.is_empty() {
        let part = rest.split_to(1 + random.below(rest.len()));
        if random.below(2) == 0 { batch.put_header(&part) } else { batch.put_slice(part) }
    }
}

/// The stream of one direction of a connection.
fn stream(number: u64, from_connecting_end: bool) -> u64 {
    (number * 2 + u64::from(from_connecting_end)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn octet_at(stream: u64, position: usize) -> u8 {
    let mixed =
        (stream ^ (position as u64).wrapping_mul(0xff51_afd7_ed55_8ccd)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (mixed >> 56) as u8
}

fn descriptor_count() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) >> 1
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

impl std::fmt::Debug for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} closed, {} held, {:?}", self.closed, self.held.len(), self.driver.stats())?;
        self.connections.iter().take(10).try_for_each(|(id, link)| {
            writeln!(
                f,
                "  {id:?} {:?} received {} sent {}/{} sending {} paused {} ended {} closing {}",
                link.number,
                link.received,
                link.sent,
                link.to_send,
                link.sending,
                link.paused,
                link.ended,
                link.closing
            )
        })
    }
}
