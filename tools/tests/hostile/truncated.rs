//! What a peer sends ends too early: CR and CN cut at every octet, with and without lengths that agree.

use crate::faults::{Job, place};
use crate::gateway::Gateway;
use crate::octets::{CR, data, hex, tpkt};
use crate::peer::{Peer, show};

/// A CR with everything in it: size, both TSAPs, an unknown parameter.
const CR_TPDU: &str = "15 e0 0000 4711 00 c00109 c1020001 c2020001 c7020000";
/// A CN with everything in it that is plain.
const CN_FULL: &str = "0d35 0111 0a0643414c4c4552 0b0439393031 0c0102 050f 130100 150404000400 160103 1a0100 \
                       14020003 33020001 34020001 c103a1a2a3";

/// A CR of which the rest never comes: the end of the connection is its end, and no fault.
fn connection_requests_cut_short(gateway: &Gateway, octets: usize) {
    let mut peer = Peer::connect(gateway.address("echo"));
    peer.send(&CR[..octets]);
    peer.half_close();
    peer.expect_last(&[]);
    gateway.log().expect_end(peer.address(), "eof");
}

/// A whole TPKT with a CR that is cut: its LI runs past it, and the last octet that came is told so.
fn connection_requests_in_a_short_tpkt(gateway: &Gateway, octets: usize) {
    let cr = hex(CR_TPDU);
    let mut peer = Peer::connect(gateway.address("echo"));
    peer.send(&tpkt(&cr[..octets]));
    peer.half_close();
    let answer = peer.receive_all();
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    let fault = fault.unwrap_or_else(|| panic!("a CR of {octets} octets is a fault"));
    if octets < 3 {
        assert_eq!(fault["layer"], "TPKT", "{fault}");
        assert_eq!(answer, hex("03 00 00 0b 06 80 0000 0000 85"), "{}", show(&answer));
    } else {
        assert_eq!((&fault["layer"], fault["offset"].as_u64()), (&"TPDU".into(), Some(4)), "{fault}");
        assert_eq!(answer, hex("03 00 00 0c 07 70 0000 00 c1 01 15"), "{}", show(&answer));
    }
    assert_eq!(end["reason"], "protocol_error");
}

/// A CR whose LI agrees with the cut: good where a parameter ends, else told which octet is wrong.
fn connection_requests_with_fewer_parameters(gateway: &Gateway, octets: usize) {
    let mut cr = hex(CR_TPDU);
    cr.truncate(octets);
    cr[0] = (octets - 1) as u8;
    let mut peer = Peer::connect(gateway.address("echo"));
    peer.send(&tpkt(&cr));
    peer.half_close();
    let answer = peer.receive_all();
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    match answer.get(5) {
        Some(0xd0) => {
            assert_eq!((fault, &end["reason"]), (None, &"eof".into()), "after a CC");
        }
        Some(0x70) => {
            let fault = fault.expect("ER answers a fault");
            let offset = fault["offset"].as_u64().expect("an octet") as usize;
            assert!((4..octets + 4).contains(&offset), "{fault}: an octet of the TPDU");
            assert_eq!(answer[answer.len() - 1], tpkt(&cr)[offset], "ER ends with the octet at fault");
        }
        _ => panic!("CC or ER answer a CR: {}", show(&answer)),
    }
}

/// A CN whose LI runs past the cut: no answer, for there is no session yet.
fn connects_cut_short(gateway: &Gateway, octets: usize) {
    let mut peer = Peer::transport(gateway.address("echo"));
    peer.send(&data(&hex(CN_FULL)[..octets]));
    peer.expect_last(&[]);
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    let fault = fault.unwrap_or_else(|| panic!("a CN of {octets} octets is a fault"));
    let expected_spdu = if octets == 0 { None } else { Some("CONNECT") };
    assert_eq!(fault.get("spdu").and_then(|spdu| spdu.as_str()), expected_spdu, "{fault}");
    assert_eq!((&fault["layer"], fault["offset"].as_u64()), (&"SPDU".into(), Some(0)), "{fault}");
    assert_eq!(end["reason"], "protocol_error");
}

/// A CN whose LI agrees with the cut: accepted, refused, or closed with a record of what is wrong.
fn connects_with_fewer_parameters(gateway: &Gateway, octets: usize) {
    let mut cn = hex(CN_FULL);
    cn.truncate(octets);
    cn[1] = (octets - 2) as u8;
    let mut peer = Peer::transport(gateway.address("echo"));
    peer.send(&data(&cn));
    peer.half_close();
    let answer = peer.receive_all();
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    match (answer.get(7), fault) {
        (Some(0x0e), None) => assert_eq!(end["reason"], "eof"),
        // PI 20 has not come: half duplex and four units that need a serial number are meant.
        (Some(0x0c), Some(_)) => assert_eq!((&end["reason"], &end["code"]), (&"refused".into(), &133.into())),
        (None, Some(fault)) => {
            let offset = fault["offset"].as_u64().expect("an octet") as usize;
            assert!((2..octets).contains(&offset), "{:?}: an octet of a parameter", place(&fault));
            assert!(fault["parameter"].is_u64(), "{fault}: which parameter");
            assert_eq!((&fault["spdu"], &end["reason"]), (&"CONNECT".into(), &"protocol_error".into()));
        }
        (_, fault) => panic!("{octets} octets: {} and {fault:?}", show(&answer)),
    }
}

/// An SPDU cut at every octet in a session: what is left is wrong (AB), or a shorter SPDU.
fn data_cut_short(gateway: &Gateway, octets: usize) {
    let finish = hex("0911 110101 190103 c109a1a2a3a4a5a6a7a8a9");
    let mut peer = Peer::session(gateway.address("echo"));
    peer.send(&data(&finish[..octets]));
    let reflected = &finish[..octets.min(9)];
    let mut abort = vec![0x19, 5 + reflected.len() as u8, 0x11, 1, 5, 0x31, reflected.len() as u8];
    abort.extend(reflected);
    if octets == 0 {
        abort = hex("1903 110105");
    }
    peer.expect_last(&data(&abort));
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    assert_eq!(fault.expect("a fault")["offset"], 0);
    assert_eq!(end["reason"], "protocol_error");
}

/// Every job of this module, with its name.
pub(crate) fn jobs(gateway: &Gateway) -> Vec<Job<'_>> {
    type Cut = fn(&Gateway, usize);
    let families: [(&str, Cut, std::ops::Range<usize>); 6] = [
        ("CR cut short", connection_requests_cut_short, 0..CR.len()),
        ("CR in a short TPKT", connection_requests_in_a_short_tpkt, 1..hex(CR_TPDU).len()),
        ("CR with fewer parameters", connection_requests_with_fewer_parameters, 7..hex(CR_TPDU).len()),
        ("CN cut short", connects_cut_short, 0..hex(CN_FULL).len()),
        ("CN with fewer parameters", connects_with_fewer_parameters, 3..hex(CN_FULL).len()),
        ("FN cut short", data_cut_short, 0..hex("0911 110101 190103 c109a1a2a3a4a5a6a7a8a9").len()),
    ];
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (name, job, lengths) in families {
        for octets in lengths {
            jobs.push((format!("{name}: {octets}"), Box::new(move || job(gateway, octets))));
        }
    }
    jobs
}
