//! Where TPKTs and TSDUs begin in what is received: found by the headers alone, so that a tap that left octets out can go
//! on where something begins.

use colloquy_shard::TapFacts;

/// Octets of TPKT and of a DT TPDU's header: up to the end of TSDU mark.
pub(super) const HEADER_OCTETS: usize = 7;
/// DT (RFC 1006 carries class 0 alone).
pub(super) const DT: u8 = 0xf0;
/// End of TSDU.
pub(super) const EOT: u8 = 0x80;
const TPKT_VERSION: u8 = 3;

/// How far into its TPKT a stream of octets is.
#[derive(Debug)]
pub(super) struct Walk {
    at: At,
    /// The next DT TPDU begins a TSDU.
    at_tsdu: bool,
}

#[derive(Debug)]
enum At {
    /// Not known yet.
    Nowhere,
    /// In the first octets of a TPKT, and how many have come.
    Header([u8; HEADER_OCTETS], usize),
    /// So many octets of a TPKT are to come.
    Rest(usize),
    /// What came is no TPKT.
    Lost,
}

impl At {
    /// Where a TPKT begins.
    const BEGIN: At = At::Header([0; HEADER_OCTETS], 0);
}

impl Walk {
    /// Somewhere in a connection.
    pub(super) fn somewhere() -> Self {
        Self { at: At::Nowhere, at_tsdu: false }
    }

    /// At the beginning of a connection.
    #[cfg(test)]
    fn begin() -> Self {
        Self { at: At::BEGIN, at_tsdu: true }
    }

    /// Passes over what was received, and says at which offset of it the first TPKT begins that begins no later than a
    /// TSDU.
    pub(super) fn advance(&mut self, of: &TapFacts, octets: &[u8]) -> Option<usize> {
        if let At::Nowhere = self.at {
            let rest = of.boundary_in?;
            self.at_tsdu = !of.in_tsdu;
            self.at = if rest == 0 { At::BEGIN } else { At::Rest(rest) };
        }
        self.pass(octets)
    }

    fn pass(&mut self, octets: &[u8]) -> Option<usize> {
        let (mut offset, mut first) = (0, None);
        while offset < octets.len() {
            match &mut self.at {
                At::Nowhere | At::Lost => return first,
                // The usual case, and the whole cost of a tap that has no budget left: a header in one piece.
                At::Header(_, 0) if octets.len() - offset >= HEADER_OCTETS => {
                    if self.at_tsdu {
                        first = first.or(Some(offset));
                    }
                    let (header, _) =
                        octets[offset..].split_first_chunk().expect("as many octets were asked for");
                    offset += HEADER_OCTETS;
                    self.header(*header);
                }
                At::Rest(rest) => {
                    let passed = (*rest).min(octets.len() - offset);
                    offset += passed;
                    *rest -= passed;
                    if *rest == 0 {
                        self.at = At::BEGIN;
                    }
                }
                At::Header(header, count) => {
                    if *count == 0 && self.at_tsdu {
                        first = first.or(Some(offset));
                    }
                    header[*count] = octets[offset];
                    *count += 1;
                    offset += 1;
                    if *count == HEADER_OCTETS {
                        let header = *header;
                        self.header(header);
                    }
                }
            }
        }
        first
    }

    fn header(&mut self, header: [u8; HEADER_OCTETS]) {
        let octets = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] != TPKT_VERSION || octets < HEADER_OCTETS {
            self.at = At::Lost;
            return;
        }
        if header[5] == DT {
            self.at_tsdu = header[6] & EOT != 0;
        }
        let rest = octets - HEADER_OCTETS;
        self.at = if rest == 0 { At::BEGIN } else { At::Rest(rest) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dt(body: &[u8], last: bool) -> Vec<u8> {
        let octets = (body.len() + HEADER_OCTETS) as u16;
        let mark = if last { EOT } else { 0 };
        [&[3, 0], &octets.to_be_bytes()[..], &[2, DT, mark], body].concat()
    }

    #[test]
    fn beginnings_are_found_wherever_the_stream_is_cut() {
        let stream =
            [dt(b"whole", true), dt(b"first", false), dt(b"second", true), dt(b"", true), dt(b"x", true)];
        let begins: Vec<usize> = [0, 1, 3, 4].map(|nth| stream[..nth].concat().len()).to_vec();
        let octets = stream.concat();
        for size in 1..octets.len() {
            let mut walk = Walk::begin();
            let mut found = Vec::new();
            for (nth, part) in octets.chunks(size).enumerate() {
                found.extend(walk.pass(part).map(|offset| nth * size + offset));
            }
            // The first of each part: all where parts are small.
            let expected: Vec<usize> = octets
                .chunks(size)
                .enumerate()
                .filter_map(|(nth, part)| {
                    let range = nth * size..nth * size + part.len();
                    begins.iter().copied().find(|begin| range.contains(begin))
                })
                .collect();
            assert_eq!(found, expected, "in parts of {size}");
        }
    }

    #[test]
    fn what_is_no_tpkt_is_passed_over_for_good() {
        let mut walk = Walk::begin();
        assert_eq!(walk.pass(b"GET / HTTP/1.1"), Some(0));
        assert_eq!(walk.pass(&dt(b"late", true)), None);
    }
}
