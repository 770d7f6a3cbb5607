//! Limits on sessions, connections and octets: the answer of the protocol, the counter, nothing left behind.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::app::GatewayCommand;
use colloquy_gateway::config::{Config, ListenerApplication, Profile};
use colloquy_gateway::limits::{Limit, LimitsTally, Scope};
use common::peer::{Manners, Seen, send};
use common::raw::CR;
use common::{World, mms, relay_config};

const SECOND: Duration = Duration::from_secs(1);

/// Sets a limit.
type Change = fn(&mut Config);

fn relay(change: impl FnOnce(&mut Config)) -> World {
    let mut config = relay_config(Profile::Mms);
    change(&mut config);
    World::new(config, Manners::default())
}

fn tally(world: &World) -> LimitsTally {
    world.gateway.app().plan().limits.tally(world.net.now())
}

/// How often a limit has refused.
fn refused(world: &World, scope: Scope, limit: Limit) -> u64 {
    let tally = tally(world);
    let found = tally.refused.iter().find(|(of, what, _)| *of == scope.name() && *what == limit.name());
    found.expect("a limit that refuses").2
}

/// Connects a raw peer that gets this DR reason.
fn is_refused(world: &mut World, reason: u8) {
    let at = world.raw.connect();
    world.raw.send(at, CR);
    world.settle();
    let tpdus = world.raw.tpdus(at);
    assert_eq!((tpdus.len(), tpdus[0][1], tpdus[0][6]), (1, 0x80, reason), "{tpdus:02x?}");
}

fn assert_nothing_taken(world: &mut World) {
    world.run_out();
    let later = world.net.now() + 10 * SECOND;
    let plan = world.gateway.app().plan();
    let tally = plan.limits.tally(later);
    assert_eq!((tally.sessions, tally.not_established, tally.sources), (0, 0, 0));
    let gates = plan.listeners.iter().map(|listener| &listener.limits);
    for gate in gates.chain(plan.routes.iter().map(|route| &route.limits)) {
        assert_eq!((gate.sessions(), gate.not_established()), (0, 0));
    }
}

#[test]
fn sessions_beyond_each_scopes_limit_are_refused_as_congestion() {
    let scopes: [(Scope, Change); 3] = [
        (Scope::All, |config| config.limits.sessions_max = 2),
        (Scope::Listener(0), |config| config.listeners[0].sessions_max = 2),
        (Scope::Source, |config| config.limits.source_sessions_max = 2),
    ];
    for (scope, change) in scopes {
        let mut world = relay(change);
        world.establish(&mms());
        if scope == Scope::Source {
            // The raw peer is another source.
            world.establish(&mms());
            let client = world.connect(&mms());
            let seen = world.client.app().of(client);
            assert_eq!(seen.last(), Some(&Seen::Ended("TransportRefused { reason: 1 }".into())), "{seen:?}");
        } else {
            let (client, _) = world.establish(&mms());
            is_refused(&mut world, 1);
            assert_eq!(refused(&world, scope, Limit::Sessions), 1);
            // A place is free when a session has ended.
            world.of_client(|ctx| ctx.abort_request(client, b"").unwrap());
            world.settle();
            world.establish(&mms());
        }
        assert_eq!(refused(&world, scope, Limit::Sessions), 1);
        world.kill_client();
        assert_nothing_taken(&mut world);
    }
}

#[test]
fn connections_that_say_nothing_are_limited_in_each_scope() {
    let scopes: [(Scope, Change); 3] = [
        (Scope::All, |config| config.limits.connections_not_established_max = 3),
        (Scope::Listener(0), |config| config.listeners[0].connections_not_established_max = 3),
        (Scope::Source, |config| config.limits.source_connections_not_established_max = 3),
    ];
    for (scope, change) in scopes {
        let mut world = relay(change);
        for _ in 0..2 {
            world.establish(&mms());
        }
        for _ in 0..3 {
            world.raw.connect();
        }
        world.settle();
        is_refused(&mut world, 1);
        assert_eq!(refused(&world, scope, Limit::NotEstablished), 1);
        world.run_for(11 * SECOND);
        assert_eq!(tally(&world).not_established, 0, "their time was over");
        world.kill_client();
        assert_nothing_taken(&mut world);
    }
}

#[test]
fn connects_per_second_have_a_burst_of_one_second() {
    let scopes: [(Scope, Change); 3] = [
        (Scope::All, |config| config.limits.connects_per_second_max = 5),
        (Scope::Listener(0), |config| config.listeners[0].connects_per_second_max = 5),
        (Scope::Source, |config| config.limits.source_connects_per_second_max = 5),
    ];
    for (scope, change) in scopes {
        let mut world = relay(change);
        for _ in 0..5 {
            world.raw.connect();
        }
        world.settle();
        is_refused(&mut world, 1);
        assert_eq!(refused(&world, scope, Limit::ConnectsPerSecond), 1);
        world.run_for(Duration::from_millis(200));
        world.raw.connect();
        world.settle();
        assert_eq!(tally(&world).sessions, 6);
        is_refused(&mut world, 1);
        world.run_for(20 * SECOND);
        assert_nothing_taken(&mut world);
    }
}

#[test]
fn a_network_that_is_not_let_in_is_told_that_there_is_no_such_address() {
    let mut world = relay(|config| config.listeners[0].deny = vec!["10.0.0.4/32".parse().unwrap()]);
    is_refused(&mut world, 3);
    assert_eq!(refused(&world, Scope::Listener(0), Limit::Network), 1);
    world.establish(&mms());
    world.kill_client();
    assert_nothing_taken(&mut world);
}

/// Everything sent comes, in order, and not faster than a limit lets it.
fn throttled(change: impl FnOnce(&mut Config), echo: bool, per_second: usize) {
    const SSDU_OCTETS: usize = 4000;
    const SSDUS: usize = 100;
    let mut world = relay(|config| {
        if echo {
            config.listeners[0].application = ListenerApplication::Echo;
        }
        change(config);
    });
    let client = world.connect(&mms());
    let ssdu = |number: usize| vec![number as u8; SSDU_OCTETS];
    for number in 0..SSDUS {
        world.of_client(|ctx| send(ctx, client, &ssdu(number)));
    }
    let start = world.net.now();
    let came = |world: &World| match echo {
        true => world.client.app().ssdus(client),
        false => world.server.app().ssdus(world.server.app().last()),
    };
    world.settle();
    // One SSDU may be over what is there.
    assert!(came(&world).len() * SSDU_OCTETS <= per_second + SSDU_OCTETS, "the burst");
    while came(&world).len() < SSDUS {
        world.run_for(Duration::from_millis(100));
        let elapsed = (world.net.now() - start).as_secs_f64();
        let allowed = per_second as f64 * (1.0 + elapsed) + SSDU_OCTETS as f64;
        let octets = (came(&world).len() * SSDU_OCTETS) as f64;
        assert!(octets <= allowed, "{octets} octets after {elapsed} s");
        assert!(elapsed < 100.0, "only {} SSDUs came", came(&world).len());
    }
    let elapsed = (world.net.now() - start).as_secs_f64();
    let ideal = (SSDUS * SSDU_OCTETS - per_second) as f64 / per_second as f64;
    assert!(elapsed < ideal * 1.5 + 1.0, "{elapsed} s for what may take {ideal} s");
    let expected: Vec<_> = (0..SSDUS).map(ssdu).collect();
    assert_eq!(came(&world), expected);
    assert!(tally(&world).throttled.iter().all(|(_, count, time)| *count > 0 && *time > Duration::ZERO));
    assert_eq!(tally(&world).throttled.len(), 1);
    world.kill_client();
    assert_nothing_taken(&mut world);
}

#[test]
fn octets_per_second_delay_and_lose_nothing() {
    let scopes: [Change; 3] = [
        |config| config.limits.octets_per_second_max = 40_000,
        |config| config.listeners[0].octets_per_second_max = 40_000,
        |config| config.limits.source_octets_per_second_max = 40_000,
    ];
    for change in scopes {
        throttled(change, false, 40_000);
        throttled(change, true, 40_000);
    }
}

#[test]
fn a_throttled_session_is_neither_idle_nor_woken_by_its_partner() {
    throttled(
        |config| {
            config.limits.octets_per_second_max = 20_000;
            config.listeners[0].idle_timeout = Duration::from_millis(100);
            // Far below what waits: the partner becomes writable again and again meanwhile.
            config.engine.send_high_mark_octets = 8192;
            config.engine.send_low_mark_octets = 4096;
        },
        false,
        20_000,
    );
}

#[test]
fn sessions_that_share_a_limit_have_equal_parts_of_it() {
    let mut world = relay(|config| config.limits.octets_per_second_max = 64_000);
    let sessions: Vec<_> = (0..4).map(|_| world.establish(&mms())).collect();
    for (client, _) in &sessions {
        for _ in 0..500 {
            world.of_client(|ctx| send(ctx, *client, &[1; 1000]));
        }
    }
    world.run_for(20 * SECOND);
    let came: Vec<usize> =
        sessions.iter().map(|(_, server)| world.server.app().ssdus(*server).len()).collect();
    let all: usize = came.iter().sum();
    assert!((1000..=1400).contains(&all), "{came:?}");
    // The first one got the burst.
    assert!(came.iter().all(|count| *count >= 200), "{came:?}");
    world.kill_client();
    assert_nothing_taken(&mut world);
}

#[test]
fn a_shard_that_holds_too_much_lets_nobody_in_until_it_holds_less() {
    let mut world = relay(|config| config.limits.shard_memory_octets_max = 1 << 20);
    world.server.app_mut().pause = true;
    let sessions: Vec<_> = (0..8).map(|_| world.establish(&mms())).collect();
    let ssdus = 40;
    for (client, _) in &sessions {
        for number in 0..ssdus {
            world.of_client(|ctx| send(ctx, *client, &vec![number; 20_000]));
        }
    }
    world.run_for(SECOND);
    let held = world.of_gateway(|ctx| ctx.octets_held());
    assert!(held >= 1 << 20, "{held} octets held");
    is_refused(&mut world, 1);
    assert_eq!(refused(&world, Scope::Shard, Limit::Memory), 1);
    // What is stopped stays stopped, but for what one session at a time may add.
    world.run_for(2 * SECOND);
    let more = world.of_gateway(|ctx| ctx.octets_held());
    assert!(more < 8 * ssdus as usize * 20_000, "{more} octets held");
    world.server.app_mut().pause = false;
    for (_, server) in &sessions {
        world.of_server(|ctx| ctx.resume(*server));
    }
    world.run_for(5 * SECOND);
    for (_, server) in &sessions {
        let expected: Vec<_> = (0..ssdus).map(|number| vec![number; 20_000]).collect();
        assert!(world.server.app().ssdus(*server) == expected, "all of it, in order");
    }
    world.establish(&mms());
    world.kill_client();
    assert_nothing_taken(&mut world);
}

/// A limit that a reload brings, or takes away, holds for sessions that are there.
#[test]
fn limits_are_those_of_the_last_reload() {
    let with = |rate: u64, sessions: usize| {
        let mut config = relay_config(Profile::Mms);
        config.limits.octets_per_second_max = rate;
        config.limits.sessions_max = sessions;
        config
    };
    let mut world = relay(|_| {});
    let (client, server) = world.establish(&mms());
    let reload = |world: &mut World, config: Config| {
        let next = world.gateway.app().plan().succeed(config);
        world.command(GatewayCommand::Reload(std::sync::Arc::new(next)));
    };
    let burst = |world: &mut World| {
        for _ in 0..100 {
            world.of_client(|ctx| send(ctx, client, &[7; 1000]));
        }
        world.settle();
        world.server.app().ssdus(server).len()
    };
    assert_eq!(burst(&mut world), 100);
    reload(&mut world, with(10_000, 1));
    let came = burst(&mut world);
    assert!(came < 115, "{came}");
    is_refused(&mut world, 1);
    world.run_for(SECOND);
    assert!(world.server.app().ssdus(server).len() < 125);
    reload(&mut world, with(0, 0));
    world.settle();
    assert_eq!(world.server.app().ssdus(server).len(), 200);
    world.establish(&mms());
    world.kill_client();
    assert_nothing_taken(&mut world);
}
