//! A responder made of octets: takes one transport connection and one session, and sends back what it is sent.

use std::io::{ErrorKind, Read, Write};

const CR: u8 = 0xe0;
const CN: u8 = 13;
const GT: u8 = 1;
const FN: u8 = 9;
/// AC of version 2, kernel and duplex.
const AC: &[u8] = b"\x0e\x0c\x05\x06\x13\x01\x00\x16\x01\x02\x14\x02\x00\x02";
const DN: &[u8] = b"\x0a\x00";
/// Header of a TPKT, and of a DT TPDU that is the last of its TSDU.
const TPKT: [u8; 2] = [3, 0];
const DT: [u8; 3] = [2, 0xf0, 0x80];

/// Answers until the initiator has released; what it was sent as SSDUs.
pub(crate) fn serve(mut from: impl Read, mut to: impl Write) -> Vec<Vec<u8>> {
    let mut ssdus = Vec::new();
    let mut tsdu = Vec::new();
    while let Some(tpdu) = tpdu(&mut from) {
        if tpdu[1] == CR {
            // Reference of the initiator, own reference, class 0, and the size that it has proposed.
            let cc = [&[9, 0xd0], &tpdu[4..6], &[0, 1, 0, 0xc0, 1, 13]].concat();
            send(&mut to, &cc);
            continue;
        }
        assert_eq!(tpdu[..2], DT[..2], "{tpdu:02x?}");
        tsdu.extend_from_slice(&tpdu[3..]);
        send_back_what_is_data(&mut to, &tsdu, &tpdu);
        if tpdu[2] != DT[2] {
            continue;
        }
        match std::mem::take(&mut tsdu)[..] {
            [CN, ..] => send(&mut to, &[&DT, AC].concat()),
            [GT, _, _, _, ref ssdu @ ..] => ssdus.push(ssdu.to_vec()),
            [FN, ..] => {
                send(&mut to, &[&DT, DN].concat());
                return ssdus;
            }
            ref other => panic!("{other:02x?}"),
        }
    }
    panic!("the initiator has gone without FN")
}

/// Each part of a TSDU of data goes back as it is.
fn send_back_what_is_data(to: &mut impl Write, tsdu: &[u8], tpdu: &[u8]) {
    if tsdu[0] == GT {
        send(to, tpdu);
    }
}

fn send(to: &mut impl Write, tpdu: &[u8]) {
    let octets = u16::try_from(tpdu.len() + 4).expect("short").to_be_bytes();
    to.write_all(&[&TPKT, &octets[..], tpdu].concat()).expect("the initiator is there");
    to.flush().expect("the initiator is there");
}

/// The next TPDU; `None` at the end.
fn tpdu(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut header = [0; 4];
    match from.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
        result => result.expect("the initiator is there"),
    }
    assert_eq!(header[..2], TPKT, "{header:02x?}");
    let mut tpdu = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 4];
    from.read_exact(&mut tpdu).expect("all of a TPDU");
    Some(tpdu)
}
