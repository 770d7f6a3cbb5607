//! Octets, whole and in order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::driver::{Completion, ConnectionId, Driver};

use super::{Bed, End, Ends, HUGE_OCTETS, PATIENCE, batch_of, huge_batch, pattern};

/// A stream of [`pattern`] octets in batches of changing size, and its reader.
#[derive(Default)]
pub struct Stream {
    pub sent: usize,
    pub received: usize,
    batches: usize,
}

impl Stream {
    /// Sends the next batch if none is in flight.
    pub fn send<D: Driver>(&mut self, end: &mut End<D>, id: ConnectionId, total: usize) {
        if end.is_sending(id) || self.sent == total {
            return;
        }
        // Small, middling and large, by copy and by reference.
        let octets = [13, 1_000, 100_000, 2_048, 300_000][self.batches % 5].min(total - self.sent);
        let mut batch = TxBatch::new();
        let data = pattern(self.sent, octets);
        let (header, body) = data.split_at(octets.min(7));
        batch.put_header(header);
        batch.put_slice(Slice::from_vec(body.to_vec()));
        self.sent += octets;
        self.batches += 1;
        end.send(id, batch);
    }

    /// Checks what arrived.
    pub fn receive<D: Driver>(&mut self, end: &mut End<D>, id: ConnectionId) {
        let octets = end.take_received(id);
        assert!(octets == pattern(self.received, octets.len()), "out of order after {}", self.received);
        self.received += octets.len();
    }
}

pub fn ten_megabytes_arrive_in_order_both_ways<B: Bed>(bed: B) {
    const TOTAL: usize = 10 << 20;
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    let (mut to_far, mut to_near) = (Stream::default(), Stream::default());
    ends.until("all there", |near, far| {
        to_far.send(near, near_id, TOTAL);
        to_near.send(far, far_id, TOTAL);
        to_far.receive(far, far_id);
        to_near.receive(near, near_id);
        to_far.received == TOTAL && to_near.received == TOTAL
    });
    ends.finish();
}

pub fn a_send_beyond_the_socket_buffers_waits_for_the_reader<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    ends.far.pause(far_id);
    ends.near.send(near_id, huge_batch());
    ends.until_quiet();
    assert!(ends.near.is_sending(near_id), "nobody reads");
    ends.far.resume(far_id);
    let mut received = 0;
    let block = pattern(0, 64 << 10);
    ends.until("sent and received", |near, far| {
        for octet in far.take_received(far_id) {
            assert!(octet == block[received % block.len()], "out of order after {received}");
            received += 1;
        }
        !near.is_sending(near_id) && received == HUGE_OCTETS
    });
    ends.finish();
}

pub fn a_batch_of_more_parts_than_one_call_takes_arrives_whole<B: Bed>(bed: B) {
    const PARTS: usize = 2500;
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    let mut batch = TxBatch::new();
    for part in 0..PARTS {
        batch.put_header(&[part as u8; 3]);
        batch.put_slice(Slice::from_vec(pattern(part, 2048)));
    }
    assert_eq!(batch.iovec_count(), 2 * PARTS);
    let expected = batch.to_vec();
    ends.near.send(near_id, batch);
    ends.until("received", |_, far| far.seen(far_id).received_octets == expected.len());
    assert!(ends.far.take_received(far_id) == expected);
    ends.finish();
}

pub fn a_thousand_small_batches_are_echoed<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    for round in 0..1000 {
        let octets = pattern(round, 64);
        ends.near.send(near_id, batch_of(&octets));
        ends.until("there", |near, far| far.seen(far_id).received.len() == 64 && !near.is_sending(near_id));
        let arrived = ends.far.take_received(far_id);
        ends.far.send(far_id, batch_of(&arrived));
        ends.until("and back", |near, far| {
            near.seen(near_id).received.len() == 64 && !far.is_sending(far_id)
        });
        assert_eq!(ends.near.take_received(near_id), octets);
    }
    ends.finish();
}

pub fn a_sender_that_never_rests_still_hears<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    ends.far.send(far_id, batch_of(b"listen"));
    ends.until("heard", |near, far| {
        if !near.is_sending(near_id) {
            near.send(near_id, batch_of(b"and another thing"));
        }
        far.take_received(far_id);
        near.seen(near_id).received == b"listen"
    });
    ends.finish();
}

pub fn a_second_batch_in_flight_panics<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near_id, _) = ends.pair();
    ends.near.send(near_id, batch_of(b"first"));
    let second = catch_unwind(AssertUnwindSafe(|| ends.near.driver.send(near_id, batch_of(b"second"))));
    assert!(second.is_err(), "the first has not been reported");
}

pub fn a_batch_comes_back_for_reuse<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near_id, far_id) = ends.pair();
    ends.near.send(near_id, batch_of(b"abc"));
    // Due at once or soon: a driver may not sleep on it.
    let mut completions = Vec::new();
    ends.near.driver.wait(Some(PATIENCE), &mut completions).unwrap();
    let Some(Completion::Sent(id, mut batch)) = completions.pop() else { panic!("{completions:?}") };
    assert_eq!((id, batch.octets(), batch.remaining_octets()), (near_id, 3, 0));
    batch.clear();
    batch.put_header(b"def");
    ends.near.driver.send(near_id, batch);
    ends.until("both arrived", |_, far| far.seen(far_id).received == b"abcdef");
}
