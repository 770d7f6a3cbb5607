//! Records of capture files: pcap and pcapng, of either octet order.

use super::input::{Input, InputFault};

/// Longest record or block taken for real.
const BLOCK_OCTETS_MAX: usize = 16 << 20;
/// Most interfaces of one pcapng section.
const INTERFACES_MAX: usize = 4096;

/// One captured record.
#[derive(Debug)]
pub(crate) struct Record {
    /// Number in the file, from 1, as other tools count.
    pub(crate) number: u64,
    /// Nanoseconds since 1970 in UTC; absent where the file has none.
    pub(crate) time_ns: Option<u64>,
    /// Link layer of the octets.
    pub(crate) link_type: u32,
    /// Octets, from the link layer on.
    pub(crate) octets: Vec<u8>,
}

/// A capture file being read.
pub(crate) struct Capture {
    input: Input,
    form: Form,
    records: u64,
}

enum Form {
    Pcap { order: Order, nanoseconds: bool, link_type: u32 },
    Pcapng { order: Order, interfaces: Vec<Interface> },
}

struct Interface {
    link_type: u32,
    ticks_per_s: u64,
    offset_s: i64,
}

/// Order of the octets of numbers in a file.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, octets: &[u8], at: usize) -> u16 {
        let pair = [octets[at], octets[at + 1]];
        match self {
            Order::Little => u16::from_le_bytes(pair),
            Order::Big => u16::from_be_bytes(pair),
        }
    }

    fn u32(self, octets: &[u8], at: usize) -> u32 {
        let four = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
        match self {
            Order::Little => u32::from_le_bytes(four),
            Order::Big => u32::from_be_bytes(four),
        }
    }
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// True when a file that begins with `first` is a capture.
pub(crate) fn is_capture(first: &[u8]) -> bool {
    let Some(first) = first.first_chunk::<4>() else { return false };
    magic(*first).is_some() || u32::from_be_bytes(*first) == SECTION_HEADER
}

fn magic(first: [u8; 4]) -> Option<(Order, bool)> {
    match u32::from_be_bytes(first) {
        0xa1b2_c3d4 => Some((Order::Big, false)),
        0xd4c3_b2a1 => Some((Order::Little, false)),
        0xa1b2_3c4d => Some((Order::Big, true)),
        0x4d3c_b2a1 => Some((Order::Little, true)),
        _ => None,
    }
}

impl Capture {
    /// Reads the head of a capture file.
    pub(crate) fn new(mut input: Input) -> Result<Capture, InputFault> {
        let first = input.peek(4)?;
        let Some(first) = first.first_chunk::<4>().copied() else {
            return Err(InputFault::new(0, "too short for a capture file"));
        };
        let form = match magic(first) {
            Some((order, nanoseconds)) => {
                let header = input.take(24, "pcap file header")?;
                // The upper bits say how long a frame check sequence is.
                let link_type = order.u32(&header, 20) & 0x0fff_ffff;
                Form::Pcap { order, nanoseconds, link_type }
            }
            None if u32::from_be_bytes(first) == SECTION_HEADER => {
                // The section header, which is the first block, sets the order.
                Form::Pcapng { order: Order::Little, interfaces: Vec::new() }
            }
            None => return Err(InputFault::new(0, "neither pcap nor pcapng")),
        };
        Ok(Capture { input, form, records: 0 })
    }

    /// The next record; `None` at the end of the file.
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, InputFault> {
        if let Form::Pcap { .. } = self.form {
            return self.next_of_pcap();
        }
        while !self.input.is_at_end()? {
            if let Some(record) = self.next_block()? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn next_of_pcap(&mut self) -> Result<Option<Record>, InputFault> {
        let Form::Pcap { order, nanoseconds, link_type } = self.form else { return Ok(None) };
        if self.input.is_at_end()? {
            return Ok(None);
        }
        let at = self.input.offset();
        let header = self.input.take(16, "pcap record header")?;
        let seconds = u64::from(order.u32(&header, 0));
        let fraction = u64::from(order.u32(&header, 4)) * if nanoseconds { 1 } else { 1000 };
        let captured = order.u32(&header, 8) as usize;
        if captured > BLOCK_OCTETS_MAX {
            return Err(InputFault::new(at + 8, format!("record of {captured} octets is too long")));
        }
        let octets = self.input.take(captured, "pcap record")?;
        self.records += 1;
        let time_ns = Some(seconds * 1_000_000_000 + fraction);
        Ok(Some(Record { number: self.records, time_ns, link_type, octets }))
    }

    fn next_block(&mut self) -> Result<Option<Record>, InputFault> {
        let at = self.input.offset();
        let head = self.input.peek(12)?.to_vec();
        if head.len() < 12 {
            return Err(InputFault::new(at, "pcapng block is cut off"));
        }
        let Form::Pcapng { order, interfaces } = &mut self.form else { return Ok(None) };
        if u32::from_be_bytes([head[0], head[1], head[2], head[3]]) == SECTION_HEADER {
            *order = match u32::from_be_bytes([head[8], head[9], head[10], head[11]]) {
                BYTE_ORDER_MAGIC => Order::Big,
                magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => Order::Little,
                _ => return Err(InputFault::new(at + 8, "byte-order magic of the section is neither order")),
            };
            interfaces.clear();
        }
        let order = *order;
        let length = order.u32(&head, 4) as usize;
        if !(12..=BLOCK_OCTETS_MAX).contains(&length) || !length.is_multiple_of(4) {
            return Err(InputFault::new(at + 4, format!("pcapng block length {length} is not possible")));
        }
        let block = self.input.take(length, "pcapng block")?;
        if order.u32(&block, length - 4) as usize != length {
            let fault = "the two lengths of a pcapng block differ";
            return Err(InputFault::new(at + length as u64 - 4, fault));
        }
        let body = &block[8..length - 4];
        match order.u32(&block, 0) {
            INTERFACE_DESCRIPTION => {
                let interface = interface(order, body)
                    .ok_or_else(|| InputFault::new(at, "interface description is too short"))?;
                if interfaces.len() == INTERFACES_MAX {
                    return Err(InputFault::new(at, format!("more than {INTERFACES_MAX} interfaces")));
                }
                interfaces.push(interface);
                Ok(None)
            }
            kind @ (ENHANCED_PACKET | SIMPLE_PACKET | OBSOLETE_PACKET) => {
                self.records += 1;
                packet(order, kind, body, interfaces, self.records)
                    .map(Some)
                    .map_err(|(offset, what)| InputFault::new(at + 8 + offset as u64, what))
            }
            _ => Ok(None),
        }
    }
}

fn interface(order: Order, body: &[u8]) -> Option<Interface> {
    let mut options = body.get(8..)?;
    let mut interface =
        Interface { link_type: u32::from(order.u16(body, 0)), ticks_per_s: 1_000_000, offset_s: 0 };
    while options.len() >= 4 {
        let (code, length) = (order.u16(options, 0), usize::from(order.u16(options, 2)));
        let Some(value) = options.get(4..4 + length) else { break };
        match (code, value) {
            (0, _) => break,
            (9, [resolution, ..]) => {
                let exponent = u32::from(resolution & 0x7f);
                let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
                interface.ticks_per_s = base.checked_pow(exponent).unwrap_or(1_000_000);
            }
            (14, [a, b, c, d, e, f, g, h, ..]) => {
                let octets = [*a, *b, *c, *d, *e, *f, *g, *h];
                interface.offset_s = match order {
                    Order::Little => i64::from_le_bytes(octets),
                    Order::Big => i64::from_be_bytes(octets),
                };
            }
            _ => {}
        }
        options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(interface)
}

/// A fault's offset in the block's body, and what it is.
type BodyFault = (usize, String);

fn packet(
    order: Order,
    kind: u32,
    body: &[u8],
    interfaces: &[Interface],
    number: u64,
) -> Result<Record, BodyFault> {
    let header_octets = if kind == SIMPLE_PACKET { 4 } else { 20 };
    if body.len() < header_octets {
        return Err((0, "packet block is too short".into()));
    }
    let index = match kind {
        ENHANCED_PACKET => order.u32(body, 0) as usize,
        OBSOLETE_PACKET => usize::from(order.u16(body, 0)),
        _ => 0,
    };
    let interface =
        interfaces.get(index).ok_or_else(|| (0, format!("interface {index} is not described")))?;
    let room = body.len() - header_octets;
    let captured = match kind {
        SIMPLE_PACKET => (order.u32(body, 0) as usize).min(room),
        _ => order.u32(body, 12) as usize,
    };
    let octets = body
        .get(header_octets..header_octets.saturating_add(captured))
        .ok_or_else(|| (12, format!("{captured} octets captured in a block with room for {room}")))?;
    let time_ns = (kind != SIMPLE_PACKET).then(|| {
        let ticks = u128::from(order.u32(body, 4)) << 32 | u128::from(order.u32(body, 8));
        let ns = ticks * 1_000_000_000 / u128::from(interface.ticks_per_s.max(1));
        (ns as i128 + i128::from(interface.offset_s) * 1_000_000_000).clamp(0, i128::from(u64::MAX)) as u64
    });
    Ok(Record { number, time_ns, link_type: interface.link_type, octets: octets.to_vec() })
}
