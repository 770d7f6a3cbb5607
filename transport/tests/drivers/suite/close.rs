//! Ends of connections: orderly, abrupt, raced.

use std::io::Write;
use std::time::Duration;

use colloquy_transport::driver::{Close, ConnectionId, Driver};

use super::{Bed, End, Ends, HUGE_OCTETS, Kind, Size, batch_of, huge_batch, pattern};

pub fn after_eof_sending_still_works<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.close(near, Close::Graceful);
    ends.until("eof", |_, far_end| far_end.has(far, Kind::Eof));
    for _ in 0..3 {
        ends.far.send(far, batch_of(&pattern(0, 1 << 20)));
        ends.until("sent", |_, far_end| !far_end.is_sending(far));
        assert_eq!(ends.far.take_sent(far).unwrap().remaining_octets(), 0);
    }
    assert!(!ends.near.has(near, Kind::Closed), "the peer has not closed");
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |near_end, far_end| {
        near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Closed)
    });
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected, Kind::Closed], "what arrived was discarded");
    ends.finish();
}

pub fn a_graceful_close_delivers_everything_despite_unread_octets<B: Bed>(bed: B) {
    const OCTETS: usize = 1 << 20;
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.pause(near);
    ends.far.send(far, batch_of(&pattern(0, 100_000)));
    ends.until_quiet();
    ends.near.send(near, batch_of(&pattern(0, OCTETS)));
    ends.near.close(near, Close::Graceful);
    ends.until("eof", |_, far_end| far_end.has(far, Kind::Eof));
    assert!(ends.far.take_received(far) == pattern(0, OCTETS));
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |near_end, far_end| {
        near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Closed)
    });
    assert!(!ends.far.has(far, Kind::Failed), "unread octets made a reset");
    ends.finish();
}

pub fn a_graceful_close_finishes_the_send_in_flight<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.far.pause(far);
    ends.near.send(near, huge_batch());
    ends.near.close(near, Close::Graceful);
    ends.until_quiet();
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected]);
    ends.far.resume(far);
    ends.until("all received", |_, far_end| {
        far_end.take_received(far);
        far_end.has(far, Kind::Eof)
    });
    assert_eq!(ends.far.seen(far).received_octets, HUGE_OCTETS);
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |near_end, _| near_end.has(near, Kind::Closed));
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected, Kind::Sent, Kind::Closed]);
    assert_eq!(ends.near.take_sent(near).unwrap().remaining_octets(), 0);
    ends.finish();
}

pub fn a_graceful_close_discards_all_that_comes_though_paused<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.pause(near);
    ends.far.send(far, batch_of(&pattern(0, 5000)));
    ends.until_quiet();
    ends.near.close(near, Close::Graceful);
    ends.until_quiet();
    ends.far.send(far, huge_batch());
    ends.until("sent", |_, far_end| !far_end.is_sending(far));
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |near_end, far_end| {
        near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Closed)
    });
    assert!(!ends.far.has(far, Kind::Failed));
    ends.finish();
}

pub fn a_graceful_close_after_eof_needs_nothing_more<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.close(near, Close::Graceful);
    ends.until("eof", |_, far_end| far_end.has(far, Kind::Eof));
    ends.far.send(far, batch_of(b"the last word"));
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |near_end, far_end| {
        near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Closed)
    });
    assert_eq!(ends.far.seen(far).kinds, [Kind::Accepted, Kind::Eof, Kind::Sent, Kind::Closed]);
    ends.finish();
}

pub fn both_ends_may_close_at_once<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    for _ in 0..50 {
        let (near, far) = ends.pair();
        ends.near.send(near, batch_of(b"good-bye"));
        ends.far.send(far, batch_of(b"farewell"));
        ends.near.close(near, Close::Graceful);
        ends.far.close(far, Close::Graceful);
        ends.until("closed", |near_end, far_end| {
            near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Closed)
        });
    }
    ends.finish();
}

pub fn an_abort_resets<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.close(near, Close::Abort);
    ends.until("reset", |near_end, far_end| {
        near_end.has(near, Kind::Closed) && far_end.has(far, Kind::Failed)
    });
    let error = ends.far.seen(far).failure.as_ref().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    ends.until_quiet();
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected, Kind::Closed]);
    assert_eq!(ends.far.seen(far).kinds, [Kind::Accepted, Kind::Failed]);
    ends.finish();
}

pub fn an_abort_gives_the_batch_in_flight_back<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.far.pause(far);
    ends.near.send(near, huge_batch());
    ends.until_quiet();
    ends.near.close(near, Close::Abort);
    ends.until("closed", |near_end, _| near_end.has(near, Kind::Closed));
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected, Kind::Sent, Kind::Closed]);
    assert_eq!(ends.near.take_sent(near).unwrap().octets(), HUGE_OCTETS);
    ends.finish();
}

pub fn an_abort_escalates_a_graceful_close<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.far.pause(far);
    ends.near.send(near, huge_batch());
    ends.near.close(near, Close::Graceful);
    let (idle_near, idle_far) = ends.pair();
    ends.near.close(idle_near, Close::Graceful);
    ends.until_quiet();
    assert!(!ends.near.has(near, Kind::Closed) && !ends.near.has(idle_near, Kind::Closed));
    ends.near.close(near, Close::Abort);
    ends.near.close(idle_near, Close::Abort);
    ends.until("closed", |end, _| end.has(near, Kind::Closed) && end.has(idle_near, Kind::Closed));
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected, Kind::Sent, Kind::Closed]);
    assert!(ends.far.has(idle_far, Kind::Eof));
    ends.finish();
}

pub fn a_failed_connection_gives_batches_back_and_closes<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.near.pause(near);
    ends.far.pause(far);
    ends.near.send(near, huge_batch());
    ends.until_quiet();
    ends.near.resume(near);
    ends.far.close(far, Close::Abort);
    ends.until("failed", |end, _| end.has(near, Kind::Failed));
    ends.until("batch back", |end, _| !end.is_sending(near));
    ends.near.send(near, batch_of(b"too late"));
    ends.until("given back", |end, _| !end.is_sending(near));
    assert_eq!(ends.near.take_sent(near).unwrap().remaining_octets(), 8);
    ends.near.pause(near);
    ends.near.resume(near);
    ends.near.close(near, Close::Graceful);
    ends.until("closed", |end, _| end.has(near, Kind::Closed));
    ends.finish();
}

pub fn stale_ids_are_ignored<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (old, _) = ends.pair();
    ends.near.close(old, Close::Abort);
    ends.until("closed", |end, _| end.has(old, Kind::Closed));
    let (new, new_far) = ends.pair();
    let made_up = ConnectionId { index: 1_000_000, generation: 0 };
    let early = ConnectionId { generation: new.generation.wrapping_add(1), ..new };
    for id in [old, made_up, early] {
        let driver = &mut ends.near.driver;
        driver.pause(id);
        driver.resume(id);
        driver.send(id, batch_of(b"to nobody"));
        driver.close(id, Close::Graceful);
        driver.close(id, Close::Abort);
    }
    ends.until_quiet();
    ends.far.send(new_far, batch_of(b"alive"));
    ends.until("received", |end, _| end.seen(new).received == b"alive");
    ends.near.send(new, batch_of(b"and well"));
    ends.until("received", |_, end| end.seen(new_far).received == b"and well");
    ends.finish();
}

pub fn connecting_and_closing_race<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    for round in 0..100 {
        let id = ends.connect();
        let how = if round % 2 == 0 { Close::Abort } else { Close::Graceful };
        // Close before, around and after the moment of connecting.
        for _ in 0..round % 4 {
            ends.near.wait(Duration::ZERO);
            ends.far.wait(Duration::ZERO);
        }
        if round % 3 == 0 && !ends.near.has(id, Kind::Failed) {
            ends.near.send(id, batch_of(b"hello"));
        }
        ends.near.close(id, how);
        ends.near.close(id, how);
    }
    ends.until("all closed", |near, far| {
        for id in far.accepted.clone() {
            let ended = far.has(id, Kind::Eof) || far.has(id, Kind::Failed);
            if ended && !far.has(id, Kind::Closed) {
                far.close(id, Close::Graceful);
            }
        }
        near.is_settled() && near.driver.stats().connections == 0
    });
    ends.finish();
}

/// The peer is a plain socket, because a driver does not speak and reset in one breath.
pub fn what_a_peer_said_before_its_reset_is_received<B: Bed>(bed: B) {
    if !bed.is_real() {
        return;
    }
    let (listener, address) = bed.listener();
    let mut far = End::new("far", bed.driver(Size::default()));
    far.driver.listen(listener).unwrap();
    let peer = std::net::TcpStream::connect(address).unwrap();
    far.wait_until("accepted", |far| !far.accepted.is_empty());
    let id = far.accepted[0];
    (&peer).write_all(b"last words").unwrap();
    socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    // The send fails, while what was said before waits to be read.
    far.send(id, batch_of(b"too late"));
    far.wait_until("failed", |far| far.has(id, Kind::Failed));
    assert_eq!(far.seen(id).received, b"last words");
    // Its receive may have failed before its send, which a kernel thread submits when it likes: the batch is due by Closed.
    far.wait_until("the batch is back", |far| !far.is_sending(id));
    far.close(id, Close::Graceful);
    far.wait_until("closed", |far| far.has(id, Kind::Closed));
}
