//! Connecting, accepting, listening.

use std::collections::HashSet;

use colloquy_transport::driver::{Close, ConnectOptions, Driver};

use super::{Bed, Ends, Kind, Size, batch_of, pattern};

pub fn accepts_with_addresses_and_connects<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    assert_eq!(ends.near.seen(near).kinds, [Kind::Connected]);
    assert_eq!(ends.far.seen(far).kinds, [Kind::Accepted]);
    let peer = ends.far.seen(far).peer.unwrap();
    assert_eq!(peer.ip(), ends.address.ip());
    assert_ne!(peer.port(), ends.address.port());
    assert_eq!(ends.near.driver.stats().connections, 1);
    ends.finish();
}

pub fn both_ends_can_connect<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (listener, address) = ends.bed.listener();
    ends.near.driver.listen(listener).unwrap();
    let from_near = ends.connect();
    let from_far = ends.far.connect(address, &ConnectOptions::default()).unwrap();
    ends.until("both connected", |near, far| {
        near.has(from_near, Kind::Connected)
            && far.has(from_far, Kind::Connected)
            && near.accepted.len() == 1
            && far.accepted.len() == 1
    });
    let at_far = ends.far.accepted[0];
    ends.near.send(from_near, batch_of(b"to far"));
    ends.far.send(from_far, batch_of(b"to near"));
    let at_near = ends.near.accepted[0];
    ends.until("both received", |near, far| {
        near.seen(at_near).received == b"to near" && far.seen(at_far).received == b"to far"
    });
    ends.finish();
}

pub fn a_refused_connect_fails_once<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let address = ends.bed.deserted();
    let id = ends.near.connect(address, &ConnectOptions::default()).unwrap();
    ends.until("refused", |near, _| near.has(id, Kind::Failed));
    let error = ends.near.seen(id).failure.as_ref().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    ends.until_quiet();
    assert_eq!(ends.near.seen(id).kinds, [Kind::Failed], "the id lives until it is closed");
    ends.near.close(id, Close::Graceful);
    ends.until("closed", |near, _| near.has(id, Kind::Closed));
    ends.finish();
}

pub fn closing_while_connecting_ends_it<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    for how in [Close::Graceful, Close::Abort] {
        let id = ends.connect();
        ends.near.close(id, how);
        ends.until("closed", |near, _| near.has(id, Kind::Closed));
        assert_eq!(ends.near.seen(id).kinds, [Kind::Closed]);
    }
    ends.finish();
}

pub fn an_unlistened_address_refuses<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (listener, address) = ends.bed.listener();
    let listener = ends.near.driver.listen(listener).unwrap();
    let first = ends.far.connect(address, &ConnectOptions::default()).unwrap();
    ends.until("accepted", |near, far| near.accepted.len() == 1 && far.has(first, Kind::Connected));
    ends.near.driver.unlisten(listener);
    ends.until_quiet();
    let second = ends.far.connect(address, &ConnectOptions::default()).unwrap();
    ends.until("refused", |_, far| far.has(second, Kind::Failed));
    let accepted = ends.near.accepted[0];
    ends.far.send(first, batch_of(b"still there"));
    ends.until("received", |near, _| near.seen(accepted).received == b"still there");
    ends.finish();
}

pub fn two_hundred_connections_echo<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let ids: Vec<_> = (0..200).map(|_| ends.connect()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 200);
    ends.until("all connected", |near, far| {
        far.accepted.len() == 200 && ids.iter().all(|&id| near.has(id, Kind::Connected))
    });
    for (index, &id) in ids.iter().enumerate() {
        ends.near.send(id, batch_of(&pattern(index * 1000, 1000)));
    }
    ends.until("all echoed", |near, far| {
        for id in far.accepted.clone() {
            if far.seen(id).received.len() == 1000 {
                let octets = far.take_received(id);
                far.send(id, batch_of(&octets));
            }
        }
        ids.iter().all(|&id| near.seen(id).received.len() == 1000)
    });
    for (index, &id) in ids.iter().enumerate() {
        assert!(ends.near.take_received(id) == pattern(index * 1000, 1000), "connection {index}");
    }
    ids.iter().for_each(|&id| ends.near.close(id, Close::Graceful));
    ends.until("all closed", |near, far| {
        for id in far.accepted.clone() {
            if far.has(id, Kind::Eof) && !far.has(id, Kind::Closed) {
                far.close(id, Close::Graceful);
            }
        }
        near.driver.stats().connections == 0 && far.driver.stats().connections == 0
    });
    ends.finish();
}

pub fn accepting_goes_on_under_load<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (bulk_near, bulk_far) = ends.pair();
    let block = pattern(0, 256 << 10);
    ends.near.send(bulk_near, batch_of(&block));
    let mut connecting: Vec<_> = Vec::new();
    let address = ends.address;
    ends.until("fifty accepted beside a stream that never ends", |near, far| {
        far.take_received(bulk_far);
        if !near.is_sending(bulk_near) {
            near.send(bulk_near, batch_of(&block));
        }
        if connecting.len() < 50 && connecting.iter().all(|&id| near.has(id, Kind::Connected)) {
            connecting.push(near.connect(address, &ConnectOptions::default()).unwrap());
        }
        far.accepted.len() == 51
    });
    ends.finish();
}

pub fn connecting_beyond_the_maximum_is_refused_here<B: Bed>(bed: B) {
    let small = Size { connections_max: 4, ..Size::default() };
    let mut ends = Ends::sized(bed, small, Size::default());
    let ids: Vec<_> = (0..4).map(|_| ends.connect()).collect();
    assert!(ends.near.connect(ends.address, &ConnectOptions::default()).is_err());
    ends.until("four connected", |near, _| ids.iter().all(|&id| near.has(id, Kind::Connected)));
    assert!(ends.near.connect(ends.address, &ConnectOptions::default()).is_err());
    ends.near.close(ids[2], Close::Abort);
    ends.until("one closed", |near, _| near.has(ids[2], Kind::Closed));
    let id = ends.connect();
    assert!(!ids.contains(&id));
    ends.until("connected", |near, _| near.has(id, Kind::Connected));
    ends.finish();
}

/// What becomes of connections that meet a full table is the system's affair (the queue of the listener
/// or a reset); that it is said, that the others go on and that accepting goes on is the driver's.
pub fn accepting_beyond_the_maximum_waits_for_a_slot<B: Bed>(bed: B) {
    let small = Size { connections_max: 4, ..Size::default() };
    let mut ends = Ends::sized(bed, Size::default(), small);
    let pairs: Vec<_> = (0..4).map(|_| ends.pair()).collect();
    ends.connect();
    ends.until("the shortage is said", |_, far| !far.accept_failed.is_empty());
    assert_eq!(ends.far.accepted.len(), 4);
    let (near, far) = pairs[0];
    ends.near.send(near, batch_of(b"undisturbed"));
    ends.until("received", |_, far_end| far_end.seen(far).received == b"undisturbed");
    ends.far.close(pairs[1].1, Close::Abort);
    ends.until("a slot is free", |_, far_end| far_end.has(pairs[1].1, Kind::Closed));
    ends.connect();
    ends.until("accepting goes on", |_, far| far.accepted.len() >= 5);
    ends.finish();
}

/// Alone in a process, because other tests open descriptors too.
pub fn descriptors_return_to_where_they_were<B: Bed>(bed: B) {
    if !bed.has_descriptors() {
        return;
    }
    super::alone(|| {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let before = count();
        let mut ends = Ends::new(bed);
        let with_drivers = count();
        for round in 0..3 {
            let pairs: Vec<_> = (0..40).map(|_| ends.pair()).collect();
            for (index, &(near, far)) in pairs.iter().enumerate() {
                let how = if index % 2 == 0 { Close::Abort } else { Close::Graceful };
                ends.near.close(near, how);
                ends.far.close(far, Close::Graceful);
            }
            ends.until("all closed", |near, far| near.is_settled() && far.is_settled());
            // The first round may open what a driver opens at need and keeps.
            assert!(count() <= with_drivers + 2, "round {round}: {with_drivers} became {}", count());
        }
        drop(ends);
        assert_eq!(count(), before);
    });
}
