//! The suite on mio, and what is particular to mio.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use colloquy_transport::driver::mio::{MioConfig, MioDriver};
use colloquy_transport::driver::{Close, ConnectOptions, Driver};
use colloquy_transport::net::{ListenOptions, listen};

use crate::suite::{Bed, Ends, Kind, Size, alone_under, batch_of, pattern, run};

/// Loopback sockets.
pub struct MioBed;

impl Bed for MioBed {
    type Driver = MioDriver;

    fn new() -> Result<Self, String> {
        Ok(MioBed)
    }

    fn driver(&self, size: Size) -> MioDriver {
        MioDriver::new(MioConfig { pool: size.pool, connections_max: size.connections_max }).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

crate::driver_suite!(MioBed);

#[test]
fn a_shortage_of_descriptors_is_said_once_and_waited_out() {
    run::<MioBed>(
        concat!(module_path!(), "::a_shortage_of_descriptors_is_said_once_and_waited_out"),
        |bed| {
            alone_under("ulimit -n 64 && exec \"$@\"", || wait_out_a_shortage(bed));
        },
    );
}

fn wait_out_a_shortage(bed: MioBed) {
    let mut ends = Ends::new(bed);
    let first = ends.pair();
    let mut ballast: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    // One descriptor for the near end of each connection, none for the far end.
    ballast.pop();
    let near = ends.connect();
    ends.until("the shortage is said", |_, far| !far.accept_failed.is_empty());
    assert_eq!(ends.far.accept_failed[0].1.raw_os_error(), Some(24), "EMFILE");
    assert!(
        ends.near.connect(ends.address, &ConnectOptions::default()).is_err(),
        "no descriptor here either"
    );

    // Descriptors freed elsewhere in the process are found by looking now and then, and by no more.
    let calls_before = ends.far.driver.stats().system_calls;
    ends.far.wait(Duration::from_millis(350));
    let calls = ends.far.driver.stats().system_calls - calls_before;
    assert!((1..=12).contains(&calls), "{calls} system calls in three and a half intervals");
    assert_eq!(ends.far.accept_failed.len(), 1, "said once");
    ballast.pop();
    ends.until("accepted", |near_end, far| far.accepted.len() == 2 && near_end.has(near, Kind::Connected));

    // One freed by the driver itself is used at once.
    ballast.pop();
    ends.connect();
    ends.until_quiet();
    assert_eq!(ends.far.accepted.len(), 2);
    ends.far.close(first.1, Close::Abort);
    ends.far.wait(Duration::ZERO);
    ends.far.wait(Duration::ZERO);
    assert_eq!(ends.far.accepted.len(), 3);
    drop(ballast);
    ends.finish();
}

#[test]
fn an_echo_takes_a_poll_a_read_and_a_write() {
    const ROUNDS: u64 = 200;
    let mut ends = Ends::new(MioBed);
    let (near, far) = ends.pair();
    ends.until_quiet();
    let calls_before = ends.far.driver.stats().system_calls;
    for _ in 0..ROUNDS {
        ends.near.send(near, batch_of(b"there"));
        ends.far.wait_until("there", |end| !end.seen(far).received.is_empty());
        let octets = ends.far.take_received(far);
        ends.far.send(far, batch_of(&octets));
        ends.near.wait_until("and back", |end| !end.take_received(near).is_empty());
        ends.near.wait_until("sent", |end| !end.is_sending(near));
        // Takes `Sent`.
        ends.far.wait(Duration::ZERO);
    }
    let calls = ends.far.driver.stats().system_calls - calls_before;
    assert_eq!(calls, 3 * ROUNDS);
    ends.finish();
}

#[test]
fn a_paused_connection_wakes_nobody() {
    let mut ends = Ends::new(MioBed);
    let (near, far) = ends.pair();
    ends.far.pause(far);
    ends.until_quiet();
    let calls_before = ends.far.driver.stats().system_calls;
    for position in 0..100 {
        ends.near.send(near, batch_of(&pattern(position, 100)));
        ends.near.wait_until("sent", |end| !end.is_sending(near));
        ends.far.wait(Duration::ZERO);
    }
    // The polls of this loop, and once the interest given up.
    let calls = ends.far.driver.stats().system_calls - calls_before;
    assert!(calls <= 102, "{calls}");
    ends.far.resume(far);
    ends.until("received", |_, end| end.seen(far).received_octets == 10_000);
    ends.finish();
}
