//! pcapng as Wireshark reads it: section header, one interface of raw IP, enhanced packets, statistics at the end.

/// Block types of the format.
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// LINKTYPE_RAW: an IPv4 or IPv6 header comes first.
const LINK_TYPE_RAW: u16 = 101;

/// Option codes.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SECTION_USER_APPLICATION: u16 = 4;
    pub(super) const INTERFACE_NAME: u16 = 2;
    pub(super) const INTERFACE_TIME_RESOLUTION: u16 = 9;
    pub(super) const STATISTICS_RECEIVED: u16 = 4;
    pub(super) const STATISTICS_DROPPED: u16 = 5;
}

/// Nanoseconds: ten to the minus ninth.
const NANOSECONDS: u8 = 9;

/// What one captured segment is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    /// Since the epoch, nanoseconds.
    pub(super) at: u64,
    /// Octets from the IP header on, as far as they are kept.
    pub(super) octets: &'a [u8],
    /// Octets that there were.
    pub(super) octets_in_all: usize,
    /// What is said about it; none where empty.
    pub(super) comment: &'a str,
}

/// Appends what a file begins with.
pub(super) fn begin(out: &mut Vec<u8>, comment: &str) {
    block(out, SECTION_HEADER, |out| {
        out.extend(0x1A2B_3C4Du32.to_le_bytes());
        out.extend(1u16.to_le_bytes());
        out.extend(0u16.to_le_bytes());
        out.extend(u64::MAX.to_le_bytes());
        put_option(out, option::SECTION_USER_APPLICATION, b"colloquy tap");
        put_option(out, option::COMMENT, comment.as_bytes());
        put_option(out, option::END, &[]);
    });
    block(out, INTERFACE_DESCRIPTION, |out| {
        out.extend(LINK_TYPE_RAW.to_le_bytes());
        out.extend(0u16.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        put_option(out, option::INTERFACE_NAME, b"colloquy");
        put_option(out, option::INTERFACE_TIME_RESOLUTION, &[NANOSECONDS]);
        put_option(out, option::END, &[]);
    });
}

/// Appends one segment.
pub(super) fn packet(out: &mut Vec<u8>, packet: &Packet<'_>) {
    block(out, ENHANCED_PACKET, |out| {
        out.extend(0u32.to_le_bytes());
        put_time(out, packet.at);
        out.extend((packet.octets.len() as u32).to_le_bytes());
        out.extend((packet.octets_in_all as u32).to_le_bytes());
        put_padded(out, packet.octets);
        if !packet.comment.is_empty() {
            put_option(out, option::COMMENT, packet.comment.as_bytes());
            put_option(out, option::END, &[]);
        }
    });
}

/// Appends how many segments there were, and how many TPDUs or runs of octets were left out.
pub(super) fn statistics(out: &mut Vec<u8>, at: u64, received: u64, dropped: u64) {
    block(out, INTERFACE_STATISTICS, |out| {
        out.extend(0u32.to_le_bytes());
        put_time(out, at);
        put_option(out, option::STATISTICS_RECEIVED, &received.to_le_bytes());
        put_option(out, option::STATISTICS_DROPPED, &dropped.to_le_bytes());
        put_option(out, option::END, &[]);
    });
}

/// A block: type, length, body, length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let octets = (out.len() - start + 4) as u32;
    out[start + 4..start + 8].copy_from_slice(&octets.to_le_bytes());
    out.extend(octets.to_le_bytes());
}

fn put_option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    put_padded(out, value);
}

fn put_padded(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend(octets);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// A time stamp: its high half first, whatever the order of octets.
fn put_time(out: &mut Vec<u8>, at: u64) {
    out.extend(((at >> 32) as u32).to_le_bytes());
    out.extend((at as u32).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_says_its_length_twice_and_is_aligned() {
        let mut out = Vec::new();
        begin(&mut out, "abc");
        packet(
            &mut out,
            &Packet { at: 7 << 32 | 5, octets: &[1, 2, 3, 4, 5], octets_in_all: 9, comment: "x" },
        );
        statistics(&mut out, 1, 2, 3);
        let word = |at: usize| u32::from_le_bytes(out[at..at + 4].try_into().unwrap());
        let mut kinds = Vec::new();
        let mut at = 0;
        while at < out.len() {
            let octets = word(at + 4) as usize;
            assert_eq!(octets % 4, 0);
            assert_eq!(word(at + octets - 4) as usize, octets);
            kinds.push(word(at));
            if word(at) == ENHANCED_PACKET {
                assert_eq!((word(at + 12), word(at + 16), word(at + 20), word(at + 24)), (7, 5, 5, 9));
            }
            at += octets;
        }
        assert_eq!(kinds, [SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET, INTERFACE_STATISTICS]);
    }
}
