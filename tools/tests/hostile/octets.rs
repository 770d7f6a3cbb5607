//! Octets of the wire: hex text, TPKTs, TPDUs, and the SPDUs of a plain session.

/// Octets of hex text; `NN*N` repeats an octet, `#` starts a comment.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for token in text.split('#').next().unwrap_or_default().split_whitespace() {
        let (digits, count) = token.split_once('*').unwrap_or((token, "1"));
        let count: usize = count.parse().unwrap_or_else(|error| panic!("{token}: {error}"));
        assert!(digits.len().is_multiple_of(2), "{token}: an odd number of digits");
        let run: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| {
                u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or_else(|_| panic!("{token}: no hex"))
            })
            .collect();
        octets.extend(run.repeat(count));
    }
    octets
}

/// A TPKT around a TPDU.
pub(crate) fn tpkt(tpdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(tpdu.len() + 4).expect("a TPKT is at most 65535 octets");
    [&[3, 0], &length.to_be_bytes()[..], tpdu].concat()
}

/// A TSDU in one DT TPDU.
pub(crate) fn data(tsdu: &[u8]) -> Vec<u8> {
    tpkt(&[&[0x02, 0xf0, 0x80], tsdu].concat())
}

/// An SSDU as GT and DT in one TSDU.
pub(crate) fn ssdu(user_data: &[u8]) -> Vec<u8> {
    data(&[&[0x01, 0x00, 0x01, 0x00], user_data].concat())
}

/// CR of class 0, source reference 4711, without parameters.
pub(crate) const CR: [u8; 11] = [0x03, 0x00, 0x00, 0x0b, 0x06, 0xe0, 0x00, 0x00, 0x47, 0x11, 0x00];
/// The CC that answers it.
pub(crate) const CC: [u8; 11] = [0x03, 0x00, 0x00, 0x0b, 0x06, 0xd0, 0x47, 0x11, 0x00, 0x01, 0x00];
/// The DR that answers it when there is no place.
pub(crate) const DR_CONGESTION: [u8; 11] = [0x03, 0x00, 0x00, 0x0b, 0x06, 0x80, 0x47, 0x11, 0x00, 0x00, 0x01];
/// CN of version 2 with duplex, selectors 0001, three octets of user data.
pub(crate) const CN: &str = "0d19 0506 130100 160102 14020002 33020001 34020001 c103a1a2a3";
/// The AC of an echo.
pub(crate) const AC: &str = "0e15 0506 130100 160102 14020002 34020001 c103a1a2a3";
/// FN without parameters, and the DN that answers it.
pub(crate) const FN: [u8; 2] = [0x09, 0x00];
pub(crate) const DN: [u8; 2] = [0x0a, 0x00];
/// FN of the gateway: it says that the transport connection is not kept.
#[allow(dead_code, reason = "not every test binary that shares this file is sent one")]
pub(crate) const FN_OF_GATEWAY: [u8; 5] = [0x09, 0x03, 0x11, 0x01, 0x01];
