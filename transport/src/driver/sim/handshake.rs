//! Listeners of the network, and how connections come about.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::network::{EPHEMERAL_PORT_MIN, Event, Listener, Network, key};
use super::socket::{Handshake, Socket, SocketId};
use crate::driver::ConnectionId;

impl Network {
    pub(super) fn bind(&mut self, mut address: SocketAddr) -> io::Result<(usize, SocketAddr)> {
        if address.port() == 0 {
            let taken =
                |port| self.listeners.iter().any(|own| own.address.is_some_and(|own| own.port() == port));
            let free = (LISTEN_PORT_MIN..EPHEMERAL_PORT_MIN).find(|&port| !taken(port));
            address.set_port(free.ok_or(io::ErrorKind::AddrInUse)?);
        }
        self.listeners.push(Listener { address: Some(address), host: None, backlog: VecDeque::new() });
        Ok((self.listeners.len() - 1, address))
    }

    pub(super) fn listen(&mut self, listener: usize, host: usize) {
        self.listeners[listener].host = Some(host);
        // Somebody may wait already.
        self.retry_after(host, Duration::ZERO);
    }

    /// Closes a listener; who waits in its backlog is reset.
    pub(super) fn unbind(&mut self, listener: usize) {
        let listener = &mut self.listeners[listener];
        listener.address = None;
        for socket in std::mem::take(&mut listener.backlog) {
            self.reset(socket);
        }
    }

    /// Somebody waits to be accepted.
    pub(super) fn has_backlog(&self, listener: usize) -> bool {
        !self.listeners[listener].backlog.is_empty()
    }

    /// The oldest connection of a backlog, or the failure to accept it.
    pub(super) fn accept(&mut self, listener: usize) -> io::Result<(SocketId, SocketAddr)> {
        let waits = self.listeners[listener].backlog.front().copied();
        let socket = waits.ok_or(io::ErrorKind::WouldBlock)?;
        if self.fault(|faults| faults.accept_failed_ppm, |counts| &mut counts.accepts_failed) {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        self.listeners[listener].backlog.pop_front();
        let remote = self.sockets.get(socket).expect("a backlog has open sockets").remote;
        Ok((socket, remote))
    }

    /// Starts a handshake.
    pub(super) fn connect(&mut self, host: usize, source: Option<SocketAddr>, to: SocketAddr) -> SocketId {
        let own = &mut self.hosts[host];
        let mut local = source.unwrap_or(SocketAddr::new(own.address, 0));
        if local.port() == 0 {
            own.port = own.port.checked_add(1).unwrap_or(EPHEMERAL_PORT_MIN);
            local.set_port(own.port);
        }
        let socket = self.sockets.insert(Socket::new(host, local, to));
        if self.fault(|faults| faults.connect_timeout_ppm, |counts| &mut counts.connect_timeouts) {
            let at = self.now + self.faults.connect_timeout;
            self.schedule(at, Event::ConnectFailed(key(socket), io::ErrorKind::TimedOut));
        } else {
            let at = self.now + self.delay();
            self.schedule(at, Event::Syn(key(socket)));
        }
        socket
    }

    /// A SYN arrives: into a backlog, or refused.
    pub(super) fn syn(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else { return };
        let (local, remote) = (socket.local, socket.remote);
        let matching = |listener: &Listener| listener.address == Some(remote);
        let candidates = self.listeners.iter().filter(|listener| matching(listener)).count();
        let refused = self.fault(|faults| faults.connect_refused_ppm, |counts| &mut counts.connects_refused);
        if candidates == 0 || refused {
            let at = self.now + self.delay();
            return self.schedule(at, Event::ConnectFailed(key(id), io::ErrorKind::ConnectionRefused));
        }
        // Several listeners of one address share the load, as with SO_REUSEPORT.
        let nth = if candidates > 1 { self.random.below(candidates as u64) as usize } else { 0 };
        let found = self.listeners.iter().enumerate().filter(|(_, listener)| matching(listener)).nth(nth);
        let index = found.expect("as many as were counted").0;
        if self.listeners[index].backlog.len() >= BACKLOG_MAX {
            self.counts.backlogs_full += 1;
            return self.schedule(self.now + SYN_AGAIN, Event::Syn(key(id)));
        }
        let host = self.listeners[index].host;
        let mut accepted = Socket::new(host.unwrap_or_default(), remote, local);
        accepted.peer = Some(id);
        accepted.handshake = Handshake::Done;
        let accepted = self.sockets.insert(accepted);
        self.listeners[index].backlog.push_back(accepted);
        if host.is_some() {
            // The host has something to look at: the backlog.
            self.announce(accepted);
        }
        let at = self.now + self.delay();
        let socket = self.sockets.get_mut(id).expect("it was there");
        socket.peer = Some(accepted);
        socket.last_arrival_at = at;
        self.schedule(at, Event::Connected(key(id)));
    }

    pub(super) fn end_handshake(&mut self, id: SocketId, outcome: Handshake) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.handshake = outcome;
            self.announce(id);
        }
    }

    /// Gives a socket out of a backlog to the host that accepted it.
    pub(super) fn adopt(&mut self, id: SocketId, host: usize, owner: ConnectionId) {
        let socket = self.sockets.get_mut(id).expect("its owner has not closed it");
        (socket.host, socket.owner) = (host, Some(owner));
        // What arrived while it waited is news to its owner.
        self.announce(id);
    }
}

/// Ports given to listeners that ask for any, up to those of connections.
const LISTEN_PORT_MIN: u16 = 10_000;
/// Connections that wait to be accepted on one listener.
const BACKLOG_MAX: usize = 1024;
/// When a SYN is repeated that found a backlog full.
const SYN_AGAIN: Duration = Duration::from_secs(1);
