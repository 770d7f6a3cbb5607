//! One TPDU of X.224, taken apart for reading: codes, references, parameters.

use super::tree::Node;

/// A TPDU in words, and what of a TSDU it carries.
pub(crate) struct Tpdu<'a> {
    /// The tree.
    pub(crate) node: Node,
    /// User data of DT and ED.
    pub(crate) data: Option<Data<'a>>,
}

/// User data of a TPDU.
pub(crate) struct Data<'a> {
    /// The octets.
    pub(crate) octets: &'a [u8],
    /// They are the last of their TSDU.
    pub(crate) end: bool,
    /// They travel as expedited data.
    pub(crate) expedited: bool,
}

/// A fault: offset in the TPDU, and what is wrong.
pub(crate) type TpduFault = (usize, String);

/// Takes a TPDU apart.
pub(crate) fn describe(octets: &[u8]) -> Result<Tpdu<'_>, TpduFault> {
    let [length, code, ..] = octets else { return Err((0, "TPDU is shorter than its header".into())) };
    let end = usize::from(*length) + 1;
    if end > octets.len() || *length < 1 || *length == 255 {
        return Err((0, format!("TPDU length indicator {length} with {} octets at hand", octets.len() - 1)));
    }
    let (header, data) = octets.split_at(end);
    let mut tpdu = match code & 0xf0 {
        0xe0 => connect("CR", header),
        0xd0 => connect("CC", header),
        0x80 => disconnect_request(header),
        0xc0 => fixed("DC", header, 6).map(|mut node| {
            references(&mut node, header);
            Tpdu { node, data: None }
        }),
        0xf0 | 0x10 => data_tpdu(*code, header, data),
        0x70 => error(header),
        0x60 => Ok(Tpdu { node: fixed("AK", header, 5)?, data: None }),
        0x50 => Ok(Tpdu { node: fixed("RJ", header, 5)?, data: None }),
        0x20 => Ok(Tpdu { node: fixed("EA", header, 5)?, data: None }),
        _ => Err((1, format!("TPDU code {code:#04x} is not known"))),
    }?;
    tpdu.node.code = Some(*code);
    Ok(tpdu)
}

fn fixed(name: &str, header: &[u8], octets_min: usize) -> Result<Node, TpduFault> {
    if header.len() < octets_min {
        return Err((0, format!("{name} header of {} octets is too short", header.len())));
    }
    Ok(Node::new(name))
}

fn references(node: &mut Node, header: &[u8]) {
    node.push(Node::octets("destination reference", &header[2..4]));
    node.push(Node::octets("source reference", &header[4..6]));
}

fn connect<'a>(name: &str, header: &'a [u8]) -> Result<Tpdu<'a>, TpduFault> {
    let mut node = fixed(name, header, 7)?;
    references(&mut node, header);
    node.push(Node::with("class", header[6] >> 4));
    parameters(&mut node, header, 7)?;
    Ok(Tpdu { node, data: None })
}

fn disconnect_request(header: &[u8]) -> Result<Tpdu<'_>, TpduFault> {
    let mut node = fixed("DR", header, 7)?;
    references(&mut node, header);
    let reason = header[6];
    let words = match reason {
        0 => "not specified",
        1 => "congestion at TSAP",
        2 => "session entity not attached to TSAP",
        3 => "address unknown",
        128 => "normal disconnect",
        129 => "remote transport entity congestion",
        130 => "connection negotiation failed",
        131 => "duplicate source reference",
        132 => "mismatched references",
        133 => "protocol error",
        135 => "reference overflow",
        136 => "connection request refused on this network connection",
        138 => "header or parameter length invalid",
        _ => "not in the standard",
    };
    node.push(Node::with("reason", format!("{reason} ({words})")));
    parameters(&mut node, header, 7)?;
    Ok(Tpdu { node, data: None })
}

fn error(header: &[u8]) -> Result<Tpdu<'_>, TpduFault> {
    let mut node = fixed("ER", header, 5)?;
    node.push(Node::octets("destination reference", &header[2..4]));
    let words = match header[4] {
        0 => "not specified",
        1 => "invalid parameter code",
        2 => "invalid TPDU type",
        3 => "invalid parameter value",
        _ => "not in the standard",
    };
    node.push(Node::with("cause", format!("{} ({words})", header[4])));
    parameters(&mut node, header, 5)?;
    Ok(Tpdu { node, data: None })
}

fn data_tpdu<'a>(code: u8, header: &[u8], octets: &'a [u8]) -> Result<Tpdu<'a>, TpduFault> {
    let expedited = code & 0xf0 == 0x10;
    let mut node = fixed(if expedited { "ED" } else { "DT" }, header, 3)?;
    // The last octet of the header in class 0 and of the fixed part in class 2.
    let last = if header.len() == 3 { header[2] } else { header[header.len().min(5) - 1] };
    let end = last & 0x80 != 0;
    node.push(Node::with("end of TSDU", if end { "yes" } else { "no" }));
    node.push(Node::with("user data", format!("{} octets", octets.len())));
    Ok(Tpdu { node, data: Some(Data { octets, end, expedited }) })
}

fn parameters(node: &mut Node, header: &[u8], mut at: usize) -> Result<(), TpduFault> {
    while at < header.len() {
        let [code, length, ..] = header[at..] else {
            return Err((at, "TPDU parameter is cut off".into()));
        };
        let value = header
            .get(at + 2..at + 2 + usize::from(length))
            .ok_or_else(|| (at + 1, format!("TPDU parameter {code:#04x} is longer than the header")))?;
        node.push(parameter(code, value));
        at += 2 + value.len();
    }
    Ok(())
}

fn parameter(code: u8, value: &[u8]) -> Node {
    let node = match (code, value) {
        (0xc0, [exponent @ 7..=13]) => Node::with("TPDU size", format!("{} octets", 1u32 << exponent)),
        (0xc0, _) => Node::octets("TPDU size (not valid)", value),
        (0xc1, _) => Node::octets("calling TSAP", value),
        (0xc2, _) => Node::octets("called TSAP", value),
        (0xc3, _) => Node::octets("checksum", value),
        (0xc4, _) => Node::octets("version", value),
        (0xc5, _) => Node::octets("protection", value),
        (0xc6, _) => Node::octets("additional options", value),
        (0xc7, _) => Node::octets("alternative classes", value),
        (0xf0, _) => Node::octets("preferred TPDU size", value),
        _ => Node::octets(format!("parameter {code:#04x}"), value),
    };
    node.coded(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_request_shows_its_selectors() {
        let octets = [17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 13, 0xc1, 2, 0, 1, 0xc2, 2, 0, 2];
        let mut text = String::new();
        describe(&octets).map_err(|_| ()).unwrap().node.write_text(0, &mut text);
        assert_eq!(
            text,
            "CR\n  destination reference: 0000\n  source reference: 0001\n  class: 0\n  \
             TPDU size: 8192 octets\n  calling TSAP: 0001\n  called TSAP: 0002\n"
        );
    }

    #[test]
    fn every_truncation_is_a_fault_and_none_panics() {
        let octets = [17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 13, 0xc1, 2, 0, 1, 0xc2, 2, 0, 2];
        for end in 0..octets.len() {
            assert!(describe(&octets[..end]).is_err(), "{end} octets");
        }
        for code in 0..=255u8 {
            for length in 0..8 {
                let _ = describe(&[length, code, 0, 0, 0, 0, 0, 0]);
            }
        }
    }
}
