//! Sockets as all drivers want them: listeners and the first half of a connect.
//!
//! Nothing here waits, resolves names or reads configuration.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::driver::ConnectOptions;

/// Options of a listener; accepted connections inherit them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// Connections the system completes before they are accepted, 1 to 65535.
    pub backlog: u16,
    /// Lets every shard have a listener of its own on one address (SO_REUSEPORT).
    pub reuse_port: bool,
    /// Idle time after which the system probes the peer; `None`: never.
    pub keepalive: Option<Duration>,
    /// Time that sent octets may stay unacknowledged (TCP_USER_TIMEOUT, Linux); `None`: system default.
    pub user_timeout: Option<Duration>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            reuse_port: false,
            keepalive: Some(Duration::from_secs(60)),
            user_timeout: None,
        }
    }
}

/// A non-blocking listener with TCP_NODELAY, which accepted connections inherit.
///
/// # Errors
/// What the system says, for instance that the address is in use.
pub fn listen(address: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for connections of the last run in TIME_WAIT.
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(idle) = options.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(options.user_timeout)?;
    socket.bind(&address.into())?;
    socket.listen(i32::from(options.backlog))?;
    Ok(socket.into())
}

/// Gives a listening socket that somebody else made what [`listen`] gives its own; its address and backlog stay.
///
/// # Errors
/// What the system says.
pub fn adopt(listener: TcpListener, options: &ListenOptions) -> io::Result<TcpListener> {
    let socket = Socket::from(listener);
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(idle) = options.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(options.user_timeout)?;
    Ok(socket.into())
}

/// Lets no new connection come to a listener that is about to be closed, while those whose handshake is under way
/// still arrive: the system drops each SYN, whose sender tries again later and is refused by then.
///
/// Closing a listener resets whatever waits in its queue, and between the last accept and the close something
/// always may. With this first, and the close a moment later, the queue is empty.
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub fn admit_no_more(listener: &TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // Octet 13 of the TCP header has the flags: with SYN (2) and without ACK (16) nothing of the segment is taken.
    const DROP_SYN: [(u16, u8, u8, u32); 5] =
        [(0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, u32::MAX)];
    SockRef::from(listener).attach_filter(&DROP_SYN.map(|(code, jt, jf, k)| SockFilter::new(code, jt, jf, k)))
}

/// Where the system has no such filter a listener is just closed.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn admit_no_more(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

/// A non-blocking socket with TCP_NODELAY, bound to the source address if there is one, to connect to `to`.
///
/// # Errors
/// When no socket or no source address can be had.
pub fn socket_for(to: SocketAddr, options: &ConnectOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(idle) = options.keepalive {
        let seconds = idle.as_secs().clamp(1, KEEPALIVE_SECONDS_MAX);
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(seconds)))?;
    }
    #[cfg(target_os = "linux")]
    if options.user_timeout.is_some() {
        socket.set_tcp_user_timeout(options.user_timeout)?;
    }
    if let Some(source) = options.source {
        socket.bind(&source.into())?;
    }
    Ok(socket)
}

/// Idle time before probes that every system takes, seconds.
const KEEPALIVE_SECONDS_MAX: u64 = 32_767;

/// True for errors that mean that this process or system is out of descriptors, memory or ports, and so
/// say nothing about the peer.
pub fn is_local_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EMFILE
                | libc::ENFILE
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::EADDRNOTAVAIL
                | libc::EADDRINUSE
                | libc::EAFNOSUPPORT
        )
    )
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn shards_share_an_address_only_when_asked_to() {
        let options = ListenOptions { reuse_port: true, ..ListenOptions::default() };
        let first = listen(ANY_PORT, &options).unwrap();
        let address = first.local_addr().unwrap();
        let _second = listen(address, &options).unwrap();
        let refused = listen(address, &ListenOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn accepted_connections_inherit_nodelay_and_keepalive() {
        let listener = listen(ANY_PORT, &ListenOptions::default()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
        assert!(socket2::SockRef::from(&accepted).keepalive().unwrap());
    }

    #[test]
    fn a_listener_that_admits_no_more_still_gives_what_came_before() {
        let listener = listen(ANY_PORT, &ListenOptions::default()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let address = listener.local_addr().unwrap();
        let mut before = TcpStream::connect(address).unwrap();
        admit_no_more(&listener).unwrap();
        let after = TcpStream::connect_timeout(&address, Duration::from_millis(100)).unwrap_err();
        assert_eq!(after.kind(), io::ErrorKind::TimedOut);
        let (mut accepted, _) = listener.accept().unwrap();
        drop(listener);
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        // The filter goes over to accepted sockets and does no harm there.
        io::Write::write_all(&mut before, b"x").unwrap();
        let mut octet = [0];
        io::Read::read_exact(&mut accepted, &mut octet).unwrap();
        assert_eq!(octet, *b"x");
    }

    #[test]
    fn the_source_address_is_used() {
        let source = SocketAddr::from(([127, 0, 0, 9], 0));
        let options = ConnectOptions { source: Some(source), ..ConnectOptions::default() };
        let socket = socket_for(ANY_PORT, &options).unwrap();
        assert_eq!(socket.local_addr().unwrap().as_socket().unwrap().ip(), source.ip());
        assert!(socket.tcp_nodelay().unwrap());
    }

    #[test]
    fn probes_and_patience_are_set_only_when_asked_for() {
        let plain = socket_for(ANY_PORT, &ConnectOptions::default()).unwrap();
        assert!(!plain.keepalive().unwrap());
        let (keepalive, user_timeout) = (Some(Duration::from_secs(7)), Some(Duration::from_secs(9)));
        let options = ConnectOptions { keepalive, user_timeout, ..ConnectOptions::default() };
        let socket = socket_for(ANY_PORT, &options).unwrap();
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(
            (socket.tcp_keepalive_time().ok(), socket.tcp_user_timeout().unwrap()),
            (keepalive, user_timeout)
        );
    }
}
