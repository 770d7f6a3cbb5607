//! `colloquy dump` on input that is broken, cut, unknown or no capture at all.
#![allow(clippy::unwrap_used)] // A test.

mod capture;

use std::io::Write;
use std::process::{Command, Stdio};

use capture::{CC, CR, Folder, Form, Link, dump, file, segments, text, tpkt, tsdu};

const PCAP: Form = Form::Pcap { big: false, nanoseconds: false };

fn data(octets: &[u8]) -> Vec<u8> {
    tsdu(&[&[1, 0, 1, 0][..], octets].concat(), 4000)
}

fn dump_stdin(arguments: &[&str], input: &[u8]) -> (String, String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .arg("dump")
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn hex_on_standard_input_is_shown_as_a_tree() {
    let (out, err, status) = dump_stdin(&[], b"# GT and DT\n01 00 01 00 68:69\n");
    assert_eq!(
        out,
        "octet 0\n  TSDU: 6 octets\n    GT: GIVE TOKENS\n    DT: DATA TRANSFER\n      user information: 6869\n"
    );
    assert_eq!((err.as_str(), status), ("", Some(0)));
}

#[test]
fn output_that_is_no_terminal_has_no_control_characters() {
    let (out, _, _) = dump_stdin(&[], b"0300000b02f08001000100");
    assert!(out.starts_with("octet 0\n  TPKT: 11 octets\n"), "{out}");
    assert!(!out.contains('\u{1b}'));
}

#[test]
fn a_fault_in_hex_names_line_column_and_offset() {
    let (out, err, status) = dump_stdin(&[], b"01 00\n01 0x");
    assert_eq!((out.as_str(), status), ("", Some(1)));
    assert_eq!(err, "colloquy: -: octet 10: line 2, column 5: `x` is no hex digit\n");
}

#[test]
fn a_broken_spdu_is_shown_as_far_as_it_goes_and_its_octet_named() {
    // FN whose parameter runs past the SPDU.
    let (out, err, status) = dump_stdin(&[], b"09 03 11 05 01");
    assert_eq!(status, Some(1));
    assert!(out.contains("FN: FINISH"), "{out}");
    assert!(err.starts_with("colloquy: -: octet 0: FN SPDU, parameter 17"), "{err}");
}

#[test]
fn octets_that_are_nothing_known_are_a_fault_with_its_offset() {
    let (_, err, status) = dump_stdin(&[], &[0xff, 0xfe, 0x00, 0x01]);
    assert_eq!((err.as_str(), status), ("colloquy: -: octet 0: neither a capture nor hex text\n", Some(1)));
}

#[test]
fn a_stream_that_breaks_is_named_and_the_next_one_goes_on() {
    let mut broken = [tpkt(CR), data(b"one")].concat();
    broken.extend([9, 9, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]);
    let octets = file(PCAP, Link::Ethernet4, &segments(&broken, &[tpkt(CC), data(b"two")].concat(), 1000));
    let folder = Folder::new("broken-stream");
    let path = folder.write("broken.pcap", &octets);
    let output = dump(&[path.to_str().unwrap()]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert!(out.contains("user information: 6f6e65"), "{out}");
    assert!(out.contains("user information: 74776f"), "{out}");
    let name = path.display();
    // 22 octets of CR and 14 of DT stand before the fault.
    let place = "record 3, octet 36 of 10.0.0.1:40000 > 10.0.0.2:10102";
    assert_eq!(err, format!("colloquy: {name}: {place}: TPKT version 9, not 3\n"));
}

#[test]
fn a_missing_segment_is_reported_as_a_gap_and_reading_goes_on_behind_it() {
    // Every TPKT has 22 octets and a segment of its own.
    let octets: Vec<u8> = (0..6u8).flat_map(|n| data(&[n; 11])).collect();
    let mut all = segments(&[tpkt(CR), octets].concat(), &tpkt(CC), 22);
    all.retain(|segment| segment.payload != data(&[1; 11]));
    let folder = Folder::new("gap");
    let path = folder.write("gap.pcapng", &file(Form::Pcapng { big: false }, Link::Raw, &all));
    let output = dump(&[path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let err = text(&output.stderr);
    assert!(err.contains("22 octets are not in the capture"), "{err}");
    assert!(err.contains("octet 44 of 10.0.0.1:40000"), "{err}");
    assert!(text(&output.stdout).contains(&"05".repeat(11)), "what is behind the gap");
}

#[test]
fn a_capture_cut_at_every_octet_shows_what_is_whole_and_never_panics() {
    for form in [PCAP, Form::Pcapng { big: true }] {
        let octets =
            file(form, Link::Ethernet4, &segments(&[tpkt(CR), data(b"x")].concat(), &tpkt(CC), 1000));
        for end in (0..octets.len()).step_by(7) {
            let (_, err, status) = dump_stdin(&[], &octets[..end]);
            assert!(matches!(status, Some(0 | 1)), "{end}: {status:?} {err}");
            assert!(!err.contains("panicked"), "{end}: {err}");
        }
    }
}

#[test]
fn a_length_that_cannot_be_names_its_offset() {
    let mut octets = file(PCAP, Link::Ethernet4, &segments(&tpkt(CR), &tpkt(CC), 1000));
    // The captured length of the second record.
    let second = 24 + 16 + 60;
    octets[second + 8..second + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let (_, err, status) = dump_stdin(&[], &octets);
    assert_eq!(status, Some(1));
    assert_eq!(err, format!("colloquy: -: octet {}: record of 4294967295 octets is too long\n", second + 8));
}

#[test]
fn a_missing_file_does_not_keep_the_next_from_being_shown() {
    let folder = Folder::new("missing");
    let path = folder.write("good.hex", b"01000100");
    let output = dump(&["no-such-file.pcap", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("DT: DATA TRANSFER"));
    assert!(text(&output.stderr).starts_with("colloquy: no-such-file.pcap: "));
}

#[test]
fn a_port_that_was_named_is_the_only_one_looked_at() {
    let octets = file(PCAP, Link::Ethernet4, &segments(&[tpkt(CR), data(b"x")].concat(), &tpkt(CC), 1000));
    let (out, _, status) = dump_stdin(&["--port", "10102", "--json"], &octets);
    assert_eq!((out.lines().count(), status), (3, Some(0)));
    let (out, _, status) = dump_stdin(&["--port", "5000"], &octets);
    assert_eq!((out.as_str(), status), ("", Some(0)));
}

#[test]
fn a_capture_with_changed_octets_is_shown_or_refused_and_never_panics() {
    let seed: u64 =
        std::env::var("COLLOQUY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64
        });
    println!("COLLOQUY_SEED={seed}");
    let mut random = colloquy_bench::random::Random::new(seed);
    let whole = segments(&[tpkt(CR), data(b"abc"), data(&[7; 300])].concat(), &tpkt(CC), 50);
    for form in [PCAP, Form::Pcapng { big: false }] {
        for link in [Link::Ethernet4, Link::EthernetVlan6, Link::Cooked2] {
            let good = file(form, link, &whole);
            for _ in 0..30 {
                let mut octets = good.clone();
                for _ in 0..1 + random.next_u64() % 8 {
                    let place = random.next_u64() as usize % octets.len();
                    octets[place] = random.next_u64() as u8;
                }
                let (_, err, status) = dump_stdin(&["--json"], &octets);
                assert!(matches!(status, Some(0 | 1)), "{status:?} {err}");
                assert!(!err.contains("panicked"), "{err}");
            }
        }
    }
}
