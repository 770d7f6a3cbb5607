//! Outgoing connections: socket, options, source address, connect, one entry after the other.

use std::io;
use std::net::SocketAddr;

use io_uring::{opcode, types};

use super::connection::{Phase, SetUp, SocketOption};
use super::token::Op;
use super::{UringDriver, address};
use crate::driver::{Completion, ConnectOptions, ConnectionId};

/// Set-up memory kept for reuse.
const SPARE_SET_UPS_MAX: usize = 256;

impl UringDriver {
    /// Starts to connect. The entries are not linked: links save a turn of the loop at set-up, and hung
    /// with skipped completions once (pitfall 12).
    pub(super) fn start_connect(
        &mut self,
        to: SocketAddr,
        options: &ConnectOptions,
    ) -> io::Result<ConnectionId> {
        if let Some(source) = options.source {
            if source.is_ipv4() != to.is_ipv4() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "source and destination differ in family",
                ));
            }
            if !self.abilities.bind {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "IORING_OP_BIND needs Linux 6.11"));
            }
        }
        // A connect that failed for want of a socket has no descriptor, but its slot, until it is closed.
        if self.free_files() == 0 || self.connections.count() >= self.files_max as usize {
            return Err(io::Error::from_raw_os_error(libc::ENFILE));
        }
        self.files_reserved += 1;
        let mut set_up = self.take_set_up();
        set_up.peer.set(to);
        set_up.peer_octets = address::octets(&to);
        set_up.source_octets = 0;
        set_up.set_options(options);
        if let Some(source) = options.source {
            set_up.source.set(source);
            set_up.source_octets = address::octets(&source);
        }
        let id = self.connections.insert(Phase::Connecting, set_up);
        let slot = Some(types::DestinationSlot::auto_target());
        let socket = opcode::Socket::new(address::family(&to), libc::SOCK_STREAM, libc::IPPROTO_TCP);
        self.push(Op::Socket, id, socket.file_index(slot).build());
        Ok(id)
    }

    /// One step of the set-up is done: the next one.
    pub(super) fn handle_connecting(
        &mut self,
        op: Op,
        id: ConnectionId,
        result: i32,
        out: &mut Vec<Completion>,
    ) {
        let connection = self.connections.get(id).expect("a live connection");
        if op == Op::Socket {
            self.files_reserved -= 1;
            if result >= 0 {
                self.files_used += 1;
                connection.file = Some(result as u32);
            }
        }
        if connection.phase != Phase::Connecting {
            return;
        }
        if result < 0 {
            return self.fail(id, io::Error::from_raw_os_error(-result), out);
        }
        let file = types::Fixed(connection.file.expect("made by the first step"));
        let set_up = connection.set_up.as_deref_mut().expect("kept until connected");
        match op {
            Op::Socket | Op::SetOption if set_up.options_set < set_up.options.len() => {
                // Its place does not move while the entry is in flight: the set-up is boxed.
                let SocketOption { level, name, value } = &set_up.options[set_up.options_set];
                let octets = size_of_val(value) as u32;
                let value = (&raw const *value).cast();
                let entry = opcode::SetSockOpt::new(file, *level as u32, *name as u32, value, octets).build();
                set_up.options_set += 1;
                self.push(Op::SetOption, id, entry);
            }
            Op::Socket | Op::SetOption if set_up.source_octets > 0 => {
                let entry =
                    opcode::Bind::new(file, set_up.source.as_ptr().cast(), set_up.source_octets).build();
                self.push(Op::Bind, id, entry);
            }
            Op::Socket | Op::SetOption | Op::Bind => {
                let entry =
                    opcode::Connect::new(file, set_up.peer.as_ptr().cast(), set_up.peer_octets).build();
                self.push(Op::Connect, id, entry);
            }
            _ => {
                connection.phase = Phase::Open;
                let set_up = connection.set_up.take().expect("kept until connected");
                let (wanted, sending) = (connection.receiving.wanted, connection.sending.is_some());
                self.recycle_set_up(set_up);
                out.push(Completion::Connected(id));
                if wanted {
                    self.arm_receive(id);
                }
                if sending {
                    self.send_round(id);
                }
            }
        }
    }

    pub(super) fn take_set_up(&mut self) -> Box<SetUp> {
        let mut set_up = self.spare_set_ups.pop().unwrap_or_default();
        set_up.options.clear();
        set_up.options_set = 0;
        set_up
    }

    pub(super) fn recycle_set_up(&mut self, set_up: Box<SetUp>) {
        if self.spare_set_ups.len() < SPARE_SET_UPS_MAX {
            self.spare_set_ups.push(set_up);
        }
    }
}
