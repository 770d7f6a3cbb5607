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
        MioDriver::new(config(size)).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

fn config(size: Size) -> MioConfig {
    MioConfig { pool: size.pool, connections_max: size.connections_max, ..MioConfig::default() }
}

crate::driver_suite!(MioBed);

/// Looks again and again before it sleeps.
pub mod busy_poll {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::{Bed, MioBed, MioConfig, MioDriver, Size, config};

    pub struct BusyBed;

    impl Bed for BusyBed {
        type Driver = MioDriver;

        fn new() -> Result<Self, String> {
            Ok(BusyBed)
        }

        fn driver(&self, size: Size) -> MioDriver {
            MioDriver::new(MioConfig { busy_poll: Duration::from_micros(200), ..config(size) }).unwrap()
        }

        fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
            MioBed.listener()
        }
    }

    // What waits and what is waited for; the rest does not know how a wait looks.
    crate::driver_behaviours! { BusyBed:
        connect:
            accepts_with_addresses_and_connects,
            two_hundred_connections_echo,
            accepting_beyond_the_maximum_waits_for_a_slot;
        transfer:
            a_send_beyond_the_socket_buffers_waits_for_the_reader,
            a_thousand_small_batches_are_echoed;
        flow:
            a_paused_connection_receives_nothing_and_loses_nothing;
        pool:
            a_block_that_comes_free_ends_the_wait;
        wake:
            a_waker_wakes_from_another_thread,
            a_wake_before_the_wait_is_not_lost,
            a_timeout_is_honoured,
            a_poll_returns_at_once,
            what_is_due_ends_a_wait;
        random:
            random_schedules_keep_the_contract;
    }
}

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
