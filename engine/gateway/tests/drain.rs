//! How a gateway drains: sessions may end, nothing new begins, and peers that say nothing hold nothing up.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::app::GatewayCommand;
use colloquy_gateway::config::{Config, DrainAction, DrainConfig, Profile};
use colloquy_gateway::drain::{DrainOrder, LISTENING_GRACE};
use colloquy_gateway::record::{EndReason, RecordEvent};
use colloquy_session::ProviderAbortReason;
use common::peer::{Manners, Seen, send};
use common::raw::CR;
use common::{World, mms, relay_config};

const SECOND: Duration = Duration::from_secs(1);
/// TRANSPORT REFUSED because of congestion.
const CLOSED: EndReason = EndReason::TransportRefused { reason: 1 };

fn drain(deadline: Duration) -> GatewayCommand {
    GatewayCommand::Drain(DrainOrder::wait(deadline))
}

/// Connections may take an hour to bring a CN: no timer ends what a drain has to end.
fn patient() -> Config {
    let mut config = relay_config(Profile::Mms);
    config.listeners[0].connect_timeout = 3600 * SECOND;
    config
}

#[test]
fn a_draining_gateway_lets_sessions_end_and_takes_no_new_ones() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.command(drain(30 * SECOND));
    let answered = world.connect(&mms());
    assert_eq!(
        world.client.app().of(answered),
        [
            Seen::ProviderAbort(ProviderAbortReason::TransportDisconnect),
            Seen::Ended("TransportRefused { reason: 1 }".into())
        ],
        "DR while the listener is still open"
    );
    world.run_for(LISTENING_GRACE);
    world.settle();
    let refused = world.connect(&mms());
    assert_eq!(
        world.client.app().of(refused),
        [Seen::ProviderAbort(ProviderAbortReason::TransportDisconnect), Seen::Ended("Network".into())]
    );
    world.of_client(|ctx| send(ctx, client, b"still here"));
    world.settle();
    assert_eq!(world.server.app().ssdus(server), [b"still here"]);
    assert!(!world.gateway.is_finished());
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    assert!(world.gateway.is_finished());
}

#[test]
fn a_drain_aborts_at_its_deadline_what_is_left() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let sessions: Vec<_> = (0..20).map(|_| world.establish(&mms())).collect();
    world.command(drain(3 * SECOND));
    world.run_for(Duration::from_millis(2_900));
    assert_eq!(world.gateway.app().live_count(), 40);
    world.run_for(Duration::from_millis(200));
    let abort = Seen::ProviderAbort(ProviderAbortReason::Undefined);
    for (client, server) in sessions {
        assert_eq!(world.client.app().since_open(client)[0], abort);
        assert_eq!(world.server.app().since_open(server)[0], abort);
    }
    world.run_for(SECOND);
    assert!(world.gateway.is_finished());
    let aborted = EndReason::Aborted { by_peer: false, by_user: false };
    assert_eq!(world.ends(), (vec![aborted; 20], vec![aborted; 20]));
}

/// Connections in each state before a CN: nothing said, half a CR, CC received, half a CN.
fn unestablished(world: &mut World) -> Vec<usize> {
    let all: Vec<usize> = (0..4).map(|_| world.raw.connect()).collect();
    world.raw.send(all[1], &CR[..9]);
    world.raw.send(all[2], CR);
    world.raw.send(all[3], CR);
    world.settle();
    world.raw.send(all[3], &[3, 0, 0, 34, 2, 0xf0, 0x80, 0x0d, 0x19, 0x05]);
    world.settle();
    let confirmed = |at: usize| world.raw.tpdus(at).iter().map(|tpdu| tpdu[1] & 0xf0).collect::<Vec<_>>();
    assert_eq!(all.iter().map(|at| confirmed(*at)).collect::<Vec<_>>(), [&[][..], &[], &[0xd0], &[0xd0]]);
    all
}

#[test]
fn a_drain_closes_connections_that_have_not_brought_a_cn() {
    let mut world = World::new(patient(), Manners::default());
    let (client, server) = world.establish(&mms());
    let before = world.net.now();
    let silent = unestablished(&mut world);
    world.command(drain(3600 * SECOND));
    world.run_for(LISTENING_GRACE);
    world.settle();
    for at in silent {
        assert_eq!(world.raw.connections[at].ended, Some("eof"), "connection {at}");
    }
    assert_eq!(world.ends(), (vec![CLOSED; 4], vec![]));
    assert_eq!(world.gateway.connection_count(), 2, "the session and its upstream");
    world.of_client(|ctx| send(ctx, client, b"still here"));
    world.settle();
    assert_eq!(world.server.app().ssdus(server), [b"still here"]);
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    assert!(world.gateway.is_finished());
    assert!(world.net.now() - before < SECOND, "no timer was waited for");
}

#[test]
fn a_peer_that_keeps_its_half_open_is_reset_at_the_deadline_of_the_drain() {
    let mut world = World::new(patient(), Manners::default());
    world.raw.stubborn = true;
    unestablished(&mut world);
    world.command(drain(SECOND));
    world.run_for(LISTENING_GRACE);
    world.settle();
    assert_eq!(world.ends(), (vec![CLOSED; 4], vec![]));
    world.run_for(SECOND - LISTENING_GRACE - Duration::from_millis(10));
    assert_eq!(world.gateway.connection_count(), 4, "closed on this side only");
    world.run_for(Duration::from_millis(20));
    assert!(world.gateway.is_finished(), "{:#?}", world.gateway.inspect());
    assert_eq!(world.ends(), (vec![CLOSED; 4], vec![]));
}

#[test]
fn a_cn_that_is_with_its_target_may_still_be_answered() {
    let mut world = World::new(patient(), Manners::Nothing);
    let client = world.connect(&mms());
    world.command(drain(30 * SECOND));
    assert_eq!(world.client.app().of(client), []);
    let server = world.server.app().last();
    let accept = common::peer::accept(mms().requirements, b"late");
    world.of_server(|ctx| ctx.connect_response(server, &accept).unwrap());
    world.settle();
    assert!(matches!(&world.client.app().of(client)[..], [Seen::Accept(_)]));
    assert!(!world.gateway.is_finished());
}

#[test]
fn a_cn_that_is_not_answered_by_the_deadline_is_refused() {
    let mut config = patient();
    config.targets[0].connect_timeout = 1800 * SECOND;
    let mut world = World::new(config, Manners::Nothing);
    // The peers' own timers are longer than the drain.
    let client = world.connect(&mms());
    world.command(drain(SECOND));
    world.run_for(2 * SECOND);
    assert_eq!(world.client.app().of(client)[0], Seen::Refused(131, Vec::new()));
    let server = world.server.app().last();
    let abort = Seen::ProviderAbort(ProviderAbortReason::Undefined);
    assert_eq!(world.server.app().since_open(server)[0], abort);
    assert!(world.gateway.is_finished());
    let refused = EndReason::Refused { reason: 131, by_peer: false };
    assert_eq!(world.ends(), (vec![refused], vec![EndReason::Aborted { by_peer: false, by_user: false }]));
    let logged = |event: &RecordEvent| *event == RecordEvent::NotOpened { refused: 131 };
    assert_eq!(world.records.borrow().iter().filter(|record| logged(&record.event)).count(), 1);
    assert_eq!(world.counters.snapshot().relays_refused, 1);
}

/// Ten sessions in a second, in even steps, after a tenth of a second without data.
fn paced(action: DrainAction) -> GatewayCommand {
    GatewayCommand::Drain(DrainOrder::new(DrainConfig {
        deadline: 30 * SECOND,
        action,
        sessions_per_second: 10,
        jitter_percent: 0,
        idle_for: SECOND / 10,
    }))
}

#[test]
fn sessions_are_aborted_at_the_pace_of_the_drain_idle_ones_first() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let sessions: Vec<_> = (0..20).map(|_| world.establish(&mms())).collect();
    let (busy, _) = sessions[0];
    world.command(paced(DrainAction::Abort));
    for second in 1..=19_u32 {
        // Never silent for as long as an idle one is.
        for _ in 0..2 {
            world.of_client(|ctx| send(ctx, busy, b"data"));
            world.run_for(SECOND / 20);
        }
        let live = world.gateway.app().live_count();
        let ended = 20 - live.div_ceil(2) as u32;
        assert!(ended.abs_diff(second) <= 1, "{ended} sessions ended after {second} tenths of a second");
        assert!(second > 18 || world.client.app().since_open(busy).is_empty(), "the busy one is the last");
    }
    world.run_for(SECOND);
    assert!(world.gateway.is_finished());
    let aborted = EndReason::Aborted { by_peer: false, by_user: false };
    let (down, _) = world.ends();
    assert_eq!(down, vec![aborted; 20]);
    for (client, _) in sessions {
        assert_eq!(
            world.client.app().since_open(client)[0],
            Seen::ProviderAbort(ProviderAbortReason::Undefined)
        );
    }
}
