//! Accepting into direct descriptors, never more than the table has room for.

use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::time::Duration;

use io_uring::{cqueue, opcode, squeue, types};

use super::connection::Phase;
use super::token::{Op, Token};
use super::{UringDriver, address, entries};
use crate::driver::{Completion, ConnectionId, ListenerId};

/// How long a listener rests after a failure.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A listening socket.
pub(super) struct Listener {
    pub(super) id: ListenerId,
    socket: TcpListener,
    armed: Armed,
    /// The cancel of its accept is in flight.
    cancelling: bool,
    /// It failed and is not armed for a while: a shortage of the system does not end by asking at once.
    resting: bool,
    /// The full table was watched for, and reported if somebody met it: once per shortage.
    shortage_told: bool,
    /// Octets of an address of its family.
    address_octets: u32,
}

/// The accept of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Armed {
    /// Nothing, yet.
    No,
    /// Not for accepting: the table is full.
    Watching,
    /// For one connection, which has a place reserved.
    Once,
    /// For any number.
    Repeatedly,
}

impl Listener {
    fn entry(&self, armed: Armed) -> squeue::Entry {
        let fd = types::Fd(self.socket.as_raw_fd());
        match armed {
            Armed::Repeatedly => opcode::AcceptMulti::new(fd).allocate_file_index(true).build(),
            Armed::Once => {
                let slot = Some(types::DestinationSlot::auto_target());
                opcode::Accept::new(fd, std::ptr::null_mut(), std::ptr::null_mut()).file_index(slot).build()
            }
            Armed::Watching | Armed::No => opcode::PollAdd::new(fd, libc::POLLIN as u32).build(),
        }
    }

    fn disarm(&mut self) {
        self.armed = Armed::No;
        self.cancelling = false;
    }
}

impl UringDriver {
    /// Takes a listener over and accepts on it from the next wait on.
    ///
    /// The accepted sockets inherit TCP_NODELAY. TCP_FASTOPEN and TCP_DEFER_ACCEPT must not be set on it
    /// (pitfall 8), nor may another ring accept on it (pitfall 6).
    pub(super) fn start_listening(&mut self, socket: TcpListener) -> io::Result<ListenerId> {
        let address_octets = address::octets(&socket.local_addr()?);
        socket2::SockRef::from(&socket).set_tcp_nodelay(true)?;
        self.ring.count_system_calls(2);
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        self.listeners.push(Listener {
            id,
            socket,
            armed: Armed::No,
            cancelling: false,
            resting: false,
            shortage_told: false,
            address_octets,
        });
        Ok(id)
    }

    /// Ends a listener. Connections it accepted and has not reported are reported yet.
    pub(super) fn stop_listening(&mut self, id: ListenerId) {
        let Some(index) = self.listeners.iter().position(|listener| listener.id == id) else { return };
        let listener = self.listeners.swap_remove(index);
        self.stopped_listeners.push((id, listener.address_octets));
        if listener.armed != Armed::No {
            // Pitfall 4 holds for listeners too: the armed accept keeps the socket listening. It ends in
            // this call, so that the close below is the last one.
            let op = if listener.armed == Armed::Watching { Op::Watch } else { Op::Accept };
            self.files_reserved -= u32::from(listener.armed == Armed::Once);
            // Accepts whoever waits: the kernel gets to that only in a call like this one. An unusable ring shows at
            // the next wait.
            let _ = self.ring.enter(0, None);
            if self.ring.is_polled() {
                // The cancel ends later there, and a listener that shuts down refuses from now on.
                let _ = socket2::SockRef::from(&listener.socket).shutdown(std::net::Shutdown::Both);
                self.ring.count_system_calls(1);
            }
            self.cancel_accept(id, op);
            let _ = self.ring.enter(0, None);
            if !self.ring.is_submitted() {
                // Its number must not name another file when the kernel gets to it.
                self.retired_listeners.push(listener.socket);
            }
        }
    }

    fn cancel_accept(&mut self, id: ListenerId, op: Op) {
        let target = types::CancelBuilder::user_data(Token::other(op, id.0).pack());
        let entry = opcode::AsyncCancel2::new(target).build();
        self.ring.push(entry, Token::other(Op::CancelAccept, id.0).pack());
    }

    /// Arms listeners as the table's room allows.
    ///
    /// A full table would drop the peers of a burst after the fact (pitfall 7). So a multishot accept
    /// is armed only while there is room for a whole backlog; with less, accepts are for one connection
    /// each, with its place reserved; with none, peers wait in the backlog and a watch tells of them.
    pub(super) fn arm_accepts(&mut self) {
        if !self.retired_listeners.is_empty() && self.ring.is_submitted() {
            self.retired_listeners.clear();
        }
        if self.accept_again_at.is_some_and(|at| at <= self.now) {
            self.accept_again_at = None;
            self.listeners.iter_mut().for_each(|listener| listener.resting = false);
        }
        for index in 0..self.listeners.len() {
            let room = self.free_files();
            let listener = &mut self.listeners[index];
            let due = match room {
                0 => Armed::Watching,
                _ if room < self.accept_burst_max => Armed::Once,
                _ => Armed::Repeatedly,
            };
            let id = listener.id;
            match (listener.armed, due) {
                (Armed::No, _) if !listener.resting => {}
                (Armed::Watching, Armed::Once | Armed::Repeatedly)
                | (Armed::Repeatedly, Armed::Once | Armed::Watching)
                    if !listener.cancelling =>
                {
                    listener.cancelling = true;
                    let op = if listener.armed == Armed::Watching { Op::Watch } else { Op::Accept };
                    self.cancel_accept(id, op);
                    continue;
                }
                _ => continue,
            }
            if due == Armed::Watching && std::mem::replace(&mut listener.shortage_told, true) {
                continue;
            }
            listener.armed = due;
            let entry = listener.entry(due);
            self.files_reserved += u32::from(due == Armed::Once);
            let op = if due == Armed::Watching { Op::Watch } else { Op::Accept };
            self.ring.push(entry, Token::other(op, id.0).pack());
        }
    }

    /// Takes in an accepted descriptor, or the end of an accept.
    pub(super) fn handle_accepted(&mut self, token: Token, entry: &cqueue::Entry, out: &mut Vec<Completion>) {
        let id = ListenerId(token.slot);
        let ended = !cqueue::more(entry.flags());
        let listener = self.listeners.iter_mut().find(|listener| listener.id == id);
        let address_octets = listener.map(|listener| {
            if ended {
                self.files_reserved -= u32::from(listener.armed == Armed::Once);
                listener.disarm();
            }
            listener.shortage_told = false;
            listener.address_octets
        });
        if entry.result() >= 0 {
            self.files_used += 1;
            let stopped = self.stopped_listeners.iter().find(|(stopped, _)| *stopped == id);
            match address_octets.or(stopped.map(|(_, octets)| *octets)) {
                Some(octets) => self.ask_peer_name(id, entry.result() as u32, octets),
                None => {
                    let file = types::Fixed(entry.result() as u32);
                    let token = Token::other(Op::CloseStray, file.0).pack();
                    self.ring.push(opcode::Close::new(file).build(), token);
                }
            }
            return;
        }
        let error = -entry.result();
        // The peer's change of mind, and the driver's own cancel, are no failures. Re-arming is the
        // business of the next wait in every case.
        let expected = matches!(error, libc::ECANCELED | libc::ECONNABORTED | libc::EINTR | libc::EAGAIN);
        if let Some(listener) = self.listeners.iter_mut().find(|listener| listener.id == id)
            && !expected
        {
            listener.resting = true;
            self.accept_again_at.get_or_insert(self.now + ACCEPT_REST);
            out.push(Completion::AcceptFailed(id, io::Error::from_raw_os_error(error)));
        }
    }

    /// A peer waits in the backlog of a listener and the table is full, or the watch was cancelled.
    pub(super) fn handle_watched(&mut self, token: Token, result: i32, out: &mut Vec<Completion>) {
        let id = ListenerId(token.slot);
        let Some(listener) = self.listeners.iter_mut().find(|listener| listener.id == id) else { return };
        listener.disarm();
        if result > 0 {
            out.push(Completion::AcceptFailed(id, io::Error::from_raw_os_error(libc::ENFILE)));
        } else {
            listener.shortage_told = false;
        }
    }

    fn ask_peer_name(&mut self, listener: ListenerId, file: u32, address_octets: u32) {
        let set_up = self.take_set_up();
        let id = self.connections.insert(Phase::Naming(listener), set_up);
        let connection = self.connections.get(id).expect("just inserted");
        connection.file = Some(file);
        let set_up = connection.set_up.as_mut().expect("just inserted");
        set_up.peer_octets = address_octets;
        let entry = entries::peer_name(types::Fixed(file), set_up.peer.as_mut_ptr(), address_octets);
        self.push(Op::PeerName, id, entry);
    }

    /// The peer's address is known: the connection is reported and receives. A connection reset before
    /// is not reported; the peer knows.
    pub(super) fn handle_peer_name(&mut self, id: ConnectionId, result: i32, out: &mut Vec<Completion>) {
        let connection = self.connections.get(id).expect("a live connection");
        let set_up = connection.set_up.take().expect("its address was asked for");
        let Phase::Naming(listener) = connection.phase else { unreachable!("nobody knows it yet") };
        let peer = if result == set_up.peer_octets as i32 { set_up.peer.get() } else { None };
        let reported = match peer {
            Some(peer) => {
                connection.phase = Phase::Open;
                out.push(Completion::Accepted { listener, connection: id, peer });
                true
            }
            _ => {
                connection.phase = Phase::Unwanted;
                false
            }
        };
        self.recycle_set_up(set_up);
        if reported {
            self.arm_receive(id);
        }
    }
}
