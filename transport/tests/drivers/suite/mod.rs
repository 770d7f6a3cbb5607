//! What every driver must do, as tests that are generic over the driver.
//!
//! Both ends of every connection are drivers of the same kind, made by one [`Bed`] and pumped in turn by
//! the test on one thread: over loopback for real drivers, over a simulated network for the simulator.
//! [`End`] checks the contract on every completion of every test, so a test states only its own behaviour.
//!
//! # Joining
//!
//! 1. Put a file `driver_<name>.rs` beside `main.rs`, with `mod driver_<name>;` in `main.rs`.
//! 2. In it implement [`Bed`] and write `crate::driver_suite!(YourBed);`.
//!
//! Each behaviour is then the test `driver_<name>::<behaviour>`. What a bed must provide: two drivers of one
//! network; `wait(Some(d))` that returns after `d` when nothing happens, of whatever clock (a simulator
//! advances its own); sockets that take less than 32 MiB before a send blocks. A bed that cannot work here
//! says why from [`Bed::new`]: its tests print `SKIP` with the reason.

mod end;

pub mod close;
pub mod connect;
pub mod flow;
pub mod pool;
pub mod random;
pub mod transfer;
pub mod wake;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use colloquy_transport::buf::{PoolConfig, Slice, TxBatch};
use colloquy_transport::driver::{ConnectOptions, ConnectionId, Driver};

pub use self::end::{End, Kind};

/// Makes drivers of one kind and the network between them.
pub trait Bed: Sized {
    /// The driver under test.
    type Driver: Driver;

    /// Makes a bed, or says why it cannot be had here.
    fn new() -> Result<Self, String>;
    /// Makes a driver that can connect to the others of this bed.
    fn driver(&self, size: Size) -> Self::Driver;
    /// Makes a listener and says where it will listen.
    fn listener(&self) -> (<Self::Driver as Driver>::Listener, SocketAddr);
    /// An address at which nobody listens.
    fn deserted(&self) -> SocketAddr {
        self.listener().1
    }
    /// True when plain sockets can talk to the driver.
    fn is_real(&self) -> bool {
        Self::Driver::NAME != "sim"
    }
    /// Rounds of [`STEP`] without a completion after which nothing more is expected: more where threads that
    /// the test does not pump have their part in it, and a busy machine may keep them from a core.
    fn quiet_rounds(&self) -> u32 {
        20
    }
    /// True when connections and drivers show up in `/proc/self/fd` or not at all, so that the count must
    /// return to where it was.
    fn has_descriptors(&self) -> bool {
        cfg!(target_os = "linux")
    }
}

/// How large a driver is.
#[derive(Clone, Copy)]
pub struct Size {
    /// Its receive pool.
    pub pool: PoolConfig,
    /// Its connections.
    pub connections_max: u32,
}

impl Default for Size {
    fn default() -> Self {
        Size { pool: PoolConfig::default(), connections_max: 1024 }
    }
}

/// Two drivers and the listener of the far one.
pub struct Ends<B: Bed> {
    /// Connects, in most tests.
    pub near: End<B::Driver>,
    /// Accepts, in most tests.
    pub far: End<B::Driver>,
    /// Where the far end listens.
    pub address: SocketAddr,
    // Last, so that a simulated network outlives its drivers.
    pub bed: B,
}

impl<B: Bed> Ends<B> {
    /// Two drivers of the usual size.
    pub fn new(bed: B) -> Self {
        Self::sized(bed, Size::default(), Size::default())
    }

    /// Two drivers, the far one listening.
    pub fn sized(bed: B, near: Size, far: Size) -> Self {
        let near = End::new("near", bed.driver(near));
        let mut far = End::new("far", bed.driver(far));
        let (listener, address) = bed.listener();
        far.driver.listen(listener).unwrap();
        Ends { near, far, address, bed }
    }

    /// Starts to connect from near to far.
    pub fn connect(&mut self) -> ConnectionId {
        self.near.connect(self.address, &ConnectOptions::default()).unwrap()
    }

    /// A connection: its near and its far id.
    pub fn pair(&mut self) -> (ConnectionId, ConnectionId) {
        let accepted_before = self.far.accepted.len();
        let near = self.connect();
        self.until("connected", |near_end, far_end| {
            near_end.has(near, Kind::Connected) && far_end.accepted.len() > accepted_before
        });
        (near, *self.far.accepted.last().unwrap())
    }

    /// Pumps both drivers until `done`.
    pub fn until(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut End<B::Driver>, &mut End<B::Driver>) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        let mut step = Duration::ZERO;
        while !done(&mut self.near, &mut self.far) {
            assert!(Instant::now() < deadline, "waited for: {what}\n{:?}\n{:?}", self.near, self.far);
            let near = self.near.wait(step);
            let far = self.far.wait(step);
            step = if near + far > 0 { Duration::ZERO } else { STEP };
        }
    }

    /// Pumps both drivers until neither has had anything to say for a while.
    pub fn until_quiet(&mut self) {
        let (mut quiet, enough) = (0, self.bed.quiet_rounds());
        self.until("quiet", |near, far| {
            let events = near.take_events() + far.take_events();
            quiet = if events > 0 { 0 } else { quiet + 1 };
            quiet > enough
        });
    }

    /// Closes what is open at both ends without ceremony and checks that nothing is left behind.
    pub fn finish(&mut self) {
        let (mut quiet, enough) = (0, self.bed.quiet_rounds());
        self.until("everything closed", |near, far| {
            for end in [&mut *near, &mut *far] {
                end.release_all();
                // Some may have been accepted only at this point.
                end.abort_all();
            }
            let open = near.driver.stats().connections + far.driver.stats().connections;
            quiet = if near.take_events() + far.take_events() > 0 { 0 } else { quiet + 1 };
            open == 0 && quiet > enough
        });
        for end in [&mut self.near, &mut self.far] {
            assert!(end.is_settled(), "{end:?}");
            assert_eq!(end.driver.stats().octets_pinned, 0, "{end:?}");
        }
    }
}

/// Runs one behaviour, the test `name` of this binary, on a bed.
pub fn run<B: Bed>(name: &'static str, behaviour: impl FnOnce(B)) {
    TEST_NAME.set(name);
    match B::new() {
        Ok(bed) => behaviour(bed),
        Err(reason) => println!("SKIP {} {name}: {reason}", B::Driver::NAME),
    }
}

/// Runs the rest of this test in a process of its own: for what counts per process.
pub fn alone(rest: impl FnOnce()) {
    alone_under("exec \"$@\"", rest);
}

/// The same, started by a shell `script` that ends in `exec "$@"`.
pub fn alone_under(script: &str, rest: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return rest();
    }
    // The name of a test has no crate in it.
    let (_, name) = TEST_NAME.get().split_once("::").unwrap();
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

thread_local! {
    static TEST_NAME: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

/// Set in the process that [`alone`] starts.
const ALONE: &str = "COLLOQUY_TEST_ALONE";

/// A batch of these octets, by reference if they are many.
pub fn batch_of(octets: &[u8]) -> TxBatch {
    let mut batch = TxBatch::new();
    batch.put_slice(Slice::from_vec(octets.to_vec()));
    batch
}

/// A batch larger than sockets take at once, cheap in memory; and its octets' count.
pub fn huge_batch() -> TxBatch {
    let slice = Slice::from_vec(pattern(0, 64 << 10));
    let mut batch = TxBatch::new();
    (0..HUGE_OCTETS / slice.len()).for_each(|_| batch.put_slice(slice.clone()));
    batch
}

/// Octets in which a displaced one shows: `count` of them from `position`.
pub fn pattern(position: usize, count: usize) -> Vec<u8> {
    (position..position + count).map(|at| (at ^ (at >> 8) ^ (at >> 16).wrapping_mul(31)) as u8).collect()
}

/// Octets of [`huge_batch`].
pub const HUGE_OCTETS: usize = 32 << 20;
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a driver sleeps when nothing is due.
const STEP: Duration = Duration::from_millis(1);

/// Makes a `#[test]` of every behaviour for one bed.
#[macro_export]
macro_rules! driver_suite {
    ($bed:ty) => {
        $crate::driver_behaviours! { $bed:
            connect:
                accepts_with_addresses_and_connects,
                both_ends_can_connect,
                a_refused_connect_fails_once,
                closing_while_connecting_ends_it,
                an_unlistened_address_refuses,
                two_hundred_connections_echo,
                accepting_goes_on_under_load,
                connecting_beyond_the_maximum_is_refused_here,
                accepting_beyond_the_maximum_waits_for_a_slot,
                descriptors_return_to_where_they_were;
            transfer:
                ten_megabytes_arrive_in_order_both_ways,
                a_send_beyond_the_socket_buffers_waits_for_the_reader,
                a_batch_of_more_parts_than_one_call_takes_arrives_whole,
                a_thousand_small_batches_are_echoed,
                a_sender_that_never_rests_still_hears,
                a_second_batch_in_flight_panics,
                a_batch_comes_back_for_reuse;
            close:
                after_eof_sending_still_works,
                a_graceful_close_delivers_everything_despite_unread_octets,
                a_graceful_close_finishes_the_send_in_flight,
                a_graceful_close_discards_all_that_comes_though_paused,
                a_graceful_close_after_eof_needs_nothing_more,
                both_ends_may_close_at_once,
                an_abort_resets,
                an_abort_gives_the_batch_in_flight_back,
                an_abort_escalates_a_graceful_close,
                what_a_peer_said_before_its_reset_is_received,
                a_failed_connection_gives_batches_back_and_closes,
                stale_ids_are_ignored,
                connecting_and_closing_race;
            flow:
                a_paused_connection_receives_nothing_and_loses_nothing,
                pausing_at_once_after_accepting_holds,
                pausing_and_resuming_all_the_time_loses_nothing,
                eof_waits_for_resume,
                pausing_one_leaves_the_others_alone;
            pool:
                an_exhausted_pool_waits_and_goes_on_in_order,
                waiting_receivers_are_all_served,
                a_stream_does_not_keep_others_from_the_pool,
                a_block_that_comes_free_ends_the_wait,
                an_exhausted_pool_stops_nothing_else,
                unpinning_frees_the_blocks_of_a_send_that_nobody_takes,
                small_receipts_share_blocks;
            wake:
                a_waker_wakes_from_another_thread,
                a_wake_before_the_wait_is_not_lost,
                a_timeout_is_honoured,
                a_poll_returns_at_once,
                what_is_due_ends_a_wait;
            random:
                random_schedules_keep_the_contract;
        }
    };
}

/// The expansion of [`driver_suite`].
#[macro_export]
macro_rules! driver_behaviours {
    ($bed:ty: $($module:ident: $($behaviour:ident),+;)+) => {
        $($(
            #[test]
            fn $behaviour() {
                let name = concat!(module_path!(), "::", stringify!($behaviour));
                $crate::suite::run::<$bed>(name, $crate::suite::$module::$behaviour);
            }
        )+)+
    };
}
