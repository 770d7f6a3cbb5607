//! The canned answers, judged by the decoders of the layers they imitate.

use colloquy_session::spdu::{DecodeRules, Spdu, Tsdu};
use colloquy_session::{FunctionalUnits, Versions};
use colloquy_transport::buf::{Slice, TxBatch};
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu, Event, TransportSelector};

use super::super::canned::{NoOpening, Opening};
use super::client::{AC_OCTETS, CC_OCTETS, CN, CR};

fn answers(pieces: &[&[u8]]) -> Result<(bool, Vec<u8>), NoOpening> {
    let (mut opening, mut answer, mut over) = (Opening::new(), Vec::new(), false);
    for piece in pieces {
        assert!(!over, "the opening ended before its last octet");
        over = opening.receive(piece, &mut answer)?;
    }
    Ok((over, answer))
}

fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    [&[3, 0], &(4 + tpdu.len() as u16).to_be_bytes()[..], tpdu].concat()
}

#[test]
fn our_class_0_takes_the_cc_and_the_size_in_it() {
    for (proposed, selected) in [(128, 128), (2048, 2048), (8192, 8192)] {
        let config = Class0Config { tpdu_octets_max: proposed, ..Class0Config::default() };
        let mut initiator = Class0::initiator(&config);
        let mut batch = TxBatch::new();
        let connect = ConnectTpdu {
            calling: TransportSelector::new(&[1, 2, 3]),
            called: TransportSelector::new(b"called"),
            ..ConnectTpdu::default()
        };
        initiator.connect_request(&connect, &mut batch);
        let (over, cc) = answers(&[&batch.to_vec()]).unwrap();
        assert!(!over);
        batch.clear();
        initiator.receive(Slice::from_vec(cc));
        let Some(Event::ConnectConfirm(confirm)) = initiator.next_event(&mut batch) else {
            panic!("no CC for {proposed} octets")
        };
        assert!(initiator.is_open());
        assert_eq!(initiator.tpdu_octets(), selected);
        assert_eq!(confirm.tpdu_octets, Some(selected));
        assert_eq!((confirm.calling, confirm.called), (connect.calling, connect.called));
    }
}

#[test]
fn a_size_is_answered_only_where_one_is_proposed_and_never_above_8192() {
    let cr = |parameters: &[u8]| {
        let head = [6 + parameters.len() as u8, 0xe0, 0, 0, 0xab, 0xcd, 0];
        tpkt(&[&head[..], parameters].concat())
    };
    let cc = |parameters: &[u8]| {
        let head = [6 + parameters.len() as u8, 0xd0, 0xab, 0xcd, 0, 1, 0];
        tpkt(&[&head[..], parameters].concat())
    };
    for (proposed, answered) in [
        (&[][..], &[][..]),
        (&[0xc0, 1, 0x0a], &[0xc0, 1, 0x0a]),
        (&[0xc0, 1, 0x0e], &[0xc0, 1, 0x0d]),
        (&[0xc6, 1, 1, 0xc0, 1, 7], &[0xc0, 1, 7]),
    ] {
        assert_eq!(answers(&[&cr(proposed)]).unwrap(), (false, cc(answered)));
    }
}

/// The one SPDU in the one DT TPDU of `octets`.
fn accept_of(octets: &[u8]) -> (Versions, FunctionalUnits, Vec<u8>, usize) {
    assert_eq!(octets.len(), usize::from(u16::from_be_bytes([octets[2], octets[3]])));
    assert_eq!(octets[4..7], [2, 0xf0, 0x80]);
    let mut tsdu = Tsdu::new(&octets[7..]);
    let view = tsdu.next_spdu(&DecodeRules::STRICT).unwrap().unwrap();
    assert_eq!(tsdu.remaining_octets(), 0);
    let Spdu::Accept(accept) = view.parse(&DecodeRules::STRICT).unwrap() else { panic!("no AC: {view:?}") };
    let selector = accept.responding.as_octets().to_vec();
    (accept.item.versions, accept.requirements, selector, accept.user_data.len())
}

#[test]
fn our_codec_takes_the_ac() {
    let (over, answer) = answers(&[CR, CN]).unwrap();
    assert!(over);
    assert_eq!(answer.len(), CC_OCTETS + AC_OCTETS);
    let duplex = FunctionalUnits::DUPLEX;
    assert_eq!(accept_of(&answer[CC_OCTETS..]), (Versions::V2, duplex, vec![0, 1], 0));
}

#[test]
fn a_long_cn_and_one_without_selector_are_answered_too() {
    let user_data = vec![0x61; 400];
    let parameters = [&[0x14, 2, 0, 2, 0xc1, 0xff, 1, 0x90][..], &user_data].concat();
    let li = (parameters.len() as u16).to_be_bytes();
    let cn = tpkt(&[&[2, 0xf0, 0x80, 0x0d, 0xff, li[0], li[1]][..], &parameters].concat());
    let (over, answer) = answers(&[CR, &cn]).unwrap();
    assert!(over);
    let duplex = FunctionalUnits::DUPLEX;
    assert_eq!(accept_of(&answer[CC_OCTETS..]), (Versions::V2, duplex, Vec::new(), 0));
}

#[test]
fn an_opening_cut_anywhere_gives_the_same_answers_and_echoes_the_rest() {
    let whole = [CR, CN].concat();
    let (_, expected) = answers(&[CR, CN]).unwrap();
    for cut in 1..whole.len() {
        assert_eq!(
            answers(&[&whole[..cut], &whole[cut..]]).unwrap(),
            (true, expected.clone()),
            "cut at {cut}"
        );
    }
    let with_rest = [CR, CN, b"rest"].concat();
    assert_eq!(answers(&[&with_rest]).unwrap(), (true, [&expected[..], b"rest"].concat()));
}

#[test]
fn what_is_no_opening_is_said_to_be_none() {
    let long_selector = tpkt(&[&[2, 0xf0, 0x80, 0x0d, 19, 0x34, 17][..], &[9; 17]].concat());
    let no_opening: [&[&[u8]]; 6] =
        [&[&[4, 0, 0, 22]], &[&[3, 0, 0, 6]], &[&[3, 0, 255, 255]], &[CN], &[CR, CR], &[CR, &long_selector]];
    for pieces in no_opening {
        assert_eq!(answers(pieces), Err(NoOpening), "{pieces:02x?}");
    }
}
