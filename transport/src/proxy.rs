//! PROXY protocol version 2: the header in front of a connection's octets that says where the connection came from.
//!
//! Sans-io. [`ProxyHeader::decode`] looks at what has arrived so far, [`ProxyHeader::encode`] makes the octets. Text
//! headers (version 1) are not spoken: they have no length that could be trusted before the end is seen.
//!
//! ```text
//!   0           12        13       14       16
//!   signature   ver, cmd  family   length   addresses, TLVs (skipped)
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The first octets of every header.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Octets in front of the addresses.
const FIXED_OCTETS: usize = 16;
/// Addresses and TLVs at most: what a receiver of version 2 has to take.
const VARIABLE_OCTETS_MAX: usize = 536;
/// A header at most.
pub const HEADER_OCTETS_MAX: usize = FIXED_OCTETS + VARIABLE_OCTETS_MAX;

const VERSION: u8 = 0x20;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;
const IPV4_OCTETS: usize = 12;
const IPV6_OCTETS: usize = 36;
const UNIX_OCTETS: usize = 216;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The proxy speaks for itself (a health check), or does not say for whom: the network's own addresses count.
    Local,
    /// The connection that the proxy carries on.
    Proxied {
        /// Where it came from.
        source: SocketAddr,
        /// Where it went to.
        destination: SocketAddr,
    },
}

/// What is wrong with octets that should be a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("octet {offset}: {kind}")]
pub struct ProxyFault {
    /// Where, from the first octet of the connection.
    pub offset: usize,
    /// What.
    pub kind: ProxyFaultKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFaultKind {
    /// The octets do not begin a header.
    #[error("not a PROXY protocol header of version 2")]
    Signature,
    /// The version is not 2.
    #[error("version {0} of the PROXY protocol")]
    Version(u8),
    /// Neither LOCAL nor PROXY.
    #[error("unknown command {0}")]
    Command(u8),
    /// An address family or transport that has no TCP address.
    #[error("unknown address family or transport {0:#04x}")]
    Family(u8),
    /// Longer than [`HEADER_OCTETS_MAX`], or too short for its addresses.
    #[error("{0} octets of addresses")]
    Length(u16),
    /// The connection ended before the header did.
    #[error("the connection ended within the header")]
    Truncated,
    /// The time for the header was over before it had come.
    #[error("the header did not come in time")]
    Timeout,
    /// The sender is not one whose headers are believed.
    #[error("headers from this address are not believed")]
    Sender,
}

impl ProxyHeader {
    /// Reads a header from the front of `octets`: it and its length; `None`: more octets are needed.
    ///
    /// # Errors
    /// [`ProxyFault`], as soon as the octets cannot become a header any more.
    pub fn decode(octets: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyFault> {
        let fault = |offset, kind| Err(ProxyFault { offset, kind });
        if let Some(offset) = octets.iter().zip(&SIGNATURE).position(|(octet, expected)| octet != expected) {
            return fault(offset, ProxyFaultKind::Signature);
        }
        let Some(&version_command) = octets.get(12) else { return Ok(None) };
        if version_command & 0xf0 != VERSION {
            return fault(12, ProxyFaultKind::Version(version_command >> 4));
        }
        let command = version_command & 0x0f;
        if command > PROXY {
            return fault(12, ProxyFaultKind::Command(command));
        }
        let Some(&family) = octets.get(13) else { return Ok(None) };
        let addresses = match (family >> 4, family & 0x0f) {
            (0, _) | (_, 0) => 0,
            (1, 1) => IPV4_OCTETS,
            (2, 1) => IPV6_OCTETS,
            // A proxy whose client came by a local socket: no address of a network to take over.
            (3, 1) => UNIX_OCTETS,
            // Datagrams do not reach a TCP listener, but a LOCAL header may say anything.
            (1..=3, 2) if command == LOCAL => 0,
            _ => return fault(13, ProxyFaultKind::Family(family)),
        };
        let Some(length) = octets.get(14..16) else { return Ok(None) };
        let length = u16::from_be_bytes([length[0], length[1]]);
        let needed = if command == PROXY { addresses } else { 0 };
        if usize::from(length) > VARIABLE_OCTETS_MAX || usize::from(length) < needed {
            return fault(14, ProxyFaultKind::Length(length));
        }
        let end = FIXED_OCTETS + usize::from(length);
        let Some(variable) = octets.get(FIXED_OCTETS..end) else { return Ok(None) };
        let header = match (command, family) {
            (PROXY, TCP_OVER_IPV4) => proxied::<4>(variable, |octets| Ipv4Addr::from(octets).into()),
            (PROXY, TCP_OVER_IPV6) => proxied::<16>(variable, |octets| Ipv6Addr::from(octets).into()),
            _ => ProxyHeader::Local,
        };
        Ok(Some((header, end)))
    }

    /// Appends the header to `out`.
    ///
    /// Where the addresses are of different families, IPv4 is written as IPv6 that maps it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&SIGNATURE);
        let ProxyHeader::Proxied { source, destination } = self else {
            out.extend_from_slice(&[VERSION | LOCAL, 0, 0, 0]);
            return;
        };
        out.push(VERSION | PROXY);
        match (source.ip(), destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                out.extend_from_slice(&[TCP_OVER_IPV4, 0, IPV4_OCTETS as u8]);
                out.extend_from_slice(&source.octets());
                out.extend_from_slice(&destination.octets());
            }
            (source, destination) => {
                out.extend_from_slice(&[TCP_OVER_IPV6, 0, IPV6_OCTETS as u8]);
                out.extend_from_slice(&as_ipv6(source).octets());
                out.extend_from_slice(&as_ipv6(destination).octets());
            }
        }
        out.extend_from_slice(&source.port().to_be_bytes());
        out.extend_from_slice(&destination.port().to_be_bytes());
    }
}

fn as_ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// The addresses of `variable`, which is long enough for them, each of `N` octets.
fn proxied<const N: usize>(variable: &[u8], address: fn([u8; N]) -> IpAddr) -> ProxyHeader {
    let ip = |at: usize| {
        let octets: [u8; N] = variable[at..at + N].try_into().expect("the range has N octets");
        address(octets)
    };
    let port = |at: usize| u16::from_be_bytes([variable[at], variable[at + 1]]);
    ProxyHeader::Proxied {
        source: SocketAddr::new(ip(0), port(2 * N)),
        destination: SocketAddr::new(ip(N), port(2 * N + 2)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let octet = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(text, 16).expect("hexadecimal")
        };
        digits.chunks(2).map(octet).collect()
    }

    const START: &str = "0d0a0d0a000d0a515549540a";

    fn proxied(source: &str, destination: &str) -> ProxyHeader {
        let parse = |text: &str| text.parse::<SocketAddr>().expect("an address");
        ProxyHeader::Proxied { source: parse(source), destination: parse(destination) }
    }

    #[test]
    fn vectors_are_read() {
        let vectors = [
            ("2111000c c0000201 c6336402 1f90 0066", proxied("192.0.2.1:8080", "198.51.100.2:102")),
            // With a TLV (PP2_TYPE_NOOP, 2 octets) behind the addresses.
            (
                "21110011 c0000201 c6336402 1f90 0066 0400020000",
                proxied("192.0.2.1:8080", "198.51.100.2:102"),
            ),
            (
                "21210024 20010db8000000000000000000000001 20010db8000000000000000000000002 0001 ffff",
                proxied("[2001:db8::1]:1", "[2001:db8::2]:65535"),
            ),
            ("20000000", ProxyHeader::Local),
            ("2011000c c0000201 c6336402 1f90 0066", ProxyHeader::Local),
            ("21000000", ProxyHeader::Local),
            ("20310000", ProxyHeader::Local),
        ];
        let local_socket = format!("213100d8{}", "00".repeat(UNIX_OCTETS));
        let vectors = vectors.into_iter().chain([(&*local_socket, ProxyHeader::Local)]);
        for (rest, expected) in vectors {
            let mut octets = of(&format!("{START}{rest}"));
            let length = octets.len();
            octets.extend_from_slice(b"\x03\x00 more");
            assert_eq!(ProxyHeader::decode(&octets), Ok(Some((expected, length))), "{rest}");
            for cut in 0..length {
                assert_eq!(ProxyHeader::decode(&octets[..cut]), Ok(None), "{rest} cut at {cut}");
            }
        }
    }

    #[test]
    fn faults_name_the_octet() {
        let cases = [
            (of("03000016"), 0, ProxyFaultKind::Signature),
            (of("0d0a0d0a0d"), 4, ProxyFaultKind::Signature),
            (of(&format!("{START}11")), 12, ProxyFaultKind::Version(1)),
            (of(&format!("{START}22")), 12, ProxyFaultKind::Command(2)),
            (of(&format!("{START}2112")), 13, ProxyFaultKind::Family(0x12)),
            (of(&format!("{START}2132")), 13, ProxyFaultKind::Family(0x32)),
            (of(&format!("{START}213100d7")), 14, ProxyFaultKind::Length(215)),
            (of(&format!("{START}2111000b")), 14, ProxyFaultKind::Length(11)),
            (of(&format!("{START}21110219")), 14, ProxyFaultKind::Length(537)),
        ];
        for (octets, offset, kind) in cases {
            assert_eq!(ProxyHeader::decode(&octets), Err(ProxyFault { offset, kind }), "{octets:02x?}");
        }
    }

    fn address() -> impl Strategy<Value = SocketAddr> {
        let ip =
            prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from),];
        (ip, any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(source in address(), destination in address()) {
            let mut octets = Vec::new();
            ProxyHeader::Proxied { source, destination }.encode(&mut octets);
            prop_assert!(octets.len() <= HEADER_OCTETS_MAX);
            let (header, length) = ProxyHeader::decode(&octets).expect("a header").expect("whole");
            prop_assert_eq!(length, octets.len());
            let ProxyHeader::Proxied { source: read, destination: _ } = header else { panic!("{header:?}") };
            prop_assert_eq!(read.port(), source.port());
            prop_assert_eq!(as_ipv6(read.ip()), as_ipv6(source.ip()));
        }

        #[test]
        fn any_octets_are_decided_within_the_maximum(rest in proptest::collection::vec(any::<u8>(), 0..700)) {
            let mut octets = SIGNATURE.to_vec();
            octets.extend_from_slice(&rest);
            match ProxyHeader::decode(&octets) {
                Ok(Some((_, length))) => prop_assert!(length <= octets.len().min(HEADER_OCTETS_MAX)),
                Ok(None) => prop_assert!(octets.len() < HEADER_OCTETS_MAX),
                Err(fault) => prop_assert!((12..16).contains(&fault.offset)),
            }
        }
    }
}
