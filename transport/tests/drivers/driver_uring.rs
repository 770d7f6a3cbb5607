//! The suite on io_uring: as it is configured by default, with queues so small that they overflow all the
//! time, and with buffers as before Linux 6.12.
#![cfg(target_os = "linux")]

use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};

use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe};
use colloquy_transport::net::{ListenOptions, listen};

use crate::suite::{Bed, Size};

/// Loopback sockets.
pub struct UringBed<P>(PhantomData<P>);

/// A configuration to run the suite with.
pub trait Profile {
    fn config() -> UringConfig;
}

impl<P: Profile> Bed for UringBed<P> {
    type Driver = UringDriver;

    fn new() -> Result<Self, String> {
        probe().map(|_| UringBed(PhantomData)).map_err(|error| error.to_string())
    }

    fn driver(&self, size: Size) -> UringDriver {
        let config = UringConfig { pool: size.pool, files_max: size.connections_max, ..P::config() };
        UringDriver::new(config).unwrap()
    }

    fn listener(&self) -> (std::net::TcpListener, SocketAddr) {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into(), &ListenOptions::default()).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }
}

/// The defaults. The tables of the suite are small, so connections are accepted one by one.
pub struct Usual;

impl Profile for Usual {
    fn config() -> UringConfig {
        UringConfig::default()
    }
}

crate::driver_suite!(UringBed<Usual>);

/// Queues that overflow (pitfall 3), receives capped low, multishot accept until the table is all but full.
pub mod tight {
    use super::{Profile, UringBed, UringConfig};

    pub struct Tight;

    impl Profile for Tight {
        fn config() -> UringConfig {
            UringConfig {
                submission_entries: 4,
                completion_entries: 8,
                accept_burst_max: 4,
                receive_octets_max: 4096,
                ..UringConfig::default()
            }
        }
    }

    crate::driver_suite!(UringBed<Tight>);
}

/// Each receive uses a block up.
pub mod whole_buffers {
    use super::{Profile, UringBed, UringConfig};

    pub struct Whole;

    impl Profile for Whole {
        fn config() -> UringConfig {
            UringConfig { incremental_buffers: false, accept_burst_max: 16, ..UringConfig::default() }
        }
    }

    // All that has to do with receiving, but for `small_receipts_share_blocks`: they cannot.
    crate::driver_behaviours! { UringBed<Whole>:
        connect:
            two_hundred_connections_echo,
            accepting_goes_on_under_load;
        transfer:
            ten_megabytes_arrive_in_order_both_ways,
            a_send_beyond_the_socket_buffers_waits_for_the_reader,
            a_thousand_small_batches_are_echoed;
        close:
            after_eof_sending_still_works,
            a_graceful_close_delivers_everything_despite_unread_octets,
            an_abort_resets,
            connecting_and_closing_race;
        flow:
            a_paused_connection_receives_nothing_and_loses_nothing,
            pausing_and_resuming_all_the_time_loses_nothing,
            eof_waits_for_resume;
        pool:
            an_exhausted_pool_waits_and_goes_on_in_order,
            waiting_receivers_are_all_served,
            an_exhausted_pool_stops_nothing_else;
        random:
            random_schedules_keep_the_contract;
    }
}
