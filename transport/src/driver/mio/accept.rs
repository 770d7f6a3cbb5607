//! Listeners of the mio driver: accepting, and waiting out a shortage of descriptors.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::Registry;
use mio::net::{TcpListener, TcpStream};

use super::{Work, listener_token};
use crate::driver::ListenerId;

/// One listener.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    /// An edge said that there are connections and no accept has found the queue empty since.
    ready: bool,
    /// No descriptor or slot was to be had; accepting goes on when one is freed, or at this time, because
    /// descriptors freed elsewhere in the process are not announced.
    retry_at: Option<Duration>,
    /// When the last shortage was reported.
    reported_at: Option<Duration>,
}

/// What one attempt to accept gave.
#[derive(Debug)]
pub(super) enum Attempt {
    Connection(TcpStream, SocketAddr),
    /// Nobody waits.
    Empty,
    /// That connection is lost, others may wait.
    Lost,
    /// No descriptor; to be reported if there is an error.
    Stalled(Option<io::Error>),
}

/// The listeners of a driver.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    // Few, and looked up per event, not per octet.
    list: Vec<(ListenerId, Listener)>,
    added: u32,
}

impl Listeners {
    pub(super) fn add(
        &mut self,
        socket: std::net::TcpListener,
        registry: &Registry,
    ) -> io::Result<ListenerId> {
        if self.list.len() == LISTENERS_MAX {
            return Err(io::Error::other("too many listeners"));
        }
        // Accepted connections inherit it, which saves a system call for each.
        socket2::SockRef::from(&socket).set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut socket = TcpListener::from_std(socket);
        let id = ListenerId(self.added);
        registry.register(&mut socket, listener_token(id), mio::Interest::READABLE)?;
        self.added = self.added.checked_add(1).expect("fewer than 4 milliard listeners");
        self.list.push((id, Listener { socket, ready: true, retry_at: None, reported_at: None }));
        Ok(id)
    }

    pub(super) fn remove(&mut self, id: ListenerId) {
        self.list.retain(|(other, _)| *other != id);
    }

    pub(super) fn get_mut(&mut self, id: ListenerId) -> Option<&mut Listener> {
        self.list.iter_mut().find(|(other, _)| *other == id).map(|(_, listener)| listener)
    }

    /// The `nth` listener that may accept at `now`.
    pub(super) fn id_at(&self, nth: usize) -> Option<ListenerId> {
        self.list.get(nth).map(|(id, _)| *id)
    }

    /// A descriptor or slot was freed: stalled listeners need not wait.
    pub(super) fn shortage_over(&mut self) {
        self.list.iter_mut().for_each(|(_, listener)| listener.retry_at = None);
    }

    /// How long the driver may sleep for its listeners.
    pub(super) fn sleep_max(&self, now: Duration) -> Option<Duration> {
        let ready = self.list.iter().map(|(_, listener)| listener).filter(|listener| listener.ready);
        ready.map(|listener| listener.retry_at.map_or(Duration::ZERO, |at| at.saturating_sub(now))).min()
    }
}

impl Listener {
    pub(super) fn edge(&mut self) {
        self.ready = true;
    }

    /// True if accepting is worth a try at `now`.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.ready && self.retry_at.is_none_or(|at| at <= now)
    }

    pub(super) fn accept(&mut self, now: Duration, work: &mut Work) -> Attempt {
        work.calls += 1;
        match self.socket.accept() {
            Ok((stream, peer)) => {
                self.retry_at = None;
                Attempt::Connection(stream, peer)
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => self.stall(now, error),
                _ if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready = false;
                    self.retry_at = None;
                    Attempt::Empty
                }
                // Linux hands errors of the connection that was to be accepted over here.
                Some(libc::ECONNABORTED | libc::EINTR | libc::EPROTO | libc::ENETDOWN | libc::EHOSTDOWN) => {
                    Attempt::Lost
                }
                Some(libc::ENOPROTOOPT | libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EPERM) => {
                    Attempt::Lost
                }
                _ => self.stall(now, error),
            },
        }
    }

    /// Waits for a descriptor or slot; gives the error back if it is to be reported.
    pub(super) fn stall(&mut self, now: Duration, error: io::Error) -> Attempt {
        self.retry_at = Some(now + ACCEPT_RETRY);
        let silent = self.reported_at.is_some_and(|at| now < at + REPORT_INTERVAL);
        if silent {
            return Attempt::Stalled(None);
        }
        self.reported_at = Some(now);
        Attempt::Stalled(Some(error))
    }
}

/// Listeners of one driver.
const LISTENERS_MAX: usize = 1024;
/// Time between attempts to accept while descriptors are short.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Time between reports of one shortage.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
