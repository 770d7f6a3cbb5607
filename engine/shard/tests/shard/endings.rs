//! What is still owed when a session ends: octets queued, octets received, and a peer that has to be heard.

use std::time::Duration;

use colloquy_session::{Enclosure, SessionConfig};
use colloquy_shard::{ListenerConfig, ShardConfig};
use colloquy_transport::buf::Slice;

use crate::pair::{Pair, World};
use crate::raw::{Raw, tpkt};
use crate::recorder::{Manners, Seen};

crate::pair::on_every_driver! {
    a_session_that_is_over_hears_its_peer_disconnect_though_it_was_paused,
}

crate::pair::on_real_drivers! {
    what_is_queued_reaches_a_peer_that_has_stopped_sending,
    what_waits_in_the_intake_is_delivered_before_the_end,
}

/// The session's id at the server, which is the only one.
fn server_id<W: World>(pair: &Pair<W>) -> colloquy_shard::SessionId {
    let connect = |each: &&(_, Seen)| matches!(each.1, Seen::Connect(_));
    pair.server.app().seen.iter().rfind(connect).unwrap().0
}

fn what_is_queued_reaches_a_peer_that_has_stopped_sending<W: World>() {
    const SSDUS: usize = 200;
    const SSDU_OCTETS: usize = 60_000;
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let id = server_id(&pair);
    // More than any network buffer holds: some is in flight, and the rest in many batches behind it.
    let body = [Slice::from_vec(vec![9; SSDU_OCTETS])];
    pair.server.with(|_, ctx| {
        for _ in 0..SSDUS {
            ctx.data_request(id, &body, Enclosure::WHOLE).unwrap();
        }
    });
    raw.send(&tpkt(&[9, 0]));
    raw.shutdown_write();
    // The peer reads nothing until the server has seen both FN and the end of the stream.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while pair.server.app().ends().is_empty() {
        pair.server.turn(Some(Duration::from_millis(1))).unwrap();
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(pair.server.app().ends(), ["Released"]);
    raw.until(&mut pair, |raw, _| raw.closed);
    let (mut ssdu_octets, mut last) = (0, Vec::new());
    let mut stream = &raw.received[..];
    while !stream.is_empty() {
        let octets = usize::from(u16::from_be_bytes([stream[2], stream[3]]));
        assert!(octets <= stream.len(), "the stream was cut: {} octets came", raw.received.len());
        ssdu_octets += octets - 7;
        last = stream[7..octets].to_vec();
        stream = &stream[octets..];
    }
    assert_eq!(last, [10, 0], "DN comes behind all data");
    assert_eq!(ssdu_octets, SSDUS * (SSDU_OCTETS + 4) + 2);
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
}

fn a_session_that_is_over_hears_its_peer_disconnect_though_it_was_paused<W: World>() {
    // TIM and the reset after a graceful close are far away: only what the peer does can end this in time.
    let far = Duration::from_secs(3600);
    let session = SessionConfig { tim: far, ..SessionConfig::default() };
    let listener = ListenerConfig { session, ..ListenerConfig::default() };
    let config = ShardConfig { close_timeout: far, ..ShardConfig::default() };
    let Some(mut pair) = Pair::<W>::with(Manners::default(), Manners::default(), config, listener) else {
        return;
    };
    let (client, server) = pair.established();
    pair.server.with(|_, ctx| ctx.pause(server));
    let body = [Slice::from_vec(vec![1; 3000])];
    pair.client.with(|_, ctx| ctx.data_request(client, &body, Enclosure::WHOLE)).unwrap();
    for _ in 0..5 {
        pair.step();
    }
    assert_eq!(pair.server.app().data_count, 0);
    pair.server.with(|_, ctx| ctx.abort_request(server, &[])).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while pair.client.connection_count() + pair.server.connection_count() > 0 {
        // Virtual time goes from event to event, and must not arrive at TIM.
        pair.step();
        assert!(std::time::Instant::now() < deadline, "{:#?}", pair.server.inspect());
        let now = pair.server.with(|_, ctx| ctx.now());
        assert!(now < far / 2, "{:#?}", pair.server.inspect());
    }
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
    assert_eq!(pair.client.app().ends(), ["Aborted { by_peer: true, by_user: true }"]);
}

fn what_waits_in_the_intake_is_delivered_before_the_end<W: World>() {
    let config =
        ShardConfig { session_tsdus_per_turn_max: 1, intake_slices_max: 1000, ..ShardConfig::default() };
    let Some(mut pair) =
        Pair::<W>::with(Manners::default(), Manners::default(), config, ListenerConfig::default())
    else {
        return;
    };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let id = server_id(&pair);
    // One TSDU a turn is taken in, and ten come: from the second receipt on they wait in the intake.
    let (rounds, each) = (8, 10);
    for round in 0..rounds {
        let data: Vec<u8> = (0..each).flat_map(|octet| tpkt(&[1, 0, 1, 0, round, octet])).collect();
        let before = pair.server.tally().octets_in;
        raw.send(&data);
        let arrived = |pair: &Pair<W>| pair.server.tally().octets_in - before == data.len() as u64;
        raw.until(&mut pair, |_, pair| arrived(pair));
    }
    let waiting = |pair: &Pair<W>| pair.server.app().of(id).len();
    assert!(waiting(&pair) < usize::from(rounds * each), "they were to wait");
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
    let expected: Vec<Vec<u8>> =
        (0..rounds).flat_map(|round| (0..each).map(move |octet| vec![round, octet])).collect();
    assert_eq!(pair.server.app().data(), expected);
    assert_eq!(pair.server.app().ends(), ["Eof"]);
}
