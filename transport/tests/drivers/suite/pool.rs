//! Receiving from a pool that has a bottom.

use std::time::Duration;

use colloquy_transport::buf::PoolConfig;
use colloquy_transport::driver::{Close, ConnectionId, Driver};

use super::transfer::Stream;
use super::{Bed, End, Ends, HUGE_OCTETS, Kind, Size, batch_of, huge_batch, pattern};

/// Four blocks of 16 KiB.
const SMALL: PoolConfig = PoolConfig { block_count: 4, block_octets: 16 << 10 };
const SMALL_OCTETS: usize = 64 << 10;

fn with_small_pool<B: Bed>(bed: B) -> Ends<B> {
    let mut ends = Ends::sized(bed, Size::default(), Size { pool: SMALL, ..Size::default() });
    ends.far.hold = true;
    ends
}

/// Compares held slices with the stream and releases them.
pub fn check_held<D: Driver>(end: &mut End<D>, id: ConnectionId, position: &mut usize) {
    for slice in end.take_held(id) {
        assert!(*slice == *pattern(*position, slice.len()), "out of order after {position}");
        *position += slice.len();
    }
}

pub fn an_exhausted_pool_waits_and_goes_on_in_order<B: Bed>(bed: B) {
    const TOTAL: usize = 16 * SMALL_OCTETS;
    let mut ends = with_small_pool(bed);
    let (near, far) = ends.pair();
    ends.near.send(near, batch_of(&pattern(0, TOTAL)));
    let mut position = 0;
    let mut exhaustions = 0;
    while position < TOTAL {
        ends.until_quiet();
        let held: usize = ends.far.seen(far).held.iter().map(|slice| slice.len()).sum();
        assert!(held > 0, "released blocks are not used, after {position}");
        assert!(held <= SMALL_OCTETS, "more than the pool has");
        exhaustions += usize::from(position + held < TOTAL);
        check_held(&mut ends.far, far, &mut position);
    }
    assert!(exhaustions >= 15, "the pool was exhausted {exhaustions} times");
    assert!(ends.far.driver.stats().buffers_exhausted > 0);
    assert_eq!(ends.far.driver.stats().octets_pinned, 0);
    assert!(!ends.far.has(far, Kind::Failed));
    ends.finish();
}

pub fn waiting_receivers_are_all_served<B: Bed>(bed: B) {
    const TOTAL: usize = 2 * SMALL_OCTETS;
    let mut ends = with_small_pool(bed);
    let pairs: Vec<_> = (0..6).map(|_| ends.pair()).collect();
    for &(near, _) in &pairs {
        ends.near.send(near, batch_of(&pattern(0, TOTAL)));
    }
    let mut positions = [0; 6];
    let mut turns = 0;
    ends.until("all served", |_, far| {
        // Hold what there is for some turns, so that the pool runs dry between releases.
        turns += 1;
        if turns % 4 == 0 {
            for (&(_, id), position) in pairs.iter().zip(&mut positions) {
                check_held(far, id, position);
            }
        }
        positions.iter().all(|&position| position == TOTAL)
    });
    assert!(ends.far.driver.stats().buffers_exhausted > 0);
    ends.finish();
}

/// Streams without end, each of which could take every block that comes free.
pub fn a_stream_does_not_keep_others_from_the_pool<B: Bed>(bed: B) {
    let mut ends = with_small_pool(bed);
    let pairs: Vec<_> = (0..6).map(|_| ends.pair()).collect();
    for &(near, _) in &pairs {
        ends.near.send(near, huge_batch());
    }
    // Two rounds, if each release served only one.
    for _ in 0..2 * pairs.len() {
        ends.until_quiet();
        ends.far.release_all();
    }
    let received: Vec<_> = pairs.iter().map(|&(_, far)| ends.far.seen(far).received_octets).collect();
    assert!(received.iter().all(|&octets| octets > 0), "{received:?}");
    ends.finish();
}

pub fn a_block_that_comes_free_ends_the_wait<B: Bed>(bed: B) {
    let mut ends = with_small_pool(bed);
    let (near, far) = ends.pair();
    ends.near.send(near, huge_batch());
    ends.until_quiet();
    for _ in 0..10 {
        let before = ends.far.seen(far).received_octets;
        let start = ends.far.driver.now();
        ends.far.release_all();
        // Nothing comes from outside: the near end is not pumped.
        ends.far.wait(Duration::from_secs(10));
        assert!(ends.far.seen(far).received_octets > before);
        assert!(ends.far.driver.now() - start < Duration::from_secs(5));
        ends.until_quiet();
    }
    ends.finish();
}

pub fn an_exhausted_pool_stops_nothing_else<B: Bed>(bed: B) {
    let mut ends = with_small_pool(bed);
    let (near, far) = ends.pair();
    let (other_near, other_far) = ends.pair();
    ends.near.send(near, batch_of(&pattern(0, 4 * SMALL_OCTETS)));
    ends.until_quiet();
    assert!(ends.far.driver.stats().buffers_exhausted > 0);
    // The other waits for a block too, has something to say, and may close although it was not read.
    ends.near.send(other_near, batch_of(b"unread"));
    ends.until_quiet();
    assert_eq!(ends.far.seen(other_far).received_octets, 0);
    ends.far.send(other_far, batch_of(b"spoken"));
    ends.until("received", |end, _| end.seen(other_near).received == b"spoken");
    ends.near.close(other_near, Close::Graceful);
    ends.far.close(other_far, Close::Graceful);
    ends.until("closed", |near_end, far_end| {
        near_end.has(other_near, Kind::Closed) && far_end.has(other_far, Kind::Closed)
    });
    let (_, accepted) = ends.pair();
    ends.far.close(accepted, Close::Abort);
    ends.until("closed", |_, end| end.has(accepted, Kind::Closed));
    ends.far.close(far, Close::Graceful);
    ends.near.close(near, Close::Graceful);
    ends.until("closed", |near_end, far_end| near_end.is_settled() || far_end.is_settled());
    ends.finish();
}

pub fn small_receipts_share_blocks<B: Bed>(bed: B) {
    let mut ends = with_small_pool(bed);
    let (near, far) = ends.pair();
    let mut stream = Stream::default();
    // Ten times as many receipts as there are blocks, all held: they fit only if they share.
    for _ in 0..40 {
        ends.near.send(near, batch_of(&pattern(stream.sent, 100)));
        stream.sent += 100;
        ends.until("received", |near_end, far_end| {
            far_end.seen(far).received_octets == stream.sent && !near_end.is_sending(near)
        });
    }
    assert!(ends.far.seen(far).held.len() > SMALL.block_count);
    check_held(&mut ends.far, far, &mut stream.received);
    assert_eq!(stream.received, stream.sent);
    ends.finish();
}

/// The far end holds receive blocks in a send that its peer does not take, and gets them back when asked.
pub fn unpinning_frees_the_blocks_of_a_send_that_nobody_takes<B: Bed>(bed: B) {
    let mut ends = with_small_pool(bed);
    let (near, far) = ends.pair();
    ends.near.send(near, batch_of(&pattern(0, SMALL_OCTETS)));
    ends.until_quiet();
    let received = ends.far.take_held(far);
    let octets: Vec<u8> = received.iter().flat_map(|slice| slice.to_vec()).collect();
    assert!(octets.len() >= SMALL_OCTETS / 2 && ends.far.driver.stats().octets_pinned > 0);
    ends.near.pause(near);
    // More than the sockets take, and behind it what was received.
    let mut batch = huge_batch();
    received.into_iter().for_each(|slice| batch.put_slice(slice));
    assert!(batch.pins());
    ends.far.send(far, batch);
    ends.until_quiet();
    assert!(ends.far.is_sending(far) && ends.far.driver.stats().octets_pinned > 0, "nobody reads");
    ends.far.driver.unpin(far);
    ends.far.driver.unpin(far);
    ends.until_quiet();
    assert_eq!(ends.far.driver.stats().octets_pinned, 0, "blocks are still held");
    assert!(ends.far.is_sending(far), "the batch is still on its way");
    ends.near.resume(near);
    let block = pattern(0, 64 << 10);
    let mut position = 0_usize;
    ends.until("sent and received", |near_end, far_end| {
        for octet in near_end.take_received(near) {
            let due = octets.get(position.wrapping_sub(HUGE_OCTETS)).copied();
            assert!(octet == due.unwrap_or(block[position % block.len()]), "out of order after {position}");
            position += 1;
        }
        !far_end.is_sending(far) && position == HUGE_OCTETS + octets.len()
    });
    // A stale id, and a connection with nothing in flight.
    ends.far.driver.unpin(far);
    ends.far.driver.unpin(ConnectionId { index: 9999, generation: 7 });
    ends.finish();
}
