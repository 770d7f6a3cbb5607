//! The suite on io_uring with each of its options, and what is particular to them.
#![cfg(target_os = "linux")]

use std::time::Duration;

use colloquy_transport::driver::options::{BufferScheme, DriverOptions, SubmissionPolling};
use colloquy_transport::driver::uring::{UringConfig, UringDriver, probe, probe_with};
use colloquy_transport::driver::{Close, Driver};

use crate::driver_uring::{Profile, UringBed};
use crate::suite::{Bed, Ends, Kind, batch_of, huge_batch, pattern, run};

/// The defaults, with one option.
fn with(options: DriverOptions) -> UringConfig {
    UringConfig { accept_burst_max: 16, options, ..UringConfig::default() }
}

/// Each receive uses a block up.
pub mod plain {
    use super::{BufferScheme, DriverOptions, Profile, UringBed, UringConfig, with};

    pub struct Plain;

    impl Profile for Plain {
        fn config() -> UringConfig {
            with(DriverOptions { buffers: BufferScheme::Plain, ..DriverOptions::default() })
        }
    }

    // All that has to do with receiving, but for `small_receipts_share_blocks`: they cannot.
    crate::driver_behaviours! { UringBed<Plain>:
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

/// A receive takes several blocks, in the order of the ring.
pub mod bundle {
    use super::{BufferScheme, DriverOptions, Profile, UringBed, UringConfig, with};

    pub struct Bundle;

    impl Profile for Bundle {
        fn config() -> UringConfig {
            with(DriverOptions { buffers: BufferScheme::Bundle, ..DriverOptions::default() })
        }
    }

    // As with plain buffers, `small_receipts_share_blocks` is not for them.
    crate::driver_behaviours! { UringBed<Bundle>:
        connect:
            two_hundred_connections_echo,
            accepting_goes_on_under_load,
            descriptors_return_to_where_they_were;
        transfer:
            ten_megabytes_arrive_in_order_both_ways,
            a_send_beyond_the_socket_buffers_waits_for_the_reader,
            a_batch_of_more_parts_than_one_call_takes_arrives_whole,
            a_thousand_small_batches_are_echoed,
            a_sender_that_never_rests_still_hears;
        close:
            after_eof_sending_still_works,
            a_graceful_close_delivers_everything_despite_unread_octets,
            a_graceful_close_discards_all_that_comes_though_paused,
            an_abort_resets,
            what_a_peer_said_before_its_reset_is_received,
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
            unpinning_frees_the_blocks_of_a_send_that_nobody_takes;
        random:
            random_schedules_keep_the_contract;
    }
}

/// A thread of the kernel submits. It sleeps soon, so that waking it is tested as well.
pub mod submission_polling {
    use super::{DriverOptions, Duration, Profile, SubmissionPolling, UringBed, UringConfig, with};

    pub struct Polled;

    impl Profile for Polled {
        fn config() -> UringConfig {
            let polling = SubmissionPolling { idle: Duration::from_millis(1), core: None };
            with(DriverOptions { submission_polling: Some(polling), ..DriverOptions::default() })
        }

        // The kernel's threads want cores too.
        fn quiet_rounds() -> u32 {
            150
        }
    }

    crate::driver_suite!(UringBed<Polled>);
}

/// A wait spins before it sleeps.
pub mod busy_poll {
    use super::{DriverOptions, Duration, Profile, UringBed, UringConfig, with};

    pub struct Busy;

    impl Profile for Busy {
        fn config() -> UringConfig {
            with(DriverOptions { busy_poll: Duration::from_micros(200), ..DriverOptions::default() })
        }
    }

    // What waits and what is waited for; the rest does not know how a wait looks.
    crate::driver_behaviours! { UringBed<Busy>:
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

/// Every send leaves the copy out.
pub mod zero_copy {
    use super::{DriverOptions, Profile, UringBed, UringConfig, with};

    pub struct ZeroCopy;

    impl Profile for ZeroCopy {
        fn config() -> UringConfig {
            with(DriverOptions { zero_copy_send_octets_min: 1, ..DriverOptions::default() })
        }
    }

    // All that has to do with sending, but for `unpinning_frees_the_blocks_of_a_send_that_nobody_takes`: what
    // is out without a copy stays where it is until the peer has it.
    crate::driver_behaviours! { UringBed<ZeroCopy>:
        connect:
            two_hundred_connections_echo,
            accepting_goes_on_under_load,
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
            both_ends_may_close_at_once,
            an_abort_resets,
            an_abort_gives_the_batch_in_flight_back,
            an_abort_escalates_a_graceful_close,
            what_a_peer_said_before_its_reset_is_received,
            a_failed_connection_gives_batches_back_and_closes,
            connecting_and_closing_race;
        random:
            random_schedules_keep_the_contract;
    }
}

/// What the kernel does not have of what it is asked for is said, and the driver goes without it.
#[test]
fn what_cannot_be_had_is_said() {
    let Ok(usual) = probe() else { return println!("SKIP io_uring cannot be used here") };
    assert_eq!(
        usual.missing(&DriverOptions::default()).is_empty(),
        usual.buffers == BufferScheme::Incremental
    );
    let nowhere = SubmissionPolling { idle: Duration::from_millis(1), core: Some(1 << 20) };
    let options = DriverOptions { submission_polling: Some(nowhere), ..DriverOptions::default() };
    let features = probe_with(&options).unwrap();
    assert!(!features.submission_polling, "there is no such core");
    let missing = features.missing(&options).join("; ");
    assert!(missing.contains("kernel thread"), "{missing}");
}

#[test]
fn bundles_bring_several_blocks_at_a_time() {
    run::<UringBed<bundle::Bundle>>(
        concat!(module_path!(), "::bundles_bring_several_blocks_at_a_time"),
        |bed| {
            let mut ends = Ends::new(bed);
            if ends.far.driver.features().buffers != BufferScheme::Bundle {
                return println!("SKIP this kernel has no bundles");
            }
            let (near, far) = ends.pair();
            ends.far.hold = true;
            ends.near.send(near, batch_of(&pattern(0, 24 << 10)));
            ends.near.wait_until("sent", |end| !end.is_sending(near));
            // One turn reaps one completion: all of the octets are there, in blocks of 4 KiB.
            ends.far.wait(Duration::from_secs(10));
            let held = ends.far.take_held(far);
            assert!(held.len() >= 6, "{} slices", held.len());
            let octets: Vec<u8> = held.iter().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(octets, pattern(0, octets.len()));
            drop(held);
            ends.finish();
        },
    );
}

/// As many system calls as the far driver makes for echoes, without ever sleeping.
fn calls_of_echoes<B: Bed<Driver = UringDriver>>(ends: &mut Ends<B>, rounds: u64) -> u64 {
    let (near, far) = ends.pair();
    ends.until_quiet();
    let before = ends.far.driver.stats().system_calls;
    for _ in 0..rounds {
        ends.near.send(near, batch_of(b"there"));
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let mut echoed = false;
        while !echoed || ends.near.is_sending(near) || ends.far.is_sending(far) {
            assert!(std::time::Instant::now() < deadline, "no echo");
            ends.near.wait(Duration::ZERO);
            ends.far.wait(Duration::ZERO);
            echoed |= !ends.near.take_received(near).is_empty();
            let octets = ends.far.take_received(far);
            if !octets.is_empty() {
                ends.far.send(far, batch_of(&octets));
            }
            std::thread::yield_now();
        }
    }
    ends.far.driver.stats().system_calls - before
}

#[test]
fn a_thread_of_the_kernel_submits_without_system_calls() {
    struct Awake;
    impl Profile for Awake {
        fn config() -> UringConfig {
            let polling = SubmissionPolling { idle: Duration::from_secs(30), core: None };
            with(DriverOptions { submission_polling: Some(polling), ..DriverOptions::default() })
        }
    }
    run::<UringBed<Awake>>(
        concat!(module_path!(), "::a_thread_of_the_kernel_submits_without_system_calls"),
        |bed| {
            let mut ends = Ends::new(bed);
            if !ends.far.driver.features().submission_polling {
                return println!("SKIP no submission by a thread of the kernel here");
            }
            let calls = calls_of_echoes(&mut ends, 50);
            assert_eq!(calls, 0, "system calls for 50 echoes");
            ends.finish();
        },
    );
}

#[test]
fn sends_without_copy_are_counted_and_end_with_their_connection() {
    run::<UringBed<zero_copy::ZeroCopy>>(
        concat!(module_path!(), "::sends_without_copy_are_counted_and_end_with_their_connection"),
        |bed| {
            let mut ends = Ends::new(bed);
            if !ends.far.driver.features().zero_copy_sends {
                return println!("SKIP this kernel has no sends without copy");
            }
            let (near, far) = ends.pair();
            ends.near.send(near, batch_of(b"seen"));
            ends.until("seen", |near_end, far_end| {
                far_end.seen(far).received == b"seen" && !near_end.is_sending(near)
            });
            let stats = ends.near.driver.stats();
            assert_eq!((stats.zero_copy_sends, stats.zero_copy_sends_copied), (1, 1), "loopback copies");
            // Nobody takes these: the kernel reads them until the socket is gone, which a reset is at once.
            ends.far.pause(far);
            ends.near.send(near, huge_batch());
            ends.until_quiet();
            assert!(ends.near.is_sending(near));
            ends.near.close(near, Close::Abort);
            ends.until("closed", |near_end, _| near_end.has(near, Kind::Closed));
            ends.finish();
        },
    );
}
