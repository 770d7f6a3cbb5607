//! Makes captures: TCP segments in records of every form that `colloquy dump` reads.
#![allow(dead_code, clippy::unwrap_used)] // For tests only; each uses its part.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A TCP segment from the initiator (`true`) or the responder.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) from_initiator: bool,
    pub(crate) sequence: u32,
    pub(crate) flags: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const PORTS: (u16, u16) = (40_000, 10_102);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Ethernet4,
    EthernetVlan6,
    Cooked,
    Cooked2,
    Raw,
    Loopback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Pcap { big: bool, nanoseconds: bool },
    Pcapng { big: bool },
}

/// The whole capture file.
pub(crate) fn file(form: Form, link: Link, segments: &[Segment]) -> Vec<u8> {
    let records: Vec<Vec<u8>> = segments.iter().map(|segment| record(link, segment)).collect();
    let link_type = match link {
        Link::Ethernet4 | Link::EthernetVlan6 => 1,
        Link::Cooked => 113,
        Link::Cooked2 => 276,
        Link::Raw => 101,
        Link::Loopback => 0,
    };
    match form {
        Form::Pcap { big, nanoseconds } => pcap(big, nanoseconds, link_type, &records),
        Form::Pcapng { big } => pcapng(big, link_type, &records),
    }
}

fn u16_of(big: bool, value: u16) -> [u8; 2] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn u32_of(big: bool, value: u32) -> [u8; 4] {
    if big { value.to_be_bytes() } else { value.to_le_bytes() }
}

const SECONDS: u32 = 1_700_000_000;

fn pcap(big: bool, nanoseconds: bool, link_type: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let magic = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    out.extend(u32_of(big, magic));
    out.extend(u16_of(big, 2));
    out.extend(u16_of(big, 4));
    for value in [0, 0, 1 << 18, link_type] {
        out.extend(u32_of(big, value));
    }
    for (index, octets) in records.iter().enumerate() {
        let unit = if nanoseconds { 1_000_000 } else { 1000 };
        for value in [SECONDS, index as u32 * unit, octets.len() as u32, octets.len() as u32] {
            out.extend(u32_of(big, value));
        }
        out.extend(octets);
    }
    out
}

fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = 12 + padded as u32;
    let mut out = Vec::new();
    out.extend(u32_of(big, kind));
    out.extend(u32_of(big, length));
    out.extend(body);
    out.resize(8 + padded, 0);
    out.extend(u32_of(big, length));
    out
}

fn pcapng(big: bool, link_type: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let mut section = Vec::new();
    section.extend(u32_of(big, 0x1a2b_3c4d));
    section.extend(u16_of(big, 1));
    section.extend(u16_of(big, 0));
    section.extend([0xff; 8]);
    let mut out = block(big, 0x0a0d_0d0a, &section);
    let mut interface = Vec::new();
    interface.extend(u16_of(big, link_type as u16));
    interface.extend(u16_of(big, 0));
    interface.extend(u32_of(big, 1 << 18));
    // if_tsresol: nanoseconds.
    interface.extend(u16_of(big, 9));
    interface.extend(u16_of(big, 1));
    interface.extend([9, 0, 0, 0]);
    interface.extend([0; 4]);
    out.extend(block(big, 1, &interface));
    // A block of a kind nobody knows is passed over.
    out.extend(block(big, 0x0bad, b"unknown"));
    for (index, octets) in records.iter().enumerate() {
        let ns = u64::from(SECONDS) * 1_000_000_000 + index as u64 * 1_000_000;
        let mut body = Vec::new();
        for value in [0, (ns >> 32) as u32, ns as u32, octets.len() as u32, octets.len() as u32] {
            body.extend(u32_of(big, value));
        }
        body.extend(octets);
        out.extend(block(big, 6, &body));
    }
    out
}

fn record(link: Link, segment: &Segment) -> Vec<u8> {
    let six = link == Link::EthernetVlan6;
    let datagram = if six { ipv6(segment) } else { ipv4(segment) };
    let mut out = match link {
        Link::Ethernet4 => [&[2; 6][..], &[4; 6], &[0x08, 0x00]].concat(),
        Link::EthernetVlan6 => [&[2; 6][..], &[4; 6], &[0x81, 0x00, 0x00, 0x07, 0x86, 0xdd]].concat(),
        Link::Cooked => [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0x08, 0x00]].concat(),
        Link::Cooked2 => [&[0x08, 0x00][..], &[0; 18]].concat(),
        Link::Raw => Vec::new(),
        Link::Loopback => vec![2, 0, 0, 0],
    };
    out.extend(datagram);
    if matches!(link, Link::Ethernet4) {
        // Ethernet pads short frames, which is no payload.
        out.resize(out.len().max(60), 0xee);
    }
    out
}

fn tcp(segment: &Segment) -> Vec<u8> {
    let (mut source, mut destination) = PORTS;
    if !segment.from_initiator {
        std::mem::swap(&mut source, &mut destination);
    }
    let mut out = Vec::new();
    out.extend(source.to_be_bytes());
    out.extend(destination.to_be_bytes());
    out.extend(segment.sequence.to_be_bytes());
    out.extend([0; 4]);
    // One word of options: three NOPs and an end.
    out.extend([0x60, segment.flags | ACK, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 1, 0]);
    out.extend(&segment.payload);
    out
}

fn ipv4(segment: &Segment) -> Vec<u8> {
    let tcp = tcp(segment);
    let (mut source, mut destination) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    if !segment.from_initiator {
        std::mem::swap(&mut source, &mut destination);
    }
    let mut out = vec![0x45, 0];
    out.extend((20 + tcp.len() as u16).to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    out.extend(source);
    out.extend(destination);
    out.extend(tcp);
    out
}

fn ipv6(segment: &Segment) -> Vec<u8> {
    let tcp = tcp(segment);
    let (mut source, mut destination) = ([1; 16], [2; 16]);
    if !segment.from_initiator {
        std::mem::swap(&mut source, &mut destination);
    }
    let mut out = vec![0x60, 0, 0, 0];
    // Eight octets of destination options in front of TCP.
    out.extend((8 + tcp.len() as u16).to_be_bytes());
    out.extend([60, 64]);
    out.extend(source);
    out.extend(destination);
    out.extend([6, 0, 1, 4, 0, 0, 0, 0]);
    out.extend(tcp);
    out
}

/// A TPKT around a TPDU.
pub(crate) fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    let mut out = vec![3, 0];
    out.extend((tpdu.len() as u16 + 4).to_be_bytes());
    out.extend(tpdu);
    out
}

/// A TSDU in DT TPDUs with at most `octets_max` octets of it each.
pub(crate) fn tsdu(octets: &[u8], octets_max: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut pieces = octets.chunks(octets_max).peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { 0x80 } else { 0 };
        out.extend(tpkt(&[&[2, 0xf0, end][..], piece].concat()));
    }
    out
}

pub(crate) const CR: &[u8] = &[17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 0, 1, 0xc2, 2, 0, 2];
pub(crate) const CC: &[u8] = &[17, 0xd0, 0, 1, 0, 2, 0, 0xc0, 1, 10, 0xc1, 2, 0, 1, 0xc2, 2, 0, 2];

/// Both directions as octets cut into segments of `segment_octets`, by turns.
pub(crate) fn segments(initiator: &[u8], responder: &[u8], segment_octets: usize) -> Vec<Segment> {
    let starts = (u32::MAX - 20, 5000);
    let mut all = vec![
        Segment { from_initiator: true, sequence: starts.0, flags: SYN, payload: Vec::new() },
        Segment { from_initiator: false, sequence: starts.1, flags: SYN, payload: Vec::new() },
    ];
    let cut = |from_initiator: bool, start: u32, octets: &[u8]| -> Vec<Segment> {
        let mut sequence = start.wrapping_add(1);
        octets
            .chunks(segment_octets)
            .map(|piece| {
                let segment = Segment { from_initiator, sequence, flags: 0, payload: piece.to_vec() };
                sequence = sequence.wrapping_add(piece.len() as u32);
                segment
            })
            .collect()
    };
    let mut one = cut(true, starts.0, initiator).into_iter();
    let mut two = cut(false, starts.1, responder).into_iter();
    loop {
        let before = all.len();
        all.extend(one.next());
        all.extend(two.next());
        if all.len() == before {
            return all;
        }
    }
}

/// A folder of this test run that is removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `colloquy dump`.
pub(crate) fn dump(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_colloquy")).arg("dump").args(arguments).output().unwrap()
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}
