//! The expedited flow: agreement of two ends, order, bounds of what is sent, interleaving by any split.

use proptest::prelude::*;

use super::*;
use crate::class0::{EXPEDITED_OCTETS_MAX, ExpeditedError, tpkt};

/// Two open ends, configured as said.
fn pair(initiator: bool, responder: bool) -> (End, End) {
    let config = |expedited| Class0Config { expedited, ..Class0Config::default() };
    let mut initiator = End::new(Class0::initiator(&config(initiator)));
    let mut responder = End::new(Class0::responder(&config(responder)));
    // What the caller's parameters say about expedited data does not matter.
    let connect = ConnectTpdu { expedited: !config(false).expedited, ..ConnectTpdu::default() };
    initiator.class0.connect_request(&connect, &mut initiator.out);
    assert!(!initiator.class0.expedited(), "nothing is agreed before the CC");
    carry(&mut initiator, &mut responder);
    carry(&mut responder, &mut initiator);
    assert!(initiator.class0.is_open() && responder.class0.is_open());
    initiator.events.clear();
    responder.events.clear();
    (initiator, responder)
}

/// Hands what one end has put to the other.
fn carry(from: &mut End, to: &mut End) {
    to.receive(Slice::from_vec(from.out.to_vec()));
    from.out.clear();
}

#[test]
fn it_exists_when_both_ends_are_configured_for_it() {
    for (initiator, responder) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut one, mut other) = pair(initiator, responder);
        let agreed = initiator && responder;
        for (from, to) in [(&mut one, true), (&mut other, false)] {
            assert_eq!(from.class0.expedited(), agreed, "initiator {to}: {initiator} {responder}");
            let sent = from.class0.expedited_request(b"x", &mut from.out);
            assert_eq!(sent, if agreed { Ok(()) } else { Err(ExpeditedError::NotConfirmed) });
            assert_eq!(from.out.is_empty(), !agreed);
        }
    }
}

#[test]
fn both_ends_send_and_the_order_of_the_two_flows_is_kept() {
    let (mut initiator, mut responder) = pair(true, true);
    for (from, to) in [(0, 1), (1, 0)] {
        let ends = [&mut initiator, &mut responder];
        let out = &mut TxBatch::new();
        ends[from].class0.data_request(b"a", &[], out);
        ends[from].class0.expedited_request(b"b", out).unwrap();
        ends[from].class0.expedited_request(b"c", out).unwrap();
        ends[from].class0.data_request(b"d", &[], out);
        ends[to].receive(Slice::from_vec(out.to_vec()));
        assert_eq!(ends[to].events, ["data 61", "expedited 62", "expedited 63", "data 64"]);
        assert!(ends[to].out.is_empty(), "nothing is acknowledged");
    }
}

#[test]
fn only_one_to_sixteen_octets_are_sent() {
    let (mut initiator, _) = pair(true, true);
    for octets in 0..40 {
        let mut out = TxBatch::new();
        let sent = initiator.class0.expedited_request(&vec![7; octets], &mut out);
        if (1..=EXPEDITED_OCTETS_MAX).contains(&octets) {
            assert_eq!(sent, Ok(()));
            let mut expected = vec![3, 0, 0, 7 + octets as u8, 2, 0x10, 0x80];
            expected.extend(vec![7; octets]);
            assert_eq!(out.to_vec(), expected);
        } else {
            assert_eq!(sent, Err(ExpeditedError::Octets(octets)));
            assert!(out.is_empty());
        }
    }
}

#[test]
fn nothing_is_sent_after_the_end() {
    let (mut initiator, _) = pair(true, true);
    initiator.class0.disconnect_request(0, &mut initiator.out);
    assert!(!initiator.class0.expedited());
    let sent = initiator.class0.expedited_request(b"x", &mut initiator.out);
    assert_eq!(sent, Err(ExpeditedError::NotConfirmed));
    assert!(initiator.out.is_empty());
}

#[test]
fn a_straddling_ed_leaves_the_pieces_of_the_tsdu_where_they_are() {
    let config = Class0Config { expedited: true, ..Class0Config::default() };
    let body: Vec<u8> = (0..9000_u32).map(|index| (index % 251) as u8).collect();
    let first = [&tpkt::data_prefix(5000, false)[..], &body[..5000]].concat();
    let ed = [&tpkt::expedited_prefix(16)[..], &[9; 16]].concat();
    let last = [&tpkt::data_prefix(4000, true)[..], &body[5000..]].concat();
    for cut in 1..ed.len() {
        let mut end = End::open(&config, None);
        let before = crate::buf::copies::of_this_thread();
        let (early, late) = ed.split_at(cut);
        for part in [&first[..], early, late, &last] {
            end.receive(Slice::from_vec(part.to_vec()));
        }
        assert_eq!(end.events[0], format!("expedited {}", "09".repeat(16)), "cut at {cut}");
        assert_eq!(end.bodies[0].slices().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>(), body);
        assert_eq!(crate::buf::copies::of_this_thread().large_count, before.large_count);
        assert_eq!((end.class0.held_octets(), end.class0.pinned_octets()), (0, 0));
    }
}

#[test]
fn a_straddling_ed_is_counted_as_held_and_then_holds_nothing() {
    let config = Class0Config { expedited: true, ..Class0Config::default() };
    let mut end = End::open(&config, None);
    let ed = [&tpkt::expedited_prefix(5)[..], b"hello"].concat();
    for (index, &octet) in ed.iter().enumerate() {
        // The seven octets of the headers are done with once they are known.
        assert_eq!(end.class0.held_octets(), index % 7);
        end.receive(Slice::from_vec(vec![octet]));
    }
    assert_eq!(end.events, ["expedited 68656c6c6f"]);
    assert_eq!(end.class0.held_octets(), 0);
}

/// One TPDU of the stream: DT with an end mark, or ED.
#[derive(Clone, Debug)]
enum Tpdu {
    Data(Vec<u8>, bool),
    Expedited(Vec<u8>),
}

fn tpdu() -> impl Strategy<Value = Tpdu> {
    prop_oneof![
        (proptest::collection::vec(any::<u8>(), 0..60), any::<bool>())
            .prop_map(|(octets, eot)| Tpdu::Data(octets, eot)),
        (3000..4000_usize, any::<bool>()).prop_map(|(octets, eot)| Tpdu::Data(vec![5; octets], eot)),
        proptest::collection::vec(any::<u8>(), 1..=16).prop_map(Tpdu::Expedited),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ed_anywhere_in_the_stream_disturbs_no_tsdu(
        tpdus in proptest::collection::vec(tpdu(), 1..30),
        lengths in proptest::collection::vec(prop_oneof![1..20_usize, 1..5000_usize], 1..40),
        unpin in any::<bool>(),
    ) {
        let (mut stream, mut expected, mut tsdu) = (Vec::new(), Vec::new(), Vec::new());
        let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        for tpdu in &tpdus {
            match tpdu {
                Tpdu::Data(octets, eot) => {
                    stream.extend(tpkt::data_prefix(octets.len(), *eot));
                    stream.extend(octets);
                    tsdu.extend(octets);
                    if *eot {
                        expected.push(format!("data {}", hex(&tsdu)).trim_end().to_owned());
                        tsdu.clear();
                    }
                }
                Tpdu::Expedited(octets) => {
                    stream.extend(tpkt::expedited_prefix(octets.len()));
                    stream.extend(octets);
                    expected.push(format!("expedited {}", hex(octets)));
                }
            }
        }
        let config = Class0Config { expedited: true, ..Class0Config::default() };
        let mut end = End::open(&config, None);
        let mut left = Slice::from_vec(stream);
        let mut lengths = lengths.iter().cycle();
        while !left.is_empty() {
            let octets = left.len().min(*lengths.next().expect("a cycle"));
            end.receive(left.split_to(octets));
            if unpin {
                end.class0.unpin();
            }
        }
        prop_assert_eq!(&end.events, &expected);
        prop_assert_eq!(end.class0.held_octets(), tsdu.len());
        prop_assert!(end.out.is_empty());
    }
}
