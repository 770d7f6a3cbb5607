//! What is particular to io_uring; the contract itself is held by the driver suite.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::mpsc;

use super::*;
use crate::buf::Slice;
use crate::driver::select::{Backend, BackendChoice, select};
use crate::net;

/// A driver that listens, with what it said.
struct Server {
    driver: UringDriver,
    address: SocketAddr,
    listener: ListenerId,
    said: Vec<Completion>,
}

impl Server {
    fn new(config: UringConfig) -> Server {
        let mut driver = UringDriver::new(config).unwrap();
        let socket = net::listen((Ipv4Addr::LOCALHOST, 0).into(), &net::ListenOptions::default()).unwrap();
        let address = socket.local_addr().unwrap();
        let listener = driver.listen(socket).unwrap();
        Server { driver, address, listener, said: Vec::new() }
    }

    fn peer(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Waits until `done` says so of everything said so far.
    fn until(&mut self, what: &str, done: impl Fn(&[Completion]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done(&self.said) {
            assert!(Instant::now() < deadline, "waited for: {what}; {:?}", self.said);
            self.driver.wait(Some(Duration::from_millis(100)), &mut self.said).unwrap();
        }
    }

    /// Takes `count` connections in; their ids in order of acceptance.
    fn accept(&mut self, count: usize) -> Vec<ConnectionId> {
        self.until("accepted", |said| accepted(said).len() >= count);
        accepted(&self.said)
    }
}

fn accepted(said: &[Completion]) -> Vec<ConnectionId> {
    let id = |completion: &Completion| match completion {
        Completion::Accepted { connection, .. } => Some(*connection),
        _ => None,
    };
    said.iter().filter_map(id).collect()
}

fn received_octets(said: &[Completion], id: ConnectionId) -> usize {
    let octets = |completion: &Completion| match completion {
        Completion::Received(of, slice) if *of == id => slice.len(),
        _ => 0,
    };
    said.iter().map(octets).sum()
}

fn batch(octets: usize) -> TxBatch {
    let mut batch = TxBatch::new();
    batch.put_slice(Slice::from_vec(vec![7; octets]));
    batch
}

#[test]
fn the_probe_says_what_the_driver_then_has() {
    let features = probe().unwrap();
    assert_eq!(features, UringDriver::new(UringConfig::default()).unwrap().features());
    let (backend, reason) = select(BackendChoice::Auto).unwrap();
    assert_eq!(backend, Backend::IoUring);
    assert!(reason.contains(&features.to_string()), "{reason}");
}

#[test]
fn a_descriptor_table_is_limited_by_the_open_files_limit() {
    let limit = probe::open_files_limit().unwrap();
    let driver = UringDriver::new(UringConfig { files_max: u32::MAX, ..UringConfig::default() }).unwrap();
    assert_eq!(driver.features().files_max, limit);
}

#[test]
fn a_full_completion_queue_loses_nothing() {
    // Pitfall 3: more completions at once than fit, from receives that end for it.
    const PEERS: usize = 64;
    let config = UringConfig { submission_entries: 4, completion_entries: 8, ..UringConfig::default() };
    let mut server = Server::new(config);
    let mut peers: Vec<_> = (0..PEERS).map(|_| server.peer()).collect();
    let ids = server.accept(PEERS);
    for round in 1..=4 {
        for peer in &mut peers {
            peer.write_all(&[round as u8; 1000]).unwrap();
        }
        server.until("everything", |said| ids.iter().all(|&id| received_octets(said, id) == 1000 * round));
    }
    assert!(server.driver.stats().overflows > 0);
}

#[test]
fn late_completions_are_dropped() {
    // Pitfall 5: a token of the slot's last connection.
    let mut server = Server::new(UringConfig::default());
    let peer = server.peer();
    let id = server.accept(1)[0];
    let stale = ConnectionId { generation: id.generation + 1, ..id };
    for op in [Op::Receive, Op::Send, Op::CloseFile, Op::PeerName, Op::Connect] {
        server.driver.ring.push(opcode::Nop::new().build(), Token::of(op, stale).pack());
    }
    server.said.clear();
    server.driver.wait(Some(Duration::ZERO), &mut server.said).unwrap();
    assert!(server.said.is_empty(), "{:?}", server.said);
    assert_eq!(server.driver.connections.get(id).unwrap().in_flight, 1, "its own receive");
    drop(peer);
}

#[test]
fn peers_beyond_the_table_wait_and_none_is_dropped() {
    // Pitfall 7: ten times as many as fit, in one burst.
    const PLACES: u32 = 4;
    const PEERS: usize = 40;
    let mut server = Server::new(UringConfig { files_max: PLACES, ..UringConfig::default() });
    let mut peers: Vec<_> = (0..PEERS).map(|_| server.peer()).collect();
    server.until("the shortage is said", |said| {
        said.iter().any(|completion| matches!(completion, Completion::AcceptFailed(..)))
    });
    assert_eq!(accepted(&server.said).len(), PLACES as usize);
    for served in 1..=PEERS {
        let id = server.accept(served)[served - 1];
        server.driver.send(id, batch(1));
        server.until("sent", |said| said.iter().any(|c| matches!(c, Completion::Sent(of, _) if *of == id)));
        server.driver.close(id, Close::Abort);
    }
    for peer in &mut peers {
        assert_eq!(peer.read(&mut [0; 2]).unwrap(), 1, "each was served");
    }
}

#[test]
fn a_multishot_accept_gives_way_before_the_table_is_full() {
    let mut server = Server::new(UringConfig { files_max: 8, accept_burst_max: 4, ..UringConfig::default() });
    let mut peers = Vec::new();
    for count in 1..=8 {
        peers.push(server.peer());
        server.accept(count);
    }
    peers.push(server.peer());
    server.until("the shortage is said", |said| {
        said.iter().any(|completion| matches!(completion, Completion::AcceptFailed(..)))
    });
    server.driver.close(accepted(&server.said)[0], Close::Abort);
    server.accept(9);
    // Room for a burst again: multishot again.
    for id in accepted(&server.said)[1..].to_vec() {
        server.driver.close(id, Close::Abort);
    }
    server.until("closed", |said| said.iter().filter(|c| matches!(c, Completion::Closed(_))).count() == 9);
    peers.extend((0..4).map(|_| server.peer()));
    server.accept(13);
}

#[test]
fn a_burst_into_a_full_table_is_said_and_accepting_goes_on() {
    // Pitfall 7 as it is met when a backlog is longer than the configuration believes: what the kernel
    // does with the peer that met ENFILE is its affair, but it is said, and the listener lives.
    let mut server = Server::new(UringConfig { files_max: 4, accept_burst_max: 1, ..UringConfig::default() });
    let _peers: Vec<_> = (0..10).map(|_| server.peer()).collect();
    server.until("the shortage is said", |said| {
        said.iter().any(|completion| {
            matches!(completion, Completion::AcceptFailed(_, error)
            if error.raw_os_error() == Some(libc::ENFILE))
        })
    });
    for served in 0..5 {
        let id = server.accept(served + 1)[served];
        server.driver.close(id, Close::Abort);
    }
}

#[test]
fn a_connect_that_nobody_answers_can_be_given_up() {
    // A backlog of one, which is full: further SYNs are dropped.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut server = Server::new(UringConfig::default());
    let mut connecting: Vec<_> =
        (0..8).map(|_| server.driver.connect(address, &ConnectOptions::default()).unwrap()).collect();
    server.until("connected", |said| said.iter().any(|c| matches!(c, Completion::Connected(_))));
    server.driver.wait(Some(Duration::from_millis(20)), &mut server.said).unwrap();
    let is_connected =
        |said: &[Completion], id| said.iter().any(|c| matches!(c, Completion::Connected(of) if *of == id));
    connecting.retain(|&id| !is_connected(&server.said, id));
    assert!(!connecting.is_empty(), "the backlog took everything");
    for (index, &id) in connecting.iter().enumerate() {
        let how = if index % 2 == 0 { Close::Abort } else { Close::Graceful };
        server.driver.send(id, batch(10));
        server.driver.close(id, how);
    }
    let count = connecting.len();
    server
        .until("closed", |said| said.iter().filter(|c| matches!(c, Completion::Closed(_))).count() == count);
    assert_eq!(server.said.iter().filter(|c| matches!(c, Completion::Sent(..))).count(), count);
}

#[test]
fn a_thread_can_have_many_drivers_one_after_the_other() {
    // A registered descriptor would keep each ring, and there are sixteen places for them.
    for number in 0..40 {
        let driver = UringDriver::new(UringConfig::default()).unwrap();
        assert!(driver.features().registered_descriptor, "driver {number}");
    }
}

#[test]
fn the_longest_timeout_is_no_error() {
    let mut server = Server::new(UringConfig::default());
    let waker = server.driver.waker();
    let thread = std::thread::spawn(move || waker.wake());
    server.driver.wait(Some(Duration::MAX), &mut server.said).unwrap();
    assert!(matches!(server.said[..], [Completion::Woken]));
    thread.join().unwrap();
}

#[test]
fn a_flooding_peer_starves_nobody() {
    // Pitfall 13.
    let mut server = Server::new(UringConfig::default());
    let (mut flood, mut quiet) = (server.peer(), server.peer());
    let ids = server.accept(2);
    let (stop, stopped) = mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) && flood.write_all(&[1; 64 << 10]).is_ok()
        {
        }
    });
    for _ in 0..100 {
        server.said.clear();
        quiet.write_all(b"?").unwrap();
        let mut turns = 0;
        while received_octets(&server.said, ids[1]) == 0 {
            server
                .said
                .retain(|completion| matches!(completion, Completion::Received(id, _) if *id == ids[1]));
            server.driver.wait(Some(Duration::from_secs(1)), &mut server.said).unwrap();
            turns += 1;
            assert!(turns <= 16, "the flood goes first {turns} times");
        }
    }
    stop.send(()).unwrap();
    server.driver.close(ids[0], Close::Abort);
    server.until("closed", |said| said.iter().any(|c| matches!(c, Completion::Closed(_))));
    writer.join().unwrap();
}

#[test]
fn both_kinds_of_connections_send_without_delay_and_options_are_set() {
    let mut server = Server::new(UringConfig::default());
    let (keepalive, user_timeout) = (Some(Duration::from_secs(7)), Some(Duration::from_secs(9)));
    let options = ConnectOptions { keepalive, user_timeout, ..ConnectOptions::default() };
    let outgoing = server.driver.connect(server.address, &options).unwrap();
    let incoming = server.accept(1)[0];
    server.until("connected", |said| said.iter().any(|c| matches!(c, Completion::Connected(_))));
    for id in [outgoing, incoming] {
        let file = server.driver.connections.get(id).unwrap().file.unwrap();
        let ring = &mut server.driver.ring;
        ring.push(
            opcode::FixedFdInstall::new(types::Fixed(file), 0).build(),
            Token::other(Op::CancelAny, 0).pack(),
        );
        let mut reaped = Vec::new();
        while !reaped.iter().any(|e: &cqueue::Entry| Token::unpack(e.user_data()).op == Op::CancelAny) {
            ring.enter(1, None).unwrap();
            ring.reap(&mut reaped, 1);
        }
        let fd = reaped.last().unwrap().result();
        assert!(fd >= 0, "{fd}");
        // SAFETY: U2, no memory is named, and a descriptor just installed belongs to nobody else.
        let socket = socket2::Socket::from(unsafe { OwnedFd::from_raw_fd(fd) });
        assert!(socket.tcp_nodelay().unwrap());
        if id == outgoing {
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().ok(), keepalive);
            assert_eq!(socket.tcp_user_timeout().unwrap(), user_timeout);
        }
    }
}

#[test]
fn a_connection_has_the_source_address_asked_for() {
    let mut server = Server::new(UringConfig::default());
    let source = SocketAddr::from(([127, 0, 0, 77], 0));
    server
        .driver
        .connect(server.address, &ConnectOptions { source: Some(source), ..ConnectOptions::default() })
        .unwrap();
    server.accept(1);
    let peer = server.said.iter().find_map(|completion| match completion {
        Completion::Accepted { peer, .. } => Some(*peer),
        _ => None,
    });
    assert_eq!(peer.unwrap().ip(), source.ip());
    let wrong = ConnectOptions {
        source: Some((std::net::Ipv6Addr::LOCALHOST, 0).into()),
        ..ConnectOptions::default()
    };
    assert!(server.driver.connect(server.address, &wrong).is_err());
}

#[test]
fn ipv6_peers_have_their_address() {
    let mut driver = UringDriver::new(UringConfig::default()).unwrap();
    let Ok(socket) = TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, 0)) else {
        println!("SKIP io_uring: no IPv6 here");
        return;
    };
    let address = socket.local_addr().unwrap();
    let listener = driver.listen(socket).unwrap();
    let peer = TcpStream::connect(address).unwrap();
    let mut server = Server { driver, address, listener, said: Vec::new() };
    server.accept(1);
    assert!(server.said.iter().any(|completion| matches!(completion,
        Completion::Accepted { peer: named, .. } if *named == peer.local_addr().unwrap())));
}

#[test]
fn an_unlistened_address_refuses_from_the_call_on() {
    // Pitfall 4, for listeners: the accept in flight ends inside the call.
    for accept_burst_max in [1, u32::MAX] {
        let mut server = Server::new(UringConfig { accept_burst_max, ..UringConfig::default() });
        let _peer = server.peer();
        server.accept(1);
        server.driver.wait(Some(Duration::ZERO), &mut server.said).unwrap();
        server.driver.unlisten(server.listener);
        let error = TcpStream::connect(server.address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "burst {accept_burst_max}");
    }
}

#[test]
fn one_call_serves_many_connections() {
    const PEERS: usize = 64;
    const ROUNDS: u64 = 20;
    let mut server = Server::new(UringConfig::default());
    let mut peers: Vec<_> = (0..PEERS).map(|_| server.peer()).collect();
    let ids = server.accept(PEERS);
    let before = server.driver.stats().system_calls;
    for _ in 0..ROUNDS {
        server.said.clear();
        peers.iter_mut().for_each(|peer| peer.write_all(&[1; 100]).unwrap());
        server.until("received", |said| ids.iter().all(|&id| received_octets(said, id) == 100));
        ids.iter().for_each(|&id| server.driver.send(id, batch(100)));
        server
            .until("sent", |said| said.iter().filter(|c| matches!(c, Completion::Sent(..))).count() == PEERS);
        peers.iter_mut().for_each(|peer| peer.read_exact(&mut [0; 100]).unwrap());
    }
    let calls = server.driver.stats().system_calls - before;
    let echoed = ROUNDS * PEERS as u64;
    assert!(calls * 5 < echoed, "{calls} system calls for {echoed} echoes");
}

#[test]
fn a_driver_drops_with_everything_in_flight() {
    // Rules U2 and U4: sends of memory that goes, receives into a pool that goes, an accept, a poll.
    let mut server = Server::new(UringConfig::default());
    let mut peers: Vec<_> = (0..8).map(|_| server.peer()).collect();
    for id in server.accept(8) {
        server.driver.send(id, batch(16 << 20));
    }
    server.driver.connect(server.address, &ConnectOptions::default()).unwrap();
    server.driver.wait(Some(Duration::ZERO), &mut server.said).unwrap();
    let (waker, address) = (server.driver.waker(), server.address);
    let started = Instant::now();
    drop(server);
    assert!(started.elapsed() < DRAIN_PATIENCE, "everything ended");
    waker.wake();
    for peer in &mut peers {
        let mut octets = Vec::new();
        // Cut short by end or reset; either way it is over.
        let _ = peer.read_to_end(&mut octets);
        assert!(octets.len() < 16 << 20);
        assert!(octets.iter().all(|&octet| octet == 7));
    }
    assert!(TcpStream::connect(address).is_err(), "the listener went with the driver");
}
