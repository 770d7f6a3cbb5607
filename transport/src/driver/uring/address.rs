//! Socket addresses as the kernel reads and writes them, at places that do not move.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Octets of `sockaddr_in` and of `sockaddr_in6`.
const V4_OCTETS: usize = 16;
const V6_OCTETS: usize = 28;

/// A `sockaddr_in` or `sockaddr_in6`, octet for octet; boxed by its owner, so it never moves (rule U3).
#[derive(Clone, Debug, Default)]
#[repr(C, align(8))]
pub(super) struct RawAddress {
    octets: [u8; V6_OCTETS],
}

impl RawAddress {
    /// Stores `address` in the kernel's form.
    pub(super) fn set(&mut self, address: SocketAddr) {
        self.octets = [0; V6_OCTETS];
        self.octets[..2].copy_from_slice(&(family(&address) as u16).to_ne_bytes());
        self.octets[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => self.octets[4..8].copy_from_slice(&v4.ip().octets()),
            SocketAddr::V6(v6) => {
                self.octets[4..8].copy_from_slice(&v6.flowinfo().to_ne_bytes());
                self.octets[8..24].copy_from_slice(&v6.ip().octets());
                self.octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
            }
        }
    }

    /// The address, unless its family is neither IPv4 nor IPv6.
    pub(super) fn get(&self) -> Option<SocketAddr> {
        let field =
            |at: usize| [self.octets[at], self.octets[at + 1], self.octets[at + 2], self.octets[at + 3]];
        let port = u16::from_be_bytes([self.octets[2], self.octets[3]]);
        match libc::c_int::from(u16::from_ne_bytes([self.octets[0], self.octets[1]])) {
            libc::AF_INET => Some(SocketAddrV4::new(Ipv4Addr::from(field(4)), port).into()),
            libc::AF_INET6 => {
                let ip: [u8; 16] = self.octets[8..24].try_into().expect("16 octets");
                let flow = u32::from_ne_bytes(field(4));
                Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, u32::from_ne_bytes(field(24))).into())
            }
            _ => None,
        }
    }

    pub(super) fn as_ptr(&self) -> *const u8 {
        self.octets.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.octets.as_mut_ptr()
    }
}

/// Octets of the address in the kernel's form.
pub(super) fn octets(address: &SocketAddr) -> u32 {
    (if address.is_ipv4() { V4_OCTETS } else { V6_OCTETS }) as u32
}

/// AF_INET or AF_INET6.
pub(super) fn family(address: &SocketAddr) -> libc::c_int {
    if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernels_form() {
        let v6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 102, 7, 9);
        for address in [SocketAddr::from(([127, 1, 2, 3], 40_001)), v6.into()] {
            let mut raw = RawAddress::default();
            assert_eq!(raw.get(), None, "family 0");
            raw.set(address);
            assert_eq!(raw.get(), Some(address));
            let reference = socket2::SockAddr::from(address);
            assert_eq!(reference.len(), octets(&address));
            assert_eq!(libc::c_int::from(reference.family()), family(&address));
        }
    }
}
