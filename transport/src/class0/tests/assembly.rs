//! What an assembly copies, pins and keeps.

use super::*;
use crate::buf::{Pool, PoolConfig, copies};
use crate::class0::{HEAD_OCTETS_MIN, tpkt};

const BLOCK_OCTETS: usize = 16 << 10;

fn pool(block_count: usize) -> Pool {
    Pool::new(PoolConfig { block_count, block_octets: BLOCK_OCTETS })
}

/// Fills blocks of the pool with the stream, each to its end, and receives them.
fn receive_in_blocks(end: &mut End, pool: &mut Pool, mut stream: &[u8]) {
    while !stream.is_empty() {
        let room = pool.writable().expect("a free block");
        let octets = room.len().min(stream.len());
        room[..octets].copy_from_slice(&stream[..octets]);
        stream = &stream[octets..];
        end.receive(pool.commit(octets));
    }
}

fn tpkt(body: &[u8], eot: bool) -> Vec<u8> {
    [&tpkt::data_prefix(body.len(), eot)[..], body].concat()
}

fn octets_of(body: &Body) -> Vec<u8> {
    body.slices().flat_map(|slice| slice.to_vec()).collect()
}

#[test]
fn thousands_of_tpkts_in_one_slice_share_it() {
    let stream: Vec<u8> = (0..3000_u16).flat_map(|index| tpkt(&index.to_be_bytes(), true)).collect();
    let whole = Slice::from_vec(stream);
    let before = copies::of_this_thread();
    let mut end = End::open(&Class0Config::default(), None);
    end.receive(whole.clone());
    assert_eq!(copies::of_this_thread(), before);
    assert_eq!(end.bodies.len(), 3000);
    for (index, body) in end.bodies.iter().enumerate() {
        assert_eq!(**body.head(), (index as u16).to_be_bytes());
        assert!(body.head().same_block(&whole));
        assert!(body.rest().is_empty());
    }
    assert_eq!(end.class0.held_octets(), 0);
}

#[test]
fn large_bodies_that_straddle_blocks_are_not_copied() {
    let body: Vec<u8> = (0..40_000_u32).map(|index| (index % 253) as u8).collect();
    let mut pool = pool(8);
    let mut end = End::open(&Class0Config::default(), None);
    for _ in 0..20 {
        let before = copies::of_this_thread();
        // Only pieces at the edges of blocks may be below 2 KiB; the filler moves the edge about.
        let stream = [tpkt(&[7; 1500], true), tpkt(&body, true)].concat();
        receive_in_blocks(&mut end, &mut pool, &stream);
        assert_eq!(copies::of_this_thread().large_count, before.large_count);
        let large = end.bodies.pop().expect("two bodies");
        assert_eq!(octets_of(&large), body);
        assert!(large.rest().len() <= 4);
        let rest = large.into_rest();
        end.class0.recycle(rest);
        end.bodies.clear();
    }
    assert_eq!(end.class0.pinned_octets(), 0);
}

#[test]
fn receipts_that_are_neighbours_in_a_block_become_one_slice() {
    let mut pool = pool(1);
    let stream = tpkt(&[5; 9000], true);
    let mut end = End::open(&Class0Config::default(), None);
    let before = copies::of_this_thread();
    for part in [&stream[..3000], &stream[3000..3010], &stream[3010..]] {
        pool.writable().expect("room")[..part.len()].copy_from_slice(part);
        let slice = pool.commit(part.len());
        end.receive(slice);
    }
    assert_eq!(copies::of_this_thread(), before);
    assert_eq!((end.bodies[0].head().len(), end.bodies[0].rest().len()), (9000, 0));
}

#[test]
fn a_header_that_straddles_is_contiguous_in_the_head() {
    let body: Vec<u8> = (0..6000_u32).map(|index| (index % 253) as u8).collect();
    let stream = tpkt(&body, true);
    for cut in 1..stream.len() {
        let mut end = End::open(&Class0Config::default(), None);
        end.receive(Slice::from_vec(stream[..cut].to_vec()));
        let before = copies::of_this_thread();
        end.receive(Slice::from_vec(stream[cut..].to_vec()));
        let copied = copies::of_this_thread().octets - before.octets;
        assert!(copied < 2048 + HEAD_OCTETS_MIN as u64, "cut at {cut}: {copied} octets copied");
        assert!(end.bodies[0].head().len() >= HEAD_OCTETS_MIN, "cut at {cut}");
        assert_eq!(octets_of(&end.bodies[0]), body);
    }
}

#[test]
fn a_slow_drip_pins_no_block_and_builds_no_list() {
    let mut pool = pool(2);
    let mut end = End::open(&Class0Config::default(), None);
    let stream = tpkt(&[9; 20_000], true);
    for &octet in &stream[..stream.len() - 1] {
        pool.writable().expect("room")[0] = octet;
        let slice = pool.commit(1);
        end.receive(slice);
        assert_eq!(end.class0.pinned_octets(), 0);
        assert!(pool.has_room());
    }
    assert_eq!(end.class0.held_octets(), 19_999);
    end.receive(Slice::from_vec(vec![9]));
    assert_eq!(octets_of(&end.bodies[0]), [9; 20_000]);
    assert!(end.bodies[0].rest().len() <= 5, "{} pieces", end.bodies[0].rest().len());
}

#[test]
fn beyond_the_pin_budget_pieces_are_copied_out() {
    let config = Class0Config { pinned_octets_max: 2 * BLOCK_OCTETS, ..Class0Config::default() };
    let mut end = End::open(&config, None);
    let mut pool = pool(6);
    let body: Vec<u8> = (0..60_000_u32).map(|index| (index % 241) as u8).collect();
    let before = copies::of_this_thread();
    let stream = [tpkt(&body[..59_000], false), tpkt(&body[59_000..], true)].concat();
    let (most, last) = stream.split_at(stream.len() - 1);
    receive_in_blocks(&mut end, &mut pool, most);
    assert!(end.class0.pinned_octets() <= 2 * BLOCK_OCTETS);
    assert!(copies::of_this_thread().large_count > before.large_count);
    receive_in_blocks(&mut end, &mut pool, last);
    assert_eq!(octets_of(&end.bodies[0]), body);
}

#[test]
fn unpin_frees_the_blocks_of_a_tsdu_under_way() {
    let mut pool = pool(8);
    let mut end = End::open(&Class0Config::default(), None);
    let stream = tpkt(&[3; 40_000], true);
    receive_in_blocks(&mut end, &mut pool, &stream[..39_000]);
    assert_eq!(end.class0.pinned_octets(), 3 * BLOCK_OCTETS);
    assert_eq!(pool.free_blocks(), 5);
    end.class0.unpin();
    assert_eq!(end.class0.pinned_octets(), 0);
    assert_eq!(pool.free_blocks(), 7, "the third is the current one");
    receive_in_blocks(&mut end, &mut pool, &stream[39_000..]);
    assert_eq!(octets_of(&end.bodies[0]), [3; 40_000]);
}

#[test]
fn many_small_tpdus_make_few_pieces() {
    let mut stream: Vec<u8> = (0..8000).flat_map(|_| tpkt(&[4; 125], false)).collect();
    stream.extend(tpkt(&[4; 1], true));
    let mut end = End::open(&Class0Config::default(), Some(128));
    end.receive(Slice::from_vec(stream));
    let body = &end.bodies[0];
    assert_eq!(body.len(), 1_000_001);
    assert!(body.rest().len() < 1_000_001 / 2048, "{} pieces", body.rest().len());
}

#[test]
fn a_closed_end_holds_nothing() {
    let mut pool = pool(2);
    let mut end = End::open(&Class0Config::default(), None);
    receive_in_blocks(&mut end, &mut pool, &tpkt(&[1; 20_000], true)[..BLOCK_OCTETS + 100]);
    assert!(end.class0.held_octets() > 0);
    end.class0.disconnect_request(0, &mut end.out);
    assert!(end.out.is_empty(), "in the data phase class 0 has no DR to send");
    assert_eq!(end.class0.held_octets(), 0);
    assert_eq!(pool.free_blocks(), 1, "the other is the current one");
    end.receive(Slice::from_vec(tpkt(&[1], true)));
    assert!(end.events.is_empty());
}

#[test]
fn octets_received_while_events_wait_keep_their_order() {
    let mut end = End::open(&Class0Config::default(), None);
    for index in 0..5_u8 {
        end.class0.receive(Slice::from_vec(tpkt(&[index], true)));
    }
    assert_eq!(end.class0.held_octets(), 40);
    end.receive(Slice::from_vec(tpkt(&[5], true)));
    assert_eq!(end.events, ["data 00", "data 01", "data 02", "data 03", "data 04", "data 05"]);
}
