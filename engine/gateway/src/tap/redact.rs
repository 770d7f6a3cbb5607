//! User data overwritten, lengths and everything of the protocol kept.
//!
//! What is kept is named here: whatever is not known to be the protocol's is overwritten.

use std::ops::Range;

use colloquy_session::spdu::{DecodeRules, SpduView, Tsdu, must_be_contiguous};

/// What user data become.
pub(crate) const REDACTED: u8 = b'*';

/// PGIs whose values are PIs. X.225 §8.3.1.4, §8.3.1.7, §8.3.24.
const GROUPS: [u8; 3] = [1, 5, 33];
/// PIs whose values are the protocol's: references, tokens, sizes, serial numbers, selectors, types.
const PROTOCOL: [u8; 26] =
    [9, 10, 11, 12, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 41, 42, 51, 52, 53, 54, 55, 56, 60, 50];
/// Reason Code: one octet of the protocol's, user data behind it.
const REASON: u8 = 50;

/// Overwrites the user data of a TSDU whose first octets are `head` and which goes on for `tail_octets`. True where all of
/// the tail is user data too; it is in any case to be overwritten by who has it.
pub(crate) fn redact_tsdu(head: &mut [u8], tail_octets: usize, expedited: bool) {
    let mut ranges = Vec::new();
    let octets = &*head;
    if tail_octets > 0 && must_be_contiguous(octets) {
        return head.fill(REDACTED);
    }
    let mut tsdu = match expedited {
        true => Tsdu::expedited(octets),
        false => Tsdu::with_tail(octets, tail_octets),
    };
    let mut end = 0;
    while let Ok(Some(view)) = tsdu.next_spdu(&DecodeRules::LENIENT) {
        spdu(&view, &mut ranges);
        end = view.user_information_offset + view.user_information.len();
    }
    // What no SPDU was found in.
    ranges.push(end.min(octets.len())..octets.len());
    for range in ranges {
        head[range].fill(REDACTED);
    }
}

/// The user data of an SPDU.
fn spdu(view: &SpduView<'_>, ranges: &mut Vec<Range<usize>>) {
    units(view.parameters, view.parameters_offset, true, ranges);
    let start = view.user_information_offset;
    ranges.push(start..start + view.user_information.len());
}

/// What is to be overwritten of PGI and PI units that begin at `offset`.
fn units(mut field: &[u8], mut offset: usize, groups: bool, ranges: &mut Vec<Range<usize>>) {
    loop {
        let (code, header, octets) = match *field {
            [] => return,
            [code, 255, high, low, ..] => (code, 4, usize::from(u16::from_be_bytes([high, low]))),
            [code, short, ..] if short != 255 => (code, 2, usize::from(short)),
            _ => return ranges.push(offset..offset + field.len()),
        };
        let Some(value) = field.get(header..header + octets) else {
            return ranges.push(offset..offset + field.len());
        };
        let start = offset + header;
        if groups && GROUPS.contains(&code) {
            units(value, start, false, ranges);
        } else if code == REASON {
            ranges.push(start + octets.min(1)..start + octets);
        } else if !PROTOCOL.contains(&code) {
            ranges.push(start..start + octets);
        }
        field = &field[header + octets..];
        offset = start + octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(octets: &[u8]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        redact_tsdu(&mut octets, 0, false);
        octets
    }

    #[test]
    fn data_and_user_data_parameters_are_overwritten_and_nothing_else() {
        assert_eq!(redacted(b"\x01\x00\x01\x00secret"), b"\x01\x00\x01\x00******");
        // GT with the data token, MIP with a serial number and user data, DT with an enclosure item.
        let together = b"\x01\x03\x10\x01\x01\x31\x07\x2a\x01\x31\xc1\x02hi\x01\x03\x19\x01\x01body";
        let expected = b"\x01\x03\x10\x01\x01\x31\x07\x2a\x01\x31\xc1\x02**\x01\x03\x19\x01\x01****";
        assert_eq!(redacted(together), expected);
        // FN with user data.
        assert_eq!(redacted(b"\x09\x05\xc1\x03bye"), b"\x09\x05\xc1\x03***");
        // RF: the reason stays, what is behind it goes.
        assert_eq!(redacted(b"\x0c\x05\x32\x03\x02no"), b"\x0c\x05\x32\x03\x02**");
    }

    #[test]
    fn a_connect_keeps_its_item_and_selectors() {
        let connect =
            b"\x0d\x18\x05\x06\x13\x01\x00\x16\x01\x02\x14\x02\x00\x02\x33\x01A\x34\x01B\xc1\x04call";
        let mut expected = connect.to_vec();
        let at = expected.len() - 4;
        expected[at..].fill(REDACTED);
        assert_eq!(redacted(connect), expected);
    }

    #[test]
    fn what_is_no_spdu_is_overwritten_whole() {
        assert_eq!(redacted(b"GET / HTTP/1.1"), [REDACTED; 14]);
        // A length that goes beyond the TSDU.
        assert_eq!(redacted(b"\x09\x20\xc1\x03bye"), [REDACTED; 7]);
        // A parameter nobody knows.
        assert_eq!(redacted(b"\x09\x05\xee\x03bye"), b"\x09\x05\xee\x03***");
        // A parameter that is longer than its SPDU.
        assert_eq!(redacted(b"\x09\x05\xc1\x09bye"), b"\x09\x05*****");
    }

    #[test]
    fn a_head_of_data_that_go_on_elsewhere_is_enough() {
        let mut head = b"\x01\x00\x01\x00first".to_vec();
        redact_tsdu(&mut head, 100_000, false);
        assert_eq!(head, b"\x01\x00\x01\x00*****");
        // A parameter field that goes on elsewhere cannot be told apart.
        let mut head = b"\x0d\xff\x10\x00\xc1\xff\x0f\xfcuser".to_vec();
        redact_tsdu(&mut head, 4096, false);
        assert_eq!(head, [REDACTED; 12]);
    }

    #[test]
    fn expedited_octets_are_taken_for_what_they_are() {
        let mut octets = b"\x05\x00urgent".to_vec();
        redact_tsdu(&mut octets, 0, true);
        assert_eq!(octets, b"\x05\x00******");
    }
}
