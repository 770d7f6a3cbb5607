//! The TCP connection that Wireshark is shown: addresses of the real one where they are known, a handshake, and sequence
//! numbers that count every octet, those that were left out too.

use std::net::{IpAddr, SocketAddr};

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

/// Octets of user data of one segment: an IP packet has at most 65 535.
pub(super) const SEGMENT_OCTETS_MAX: usize = 60_000;
const HOPS: u8 = 64;
const WINDOW: u16 = u16::MAX;
/// The port on which Wireshark expects TPKT.
pub(super) const ISO_TSAP: u16 = 102;

/// Flags of a segment beside ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Syn,
    SynAck,
    Ack,
    Push,
    Fin,
}

/// Both ends and what each has sent.
#[derive(Debug)]
pub(super) struct Connection {
    /// Who opened it, then who accepted it.
    ends: [SocketAddr; 2],
    /// The next sequence number of each.
    next: [u32; 2],
}

impl Connection {
    /// A connection before its handshake. Both addresses are made to be of one family.
    ///
    /// Both begin to count at `first`: where a pair of addresses comes again, that tells its connections apart.
    pub(super) fn new(initiator: SocketAddr, responder: SocketAddr, first: u32) -> Self {
        let ends = match (initiator.is_ipv4(), responder.is_ipv4()) {
            (true, false) => [mapped(initiator), responder],
            (false, true) => [initiator, mapped(responder)],
            _ => [initiator, responder],
        };
        Self { ends, next: [first; 2] }
    }

    /// Octets in front of the payload.
    pub(super) fn header_octets(&self) -> usize {
        TcpHeader::MIN_LEN + if self.ends[0].is_ipv4() { 20 } else { 40 }
    }

    /// Appends the three segments of the handshake.
    pub(super) fn handshake(&mut self, mut put: impl FnMut(&[u8])) {
        let mut octets = Vec::new();
        for (from, flag) in [(0, Flag::Syn), (1, Flag::SynAck), (0, Flag::Ack)] {
            self.segment(from, flag, &[], &mut octets);
            put(&octets);
        }
    }

    /// Makes `octets` a segment of end `from` (0: who opened the connection) with `payload`.
    pub(super) fn segment(&mut self, from: usize, flag: Flag, payload: &[u8], octets: &mut Vec<u8>) {
        let to = 1 - from;
        let (source, target) = (self.ends[from], self.ends[to]);
        let ip = match (source.ip(), target.ip()) {
            (IpAddr::V4(source), IpAddr::V4(target)) => {
                PacketBuilder::ipv4(source.octets(), target.octets(), HOPS)
            }
            (source, target) => PacketBuilder::ipv6(v6(source), v6(target), HOPS),
        };
        let tcp = ip.tcp(source.port(), target.port(), self.next[from], WINDOW);
        let tcp = with_flag(tcp, flag, self.next[to]);
        octets.clear();
        octets.reserve(tcp.size(payload.len()));
        tcp.write(octets, payload).expect("a vector takes everything, and a segment is short enough");
        let counts = usize::from(matches!(flag, Flag::Syn | Flag::SynAck | Flag::Fin)) + payload.len();
        self.next[from] = self.next[from].wrapping_add(counts as u32);
    }

    /// Passes over octets that were left out.
    pub(super) fn skip(&mut self, from: usize, octets: u64) {
        self.next[from] = self.next[from].wrapping_add(octets as u32);
    }
}

fn with_flag(
    tcp: PacketBuilderStep<TcpHeader>,
    flag: Flag,
    acknowledged: u32,
) -> PacketBuilderStep<TcpHeader> {
    match flag {
        Flag::Syn => tcp.syn(),
        Flag::SynAck => tcp.syn().ack(acknowledged),
        Flag::Ack => tcp.ack(acknowledged),
        Flag::Push => tcp.psh().ack(acknowledged),
        Flag::Fin => tcp.fin().ack(acknowledged),
    }
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn mapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(v6(address.ip()).into()), address.port())
}

#[cfg(test)]
mod tests {
    use etherparse::SlicedPacket;

    use super::*;

    fn made(connection: &mut Connection, from: usize, payload: &[u8]) -> Vec<u8> {
        let mut octets = b"of the segment before".to_vec();
        connection.segment(from, Flag::Push, payload, &mut octets);
        octets
    }

    fn sequence(octets: &[u8]) -> (u32, u32, bool) {
        let packet = SlicedPacket::from_ip(octets).unwrap();
        let Some(etherparse::TransportSlice::Tcp(tcp)) = packet.transport else { panic!("no TCP") };
        (tcp.sequence_number(), tcp.acknowledgment_number(), tcp.syn())
    }

    #[test]
    fn numbers_count_the_handshake_every_octet_and_what_was_left_out() {
        let ends = [([10, 0, 0, 2], 5000).into(), ([10, 0, 0, 1], ISO_TSAP).into()];
        let mut connection = Connection::new(ends[0], ends[1], 0);
        let mut seen = Vec::new();
        connection.handshake(|octets| seen.push(sequence(octets)));
        assert_eq!(seen, [(0, 0, true), (0, 1, true), (1, 1, false)]);
        assert_eq!(sequence(&made(&mut connection, 0, b"12345")), (1, 1, false));
        connection.skip(0, 100);
        assert_eq!(sequence(&made(&mut connection, 0, b"6")), (106, 1, false));
        let answer = made(&mut connection, 1, b"7");
        assert_eq!(sequence(&answer), (1, 107, false));
        assert_eq!(answer.len(), connection.header_octets() + 1);
    }

    #[test]
    fn ends_of_two_families_become_one() {
        let mut connection =
            Connection::new(([10, 0, 0, 2], 5000).into(), "[2001:db8::1]:102".parse().unwrap(), 0);
        let octets = made(&mut connection, 0, b"x");
        assert_eq!(octets[0] >> 4, 6);
        assert_eq!(octets.len(), connection.header_octets() + 1);
    }
}
