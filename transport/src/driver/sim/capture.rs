//! What was written on each connection, octet for octet.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The octets one end of one connection wrote, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimFlow {
    /// Who wrote.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub octets: Vec<u8>,
}

impl SimFlow {
    /// Lines of an offset and 16 octets in hex, as `text2pcap` and `xxd -r` read them.
    pub fn to_hex(&self) -> String {
        let mut text = String::new();
        for (index, line) in self.octets.chunks(16).enumerate() {
            let _ = write!(text, "{:06x}", index * 16);
            line.iter().for_each(|octet| {
                let _ = write!(text, " {octet:02x}");
            });
            text.push('\n');
        }
        text
    }
}
