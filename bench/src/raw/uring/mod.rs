//! The raw echo over io_uring: the buffer scheme of our driver's default and nothing above it.
//!
//! ```text
//! one enter ─► completions ─► receive: a piece of a block, behind what its connection has queued
//!     ▲                       send: its blocks have one holder less
//!     └──── entries ◄───────  when all are handled: one send for each connection that has something and none in flight
//! ```
//!
//! What is received is sent straight out of the block it lies in. Connections are direct descriptors; their numbers are
//! their places here. A peer that never reads pins the blocks its octets lie in, up to all of them, and the others wait
//! for it: a yardstick among peers that read needs no defence.
//!
//! The rules U1 to U6 that the SAFETY comments name are those of the driver (ARCHITECTURE.md, `unsafe`), which this
//! shares no code with.
#![allow(unsafe_code)]

mod blocks;
mod connection;
mod receive;
mod ring;
mod send;

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::{cqueue, opcode, squeue, types};

use super::RawStats;
use super::canned::Opening;
use super::counters::Counters;
use blocks::Blocks;
use connection::{Connection, OpeningPart, Vectors};
use ring::Ring;

/// Connections at most, where the limit on open files allows as many.
const FILES_MAX: u32 = 65_536;

/// How long the end waits for the kernel before it leaks what the kernel works with.
const DRAIN_PATIENCE: Duration = Duration::from_secs(2);

const OP_RECEIVE: u32 = 0;
const OP_SEND: u32 = 1;
const OP_ACCEPT: u32 = 2;
const OP_CLOSE: u32 = 3;
const OP_OTHER: u32 = 4;

fn token(operation: u32, index: u32) -> u64 {
    u64::from(operation) << 32 | u64::from(index)
}

/// Everything but the ring, so that completions can be handled while they are read from it.
struct State<'a> {
    blocks: Blocks,
    listener: TcpListener,
    connections: Vec<Connection>,
    /// To be submitted by the next enter.
    entries: Vec<squeue::Entry>,
    /// Connections to look at when all completions are handled.
    dirty: Vec<u32>,
    /// Connections whose receive waits for a block.
    waiting: VecDeque<u32>,
    #[allow(clippy::vec_box, reason = "the kernel reads them where they are (rule U3)")]
    spare_vectors: Vec<Box<Vectors>>,
    /// Receives, sends and accepts that the kernel has.
    in_flight: usize,
    /// The accept ended for want of something; the next close may give it.
    accept_rests: Option<io::Error>,
    plain: bool,
    stopping: bool,
    stats: RawStats,
    counters: &'a Counters,
}

/// A server; its drop waits for the kernel.
struct Server<'a> {
    /// First, so that the ring closes before what it works with drops (rule U4).
    ring: Ring,
    state: State<'a>,
}

/// Serves until the counters ask for the end.
pub(super) fn serve(listener: TcpListener, plain: bool, counters: &Counters) -> io::Result<()> {
    let mut server = Server::new(listener, plain, counters)?;
    server.state.arm_accept();
    while !server.state.stopping {
        server.turn()?;
    }
    Ok(())
}

impl<'a> Server<'a> {
    fn new(listener: TcpListener, plain: bool, counters: &'a Counters) -> io::Result<Server<'a>> {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let mut ring = Ring::new(limit.min(u64::from(FILES_MAX)) as u32)?;
        let state = State {
            blocks: Blocks::register(&mut ring)?,
            listener,
            connections: Vec::new(),
            entries: Vec::new(),
            dirty: Vec::new(),
            waiting: VecDeque::new(),
            spare_vectors: Vec::new(),
            in_flight: 0,
            accept_rests: None,
            plain,
            stopping: false,
            stats: RawStats::default(),
            counters,
        };
        Ok(Server { ring, state })
    }

    fn turn(&mut self) -> io::Result<()> {
        let state = &mut self.state;
        self.ring.enter(&mut state.entries)?;
        for completion in self.ring.completions() {
            state.handle(&completion);
        }
        state.flush();
        state.feed();
        state.stats.system_calls = self.ring.system_calls;
        state.counters.publish(&state.stats);
        match &state.accept_rests {
            // Nobody will close, so nothing will change.
            Some(_) if state.stats.connections == 0 => Err(state.accept_rests.take().expect("just seen")),
            _ => Ok(()),
        }
    }
}

impl State<'_> {
    fn handle(&mut self, completion: &cqueue::Entry) {
        let user_data = completion.user_data();
        let index = user_data as u32;
        match (user_data >> 32) as u32 {
            OP_RECEIVE => self.received(index, completion),
            OP_SEND => self.sent(index, completion.result()),
            OP_ACCEPT => self.accepted(completion),
            _ => {}
        }
    }

    fn mark_dirty(&mut self, index: u32) {
        let connection = &mut self.connections[index as usize];
        if !std::mem::replace(&mut connection.dirty, true) {
            self.dirty.push(index);
        }
    }

    fn arm_accept(&mut self) {
        self.in_flight += 1;
        let listener = types::Fd(self.listener.as_raw_fd());
        let accept = opcode::AcceptMulti::new(listener).allocate_file_index(true).build();
        self.entries.push(accept.user_data(token(OP_ACCEPT, 0)));
    }

    fn accepted(&mut self, completion: &cqueue::Entry) {
        let result = completion.result();
        if result >= 0 {
            self.add(result as u32);
        }
        if cqueue::more(completion.flags()) {
            return;
        }
        self.in_flight -= 1;
        match -result {
            ..=0 | libc::ECONNABORTED | libc::EINTR | libc::EAGAIN | libc::ECANCELED => self.arm_accept(),
            error => self.accept_rests = Some(io::Error::from_raw_os_error(error)),
        }
    }

    fn add(&mut self, index: u32) {
        self.stopping |= self.counters.is_asked_to_stop();
        let part = || Box::new(OpeningPart { opening: Opening::new(), answers: Vec::new(), over: false });
        let opening = (!self.plain).then(part);
        let place = index as usize;
        while self.connections.len() <= place {
            self.connections.push(Connection::vacant());
        }
        self.connections[place].occupy(opening);
        self.stats.accepted += 1;
        self.stats.connections += 1;
        self.arm_receive(index);
    }

    fn close(&mut self, index: u32) {
        self.stats.connections -= 1;
        let close = opcode::Close::new(types::Fixed(index)).build();
        // It cannot fail but when there is nothing to close, and its success is of no interest.
        let close = close.flags(squeue::Flags::SKIP_SUCCESS);
        self.entries.push(close.user_data(token(OP_CLOSE, index)));
        if self.accept_rests.take().is_some() {
            self.arm_accept();
        }
    }

    /// Counts a completion after the end.
    fn discount(&mut self, completion: &cqueue::Entry) {
        let counted = completion.user_data() >> 32 <= u64::from(OP_ACCEPT);
        self.in_flight -= usize::from(counted && !cqueue::more(completion.flags()));
    }
}

impl Drop for Server<'_> {
    /// Cancels everything and waits for the last completion: blocks and answers may not drop before (rule U2).
    fn drop(&mut self) {
        let state = &mut self.state;
        let started = Instant::now();
        while state.in_flight > 0 {
            // Again and again: an entry that was still queued could not be found before.
            let cancel = opcode::AsyncCancel2::new(types::CancelBuilder::any()).build();
            state.entries.push(cancel.user_data(token(OP_OTHER, 0)));
            let entered = self.ring.enter(&mut state.entries);
            if entered.is_err() || started.elapsed() > DRAIN_PATIENCE {
                state.blocks.leak();
                std::mem::forget(std::mem::take(&mut state.connections));
                return;
            }
            for completion in self.ring.completions() {
                state.discount(&completion);
            }
        }
        self.ring.release();
    }
}
