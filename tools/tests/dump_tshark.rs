//! `colloquy dump` beside tshark, on captures of every form.
#![allow(clippy::unwrap_used)] // A test.

mod capture;

use std::path::Path;
use std::process::Command;

use capture::{CC, CR, Folder, Form, Link, PORTS, Segment, dump, file, segments, text, tpkt, tsdu};
use serde_json::Value;

/// TSDUs of the initiator: the whole life of a session and more than part 1's functional units. TD is not
/// among them: tshark 4.0 takes no TSDU for session that begins with SI 33.
fn initiator() -> Vec<u8> {
    let cn: &[u8] = &[
        0x0d, 30, 5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x33, 2, 0, 1, 0x34, 2, 0, 1, 0xc1, 8, b'c',
        b'o', b'n', b'n', b'e', b'c', b't', b'!',
    ];
    [
        tpkt(CR),
        tsdu(cn, 4000),
        tsdu(&[&[1, 0, 1, 0][..], b"hello"].concat(), 4000),
        // In four TPDUs.
        tsdu(&[&[1, 0, 1, 0][..], &[0x5a; 900]].concat(), 256),
        // GT with the data token; PT.
        tsdu(&[1, 3, 0x10, 1, 1], 4000),
        tsdu(&[2, 3, 0x10, 1, 1], 4000),
        // MIP 7 with sync type; MAP 8; ACTIVITY START.
        tsdu(&[1, 0, 49, 6, 0x0f, 1, 1, 0x2a, 1, b'7'], 4000),
        tsdu(&[1, 0, 41, 3, 0x2a, 1, b'8'], 4000),
        tsdu(&[1, 0, 45, 5, 0x29, 3, b'a', b'c', b't'], 4000),
        // FN.
        tsdu(&[9, 3, 0x11, 1, 1], 4000),
    ]
    .concat()
}

fn responder() -> Vec<u8> {
    let ac: &[u8] = &[0x0e, 16, 5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2, 0x34, 2, 0, 1];
    [
        tpkt(CC),
        tsdu(ac, 4000),
        tsdu(&[&[1, 0, 1, 0][..], b"world"].concat(), 4000),
        tsdu(&[&[1, 0, 1, 0][..], &[0xa5; 300]].concat(), 100),
        tsdu(&[10, 0], 4000),
    ]
    .concat()
}

/// What both tools must agree on, of one direction in its order: TPDU codes, SI codes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Codes {
    tpkt_octets: Vec<u64>,
    tpdus: Vec<u64>,
    spdus: Vec<u64>,
}

fn of_dump(path: &Path, from_port: u16) -> Codes {
    let output = dump(&["--json", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut codes = Codes::default();
    for line in text(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if !line["from"].as_str().unwrap().ends_with(&format!(":{from_port}")) {
            continue;
        }
        let tree = &line["tree"];
        let octets = tree["value"].as_str().unwrap().trim_end_matches(" octets");
        codes.tpkt_octets.push(octets.parse().unwrap());
        for tpdu in tree["parts"].as_array().unwrap() {
            codes.tpdus.push(tpdu["code"].as_u64().unwrap() >> 4);
            for part in tpdu["parts"].as_array().unwrap() {
                if matches!(tpdu["name"].as_str(), Some("DT")) {
                    codes.spdus.extend(part["code"].as_u64());
                }
            }
        }
    }
    codes
}

/// Of the initiator's direction and of the responder's.
fn of_tshark(path: &Path) -> [Codes; 2] {
    let output = Command::new("tshark")
        .args(["-n", "-2", "-o", "tcp.reassemble_out_of_order:TRUE", "-d", "tcp.port==10102,tpkt"])
        .args(["-T", "fields", "-E", "separator=;", "-e", "tcp.srcport"])
        .args(["-e", "tpkt.length", "-e", "cotp.type", "-e", "ses.type", "-r"])
        .arg(path)
        .output()
        .expect("tshark runs; tools/test installs it");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut both = [Codes::default(), Codes::default()];
    for line in text(&output.stdout).lines() {
        let numbers = |field: &str| -> Vec<u64> {
            let number = |text: &str| match text.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
                None => text.parse().unwrap(),
            };
            field.split(',').filter(|text| !text.is_empty()).map(number).collect()
        };
        let fields: Vec<&str> = line.split(';').collect();
        let codes = &mut both[usize::from(numbers(fields[0]) != [u64::from(PORTS.0)])];
        codes.tpkt_octets.extend(numbers(fields[1]));
        codes.tpdus.extend(numbers(fields[2]));
        codes.spdus.extend(numbers(fields[3]));
    }
    both
}

fn agree(name: &str, octets: &[u8]) {
    let folder = Folder::new(name);
    let path = folder.write("capture", octets);
    for (port, theirs) in [PORTS.0, PORTS.1].into_iter().zip(of_tshark(&path)) {
        let ours = of_dump(&path, port);
        assert!(ours.spdus.len() >= 4, "{name}: {ours:?}");
        assert_eq!(ours, theirs, "{name}, from port {port}");
    }
}

#[test]
fn dump_and_tshark_see_the_same_in_every_form_of_capture() {
    let segments = segments(&initiator(), &responder(), 90);
    let pcap = Form::Pcap { big: false, nanoseconds: false };
    for link in [Link::Ethernet4, Link::EthernetVlan6, Link::Cooked, Link::Cooked2, Link::Raw, Link::Loopback]
    {
        agree(&format!("{link:?}"), &file(pcap, link, &segments));
    }
    for form in [
        Form::Pcap { big: true, nanoseconds: false },
        Form::Pcap { big: false, nanoseconds: true },
        Form::Pcapng { big: false },
        Form::Pcapng { big: true },
    ] {
        agree(
            &format!("{form:?}").replace([' ', '{', '}', ':', ','], ""),
            &file(form, Link::Ethernet4, &segments),
        );
    }
}

#[test]
fn dump_and_tshark_put_segments_in_order_alike() {
    let mut segments = segments(&initiator(), &responder(), 60);
    // From the third on, pairs of one direction change places and every fifth is sent twice.
    for index in (6..segments.len() - 4).step_by(4) {
        segments.swap(index, index + 2);
    }
    let mut twice: Vec<Segment> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        twice.push(segment.clone());
        if index % 5 == 4 {
            twice.push(segment.clone());
        }
    }
    agree("disorder", &file(Form::Pcapng { big: false }, Link::Ethernet4, &twice));
}
