//! Tests of initiators: their CN has been received, the tester is the responder.

use colloquy_session::spdu::{Connect, DecodeRules, Spdu, SpduKind, Tsdu};
use colloquy_session::{FunctionalUnits as Fu, Versions};

use super::super::dialogue::{Dialogue, shown};
use super::super::line::Arrival;
use super::super::octets::{self, hex, spdu, unit, user_data};
use super::super::purpose::{Stop, Verdict};

/// 1: the order and the lengths of CN.
pub(super) fn cn_shape(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    connect_of(d, cn)?;
    let deviates = |d: &Dialogue, what: &str| d.deviation(what, hex(cn));
    let units = units_of(cn).ok_or_else(|| deviates(d, "units with lengths in the shortest form"))?;
    let codes: Vec<u8> = units.iter().map(|(code, _)| *code).collect();
    d.demand(codes.is_sorted(), "parameters in ascending order", || hex(cn))?;
    let item = units.iter().find(|(code, _)| *code == 5).map(|(_, value)| value.clone());
    let item = item.ok_or_else(|| deviates(d, "a Connect/Accept Item"))?;
    let inner: Vec<u8> = inner_units(&item).unwrap_or_default().iter().map(|(code, _)| *code).collect();
    let whole = inner.contains(&19) && inner.contains(&22) && inner.is_sorted();
    d.demand(whole, "Protocol Options and Version Number in the Connect/Accept Item", || hex(cn))?;
    d.demand(codes.contains(&20), "Session User Requirements", || hex(cn))
}

/// 15: RF of the user, with data.
pub(super) fn refused(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    connect_of(d, cn)?;
    d.send(&spdu(12, &[unit(17, &[1]), unit(22, &[2]), unit(50, b"\x02not today")]));
    d.expect_released()
}

/// 16: RF without a Reason Code.
pub(super) fn refused_without_reason(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    connect_of(d, cn)?;
    d.send(&spdu(12, &[unit(17, &[1])]));
    d.expect_released()
}

/// 17: without requirements AC means 0x0349; an intersection without HD and FD is a protocol error.
pub(super) fn accept_without_requirements(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    let proposed = connect_of(d, cn)?;
    let selected = proposed.requirements & Fu::WHEN_ABSENT;
    d.send(&accept(&proposed, None, Some(responding(&proposed))));
    match selected.contains(Fu::HALF_DUPLEX) {
        true => goes_on(d),
        false => d.expect_protocol_error(),
    }
}

/// 18: units that were not proposed.
pub(super) fn accept_with_more(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    let proposed = connect_of(d, cn)?;
    let more = (chosen(&proposed) | Fu::TYPED_DATA | Fu::NEGOTIATED_RELEASE).bits();
    d.send(&accept(&proposed, Some(more), Some(responding(&proposed))));
    goes_on(d)
}

/// 20: another responding selector, which nobody may take amiss.
pub(super) fn other_selector(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    let proposed = connect_of(d, cn)?;
    d.send(&accept(&proposed, Some(chosen(&proposed).bits()), Some(unit(52, b"elsewhere"))));
    goes_on(d)
}

/// 26: DT in front of AC.
pub(super) fn data_before_accept(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    connect_of(d, cn)?;
    d.send(&octets::dt(b"early"));
    d.expect_protocol_error()
}

/// 54: the IUT releases: FN, DN, and it disconnects.
pub(super) fn release(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    /// SSDUs that an IUT may send before it releases.
    const SSDUS_MAX: usize = 1000;
    let proposed = connect_of(d, cn)?;
    d.send(&accept(&proposed, Some(chosen(&proposed).bits()), Some(responding(&proposed))));
    for _ in 0..SSDUS_MAX {
        let arrival = d.next();
        let Arrival::Tsdu(tsdu) = &arrival else {
            return Err(match arrival {
                Arrival::Silence => Stop::Skipped("the IUT does not release".to_owned()),
                Arrival::Closed(_) => Stop::Skipped("the IUT disconnects without FN".to_owned()),
                other => d.deviation("DT or FN", shown(&other)),
            });
        };
        match tsdu.first() {
            Some(9) => {
                d.send(&octets::disconnect());
                return d.expect_released();
            }
            Some(25) => return Err(Stop::Skipped("the IUT ends its session by AB".to_owned())),
            // A user that waits for its data gets them.
            _ => d.send(tsdu),
        }
    }
    Err(Stop::Skipped("the IUT does not release".to_owned()))
}

/// The tester accepts, and sends something that no state of an open session takes.
fn wrong(d: &mut Dialogue, cn: &[u8], tsdu: &[u8]) -> Verdict {
    established(d, cn)?;
    d.send(tsdu);
    d.expect_protocol_error()
}

/// The tester accepts duplex, or half duplex where duplex was not proposed.
fn established(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    let proposed = connect_of(d, cn)?;
    d.units = chosen(&proposed);
    d.send(&accept(&proposed, Some(d.units.bits()), Some(responding(&proposed))));
    Ok(())
}

/// The tester accepts and aborts: the IUT disconnects, or answers AA.
fn aborted(d: &mut Dialogue, cn: &[u8], abort: &[u8]) -> Verdict {
    established(d, cn)?;
    d.send(abort);
    d.expect_abort_taken()
}

/// 24: CN in data transfer.
pub(super) fn second_cn(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, cn)
}

/// 35: the DT of the IUT; 01 00 01 00, or with the Enclosure Item where segmenting is selected.
pub(super) fn data_header(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    established(d, cn)?;
    let arrival = d.next();
    match &arrival {
        Arrival::Tsdu(tsdu) if tsdu.first() == Some(&1) => {
            d.demand(tsdu.starts_with(&[1, 0, 1, 0]), "01 00 01 00 in front of the data", || shown(&arrival))
        }
        _ => Err(Stop::Skipped("the IUT sends no data first".to_owned())),
    }
}

/// 42: a category 2 SPDU first.
pub(super) fn category_2_first(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &spdu(49, &[octets::serial(1)]))
}

/// 43: a category 1 SPDU behind GT.
pub(super) fn category_1_behind(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::behind_gt(9, &[unit(17, &[1])]))
}

/// 50: a middle segment without a first one.
pub(super) fn middle_segment(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::dt_segment(0, b"middle"))
}

/// 63: AB 0x0b.
pub(super) fn abort_of_three_bits(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    aborted(d, cn, &octets::abort(0x0b, b"abc"))
}

/// 64: AB with the protocol error bit.
pub(super) fn abort_error(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    aborted(d, cn, &octets::abort(0x05, &[]))
}

/// 69: DN, to an IUT that has not asked for release.
pub(super) fn unasked_disconnect(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::disconnect())
}

/// 71: AB without Transport Disconnect.
pub(super) fn abort_without_cause(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    aborted(d, cn, &spdu(25, &[]))
}

/// 84: TD without its unit.
pub(super) fn typed_data(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::td(b"typed"))
}

/// 94: MIA without minor synchronize.
pub(super) fn minor_ack(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::mia(1))
}

/// 100: MAA without MAP.
pub(super) fn major_ack(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::maa(1))
}

/// 113: RA without RS.
pub(super) fn resynchronize_ack(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::ra(1, None))
}

/// 127: GTA without GTC.
pub(super) fn control_ack(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &octets::gta())
}

/// 142: a TSDU of one octet.
pub(super) fn short_tsdu(d: &mut Dialogue, cn: &[u8]) -> Verdict {
    wrong(d, cn, &[0x01])
}

/// The session is up: the IUT sends no AB and does not disconnect at once.
fn goes_on(d: &mut Dialogue) -> Verdict {
    let arrival = d.next_soon();
    match &arrival {
        Arrival::Silence => Ok(()),
        Arrival::Tsdu(tsdu) if tsdu.first() != Some(&25) => Ok(()),
        other => Err(d.deviation("an open session", shown(other))),
    }
}

fn connect_of<'c>(d: &Dialogue, cn: &'c [u8]) -> Result<Connect<'c>, Stop> {
    let view = Tsdu::new(cn).next_spdu(&DecodeRules::LENIENT).ok().flatten();
    match view.and_then(|view| view.parse(&DecodeRules::LENIENT).ok()) {
        Some(Spdu::Connect(connect)) => Ok(connect),
        _ => Err(d.deviation(SpduKind::Connect.abbreviation(), hex(cn))),
    }
}

/// Duplex where proposed, else half duplex.
fn chosen(proposed: &Connect<'_>) -> Fu {
    match proposed.requirements.contains(Fu::DUPLEX) {
        true => Fu::DUPLEX,
        false => Fu::HALF_DUPLEX,
    }
}

fn responding(proposed: &Connect<'_>) -> Vec<u8> {
    let called = proposed.called.as_octets();
    if called.is_empty() { Vec::new() } else { unit(52, called) }
}

fn accept(proposed: &Connect<'_>, requirements: Option<u16>, responding: Option<Vec<u8>>) -> Vec<u8> {
    let version = if proposed.item.versions.contains(Versions::V2) { 2 } else { 1 };
    let mut item = vec![unit(19, &[0]), unit(22, &[version])];
    if let (Some(serial), true) = (proposed.item.initial_serial_number, requirements.is_none()) {
        item.push(unit(23, serial.0.to_string().as_bytes()));
    }
    let requirements = requirements.map(|bits| unit(20, &bits.to_be_bytes())).unwrap_or_default();
    spdu(14, &[unit(5, &item.concat()), requirements, responding.unwrap_or_default(), user_data(b"accepted")])
}

/// Code and value of a unit.
type Unit = (u8, Vec<u8>);

/// The units of an SPDU; `None` where a length is not in its shortest form or runs out of its field.
fn units_of(spdu: &[u8]) -> Option<Vec<Unit>> {
    match &inner_units(spdu)?[..] {
        [(_, parameters)] => inner_units(parameters),
        _ => None,
    }
}

fn inner_units(mut octets: &[u8]) -> Option<Vec<Unit>> {
    let mut units = Vec::new();
    while let [code, li, rest @ ..] = octets {
        let (length, rest) = match (*li, rest) {
            (0xff, [high, low, rest @ ..]) => {
                let long = u16::from_be_bytes([*high, *low]);
                (long >= 255).then_some(())?;
                (usize::from(long), rest)
            }
            (0xff, _) => return None,
            (short, rest) => (usize::from(short), rest),
        };
        let (value, after) = rest.split_at_checked(length)?;
        units.push((*code, value.to_vec()));
        octets = after;
    }
    octets.is_empty().then_some(units)
}
