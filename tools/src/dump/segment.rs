//! TCP segments in captured records: link layer, IPv4 and IPv6, TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) syn: bool,
    /// FIN or RST.
    pub(crate) end: bool,
    pub(crate) payload: &'a [u8],
}

/// Why a record holds no segment that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Something else than TCP.
    NotTcp,
    /// A link layer this reader does not know.
    LinkType(u32),
    /// A part of an IP datagram.
    Fragment,
    /// A header is cut off or contradicts itself.
    Broken(&'static str),
}

/// Most IPv6 extension headers looked through.
const EXTENSION_HEADERS_MAX: usize = 16;
/// Most VLAN tags looked through.
const VLAN_TAGS_MAX: usize = 4;

/// Finds the TCP segment in a record.
pub(crate) fn segment_of(link_type: u32, octets: &[u8]) -> Result<Segment<'_>, Skip> {
    let datagram = match link_type {
        // LINKTYPE_NULL and LINKTYPE_LOOP: an address family, then IP.
        0 | 108 => octets.get(4..).ok_or(Skip::Broken("loopback header"))?,
        1 => ethernet(octets)?,
        // LINKTYPE_RAW under its three numbers, IPV4, IPV6.
        12 | 14 | 101 | 228 | 229 => octets,
        // LINKTYPE_LINUX_SLL.
        113 => by_ether_type(octets.get(14..16), octets.get(16..), "cooked header")?,
        // LINKTYPE_LINUX_SLL2.
        276 => by_ether_type(octets.get(0..2), octets.get(20..), "cooked header")?,
        other => return Err(Skip::LinkType(other)),
    };
    match datagram.first().map(|first| first >> 4) {
        Some(4) => ipv4(datagram),
        Some(6) => ipv6(datagram),
        _ => Err(Skip::NotTcp),
    }
}

fn by_ether_type<'a>(
    kind: Option<&[u8]>,
    rest: Option<&'a [u8]>,
    what: &'static str,
) -> Result<&'a [u8], Skip> {
    match (kind, rest) {
        (Some([0x08, 0x00] | [0x86, 0xdd]), Some(rest)) => Ok(rest),
        (Some(_), Some(_)) => Err(Skip::NotTcp),
        _ => Err(Skip::Broken(what)),
    }
}

fn ethernet(octets: &[u8]) -> Result<&[u8], Skip> {
    let mut at = 12;
    for _ in 0..=VLAN_TAGS_MAX {
        match octets.get(at..at + 2) {
            Some([0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00]) => at += 4,
            kind => return by_ether_type(kind, octets.get(at + 2..), "Ethernet header"),
        }
    }
    Err(Skip::NotTcp)
}

fn ipv4(octets: &[u8]) -> Result<Segment<'_>, Skip> {
    let header = octets.first_chunk::<20>().ok_or(Skip::Broken("IPv4 header"))?;
    let header_octets = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(Skip::Fragment);
    }
    if header[9] != 6 {
        return Err(Skip::NotTcp);
    }
    // A length of 0 is what a segmentation offload leaves behind.
    let end = if total == 0 { octets.len() } else { total.min(octets.len()) };
    let source = [header[12], header[13], header[14], header[15]];
    let destination = [header[16], header[17], header[18], header[19]];
    let payload = octets.get(header_octets.max(20)..end).ok_or(Skip::Broken("IPv4 lengths"))?;
    tcp(Ipv4Addr::from(source).into(), Ipv4Addr::from(destination).into(), payload)
}

fn ipv6(octets: &[u8]) -> Result<Segment<'_>, Skip> {
    let header = octets.first_chunk::<40>().ok_or(Skip::Broken("IPv6 header"))?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let end = if length == 0 { octets.len() } else { (40 + length).min(octets.len()) };
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::from(Ipv6Addr::from(octets))
    };
    let (mut next, mut payload) = (header[6], &octets[40..end]);
    for _ in 0..EXTENSION_HEADERS_MAX {
        match next {
            6 => return tcp(address(8), address(24), payload),
            // Hop-by-hop, routing, destination options.
            0 | 43 | 60 => {
                let [kind, units, ..] = payload else { return Err(Skip::Broken("IPv6 extension header")) };
                next = *kind;
                payload = payload
                    .get((usize::from(*units) + 1) * 8..)
                    .ok_or(Skip::Broken("IPv6 extension header"))?;
            }
            44 => return Err(Skip::Fragment),
            _ => return Err(Skip::NotTcp),
        }
    }
    Err(Skip::Broken("IPv6 extension headers"))
}

fn tcp(source: IpAddr, destination: IpAddr, octets: &[u8]) -> Result<Segment<'_>, Skip> {
    let header = octets.first_chunk::<20>().ok_or(Skip::Broken("TCP header"))?;
    let header_octets = usize::from(header[12] >> 4) * 4;
    if header_octets < 20 {
        return Err(Skip::Broken("TCP header length"));
    }
    Ok(Segment {
        source: SocketAddr::new(source, u16::from_be_bytes([header[0], header[1]])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([header[2], header[3]])),
        sequence: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        syn: header[13] & 0x02 != 0,
        end: header[13] & 0x05 != 0,
        payload: octets.get(header_octets..).ok_or(Skip::Broken("TCP header length"))?,
    })
}
