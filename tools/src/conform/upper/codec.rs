//! Concatenation and codec with the machine in this process.

use colloquy_session::FunctionalUnits as Fu;
use colloquy_session::spdu::{DecodeRules, Flow, Tsdu};

use super::super::dialogue::Reply;
use super::super::octets::{self, hex, spdu, unit, user_data};
use super::super::purpose::Verdict;
use super::random_users::Random;
use super::{Setup, stop};

/// 137: GT, MIP and DT in one TSDU, where the IUT said that it takes it.
pub(crate) fn extended() -> Verdict {
    let mut setup = Setup::of(Fu::DUPLEX | Fu::MINOR_SYNC);
    setup.config.extended_concatenation = true;
    let mut u = setup.responder()?;
    u.low.send(&[&octets::mip(1)[..], &[0x01, 0x00], b"before"].concat());
    let seen = u.saw(&["Data", "SyncMinor"])?;
    u.check(seen[0].user_data == b"before" && seen[1].serial == Some(1), "data in front of the point")
}

/// 138: the same, where the IUT did not say so: an error in strict mode, else taken apart.
pub(crate) fn not_advertised() -> Verdict {
    for strict in [true, false] {
        let mut setup = Setup::of(Fu::DUPLEX | Fu::MINOR_SYNC);
        setup.config.strict = strict;
        let mut u = setup.responder()?;
        u.low.send(&[&octets::mip(1)[..], &[0x01, 0x00], b"before"].concat());
        match strict {
            true => {
                // What stands in front of the SPDU that is one too many may have counted already.
                u.low.expect_protocol_error()?;
                u.saw_last("ProviderAbort")?;
            }
            false => {
                u.saw(&["Data", "SyncMinor"])?;
            }
        }
    }
    Ok(())
}

/// TSDUs in the form that the codec sends itself.
fn canonical() -> Vec<Vec<u8>> {
    use octets::{activity_discard, activity_resume, activity_start, behind_pt, serial};
    let tokens = colloquy_session::Tokens::all();
    let item = [unit(19, &[0]), unit(21, &[4, 0, 4, 0]), unit(22, &[2]), unit(23, b"7"), unit(26, &[0x82])];
    vec![
        spdu(13, &[unit(5, &item.concat()), unit(20, &[4, 0xb9]), unit(51, &[0, 1]), user_data(&[7; 300])]),
        spdu(14, &[unit(5, &item.concat()), unit(16, &[5]), unit(20, &[4, 0xb9]), user_data(b"x")]),
        spdu(15, &[unit(25, &[2]), user_data(&[1; 600])]),
        spdu(16, &[unit(21, &[0, 0, 0, 0]), unit(22, &[2])]),
        spdu(12, &[unit(17, &[1]), unit(22, &[2]), unit(50, b"\x02no")]),
        octets::dt(b"data"),
        octets::dt_segment(1, b"data"),
        octets::dt_giving(tokens, b"data"),
        octets::td(b"typed"),
        octets::gt(tokens),
        octets::pt(tokens),
        octets::gtc(),
        octets::gta(),
        octets::finish(b"bye"),
        octets::disconnect(),
        octets::not_finished(),
        octets::abort(3, b"nine here"),
        spdu(25, &[unit(17, &[5]), unit(49, &[1, 0, 9])]),
        octets::abort_accept(),
        octets::mip(7),
        octets::mip_optional(123),
        octets::mip_separating(999_999),
        behind_pt(50, &[serial(7), unit(46, b"data")]),
        octets::map(8),
        octets::maa(8),
        octets::ae(9),
        octets::rs(octets::resync::SET, 0, Some(0x55)),
        octets::ra(100, None),
        activity_start(b"ACT001"),
        activity_resume(b"ACT2", b"ACT1", 4),
        octets::activity_interrupt(128),
        octets::activity_interrupt_ack(),
        activity_discard(6),
        octets::activity_discard_ack(),
        octets::capability_data(&[3; 512]),
        octets::capability_data_ack(b"ok"),
        octets::exception_report(),
        octets::exception_data(3),
    ]
}

/// 139: canonical octets come back as they were; values come back as they were, whatever the octets.
pub(crate) fn round_trips() -> Verdict {
    for tsdu in canonical() {
        let reply = Reply { octets: tsdu.clone(), flow: Flow::Normal };
        let back = emitted(&reply);
        if back.as_deref() != Some(&tsdu) {
            return Err(stop(&hex(&tsdu), "encode(decode(b)) = b", format!("{:?}", back.map(|b| hex(&b)))));
        }
    }
    let mut random = Random::new(139);
    let canonical = canonical();
    let mut valid = 0;
    for _ in 0..20_000 {
        let mut tsdu = canonical[random.below(canonical.len())].clone();
        let at = random.below(tsdu.len());
        tsdu[at] = random.below(256) as u8;
        let first = Reply { octets: tsdu.clone(), flow: Flow::Normal };
        let Some(back) = emitted(&first) else { continue };
        let second = Reply { octets: back, flow: Flow::Normal };
        valid += 1;
        if format!("{:?}", first.spdus()) != format!("{:?}", second.spdus()) {
            return Err(stop(&hex(&tsdu), "decode(encode(x)) = x", hex(&second.octets)));
        }
    }
    match valid {
        1_000.. => Ok(()),
        few => Err(stop("changed TSDUs", "at least 1000 that are valid", few.to_string())),
    }
}

/// The SPDUs of a TSDU, encoded again; `None` where there are none or they cannot be.
fn emitted(reply: &Reply) -> Option<Vec<u8>> {
    let spdus = reply.spdus();
    let mut octets = Vec::new();
    spdus.iter().try_for_each(|spdu| spdu.emit_into(&mut octets)).ok()?;
    (!octets.is_empty()).then_some(octets)
}

/// 140: octets of any length and kind, in the data phase and before it.
pub(crate) fn fuzz() -> Verdict {
    let mut random = Random::new(140);
    let canonical = canonical();
    for round in 0..3_000 {
        let setup = Setup::of(super::reach::POINTS);
        let mut u = if round % 4 == 0 { setup.waiting() } else { setup.responder()? };
        for _ in 0..4 {
            let mut tsdu = canonical[random.below(canonical.len())].clone();
            for _ in 0..random.below(4) {
                let at = random.below(tsdu.len());
                tsdu[at] = random.below(256) as u8;
            }
            if random.below(200) == 0 {
                tsdu.extend((0..random.below(70_000)).map(|index| index as u8));
            }
            u.low.send(&tsdu);
        }
        u.low.close();
        u.check(u.state() == colloquy_session::State::Sta01, "an end in STA01")?;
    }
    // Decoding alone, where no machine ends the session.
    for _ in 0..20_000 {
        let tsdu: Vec<u8> = (0..random.below(64)).map(|_| random.below(256) as u8).collect();
        let mut tsdu = Tsdu::new(&tsdu);
        while let Ok(Some(view)) = tsdu.next_spdu(&DecodeRules::LENIENT) {
            let _ = view.parse(&DecodeRules::LENIENT);
        }
    }
    Ok(())
}

pub(crate) use super::random_users::random_users;
