//! A raw server from the outside: which kind, where it listens, what it has done, how it ends.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use super::RawStats;
use super::counters::Counters;

/// Connections that wait to be accepted, at most.
const BACKLOG: i32 = 4096;

/// How a raw server is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// Edge-triggered mio.
    Mio,
    /// io_uring with an incremental buffer ring; Linux 6.12 or later.
    IoUring,
    /// tokio on the current thread, one task a connection.
    Tokio,
}

/// A raw echo server that listens and does not serve yet.
#[derive(Debug)]
pub struct RawServer {
    kind: RawKind,
    pub(super) listener: TcpListener,
    plain: bool,
    counters: Arc<Counters>,
    address: SocketAddr,
}

/// Looks at a server that runs on another thread, and ends it.
#[derive(Clone, Debug)]
pub struct RawHandle {
    counters: Arc<Counters>,
    address: SocketAddr,
}

impl RawServer {
    /// Listens on `at`. With `plain` no opening is expected: everything is echoed.
    ///
    /// # Errors
    /// What the system says: the address is in use or not of this host.
    pub fn bind(kind: RawKind, at: SocketAddr, plain: bool) -> io::Result<RawServer> {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit it.
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&at.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok(RawServer { kind, listener, plain, counters: Arc::default(), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle for another thread.
    pub fn handle(&self) -> RawHandle {
        RawHandle { counters: self.counters.clone(), address: self.address }
    }

    /// Serves on the calling thread until [`RawHandle::stop`].
    ///
    /// # Errors
    /// What makes it impossible to go on: no ring, no poll. Failures of a connection end that connection.
    pub fn run(self) -> io::Result<()> {
        match self.kind {
            RawKind::Mio => super::mio::serve(self.listener, self.plain, &self.counters),
            #[cfg(target_os = "linux")]
            RawKind::IoUring => super::uring::serve(self.listener, self.plain, &self.counters),
            #[cfg(not(target_os = "linux"))]
            RawKind::IoUring => Err(io::Error::new(io::ErrorKind::Unsupported, "io_uring needs Linux")),
            RawKind::Tokio => super::tokio::serve(self.listener, self.plain, &self.counters),
        }
    }
}

impl RawHandle {
    /// What the server has done so far.
    pub fn stats(&self) -> RawStats {
        self.counters.read()
    }

    /// Ends the server: its connections close, and [`RawServer::run`] returns.
    pub fn stop(&self) {
        self.counters.ask_to_stop();
        let mut to = self.address;
        if to.ip().is_unspecified() {
            to.set_ip(match to {
                SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        // Wakes the server. Refused when it has ended already, which is what is wanted.
        let _ = TcpStream::connect(to);
    }
}
