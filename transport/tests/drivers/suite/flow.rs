//! Pause and resume.

use colloquy_transport::driver::{Close, Driver};

use super::transfer::Stream;
use super::{Bed, Ends, Kind, batch_of, pattern};

pub fn a_paused_connection_receives_nothing_and_loses_nothing<B: Bed>(bed: B) {
    const TOTAL: usize = 1 << 20;
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    let mut stream = Stream::default();
    for target in [TOTAL / 3, 2 * TOTAL / 3] {
        ends.until("some", |near_end, far_end| {
            stream.send(near_end, near, TOTAL);
            stream.receive(far_end, far);
            stream.received >= target
        });
        ends.far.pause(far);
        // Receipts already made may still come.
        ends.until_quiet();
        stream.receive(&mut ends.far, far);
        let at_rest = stream.received;
        for _ in 0..3 {
            stream.send(&mut ends.near, near, TOTAL);
            ends.until_quiet();
        }
        stream.receive(&mut ends.far, far);
        assert_eq!(stream.received, at_rest, "received while paused");
        ends.far.resume(far);
    }
    ends.until("all", |near_end, far_end| {
        stream.send(near_end, near, TOTAL);
        stream.receive(far_end, far);
        stream.received == TOTAL
    });
    ends.finish();
}

pub fn pausing_at_once_after_accepting_holds<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let near = ends.connect();
    ends.until("accepted", |_, far| far.accepted.first().inspect(|&&id| far.driver.pause(id)).is_some());
    let far = ends.far.accepted[0];
    ends.until("connected", |end, _| end.has(near, Kind::Connected));
    ends.until_quiet();
    let early = ends.far.seen(far).received_octets;
    ends.near.send(near, batch_of(&pattern(0, 5000)));
    ends.until_quiet();
    assert_eq!((early, ends.far.seen(far).received_octets), (0, 0));
    ends.far.resume(far);
    ends.until("received", |_, end| end.seen(far).received == pattern(0, 5000));
    ends.finish();
}

pub fn pausing_and_resuming_all_the_time_loses_nothing<B: Bed>(bed: B) {
    const TOTAL: usize = 5 << 20;
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    let mut stream = Stream::default();
    let mut round = 0;
    ends.until("all there", |near_end, far_end| {
        round += 1;
        match round % 5 {
            0 => far_end.pause(far),
            2 | 3 => far_end.resume(far),
            4 => {
                far_end.pause(far);
                far_end.resume(far);
            }
            _ => {}
        }
        stream.send(near_end, near, TOTAL);
        stream.receive(far_end, far);
        stream.received == TOTAL
    });
    ends.finish();
}

pub fn eof_waits_for_resume<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let (near, far) = ends.pair();
    ends.far.pause(far);
    ends.until_quiet();
    ends.near.send(near, batch_of(&pattern(0, 5000)));
    ends.near.close(near, Close::Graceful);
    ends.until_quiet();
    assert_eq!(ends.far.seen(far).received_octets, 0);
    ends.far.resume(far);
    ends.until("eof", |_, end| end.has(far, Kind::Eof));
    assert!(ends.far.take_received(far) == pattern(0, 5000));
    ends.far.close(far, Close::Graceful);
    ends.until("closed", |end, _| end.has(near, Kind::Closed));
    ends.finish();
}

pub fn pausing_one_leaves_the_others_alone<B: Bed>(bed: B) {
    let mut ends = Ends::new(bed);
    let pairs: Vec<_> = (0..10).map(|_| ends.pair()).collect();
    let far_of = |near| pairs.iter().find(|pair| pair.0 == near).unwrap().1;
    // Accepted in the order of connecting, because each pair waited for its own.
    let (paused, _) = pairs[3];
    ends.far.pause(far_of(paused));
    ends.until_quiet();
    for &(near, _) in &pairs {
        ends.near.send(near, batch_of(&pattern(7, 5000)));
    }
    ends.until("the others received", |_, far| {
        pairs.iter().filter(|pair| pair.0 != paused).all(|pair| far.seen(pair.1).received_octets == 5000)
    });
    ends.until_quiet();
    assert_eq!(ends.far.seen(far_of(paused)).received_octets, 0);
    ends.finish();
}
