//! Limits, and peers that send nothing, slowly, too much or nonsense.

use std::time::Duration;

use colloquy_session::Enclosure;
use colloquy_shard::{ConnectError, ListenerConfig, ShardConfig, ShardLimit};
use colloquy_transport::buf::Slice;
use colloquy_transport::driver::sim::Random;

use crate::pair::{Pair, World};
use crate::raw::{Raw, cn, cr, tpkt};
use crate::recorder::{Manners, Seen};

crate::pair::on_every_driver! {
    a_listener_at_its_limit_refuses_with_a_reason,
    a_shard_at_its_limit_refuses_both_ways,
    beyond_the_reserve_connections_are_closed,
    a_flood_is_taken_in_shares,
}

crate::pair::on_real_drivers! {
    connections_not_established_are_limited,
    half_open_connections_are_closed_in_time,
    a_slow_drip_does_not_extend_the_time,
    nonsense_is_answered_and_told_once,
    every_truncation_ends_exactly_once,
    a_wrong_first_spdu_is_a_fault,
    a_peer_that_closes_after_its_finish_has_released,
    what_came_before_the_end_is_delivered_before_it,
    what_came_before_the_end_waits_with_a_paused_session,
}

fn pair<W: World>(config: ShardConfig, listener: ListenerConfig) -> Option<Pair<W>> {
    Pair::<W>::with(Manners::default(), Manners::default(), config, listener)
}

fn a_listener_at_its_limit_refuses_with_a_reason<W: World>() {
    let listener = ListenerConfig { sessions_max: 1, ..ListenerConfig::default() };
    let Some(mut pair) = pair::<W>(ShardConfig::default(), listener) else { return };
    let (first, _) = pair.established();
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 1 }"]);
    pair.until(|pair| pair.server.connection_count() == 1);
    let tally = pair.server.tally();
    assert_eq!((tally.refused_listener_max, tally.refused_with_disconnect, tally.refusals_open), (1, 1, 0));
    assert_eq!(pair.server.app().refused, [(7, ShardLimit::ListenerSessionsMax)]);
    assert_eq!(pair.server.app().accepted.len(), 1, "it is not asked about what the shard refuses");
    assert_eq!(pair.server.app().ends(), [""; 0], "the application hears nothing of it");
    pair.client.with(|_, ctx| ctx.release_request(first, &[])).unwrap();
    pair.emptied();
    // There is a place again.
    pair.established();
}

fn a_shard_at_its_limit_refuses_both_ways<W: World>() {
    let config = ShardConfig { sessions_max: 1, ..ShardConfig::default() };
    let Some(mut pair) = pair::<W>(config, ListenerConfig::default()) else { return };
    pair.established();
    assert!(matches!(pair.connect(), Err(ConnectError::SessionsMax(1))));
    let address = pair.address;
    let own = pair.server.with(|_, ctx| {
        ctx.connect(&crate::recorder::target(address, crate::recorder::proposal(&[]))).map(drop)
    });
    assert!(matches!(own, Err(ConnectError::SessionsMax(1))));
}

fn beyond_the_reserve_connections_are_closed<W: World>() {
    let config = ShardConfig { refusals_max: 0, ..ShardConfig::default() };
    let listener = ListenerConfig { sessions_max: 0, ..ListenerConfig::default() };
    let Some(mut pair) = pair::<W>(config, listener) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert!(matches!(pair.client.app().ends()[..], ["Network" | "Eof"]));
    pair.emptied();
    assert_eq!(pair.server.tally().refused_closed, 1);
    assert_eq!(pair.server.app().seen, []);
}

fn a_flood_is_taken_in_shares<W: World>() {
    const SHARE: u32 = 4;
    let config = ShardConfig { session_tsdus_per_turn_max: SHARE, ..ShardConfig::default() };
    let Some(mut pair) = pair::<W>(config, ListenerConfig::default()) else { return };
    let (flooding, _) = pair.established();
    let (modest, modest_server) = pair.established();
    let body = Slice::from_vec(vec![1; 10]);
    for _ in 0..1000 {
        let one = std::slice::from_ref(&body);
        pair.client.with(|_, ctx| ctx.data_request(flooding, one, Enclosure::WHOLE)).unwrap();
    }
    let other = Slice::from_vec(vec![2]);
    pair.client.with(|_, ctx| ctx.data_request(modest, &[other], Enclosure::WHOLE)).unwrap();
    let mut modest_at = None;
    while pair.server.app().data_count < 1001 {
        let before = pair.server.app().data_count;
        pair.step();
        let count = pair.server.app().data_count;
        assert!(count - before <= u64::from(2 * SHARE), "{} in one turn", count - before);
        if modest_at.is_none() && pair.server.app().of(modest_server).contains(&Seen::Data(vec![2])) {
            modest_at = Some(count);
        }
    }
    assert!(modest_at.unwrap() < 500, "a modest session waits for the flood: {modest_at:?}");
    assert!(pair.server.tally().session_budget_spent >= 1000 / u64::from(SHARE) - 1);
}

fn connections_not_established_are_limited<W: World>() {
    let listener = ListenerConfig { not_established_max: 2, ..ListenerConfig::default() };
    let Some(mut pair) = pair::<W>(ShardConfig::default(), listener) else { return };
    let mut idle = [Raw::connect(pair.address), Raw::connect(pair.address)];
    idle[1].until(&mut pair, |_, pair| pair.server.tally().accepted == 2);
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 1 }"]);
    assert_eq!(pair.server.tally().refused_not_established_max, 1);
    // An established session makes room.
    idle[0].open_session(&mut pair);
    pair.established();
}

fn short_patience<W: World>() -> Option<Pair<W>> {
    let listener = ListenerConfig { connect_timeout: Duration::from_millis(80), ..ListenerConfig::default() };
    pair::<W>(ShardConfig::default(), listener)
}

fn half_open_connections_are_closed_in_time<W: World>() {
    let Some(mut pair) = short_patience::<W>() else { return };
    let mut silent = Raw::connect(pair.address);
    silent.until(&mut pair, |raw, _| raw.closed);
    let mut polite = Raw::connect(pair.address);
    polite.open_transport(&mut pair);
    polite.until(&mut pair, |raw, _| raw.closed);
    drop((silent, polite));
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Timeout(\"half-open\")"; 2]);
}

fn a_slow_drip_does_not_extend_the_time<W: World>() {
    let Some(mut pair) = short_patience::<W>() else { return };
    let mut dripping = Raw::connect(pair.address);
    let octets = [cr(), cn()].concat();
    // The last octet never comes.
    for octet in &octets[..octets.len() - 1] {
        dripping.send(&[*octet]);
        pair.server.turn(Some(Duration::from_millis(5))).unwrap();
    }
    dripping.until(&mut pair, |raw, _| raw.closed);
    drop(dripping);
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Timeout(\"half-open\")"]);
}

fn nonsense_is_answered_and_told_once<W: World>() {
    let seed = std::env::var("COLLOQUY_SEED").ok().map_or(1, |seed| seed.parse().expect("a number"));
    println!("COLLOQUY_SEED={seed}");
    let mut random = Random::new(seed);
    let Some(mut pair) = short_patience::<W>() else { return };
    for round in 0..60 {
        let mut raw = Raw::connect(pair.address);
        let ends = pair.server.app().ends().len();
        match round % 3 {
            0 => {}
            1 => raw.open_transport(&mut pair),
            _ => raw.open_session(&mut pair),
        }
        let octets: Vec<u8> = (0..1 + random.below(200)).map(|_| random.bits() as u8).collect();
        // Nonsense in the TPKT, or inside a well-formed one.
        raw.send(&if random.chance(500_000) { octets } else { tpkt(&octets) });
        // A session may take some of it for an SPDU whose rest is to come.
        if round % 3 == 2 {
            raw.send(&[0; 8]);
        }
        raw.until(&mut pair, |_, pair| pair.server.app().ends().len() == ends + 1);
    }
    pair.emptied();
    let app = pair.server.app();
    for (id, _) in app.seen.iter().filter(|(_, seen)| matches!(seen, Seen::Ended(_))) {
        let faults = app.of(*id).iter().filter(|seen| matches!(seen, Seen::Fault(_))).count();
        assert!(faults <= 1, "{:?}", app.of(*id));
    }
    assert!(pair.server.tally().faults_transport > 0);
    assert!(pair.server.tally().faults_session > 0);
}

fn every_truncation_ends_exactly_once<W: World>() {
    let Some(mut pair) = pair::<W>(ShardConfig::default(), ListenerConfig::default()) else { return };
    let whole = [cr(), cn(), tpkt(&[1, 0, 1, 0, 7, 7, 7]), tpkt(&[9, 0])].concat();
    for octets in 0..=whole.len() {
        let mut raw = Raw::connect(pair.address);
        raw.send(&whole[..octets]);
        drop(raw);
        pair.until(|pair| pair.server.tally().accepted == octets as u64 + 1);
        pair.emptied();
        assert_eq!(pair.server.app().ends().len(), octets + 1);
    }
    assert_eq!(pair.server.tally().ended_protocol_error, 0);
    assert_eq!(pair.server.app().ends().last(), Some(&"Released"));
}

fn a_wrong_first_spdu_is_a_fault<W: World>() {
    let Some(mut pair) = pair::<W>(ShardConfig::default(), ListenerConfig::default()) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_transport(&mut pair);
    raw.send(&tpkt(&[1, 0, 1, 0, 7, 7, 7]));
    raw.until(&mut pair, |raw, _| raw.closed);
    drop(raw);
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["ProtocolError"]);
    assert_eq!(pair.server.app().count(|seen| matches!(seen, Seen::Fault(_))), 1);
}

fn a_peer_that_closes_after_its_finish_has_released<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners { release: false, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    raw.send(&tpkt(&[9, 0]));
    raw.until(&mut pair, |_, pair| pair.server.app().count(|seen| *seen == Seen::Release) == 1);
    drop(raw);
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Released"]);
    assert_eq!(pair.server.app().count(|seen| matches!(seen, Seen::ProviderAbort(_))), 0);
}

/// A session that sends data and FN and closes at once.
fn talk_and_run<W: World>(pair: &mut Pair<W>) {
    let mut raw = Raw::connect(pair.address);
    raw.open_session(pair);
    let data: Vec<u8> = (0..20).flat_map(|octet| tpkt(&[1, 0, 1, 0, octet])).collect();
    raw.send(&[data, tpkt(&[9, 0])].concat());
}

fn what_came_before_the_end_is_delivered_before_it<W: World>() {
    let config = ShardConfig { session_tsdus_per_turn_max: 1, ..ShardConfig::default() };
    let Some(mut pair) = pair::<W>(config, ListenerConfig::default()) else { return };
    talk_and_run(&mut pair);
    pair.until(|pair| !pair.server.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.server.app().data(), (0..20).map(|octet| vec![octet]).collect::<Vec<_>>());
    assert_eq!(pair.server.app().ends(), ["Released"]);
}

fn what_came_before_the_end_waits_with_a_paused_session<W: World>() {
    let manners = Manners { pause: true, ..Manners::default() };
    let Some(mut pair) = Pair::<W>::new(manners, Manners::default()) else { return };
    talk_and_run(&mut pair);
    for count in 1..=20 {
        pair.until(|pair| pair.server.app().data_count == count);
        for _ in 0..3 {
            pair.turn_both();
        }
        assert_eq!(pair.server.app().data_count, count, "paused after each");
        let id = pair.server.app().seen[0].0;
        pair.server.with(|_, ctx| ctx.resume(id));
    }
    pair.until(|pair| !pair.server.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Released"]);
}
