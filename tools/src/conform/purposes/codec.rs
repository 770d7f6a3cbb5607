//! 12.12 Concatenation and codec.

use colloquy_session::FunctionalUnits as Fu;
use colloquy_session::spdu::SpduKind;

use super::super::context::{Context, Proposal};
use super::super::octets::{self, serial};
use super::super::purpose::{Purpose, Stop, Verdict, syntax, valid};
use super::super::upper::codec as upper;
use super::connect::accept_of;
use super::connect_initiator as initiator;

pub(super) static PURPOSES: &[Purpose] = &[
    valid(137, "extended concatenation, where advertised: data before the point")
        .units(Fu::MINOR_SYNC)
        .responder(extended)
        .user(upper::extended),
    syntax(138, "extended concatenation, where not advertised")
        .units(Fu::MINOR_SYNC)
        .responder(not_advertised)
        .user(upper::not_advertised),
    valid(139, "decode and encode are inverse").user(upper::round_trips),
    syntax(140, "no octets end the IUT").units(Fu::DUPLEX).responder(fuzz).user(upper::fuzz),
    syntax(141, "long LI below 255").units(Fu::DUPLEX).echo().responder(long_form),
    syntax(142, "TSDU of 0 and of 1 octet")
        .units(Fu::DUPLEX)
        .responder(short_tsdu)
        .initiator(initiator::short_tsdu),
    valid(143, "two machines under random users agree").user(upper::random_users),
];

/// GT, MIP 1 and DT in one TSDU.
fn sequence(data: &[u8]) -> Vec<u8> {
    [&octets::behind_gt(49, &[serial(1)])[..], &[0x01, 0x00], data].concat()
}

fn extended(c: &Context<'_>) -> Verdict {
    let units = Fu::DUPLEX | Fu::MINOR_SYNC;
    let (mut d, reply) = c.open_and_accept(&Proposal { options: 1, ..Proposal::of(units) })?;
    if accept_of(&d, &reply)?.item.protocol_options.is_empty() {
        return Err(Stop::Skipped("the IUT does not offer to receive extended concatenation".to_owned()));
    }
    d.send(&sequence(b"before the point"));
    if !c.settings.own {
        return d.expect_no_error();
    }
    d.expect_data(b"before the point")?;
    d.expect_exactly(SpduKind::MinorSyncAck, &octets::mia(1))
}

fn not_advertised(c: &Context<'_>) -> Verdict {
    let units = Fu::DUPLEX | Fu::MINOR_SYNC;
    let (mut d, reply) = c.open_and_accept(&Proposal::of(units))?;
    if !accept_of(&d, &reply)?.item.protocol_options.is_empty() {
        return Err(Stop::Skipped("the IUT offers to receive extended concatenation".to_owned()));
    }
    d.send(&sequence(b"data"));
    match d.manner.strict {
        true => d.expect_protocol_error(),
        false => d.expect_anything_orderly(),
    }
}

/// A few hundred TSDUs of random octets; each session ends as it likes, and the next one can be had.
fn fuzz(c: &Context<'_>) -> Verdict {
    const SESSIONS: u64 = 48;
    for seed in 1..=SESSIONS {
        let mut random = Random(seed);
        let mut d = c.open(Fu::DUPLEX)?;
        for _ in 0..8 {
            let octets_max = if random.below(8) == 0 { 70_000 } else { 40 };
            let octets = random.below(octets_max);
            let mut tsdu: Vec<u8> = (0..octets).map(|_| random.below(256) as u8).collect();
            if let Some(first) = tsdu.first_mut() {
                // Mostly a known SI, so that the parameters are looked at.
                *first = SpduKind::ALL[random.below(SpduKind::ALL.len())].si();
            }
            d.send(&tsdu);
        }
        d.close();
    }
    c.open(Fu::DUPLEX).map(|_| ())
}

/// A xorshift generator: the seeds are fixed, so that a fault can be met again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (self.0 >> 29) | 1;
        (self.0 >> 20) as usize % bound
    }
}

fn long_form(c: &Context<'_>) -> Verdict {
    let mut d = c.open(Fu::DUPLEX)?;
    d.send(b"\x01\x00\x01\xff\x00\x00long form");
    match d.manner.strict {
        true => d.expect_protocol_error(),
        false => d.expect_data(b"long form"),
    }
}

fn short_tsdu(c: &Context<'_>) -> Verdict {
    for tsdu in [&[][..], &[0x01], &[0x19]] {
        let mut d = c.open(Fu::DUPLEX)?;
        d.send(tsdu);
        match tsdu {
            // A bad AB is not answered: the transport connection ends.
            [0x19] => d.expect_protocol_error_or_released()?,
            _ => d.expect_protocol_error()?,
        }
    }
    Ok(())
}
