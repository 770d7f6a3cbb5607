//! Two shards talk, on every driver: every way a session can begin, go on and end.

use std::time::Duration;

use crate::pair::{Pair, World};
use crate::recorder::{ConnectAnswer, Manners, Recorder, Seen, proposal, target};
use colloquy_session::{Enclosure, ProviderAbortReason, SessionConfig};
use colloquy_shard::{ListenerConfig, Shard, ShardConfig, TransportAnswer};
use colloquy_transport::buf::Slice;

crate::pair::on_every_driver! {
    a_session_connects_carries_data_and_is_released,
    a_stale_id_is_refused,
    an_abort_ends_both_sides,
    a_provider_abort_ends_both_sides,
    a_refusal_reaches_the_initiator_with_its_reason,
    a_refused_transport_connection_ends_with_the_reason_of_the_dr,
    a_refused_network_connection_is_told,
    a_dropped_shard_is_a_lost_connection_to_its_peers,
    an_unanswered_connect_times_out_on_either_side,
    an_unanswered_release_times_out,
    a_paused_session_gets_nothing_and_loses_nothing,
    a_congested_session_becomes_writable_again,
    timers_run_out_once_and_can_be_moved,
    a_session_in_sta16_waits_for_its_peer_or_for_tim,
}

crate::pair::on_real_drivers! {
    commands_of_another_thread_wake_the_shard,
}

fn a_session_connects_carries_data_and_is_released<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners { echo: true, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let (client, server) = pair.established();
    let bodies: Vec<Vec<u8>> =
        [1_usize, 100, 2048, 16 << 10, 70_000].iter().map(|&n| (0..n).map(|i| i as u8).collect()).collect();
    for body in &bodies {
        let slice = Slice::from_vec(body.clone());
        pair.client.with(|_, ctx| ctx.data_request(client, &[slice], Enclosure::WHOLE)).unwrap();
    }
    pair.until(|pair| pair.client.app().data_count == 5);
    assert_eq!(pair.client.app().data(), bodies);
    assert_eq!(pair.server.app().data(), bodies);
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    pair.emptied();
    assert_eq!(pair.client.app().of(client).last(), Some(&Seen::Ended("Released".into())));
    let seen = pair.server.app().of(server);
    assert_eq!(seen[..2], [Seen::TransportConnect(7), Seen::Connect(b"hello".to_vec())]);
    assert_eq!(seen[7..], [Seen::Release, Seen::Ended("Released".into())]);
    let tally = *pair.server.tally();
    assert_eq!((tally.spdus_data_in, tally.spdus_data_out, tally.ended_released), (5, 5, 1));
    assert_eq!((tally.sessions_open_responder, tally.sessions_established), (0, 0));
    assert_eq!(pair.server.counters().snapshot().spdus_data_in, 5);
}

fn a_stale_id_is_refused<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let (client, _) = pair.established();
    pair.client.with(|_, ctx| ctx.abort_request(client, b"bye")).unwrap();
    pair.emptied();
    pair.client.with(|_, ctx| {
        assert!(ctx.data_request(client, &[], Enclosure::WHOLE).is_err());
        assert!(ctx.state(client).is_none());
        assert!(ctx.machine(client).is_none());
        ctx.pause(client);
        ctx.resume(client);
        ctx.set_timer(client, Some(Duration::ZERO));
        ctx.provider_abort(client, ProviderAbortReason::Undefined);
    });
    assert_eq!(pair.client.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
}

fn an_abort_ends_both_sides<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let (_, server) = pair.established();
    pair.server.with(|_, ctx| ctx.abort_request(server, &[])).unwrap();
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
    assert_eq!(pair.client.app().ends(), ["Aborted { by_peer: true, by_user: true }"]);
    assert_eq!(pair.client.app().count(|seen| *seen == Seen::UserAbort), 1);
}

fn a_provider_abort_ends_both_sides<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let (client, _) = pair.established();
    pair.client.with(|_, ctx| ctx.provider_abort(client, ProviderAbortReason::Undefined));
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["Aborted { by_peer: false, by_user: false }"]);
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: true, by_user: false }"]);
}

fn a_refusal_reaches_the_initiator_with_its_reason<W: World>() {
    let refuse = Manners { connect: ConnectAnswer::Refuse(1), ..Manners::default() };
    let Some(mut pair) = Pair::<W>::new(refuse, Manners::default()) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["Refused { reason: 1, by_peer: true }"]);
    assert_eq!(pair.server.app().ends(), ["Refused { reason: 1, by_peer: false }"]);
}

fn a_refused_transport_connection_ends_with_the_reason_of_the_dr<W: World>() {
    let refuse = Manners { transport: TransportAnswer::Refuse(3), ..Manners::default() };
    let Some(mut pair) = Pair::<W>::new(refuse, Manners::default()) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 3 }"]);
    assert_eq!(pair.server.app().ends(), ["TransportRefused { reason: 3 }"]);
}

fn a_refused_network_connection_is_told<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let nobody = pair.world.nobody();
    let id = pair.client.with(|_, ctx| ctx.connect(&target(nobody, proposal(&[])))).unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.client.app().of(id).last(), Some(&Seen::Ended("Network".into())));
    assert_eq!(pair.client.app().ends().len(), 1);
}

fn a_dropped_shard_is_a_lost_connection_to_its_peers<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let (_, server) = pair.established();
    let config = ShardConfig { virtual_time: pair.world.net().is_some(), ..ShardConfig::default() };
    pair.client = Shard::new(pair.world.driver(3), Recorder::default(), config);
    pair.emptied();
    let seen = pair.server.app().of(server);
    assert!(seen.contains(&Seen::ProviderAbort(ProviderAbortReason::TransportDisconnect)), "{seen:?}");
    assert!(matches!(pair.server.app().ends()[..], ["Eof" | "Network"]));
}

fn an_unanswered_connect_times_out_on_either_side<W: World>() {
    let silent = Manners { connect: ConnectAnswer::Nothing, ..Manners::default() };
    let soon = Duration::from_millis(60);
    let config = ShardConfig { connect_timeout: soon, ..ShardConfig::default() };
    let Some(mut pair) = Pair::<W>::with(silent, Manners::default(), config, ListenerConfig::default())
    else {
        return;
    };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["Timeout(\"connect\")"]);
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: true, by_user: false }"]);

    let listener = ListenerConfig { connect_timeout: soon, ..ListenerConfig::default() };
    let Some(mut pair) = Pair::<W>::with(silent, Manners::default(), ShardConfig::default(), listener) else {
        return;
    };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Timeout(\"response\")"]);
    assert_eq!(pair.client.app().ends(), ["Aborted { by_peer: true, by_user: false }"]);
}

fn an_unanswered_release_times_out<W: World>() {
    let rude = Manners { release: false, ..Manners::default() };
    let config = ShardConfig { release_timeout: Duration::from_millis(60), ..ShardConfig::default() };
    let Some(mut pair) = Pair::<W>::with(rude, Manners::default(), config, ListenerConfig::default()) else {
        return;
    };
    let (client, _) = pair.established();
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["Timeout(\"release\")"]);
}

fn a_paused_session_gets_nothing_and_loses_nothing<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners { pause: true, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let (client, server) = pair.established();
    let bodies: Vec<Vec<u8>> = (0..50_u8).map(|i| vec![i; 3000]).collect();
    for body in &bodies {
        let slice = Slice::from_vec(body.clone());
        pair.client.with(|_, ctx| ctx.data_request(client, &[slice], Enclosure::WHOLE)).unwrap();
    }
    for count in 1..=50 {
        pair.until(|pair| pair.server.app().data_count == count);
        for _ in 0..3 {
            pair.turn_both();
        }
        assert_eq!(pair.server.app().data_count, count, "paused after each");
        pair.server.with(|_, ctx| ctx.resume(server));
    }
    assert_eq!(pair.server.app().data(), bodies);
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Released"]);
}

fn a_congested_session_becomes_writable_again<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners { pause: true, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let (client, server) = pair.established();
    let body = Slice::from_vec(vec![5; 60_000]);
    let mut sent = 0;
    // The receiver is paused, so the network fills up first, then the queue.
    while !pair.client.with(|_, ctx| ctx.is_congested(client)) {
        let one = std::slice::from_ref(&body);
        pair.client.with(|_, ctx| ctx.data_request(client, one, Enclosure::WHOLE)).unwrap();
        sent += 1;
        pair.step();
        assert!(sent < 10_000, "no network holds so much");
    }
    assert_eq!(pair.client.app().count(|seen| *seen == Seen::Writable), 0);
    pair.server.app_mut().manners.pause = false;
    pair.server.with(|_, ctx| ctx.resume(server));
    pair.until(|pair| pair.client.app().count(|seen| *seen == Seen::Writable) == 1);
    pair.until(|pair| pair.server.app().data_count == sent);
    assert_eq!(pair.server.app().data_octets, sent * 60_000);
    pair.client.with(|_, ctx| {
        assert!(!ctx.is_congested(client));
        assert_eq!(ctx.queued_octets(client), 0);
    });
}

fn timers_run_out_once_and_can_be_moved<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let (client, _) = pair.established();
    pair.client.with(|_, ctx| {
        let soon = ctx.now() + Duration::from_millis(5);
        ctx.set_timer(client, Some(soon + Duration::from_secs(3600)));
        ctx.set_timer(client, Some(soon));
        ctx.set_shard_timer(Some(soon));
    });
    pair.until(|pair| {
        let app = pair.client.app();
        app.count(|seen| *seen == Seen::Timer) == 1 && app.count(|seen| *seen == Seen::ShardTimer) == 1
    });
    assert_eq!(pair.client.next_deadline(), None);
}

fn a_session_in_sta16_waits_for_its_peer_or_for_tim<W: World>() {
    let session = SessionConfig { tim: Duration::from_millis(80), ..SessionConfig::default() };
    let listener = ListenerConfig { session, ..ListenerConfig::default() };
    let Some(mut pair) =
        Pair::<W>::with(Manners::default(), Manners::default(), ShardConfig::default(), listener)
    else {
        return;
    };
    let (_, server) = pair.established();
    pair.server.with(|_, ctx| ctx.abort_request(server, &[])).unwrap();
    // The client's shard does not turn, so nobody disconnects until TIM runs out.
    let before = pair.server.tally().timers;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while pair.server.tally().timers == before {
        if let Some(net) = pair.world.net() {
            net.advance_to(pair.server.next_deadline().unwrap());
        }
        pair.server.turn(Some(Duration::from_millis(5))).unwrap();
        assert!(std::time::Instant::now() < deadline);
    }
    assert!(pair.server.inspect()[0].contains("Closing"), "{:?}", pair.server.inspect());
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
}

fn commands_of_another_thread_wake_the_shard<W: World>() {
    let Some(mut pair) = Pair::<W>::new(Manners::default(), Manners::default()) else { return };
    let commander = pair.server.commander();
    let sender = std::thread::spawn(move || {
        for command in 0..3 {
            commander.send(command).unwrap();
        }
    });
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while pair.server.app().seen.len() < 3 {
        pair.server.turn(Some(Duration::from_secs(10))).unwrap();
        assert!(std::time::Instant::now() < deadline, "the shard slept through a doorbell");
    }
    sender.join().unwrap();
    let seen: Vec<_> = pair.server.app().seen.iter().map(|each| each.1.clone()).collect();
    assert_eq!(seen, [Seen::Command(0), Seen::Command(1), Seen::Command(2)]);
}
