//! What a shard hands to a tap: copies, in a bounded ring of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use colloquy_session::State;
use colloquy_shard::SessionId;
use colloquy_shard::rings::{Consumer, Producer, spsc};

use super::filter::TapFilter;

/// Records of one shard that may wait for a tap.
const RECORDS_MAX: usize = 4096;
/// Octets of one shard that may wait for a tap.
pub(super) const OCTETS_WAITING_MAX: usize = 8 << 20;
/// Emptied buffers of one shard that wait to be filled again, and what each may hold.
const SPARE_BUFFERS_MAX: usize = 256;
const SPARE_BUFFER_OCTETS_MAX: usize = 64 << 10;

/// What a session is, when a tap begins with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) peer: SocketAddr,
    /// This side opened the connection.
    pub(crate) initiates: bool,
    /// Index of the listener that accepted it.
    pub(crate) listener: Option<u32>,
    /// Index of the target it was opened to.
    pub(crate) target: Option<u32>,
    /// Its connection was there before.
    pub(crate) under_way: bool,
    /// Whether the tap is for it is not known yet: `Decided` or `Forget` follows.
    pub(crate) undecided: bool,
}

/// Octets of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Since the epoch, nanoseconds.
    pub(super) at: u64,
    pub(super) sent: bool,
    pub(super) state: State,
    /// V(M).
    pub(super) next_serial: u32,
    /// These begin with a TSDU, whatever came before.
    pub(super) resumes: bool,
    /// Octets in front of these that were left out.
    pub(super) left_out: u64,
    pub(super) octets: Vec<u8>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A session is tapped from here on.
    Begin(Box<Introduction>),
    Octets(Run),
    /// The tap is for the session.
    Decided,
    /// The tap is not for the session after all, or no more.
    Forget,
    /// The session has ended.
    End {
        at: u64,
    },
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) session: SessionId,
    pub(super) event: Event,
}

/// What both sides of a ring count.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Octets in the ring.
    waiting: AtomicUsize,
    /// Runs of octets that were left out.
    pub(super) runs_left_out: AtomicU64,
}

/// The shard's end.
#[derive(Debug)]
pub(super) struct Outlet {
    ring: Producer<Record>,
    spare: Consumer<Vec<u8>>,
    pub(super) shared: Arc<Shared>,
}

/// The tap's end.
#[derive(Debug)]
pub(super) struct Inlet {
    ring: Consumer<Record>,
    spare: Producer<Vec<u8>>,
    pub(super) shared: Arc<Shared>,
}

/// Makes a ring.
pub(super) fn ring() -> (Outlet, Inlet) {
    let (producer, consumer) = spsc(RECORDS_MAX);
    let (emptied, spare) = spsc(SPARE_BUFFERS_MAX);
    let shared = Arc::new(Shared::default());
    let outlet = Outlet { ring: producer, spare, shared: Arc::clone(&shared) };
    (outlet, Inlet { ring: consumer, spare: emptied, shared })
}

impl Outlet {
    /// Room for so many octets more?
    pub(super) fn has_room(&self, octets: usize) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) + octets <= OCTETS_WAITING_MAX
    }

    /// An empty buffer, one that was filled before if there is one.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Hands a record over; false where there is no room, or nobody to take it.
    pub(super) fn push(&mut self, record: Record) -> bool {
        let octets = record.octets();
        self.shared.waiting.fetch_add(octets, Ordering::Relaxed);
        let taken = self.ring.push(record).is_ok();
        if !taken {
            self.shared.waiting.fetch_sub(octets, Ordering::Relaxed);
        }
        taken
    }
}

impl Inlet {
    /// The oldest record.
    pub(super) fn pop(&mut self) -> Option<Record> {
        let record = self.ring.pop()?;
        self.shared.waiting.fetch_sub(record.octets(), Ordering::Relaxed);
        Some(record)
    }

    /// Gives a buffer back to the shard. Freed here, it would make the shard wait for the allocator's lock while this
    /// thread, which has the lowest priority, holds it.
    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= SPARE_BUFFER_OCTETS_MAX {
            buffer.clear();
            let _ = self.spare.push(buffer);
        }
    }

    /// True when the shard has ended, or has let the tap go, and everything was taken.
    pub(super) fn is_finished(&mut self) -> bool {
        self.ring.is_closed() && self.ring.is_empty()
    }
}

impl Record {
    fn octets(&self) -> usize {
        match &self.event {
            Event::Octets(run) => run.octets.len(),
            _ => 0,
        }
    }
}

/// What every shard is told to begin a tap.
#[derive(Debug)]
pub struct TapOrder {
    /// Its number.
    pub(super) id: u64,
    pub(super) filter: TapFilter,
    /// One for each shard, until that has taken it.
    pub(super) outlets: Vec<Mutex<Option<Outlet>>>,
}
