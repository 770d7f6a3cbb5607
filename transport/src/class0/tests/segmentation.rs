//! TSDUs out and in again: every size of TPDU, every split of the stream.

use proptest::prelude::*;

use super::*;

/// What an open end with TPDUs of `tpdu_octets` puts for the TSDU.
fn sent(tpdu_octets: Option<u32>, header: &[u8], body: &[Slice]) -> TxBatch {
    let end = End::open(&Class0Config::default(), tpdu_octets);
    let mut out = TxBatch::new();
    end.class0.data_request(header, body, &mut out);
    out
}

fn numbered(octets: usize) -> Vec<u8> {
    (0..octets).map(|index| (index % 251) as u8).collect()
}

/// Lengths of the TPDUs in a stream of DT TPDUs, and that only the last has EOT.
fn tpdu_octets_of(mut stream: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !stream.is_empty() {
        let length = usize::from(u16::from_be_bytes([stream[2], stream[3]]));
        assert_eq!(stream[6] == 0x80, length == stream.len(), "EOT is on the last one");
        lengths.push(length - 4);
        stream = &stream[length..];
    }
    lengths
}

#[test]
fn a_tsdu_that_fits_is_one_tpdu() {
    let out = sent(Some(128), b"head", &[Slice::from_vec(numbered(121))]);
    let stream = out.to_vec();
    assert_eq!(stream[..11], [3, 0, 0, 132, 2, 0xf0, 0x80, b'h', b'e', b'a', b'd']);
    assert_eq!(stream[11..], numbered(121));
}

#[test]
fn no_tpdu_exceeds_the_selected_size() {
    for size in [128, 256, 1024, 8192] {
        let chunk = size as usize - 3;
        for octets in [1, chunk - 1, chunk, chunk + 1, 2 * chunk, 5 * chunk + 7] {
            let out = sent(Some(size), &[], &[Slice::from_vec(numbered(octets))]);
            let lengths = tpdu_octets_of(&out.to_vec());
            assert!(lengths.iter().all(|&length| length <= size as usize), "{octets} octets: {lengths:?}");
            assert_eq!(lengths.len(), octets.div_ceil(chunk));
        }
    }
}

#[test]
fn without_a_negotiated_size_a_tpdu_fills_its_tpkt() {
    let out = sent(None, &[], &[Slice::from_vec(numbered(65_529))]);
    assert_eq!(tpdu_octets_of(&out.to_vec()), [65_531, 4]);
}

#[test]
fn the_peers_larger_proposal_does_not_raise_this_ends_size() {
    let config = Class0Config { tpdu_octets_max: 2048, ..Class0Config::default() };
    let mut end = End::open(&config, Some(8192));
    assert_eq!(end.class0.tpdu_octets(), 2048);
    // What the peer sends above it is taken all the same.
    let out = sent(Some(8192), &[], &[Slice::from_vec(numbered(8000))]);
    end.receive(Slice::from_vec(out.to_vec()));
    assert_eq!(end.bodies[0].len(), 8000);
}

#[test]
fn large_bodies_leave_by_reference_through_the_split() {
    let before = crate::buf::copies::of_this_thread();
    let out = sent(Some(8192), b"0123456789", &[Slice::from_vec(numbered(50_000))]);
    assert_eq!(crate::buf::copies::of_this_thread().large_count, before.large_count);
    let stream = out.to_vec();
    let mut end = End::open(&Class0Config::default(), Some(8192));
    end.receive(Slice::from_vec(stream));
    assert_eq!(
        end.bodies[0].slices().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>()[10..],
        numbered(50_000)
    );
}

#[test]
fn nothing_is_put_before_the_connection_is_open_or_after_it_closed() {
    let mut out = TxBatch::new();
    let mut class0 = Class0::initiator(&Class0Config::default());
    class0.data_request(b"x", &[], &mut out);
    assert!(out.is_empty());
    class0.connect_request(&ConnectTpdu::default(), &mut out);
    out.clear();
    class0.disconnect_request(0, &mut out);
    assert_eq!(out.to_vec(), [3, 0, 0, 11, 6, 0x80, 0, 0, 0, 1, 0]);
    out.clear();
    class0.data_request(b"x", &[], &mut out);
    class0.connect_request(&ConnectTpdu::default(), &mut out);
    class0.connect_response(&mut out);
    class0.disconnect_request(0, &mut out);
    assert!(out.is_empty());
}

#[test]
fn a_cr_may_be_refused() {
    let mut class0 = Class0::responder(&Class0Config::default());
    class0.receive(Slice::from_vec(vec![3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 9, 0, 3, 0, 0, 8, 2, 0xf0, 0x80, 1]));
    let mut out = TxBatch::new();
    assert!(matches!(class0.next_event(&mut out), Some(Event::Connect(_))));
    class0.disconnect_request(3, &mut out);
    assert_eq!(out.to_vec(), [3, 0, 0, 11, 6, 0x80, 0, 9, 0, 0, 3]);
    assert!(class0.next_event(&mut out).is_none(), "what follows is dropped");
    assert_eq!(class0.held_octets(), 0);
}

#[test]
fn both_ends_agree_on_the_smaller_size() {
    let config = |tpdu_octets_max| Class0Config { tpdu_octets_max, ..Class0Config::default() };
    for (proposed, agreed, selected) in [(8192, 2048, 2048), (1024, 8192, 1024), (3000, 8192, 2048)] {
        let mut initiator = End::new(Class0::initiator(&config(proposed)));
        let mut responder = End::new(Class0::responder(&config(agreed)));
        initiator.class0.connect_request(&ConnectTpdu::default(), &mut initiator.out);
        responder.receive(Slice::from_vec(initiator.out.to_vec()));
        initiator.receive(Slice::from_vec(responder.out.to_vec()));
        let sizes = (initiator.class0.tpdu_octets(), responder.class0.tpdu_octets());
        assert_eq!(sizes, (selected, selected));
    }
}

/// A stream of TSDUs as TPDUs of random sizes, perhaps with something bad at its end.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let tpdu = (0..3_usize, 0..6000_usize, any::<bool>()).prop_map(|(kind, octets, eot)| {
        let octets = [octets % 7, octets % 300, octets][kind];
        let mut tpkt = crate::class0::tpkt::data_prefix(octets, eot).to_vec();
        tpkt.extend(numbered(octets));
        tpkt
    });
    let end = prop_oneof![
        3 => Just(Vec::new()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
        1 => Just(vec![3, 0, 0, 11, 6, 0x80, 0, 1, 0, 7, 0]),
        1 => Just(vec![3, 0, 0xff, 0xff, 2, 0xf0, 0x80, 1, 2]),
    ];
    (proptest::collection::vec(tpdu, 0..12), end).prop_map(|(tpdus, end)| {
        let mut stream = tpdus.concat();
        stream.extend(end);
        stream
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_stream_gives_the_same_events(
        stream in stream(),
        lengths in proptest::collection::vec(prop_oneof![1..20_usize, 1..5000_usize], 1..40),
        shared_block in any::<bool>(),
        unpin in any::<bool>(),
        short_way in any::<bool>(),
    ) {
        let config = Class0Config { tsdu_octets_max: 20_000, ..Class0Config::default() };
        let mut whole = End::open(&config, Some(128));
        whole.receive(Slice::from_vec(stream.clone()));
        let mut split = End { short_way, ..End::open(&config, Some(128)) };
        let mut left = Slice::from_vec(stream);
        let mut lengths = lengths.iter().cycle();
        while !left.is_empty() {
            let octets = left.len().min(*lengths.next().expect("a cycle"));
            let part = left.split_to(octets);
            split.receive(if shared_block { part } else { Slice::from_vec(part.to_vec()) });
            if unpin {
                split.class0.unpin();
            }
        }
        prop_assert_eq!(&split.events, &whole.events);
        prop_assert_eq!(split.out.to_vec(), whole.out.to_vec());
        prop_assert_eq!(split.class0.held_octets(), whole.class0.held_octets());
        for body in split.bodies {
            let len = body.len();
            prop_assert!(body.head().len() >= len.min(crate::class0::HEAD_OCTETS_MIN));
            prop_assert!(body.rest().iter().all(|slice| !slice.is_empty()));
        }
    }

    #[test]
    fn random_octets_never_panic(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        version in any::<bool>(),
        open in any::<bool>(),
        initiator in any::<bool>(),
    ) {
        let mut octets = octets;
        if version && octets.len() > 3 {
            octets[0] = 3;
            octets[2] = 0;
        }
        let config = Class0Config::default();
        let mut end = match (open, initiator) {
            (true, _) => End::open(&config, None),
            (_, true) => End::new(Class0::initiator(&config)),
            _ => End::new(Class0::responder(&config)),
        };
        end.receive(Slice::from_vec(octets));
    }

    /// From where it lies or copied: what is sent is the same octets.
    #[test]
    fn what_was_received_is_sent_again_as_it_is_asked_for(
        size in prop_oneof![Just(None), (7..14_u32).prop_map(|code| Some(1 << code))],
        onward in prop_oneof![Just(None), (7..14_u32).prop_map(|code| Some(1 << code))],
        octets in prop_oneof![1..200_usize, 2000..3000_usize, 1..40_000_usize],
        same_header in any::<bool>(),
        count in 1..4_usize,
    ) {
        const HEADER: [u8; 4] = [1, 0, 1, 0];
        let body = [Slice::from_vec(numbered(octets))];
        let stream = sent(size, &HEADER, &body).to_vec().repeat(count);
        let mut end = End { short_way: true, ..End::open(&Class0Config::default(), size) };
        end.receive(Slice::from_vec(stream));
        prop_assert_eq!(end.bodies.len(), count);
        let next = End::open(&Class0Config::default(), onward).class0;
        let header = if same_header { HEADER } else { [2; 4] };
        let mut out = TxBatch::new();
        for mut body in end.bodies {
            body.advance(HEADER.len());
            next.plain_data_request(&header, &body, &mut out);
        }
        let expected = sent(onward, &header, &body).to_vec().repeat(count);
        prop_assert_eq!(out.octets(), expected.len());
        prop_assert_eq!(out.to_vec(), expected);
        let runs = same_header && size == onward && octets >= 3000;
        prop_assert!(!runs || out.iovec_count() == 1, "{} I/O vectors", out.iovec_count());
    }

    #[test]
    fn any_tsdu_comes_back_whole(
        size in prop_oneof![Just(None), (7..14_u32).prop_map(|code| Some(1 << code))],
        header in proptest::collection::vec(any::<u8>(), 1..200),
        slices in proptest::collection::vec(0..5000_usize, 0..6),
    ) {
        let body: Vec<Slice> = slices.iter().map(|&octets| Slice::from_vec(numbered(octets))).collect();
        let out = sent(size, &header, &body);
        let mut end = End::open(&Class0Config::default(), size);
        end.receive(Slice::from_vec(out.to_vec()));
        let mut expected = header;
        slices.iter().for_each(|&octets| expected.extend(numbered(octets)));
        prop_assert_eq!(end.bodies.len(), 1);
        let got = end.bodies[0].slices().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>();
        prop_assert_eq!(got, expected);
    }
}
