//! The raw echo over edge-triggered mio.
//!
//! A connection is registered once, for both directions: when a send blocks, the edge of the free send buffer comes
//! without another system call. One read buffer serves all connections; octets stay with a connection only while its
//! peer does not take them, and it is not read meanwhile.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::RawStats;
use super::canned::Opening;
use super::counters::Counters;

const LISTENER: Token = Token(usize::MAX - 1);
const READ_OCTETS: usize = 64 << 10;
const EVENTS_MAX: usize = 1024;

/// Reads of one connection in one turn, so that a flooding peer does not starve the others.
const READS_MAX: usize = 16;

struct Connection {
    stream: TcpStream,
    opening: Option<Box<Opening>>,
    /// Read and not sent, from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
}

enum After {
    /// There is nothing more to read, or no place for it.
    Rest,
    /// There is more to read.
    Again,
    End,
}

struct Server<'a> {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    again: Vec<usize>,
    read: Box<[u8]>,
    plain: bool,
    stats: RawStats,
    counters: &'a Counters,
}

/// Serves until the counters ask for the end.
pub(super) fn serve(listener: std::net::TcpListener, plain: bool, counters: &Counters) -> io::Result<()> {
    let poll = Poll::new()?;
    let mut listener = TcpListener::from_std(listener);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut server = Server {
        poll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
        again: Vec::new(),
        read: vec![0; READ_OCTETS].into(),
        plain,
        stats: RawStats { system_calls: 2, ..RawStats::default() },
        counters,
    };
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut again = Vec::new();
    while !counters.is_asked_to_stop() {
        server.turn(&mut events, &mut again)?;
    }
    Ok(())
}

impl Server<'_> {
    fn turn(&mut self, events: &mut Events, again: &mut Vec<usize>) -> io::Result<()> {
        let timeout = if self.again.is_empty() { None } else { Some(std::time::Duration::ZERO) };
        self.stats.system_calls += 1;
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        std::mem::swap(&mut self.again, again);
        for event in events.iter() {
            match event.token() {
                LISTENER => self.accept(),
                // A peer that has ended its direction may have done so behind octets of this very edge.
                Token(index) => self.serve(index, event.is_read_closed() || event.is_error()),
            }
        }
        for index in again.drain(..) {
            self.serve(index, true);
        }
        self.counters.publish(&self.stats);
        Ok(())
    }

    /// Sends and reads what can be; `to_the_end` reads on after a short read.
    fn serve(&mut self, index: usize, to_the_end: bool) {
        let Some(connection) = self.connections[index].as_mut() else { return };
        match connection.serve(&mut self.read, to_the_end, &mut self.stats) {
            After::Rest => {}
            After::Again => self.again.push(index),
            After::End => {
                self.connections[index] = None;
                self.free.push(index);
                self.stats.system_calls += 1;
                self.stats.connections -= 1;
            }
        }
    }

    fn accept(&mut self) {
        loop {
            self.stats.system_calls += 1;
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Nobody waits; or one has left; or there is no descriptor, and the next edge tries again.
                Err(_) => return,
            };
            let index = self.free.pop().unwrap_or(self.connections.len());
            self.stats.system_calls += 1;
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, Token(index), interest).is_err() {
                let _ = stream.shutdown(Shutdown::Both);
                self.free.push(index);
                continue;
            }
            let opening = (!self.plain).then(Opening::new);
            let connection = Connection { stream, opening, unsent: Vec::new(), sent: 0 };
            match self.connections.get_mut(index) {
                Some(slot) => *slot = Some(connection),
                None => self.connections.push(Some(connection)),
            }
            self.stats.connections += 1;
            self.stats.accepted += 1;
        }
    }
}

impl Connection {
    fn serve(&mut self, read: &mut [u8], mut to_the_end: bool, stats: &mut RawStats) -> After {
        if !self.unsent.is_empty() {
            // The edge of the peer's end may have passed while this one was not read.
            to_the_end = true;
            match self.send_rest(stats) {
                Ok(true) => {}
                Ok(false) => return After::Rest,
                Err(_) => return After::End,
            }
        }
        for _ in 0..READS_MAX {
            stats.system_calls += 1;
            let octets = match self.stream.read(read) {
                Ok(0) => return After::End,
                Ok(octets) => octets,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return After::Rest,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return After::End,
            };
            match self.echo(&read[..octets], stats) {
                Ok(true) if octets < read.len() && !to_the_end => return After::Rest,
                Ok(true) => {}
                Ok(false) => return After::Rest,
                Err(_) => return After::End,
            }
        }
        After::Again
    }

    /// Sends `octets`, or what they are answered in the opening; false when some had to be kept.
    fn echo(&mut self, octets: &[u8], stats: &mut RawStats) -> io::Result<bool> {
        let Some(opening) = self.opening.as_mut() else { return self.send(octets, stats) };
        let mut answer = Vec::new();
        match opening.receive(octets, &mut answer) {
            Ok(true) => self.opening = None,
            Ok(false) => {}
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
        if answer.is_empty() { Ok(true) } else { self.send(&answer, stats) }
    }

    fn send(&mut self, octets: &[u8], stats: &mut RawStats) -> io::Result<bool> {
        let sent = write(&self.stream, octets, stats)?;
        if sent == octets.len() {
            return Ok(true);
        }
        self.unsent.extend_from_slice(&octets[sent..]);
        Ok(false)
    }

    fn send_rest(&mut self, stats: &mut RawStats) -> io::Result<bool> {
        self.sent += write(&self.stream, &self.unsent[self.sent..], stats)?;
        if self.sent < self.unsent.len() {
            return Ok(false);
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }
}

/// Writes until nothing is left or the socket blocks: only a write that blocked makes the edge that tells of room.
fn write(mut stream: &TcpStream, octets: &[u8], stats: &mut RawStats) -> io::Result<usize> {
    let mut sent = 0;
    while sent < octets.len() {
        stats.system_calls += 1;
        match stream.write(&octets[sent..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(octets) => sent += octets,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    stats.octets += sent as u64;
    Ok(sent)
}
