//! The codec: GT and DT in a DT TPDU of 64 octets of user data, decoded and encoded.
//!
//! Twice each: by the way that a shard takes for plain data, and by the general one, which takes every other TSDU.

use std::hint::black_box;
use std::time::Duration;

use colloquy_session::spdu::{DataHeader, DecodeRules, Tsdu};
use colloquy_session::{Enclosure, Tokens};
use colloquy_transport::buf::{Body, Pool, PoolConfig, Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event};

use super::{Kernel, machine};
use crate::recorder::thread_cpu;

/// Octets of user data in each TPDU.
pub const USER_OCTETS: usize = 64;
/// What stands in front of them: TPKT, DT TPDU, GT, DT.
const PREFIX: [u8; 11] = [3, 0, 0, 75, 2, 0xf0, 0x80, 1, 0, 1, 0];
/// Of them, TPKT and DT TPDU.
const TPDU_PREFIX_OCTETS: usize = 7;
/// Octets of a whole TPKT.
pub const TPKT_OCTETS: usize = PREFIX.len() + USER_OCTETS;
/// TPDUs in a receipt of many, and TSDUs in one send: what a busy connection has at a time.
const TOGETHER: u64 = 16;

const _: () = assert!(TPKT_OCTETS == PREFIX[3] as usize);

/// TPKT, DT TPDU, GT and DT, many in one receipt, as a shard takes them.
pub const DECODE: Kernel = Kernel {
    id: "codec-decode",
    what: "TPKT, DT TPDU, GT and DT of 64 octets taken apart by a shard's way for plain data, 16 in a receipt",
    run: |iterations| decode_plain(iterations, TOGETHER),
};

/// The same, one in a receipt.
pub const DECODE_RECEIPT: Kernel = Kernel {
    id: "codec-decode-receipt",
    what: "the same, one in each receipt",
    run: |iterations| decode_plain(iterations, 1),
};

/// By the way that every TSDU could take.
pub const DECODE_GENERAL: Kernel = Kernel {
    id: "codec-decode-general",
    what: "the same through Class0::next_event and Tsdu::next_spdu, 16 in a receipt",
    run: |iterations| decode_general(iterations, TOGETHER),
};

/// The same, one in a receipt.
pub const DECODE_GENERAL_RECEIPT: Kernel = Kernel {
    id: "codec-decode-general-receipt",
    what: "the same through Class0::next_event and Tsdu::next_spdu, one in each receipt",
    run: |iterations| decode_general(iterations, 1),
};

/// The SPDUs only.
pub const PARSE: Kernel =
    Kernel { id: "codec-parse", what: "GT and DT of a TSDU of 68 octets taken apart", run: parse };

/// GT, DT, TPDU and TPKT in front of 64 octets of the user's own, into a batch, as a shard puts them.
pub const ENCODE: Kernel = Kernel {
    id: "codec-encode",
    what: "DT, GT, DT TPDU and TPKT put in front of 64 octets by a shard's way for plain data; all of them are written",
    run: encode_plain,
};

/// The same with user data that were received behind these headers, as those of an echo or a relay.
pub const ENCODE_RECEIVED: Kernel = Kernel {
    id: "codec-encode-received",
    what: "the same with user data that were received behind such headers, 16 in a receipt, and go by reference with them",
    run: encode_received,
};

/// By the way that every SSDU could take.
pub const ENCODE_GENERAL: Kernel = Kernel {
    id: "codec-encode-general",
    what: "the same through DataHeader and Class0::data_request; all octets are written",
    run: |iterations| encode_general(iterations, USER_OCTETS),
};

/// The same without user data.
pub const ENCODE_HEADERS: Kernel = Kernel {
    id: "codec-encode-headers",
    what: "the same through DataHeader and Class0::data_request without user data",
    run: |iterations| encode_general(iterations, 0),
};

/// A connection that is open at both ends: initiator, responder.
pub fn connection() -> (Class0, Class0) {
    let config = Class0Config::default();
    let (mut initiator, mut responder) = (Class0::initiator(&config), Class0::responder(&config));
    let mut batch = TxBatch::new();
    initiator.connect_request(&ConnectTpdu::default(), &mut batch);
    responder.receive(Slice::from_vec(batch.to_vec()));
    batch.clear();
    while responder.next_event(&mut batch).is_some() {
        responder.connect_response(&mut batch);
    }
    initiator.receive(Slice::from_vec(batch.to_vec()));
    batch.clear();
    while initiator.next_event(&mut batch).is_some() {}
    assert!(initiator.is_open() && responder.is_open(), "CR and CC of our own");
    (initiator, responder)
}

/// A receipt in a block of a receive pool, as a driver makes it.
fn receipt(pool: &mut Pool, tpkts: u64) -> Slice {
    let mut octets = Vec::new();
    for number in 0..tpkts {
        octets.extend(PREFIX);
        octets.extend([number as u8; USER_OCTETS]);
    }
    let room = pool.writable().expect("the pool is empty");
    room[..octets.len()].copy_from_slice(&octets);
    pool.commit(octets.len())
}

/// What a shard does between a receipt and the application: `drain` and `plain_data` of colloquy-shard.
fn decode_plain(iterations: u64, together: u64) -> Duration {
    let mut pool = Pool::new(PoolConfig::default());
    let received = receipt(&mut pool, together);
    let (_, mut responder) = connection();
    let (_, session) = machine::established();
    let (mut tsdus, mut octets) = (0, 0);
    let begin = thread_cpu();
    for _ in 0..iterations.div_ceil(together) {
        responder.receive(black_box(&received).clone());
        while let Some(mut tsdu) = responder.next_whole_tsdu() {
            let offset = black_box(&session).plain_data_offset(&tsdu).expect("GT and DT in data transfer");
            tsdu.advance(offset);
            tsdus += 1;
            octets += black_box(Body::new(tsdu)).len();
        }
    }
    let elapsed = thread_cpu() - begin;
    assert!(responder.is_drained(), "nothing is left over");
    let tpdus = iterations.div_ceil(together) * together;
    assert_eq!((tsdus, octets as u64), (tpdus, tpdus * USER_OCTETS as u64), "all was taken apart");
    per(elapsed, tpdus, iterations)
}

fn decode_general(iterations: u64, together: u64) -> Duration {
    let mut pool = Pool::new(PoolConfig::default());
    let received = receipt(&mut pool, together);
    let (_, mut responder) = connection();
    let (mut batch, rules) = (TxBatch::new(), DecodeRules::default());
    let (mut spdus, mut octets) = (0, 0);
    let begin = thread_cpu();
    for _ in 0..iterations.div_ceil(together) {
        responder.receive(black_box(&received).clone());
        while let Some(event) = responder.next_event(&mut batch) {
            let Event::Data(body) = event else { unreachable!("the receipt holds DT TPDUs") };
            let head = body.head();
            let mut tsdu = Tsdu::with_tail(head, body.len() - head.len());
            while let Ok(Some(view)) = tsdu.next_spdu(&rules) {
                spdus += 1;
                octets += black_box(view.user_information_octets);
            }
        }
    }
    let elapsed = thread_cpu() - begin;
    let tpdus = iterations.div_ceil(together) * together;
    assert_eq!((spdus, octets as u64), (2 * tpdus, tpdus * USER_OCTETS as u64), "all was taken apart");
    per(elapsed, tpdus, iterations)
}

fn parse(iterations: u64) -> Duration {
    let tsdu_octets = [&PREFIX[TPDU_PREFIX_OCTETS..], &[0x42; USER_OCTETS]].concat();
    let rules = DecodeRules::default();
    let mut octets = 0;
    let begin = thread_cpu();
    for _ in 0..iterations {
        let mut tsdu = Tsdu::new(black_box(&tsdu_octets));
        while let Ok(Some(view)) = tsdu.next_spdu(&rules) {
            octets += black_box(view.user_information_octets);
        }
    }
    let elapsed = thread_cpu() - begin;
    assert_eq!(octets as u64, iterations * USER_OCTETS as u64, "all was taken apart");
    elapsed
}

/// User data of 16 SSDUs that were not received: nothing that could be sent lies in front of them.
fn encode_plain(iterations: u64) -> Duration {
    const BODIES: usize = TOGETHER as usize;
    let bodies: [Slice; BODIES] = std::array::from_fn(|_| Slice::from_vec(vec![0x42; USER_OCTETS]));
    put_plain(iterations, &bodies)
}

/// User data of 16 SSDUs of one receipt, with the headers in front of them that are to be put.
fn encode_received(iterations: u64) -> Duration {
    let mut pool = Pool::new(PoolConfig::default());
    let (_, mut responder) = connection();
    responder.receive(receipt(&mut pool, TOGETHER));
    let mut bodies = Vec::new();
    while let Some(mut tsdu) = responder.next_whole_tsdu() {
        tsdu.advance(TPKT_OCTETS - USER_OCTETS - TPDU_PREFIX_OCTETS);
        bodies.push(tsdu);
    }
    assert_eq!(bodies.len() as u64, TOGETHER);
    put_plain(iterations, &bodies)
}

/// What a shard does with a request for each of these bodies in turn: `plain_data_request` of colloquy-shard. Written or by
/// reference, what is sent at a time is one I/O vector.
fn put_plain(iterations: u64, bodies: &[Slice]) -> Duration {
    let (initiator, _) = connection();
    let (session, _) = machine::established();
    let mut batch = TxBatch::new();
    let mut octets = 0;
    let begin = thread_cpu();
    let mut left = iterations;
    while left > 0 {
        octets += black_box(&batch).octets();
        batch.clear();
        let now = left.min(bodies.len() as u64);
        for body in &bodies[..now as usize] {
            let header = black_box(&session).plain_data_header().expect("data transfer");
            initiator.whole_data_request(header, black_box(body), &mut batch);
        }
        left -= now;
    }
    let elapsed = thread_cpu() - begin;
    octets += batch.octets();
    assert_eq!(batch.iovec_count(), 1);
    assert_eq!(octets as u64, iterations * TPKT_OCTETS as u64, "all was put");
    elapsed
}

fn encode_general(iterations: u64, user_octets: usize) -> Duration {
    let (initiator, _) = connection();
    let body = [Slice::from_vec(vec![0x42; user_octets])];
    let mut batch = TxBatch::new();
    let mut octets = 0;
    let begin = thread_cpu();
    for number in 0..iterations {
        if number % TOGETHER == 0 {
            octets += black_box(&batch).octets();
            batch.clear();
        }
        let header = DataHeader::data_transfer(black_box(Tokens::empty()), None::<Enclosure>);
        initiator.data_request(header.as_octets(), black_box(&body), &mut batch);
    }
    let elapsed = thread_cpu() - begin;
    octets += batch.octets();
    assert_eq!(octets as u64, iterations * (PREFIX.len() + user_octets) as u64, "all was put");
    elapsed
}

/// `elapsed` of `done` scaled to `asked`: whole receipts may be a few more than were asked for.
fn per(elapsed: Duration, done: u64, asked: u64) -> Duration {
    elapsed.mul_f64(asked as f64 / done.max(1) as f64)
}

/// Octets of TPKTs in a second, in GB/s, when one takes so many nanoseconds.
pub fn gigaoctets_per_s(nanoseconds: f64) -> f64 {
    TPKT_OCTETS as f64 / nanoseconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_what_is_decoded() {
        let (initiator, mut responder) = connection();
        let header = DataHeader::data_transfer(Tokens::empty(), None);
        let mut batch = TxBatch::new();
        initiator.data_request(header.as_octets(), &[Slice::from_vec(vec![9; USER_OCTETS])], &mut batch);
        let expected = [&PREFIX[..], &[9; USER_OCTETS]].concat();
        assert_eq!(batch.to_vec(), expected);
        responder.receive(Slice::from_vec(expected));
        assert!(matches!(responder.next_event(&mut batch), Some(Event::Data(body)) if body.len() == 68));
    }

    #[test]
    fn a_shard_puts_the_same_octets_by_both_ways_and_from_both_places() {
        let (initiator, mut responder) = connection();
        let (session, _) = machine::established();
        let mut pool = Pool::new(PoolConfig::default());
        responder.receive(receipt(&mut pool, 3));
        let (mut fresh, mut received, mut general) = (TxBatch::new(), TxBatch::new(), TxBatch::new());
        while let Some(mut tsdu) = responder.next_whole_tsdu() {
            tsdu.advance(session.plain_data_offset(&tsdu).unwrap());
            let header = session.plain_data_header().unwrap();
            let own = Slice::from_vec(tsdu.to_vec());
            initiator.whole_data_request(header, &own, &mut fresh);
            initiator.whole_data_request(header, &tsdu, &mut received);
            let encoded = DataHeader::data_transfer(Tokens::empty(), None);
            initiator.data_request(encoded.as_octets(), &[own], &mut general);
        }
        assert_eq!(fresh.octets(), 3 * TPKT_OCTETS);
        assert_eq!((fresh.to_vec(), received.to_vec()), (general.to_vec(), general.to_vec()));
        // By reference, all three are one I/O vector; written, they are in the arena.
        assert_eq!((received.iovec_count(), received.pins(), fresh.pins()), (1, true, false));
    }

    #[test]
    fn throughput_counts_headers_too() {
        assert!((gigaoctets_per_s(25.0) - 3.0).abs() < 1e-9);
    }
}
