//! SPDUs of the lower tester as octets, built without the codec under test: good ones, and pieces to build
//! bad ones from.

use colloquy_session::{TokenSide, Tokens};

/// A PI or PGI unit: code, LI, value.
pub(crate) fn unit(code: u8, value: &[u8]) -> Vec<u8> {
    [&[code][..], &length(value.len()), value].concat()
}

/// An LI: one octet below 255, else three.
pub(crate) fn length(octets: usize) -> Vec<u8> {
    match u8::try_from(octets) {
        Ok(short @ 0..=254) => vec![short],
        _ => [&[0xff][..], &u16::try_from(octets).unwrap_or(u16::MAX).to_be_bytes()].concat(),
    }
}

/// An SPDU from its SI and units.
pub(crate) fn spdu(si: u8, units: &[Vec<u8>]) -> Vec<u8> {
    unit(si, &units.concat())
}

/// A category 2 SPDU behind an empty GT.
pub(crate) fn behind_gt(si: u8, units: &[Vec<u8>]) -> Vec<u8> {
    [&[0x01, 0x00][..], &spdu(si, units)].concat()
}

/// A category 2 SPDU behind an empty PT.
pub(crate) fn behind_pt(si: u8, units: &[Vec<u8>]) -> Vec<u8> {
    [&[0x02, 0x00][..], &spdu(si, units)].concat()
}

/// A serial number unit (PI 42).
pub(crate) fn serial(number: u32) -> Vec<u8> {
    unit(42, number.to_string().as_bytes())
}

/// User data (PGI 193); none for no octets.
pub(crate) fn user_data(octets: &[u8]) -> Vec<u8> {
    if octets.is_empty() { Vec::new() } else { unit(193, octets) }
}

/// DT behind GT.
pub(crate) fn dt(octets: &[u8]) -> Vec<u8> {
    [&[0x01, 0x00, 0x01, 0x00][..], octets].concat()
}

/// DT behind GT with an Enclosure Item: bit 1 first, bit 2 last segment.
pub(crate) fn dt_segment(enclosure: u8, octets: &[u8]) -> Vec<u8> {
    [&[0x01, 0x00, 0x01, 0x03, 25, 1, enclosure][..], octets].concat()
}

/// DT behind a GT that gives tokens.
pub(crate) fn dt_giving(tokens: Tokens, octets: &[u8]) -> Vec<u8> {
    [&[0x01, 0x03, 16, 1, tokens.bits(), 0x01, 0x00][..], octets].concat()
}

/// TD.
pub(crate) fn td(octets: &[u8]) -> Vec<u8> {
    [&[33, 0][..], octets].concat()
}

/// EX.
pub(crate) fn ex(octets: &[u8]) -> Vec<u8> {
    [&[5, 0][..], octets].concat()
}

/// GT with a Token Item.
pub(crate) fn gt(tokens: Tokens) -> Vec<u8> {
    spdu(1, &[unit(16, &[tokens.bits()])])
}

/// PT with a Token Item.
pub(crate) fn pt(tokens: Tokens) -> Vec<u8> {
    spdu(2, &[unit(16, &[tokens.bits()])])
}

/// GTC.
pub(crate) fn gtc() -> Vec<u8> {
    spdu(21, &[])
}

/// GTA.
pub(crate) fn gta() -> Vec<u8> {
    spdu(22, &[])
}

/// FN that releases the transport connection.
pub(crate) fn finish(octets: &[u8]) -> Vec<u8> {
    spdu(9, &[unit(17, &[1]), user_data(octets)])
}

/// DN.
pub(crate) fn disconnect() -> Vec<u8> {
    spdu(10, &[])
}

/// NF.
pub(crate) fn not_finished() -> Vec<u8> {
    spdu(8, &[])
}

/// AB with this Transport Disconnect.
pub(crate) fn abort(bits: u8, octets: &[u8]) -> Vec<u8> {
    spdu(25, &[unit(17, &[bits]), user_data(octets)])
}

/// AB of a user: transport connection released.
pub(crate) const USER_ABORT: u8 = 0x03;

/// AA.
pub(crate) fn abort_accept() -> Vec<u8> {
    spdu(26, &[])
}

/// PR with a Prepare Type.
pub(crate) fn prepare(kind: u8) -> Vec<u8> {
    spdu(7, &[unit(24, &[kind])])
}

/// MIP that asks for an explicit confirmation.
pub(crate) fn mip(number: u32) -> Vec<u8> {
    behind_gt(49, &[serial(number)])
}

/// MIP whose confirmation is optional.
pub(crate) fn mip_optional(number: u32) -> Vec<u8> {
    behind_gt(49, &[unit(15, &[1]), serial(number)])
}

/// MIP with the data separation bit.
pub(crate) fn mip_separating(number: u32) -> Vec<u8> {
    behind_gt(49, &[unit(15, &[2]), serial(number)])
}

/// MIA.
pub(crate) fn mia(number: u32) -> Vec<u8> {
    behind_pt(50, &[serial(number)])
}

/// MAP.
pub(crate) fn map(number: u32) -> Vec<u8> {
    behind_gt(41, &[unit(15, &[1]), serial(number)])
}

/// MAA and AEA.
pub(crate) fn maa(number: u32) -> Vec<u8> {
    behind_pt(42, &[serial(number)])
}

/// AE.
pub(crate) fn ae(number: u32) -> Vec<u8> {
    behind_gt(41, &[serial(number)])
}

/// Resync Type (PI 27).
pub(crate) mod resync {
    pub(crate) const RESTART: u8 = 0;
    pub(crate) const ABANDON: u8 = 1;
    pub(crate) const SET: u8 = 2;
}

/// RS; `settings` is the Token Setting Item.
pub(crate) fn rs(kind: u8, number: u32, settings: Option<u8>) -> Vec<u8> {
    let settings = settings.map(|bits| unit(26, &[bits])).unwrap_or_default();
    behind_gt(53, &[settings, unit(27, &[kind]), serial(number)])
}

/// RA; `settings` is the Token Setting Item.
pub(crate) fn ra(number: u32, settings: Option<u8>) -> Vec<u8> {
    let settings = settings.map(|bits| unit(26, &[bits])).unwrap_or_default();
    behind_pt(34, &[settings, serial(number)])
}

/// AS.
pub(crate) fn activity_start(identifier: &[u8]) -> Vec<u8> {
    behind_gt(45, &[unit(41, identifier)])
}

/// AR from `number` of the activity `old`.
pub(crate) fn activity_resume(identifier: &[u8], old: &[u8], number: u32) -> Vec<u8> {
    let linking = [unit(10, b"caller"), unit(11, b"common"), unit(41, old), serial(number)].concat();
    behind_gt(29, &[unit(33, &linking), unit(41, identifier)])
}

/// AI.
pub(crate) fn activity_interrupt(reason: u8) -> Vec<u8> {
    behind_gt(25, &[unit(50, &[reason])])
}

/// AIA.
pub(crate) fn activity_interrupt_ack() -> Vec<u8> {
    behind_pt(26, &[])
}

/// AD.
pub(crate) fn activity_discard(reason: u8) -> Vec<u8> {
    behind_gt(57, &[unit(50, &[reason])])
}

/// ADA.
pub(crate) fn activity_discard_ack() -> Vec<u8> {
    behind_pt(58, &[])
}

/// CD.
pub(crate) fn capability_data(octets: &[u8]) -> Vec<u8> {
    behind_gt(61, &[user_data(octets)])
}

/// CDA.
pub(crate) fn capability_data_ack(octets: &[u8]) -> Vec<u8> {
    behind_pt(62, &[user_data(octets)])
}

/// ER.
pub(crate) fn exception_report() -> Vec<u8> {
    behind_pt(0, &[unit(49, &[0x31, 0x04])])
}

/// ED.
pub(crate) fn exception_data(reason: u8) -> Vec<u8> {
    behind_pt(48, &[unit(50, &[reason])])
}

/// Two bits of a Token Setting Item.
pub(crate) fn side_bits(side: TokenSide) -> u8 {
    match side {
        TokenSide::Initiator => 0b00,
        TokenSide::Responder => 0b01,
        TokenSide::AcceptorChooses => 0b10,
    }
}

/// A Token Setting Item in which every token is at one side.
pub(crate) fn settings_all(side: TokenSide) -> u8 {
    side_bits(side) * 0b0101_0101
}

/// Octets in hexadecimal, cut when long.
pub(crate) fn hex(octets: &[u8]) -> String {
    const SHOWN_MAX: usize = 40;
    let shown: Vec<String> = octets.iter().take(SHOWN_MAX).map(|octet| format!("{octet:02x}")).collect();
    let more =
        if octets.len() > SHOWN_MAX { format!(" ... ({} octets)", octets.len()) } else { String::new() };
    shown.join(" ") + &more
}
