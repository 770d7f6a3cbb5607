//! Where a relay's sessions go: routes, groups, retries, ejection, checks; in a simulated network.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::config::{
    Balance, Config, Destination, HealthCheck, HealthLevel, ListenerApplication, Profile, RouteConfig,
    TargetConfig, UpstreamConfig,
};
use colloquy_gateway::plan::{ConnectOutcome, Health};
use colloquy_gateway::record::RecordEvent;
use colloquy_session::{ConnectParameters, FunctionalUnits, Selector};
use colloquy_transport::class0::TransportSelector;
use colloquy_transport::driver::sim::{SimConfig, SimNet};
use common::peer::{Manners, Seen};
use common::{SERVER, World, address, mms, relay_config};

const SECOND: Duration = Duration::from_secs(1);
const OTHER: &str = "10.0.0.5:102";
const THIRD: &str = "10.0.0.6:102";

/// A relay to a group of these targets.
fn group(addresses: &[&str], balance: Balance) -> Config {
    let mut config = relay_config(Profile::Mms);
    config.listeners[0].application = ListenerApplication::Balance { upstream: 0 };
    let target = |(index, to): (usize, &&str)| TargetConfig::new(&format!("t{index}"), address(to));
    config.targets = addresses.iter().enumerate().map(target).collect();
    let all: Vec<usize> = (0..addresses.len()).collect();
    config.upstreams = vec![UpstreamConfig { balance, ..UpstreamConfig::new("u", &all) }];
    config
}

fn routed(routes: Vec<RouteConfig>) -> Config {
    let mut config = relay_config(Profile::Mms);
    config.listeners[0].application = ListenerApplication::Routed;
    config.targets.push(TargetConfig::new("other", address(OTHER)));
    config.route_order = (0..routes.len()).collect();
    config.routes = routes;
    config
}

fn refused(world: &World, client: colloquy_shard::SessionId) -> Option<u8> {
    match world.client.app().of(client).first() {
        Some(Seen::Refused(reason, _)) => Some(*reason),
        _ => None,
    }
}

fn accepted(world: &World, client: colloquy_shard::SessionId) -> bool {
    matches!(world.client.app().of(client).first(), Some(Seen::Accept(_)))
}

fn to(target: usize) -> RouteConfig {
    RouteConfig::new("r", Destination::Target(target))
}

#[test]
fn sessions_go_where_the_first_route_that_fits_says() {
    let called = |octets: &[u8]| Some(vec![Selector::new(octets).unwrap()]);
    let config = routed(vec![
        RouteConfig { called_ssaps: called(b"A"), ..to(1) },
        RouteConfig { called_ssaps: called(b"B"), ..RouteConfig::new("no", Destination::Refuse(131)) },
        RouteConfig { called_ssaps: called(b"SS"), ..to(0) },
    ]);
    let mut world = World::new(config, Manners::default());
    let other = world.add_server(OTHER, Manners::default());
    let calling = |octets: &[u8]| ConnectParameters { called: Selector::new(octets).unwrap(), ..mms() };
    let first = world.connect(&calling(b"A"));
    assert!(accepted(&world, first));
    assert_eq!((world.others[other].app().sessions.len(), world.server.app().sessions.len()), (1, 0));
    let second = world.connect(&calling(b"B"));
    assert_eq!(refused(&world, second), Some(131));
    let third = world.connect(&mms());
    assert!(accepted(&world, third));
    assert_eq!((world.others[other].app().sessions.len(), world.server.app().sessions.len()), (1, 1));
    let fourth = world.connect(&calling(b"C"));
    assert_eq!(refused(&world, fourth), Some(129));
    let no_route = |refused| RecordEvent::NoRoute { refused };
    assert_eq!(
        world.events(|event| matches!(event, RecordEvent::NoRoute { .. })),
        [no_route(131), no_route(129)]
    );
    let plan = world.gateway.app().plan().clone();
    let counts: Vec<_> = plan.routes.iter().map(|route| (route.sessions(), route.selections())).collect();
    assert_eq!(counts, [(1, 1), (0, 1), (1, 1)]);
    world.kill_client();
    world.run_out();
    assert!(plan.routes.iter().all(|route| route.sessions() == 0));
    assert!(plan.targets.iter().all(|target| target.sessions() == 0));
}

#[test]
fn a_called_tsap_that_no_route_has_is_refused_by_dr() {
    let tsaps = Some(vec![TransportSelector::new(b"OTHER").unwrap()]);
    let config = routed(vec![RouteConfig { called_tsaps: tsaps, ..to(0) }]);
    let mut world = World::new(config, Manners::default());
    let client = world.connect(&mms());
    let seen = world.client.app().of(client);
    assert!(seen.contains(&Seen::Ended("TransportRefused { reason: 3 }".into())), "{seen:?}");
}

#[test]
fn a_route_may_want_functional_units() {
    let units = FunctionalUnits::NEGOTIATED_RELEASE;
    let mut config = routed(vec![RouteConfig { functional_units: units, ..to(0) }]);
    config.targets[0].profile = Profile::Transparent;
    let mut world = World::new(config, Manners::default());
    let client = world.connect(&mms());
    assert_eq!(refused(&world, client), Some(134));
    let client = world.connect(&common::half_duplex());
    assert!(accepted(&world, client));
}

#[test]
fn the_next_target_is_tried_whatever_way_the_first_one_fails() {
    let ways = [
        (None, ConnectOutcome::Unreachable),
        (Some(Manners::Refuse(130, b"")), ConnectOutcome::Unavailable),
        (Some(Manners::Refuse(131, b"")), ConnectOutcome::Unavailable),
        (Some(Manners::Refuse(133, b"")), ConnectOutcome::Unavailable),
        (Some(Manners::RefuseTransport(1)), ConnectOutcome::TransportRefused),
        (Some(Manners::ProviderAbort), ConnectOutcome::ProviderAborted),
        (Some(Manners::Nothing), ConnectOutcome::Timeout),
    ];
    for (manners, outcome) in ways {
        let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
        config.targets[0].connect_timeout = SECOND;
        let mut world = World::new(config, Manners::default());
        if let Some(manners) = manners {
            world.add_server(OTHER, manners);
        }
        let client = world.connect(&ConnectParameters { user_data: b"kept", ..mms() });
        world.run_for(2 * SECOND);
        assert!(accepted(&world, client), "{outcome:?}: {:?}", world.client.app().of(client));
        let server = world.server.app().last();
        assert_eq!(world.server.app().connected(server).user_data, b"kept");
        let plan = world.gateway.app().plan().clone();
        assert_eq!((plan.targets[0].connects(outcome), plan.targets[0].retries()), (1, 1), "{outcome:?}");
        assert_eq!(plan.targets[1].connects(ConnectOutcome::Accepted), 1);
        assert_eq!((plan.targets[0].sessions(), plan.targets[1].sessions()), (0, 1));
        world.kill_client();
        world.run_out();
        assert_eq!(plan.targets[1].sessions(), 0);
    }
}

#[test]
fn a_definite_answer_is_passed_on_at_once() {
    for reason in [0, 1, 2, 129, 132, 134] {
        let config = group(&[OTHER, SERVER], Balance::RoundRobin);
        let mut world = World::new(config, Manners::default());
        world.add_server(OTHER, Manners::Refuse(reason, b""));
        let before = world.net.now();
        let client = world.connect(&mms());
        assert_eq!(refused(&world, client), Some(reason));
        assert!(world.net.now() - before < Duration::from_millis(25), "no retry was waited for");
        assert!(world.server.app().sessions.is_empty());
    }
    let mut world = World::new(group(&[OTHER, SERVER], Balance::RoundRobin), Manners::default());
    world.add_server(OTHER, Manners::UserAbort(b"no"));
    let client = world.connect(&mms());
    assert_eq!(world.client.app().of(client)[0], Seen::UserAbort(b"no".to_vec()));
}

/// Nobody is there: each target is tried once, in the times that the configuration says, the same for each seed.
#[test]
fn retries_back_off_and_repeat_with_the_seed() {
    let run = |seed: u64| {
        let mut config = group(&["10.0.0.7:1", "10.0.0.7:2", "10.0.0.7:3"], Balance::RoundRobin);
        config.upstreams[0].retries_max = 2;
        config.upstreams[0].retry_backoff = SECOND;
        let mut world = World::new(config, Manners::default());
        world.gateway.app_mut().set_origin(Duration::ZERO, seed);
        let before = world.net.now();
        let client = world.connect(&mms());
        let mut end = None;
        for _ in 0..10_000 {
            world.run_for(Duration::from_millis(1));
            if refused(&world, client).is_some() {
                end = Some(world.net.now() - before);
                break;
            }
        }
        assert_eq!(refused(&world, client), Some(130));
        let plan = world.gateway.app().plan();
        let unreachable = |index: usize| plan.targets[index].connects(ConnectOutcome::Unreachable);
        assert_eq!([unreachable(0), unreachable(1), unreachable(2)], [1, 1, 1]);
        end.unwrap()
    };
    // 1 s and 2 s, half of each random.
    let times: Vec<_> = (0..5).map(run).collect();
    assert!(times.iter().all(|time| (1490..3100).contains(&time.as_millis())), "{times:?}");
    assert_eq!(times, (0..5).map(run).collect::<Vec<_>>());
    assert!(times.iter().any(|time| *time != times[0]), "{times:?}");
}

#[test]
fn retries_end_with_the_time_of_the_listener_and_with_its_peer() {
    let mut config = group(&[OTHER, SERVER, THIRD], Balance::RoundRobin);
    config.upstreams[0].retries_max = 100;
    config.listeners[0].connect_timeout = 3 * SECOND;
    let mut world = World::without_server(SimNet::new(SimConfig::default()), config, Manners::default());
    let before = world.net.now();
    let client = world.connect(&mms());
    while refused(&world, client).is_none() {
        world.run_for(Duration::from_millis(10));
    }
    let took = world.net.now() - before;
    assert!((SECOND..3 * SECOND).contains(&took), "{took:?}");
    assert_eq!(refused(&world, client), Some(130));
    let tried: u64 = world.gateway.app().plan().targets.iter().map(|target| target.retries()).sum();
    assert!((4..20).contains(&tried), "{tried}");
    let second = world.connect(&mms());
    world.run_for(Duration::from_millis(200));
    assert!(world.client.app().of(second).is_empty());
    world.kill_client();
    world.run_for(Duration::from_millis(100));
    let after = tried_sum(&world);
    world.run_for(5 * SECOND);
    assert_eq!(tried_sum(&world), after, "nothing is tried for a peer that has gone");
    world.assert_empty();
}

fn tried_sum(world: &World) -> u64 {
    world.gateway.app().plan().targets.iter().map(|target| target.retries()).sum()
}

#[test]
fn a_target_that_fails_in_a_row_is_ejected_and_comes_back() {
    let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
    config.targets[0].eject_failures = 3;
    config.targets[0].eject_time = 10 * SECOND;
    let mut world = World::new(config, Manners::default());
    for _ in 0..12 {
        let client = world.connect(&mms());
        world.run_for(Duration::from_millis(200));
        assert!(accepted(&world, client));
    }
    let plan = world.gateway.app().plan().clone();
    assert_eq!(plan.targets[0].connects(ConnectOutcome::Unreachable), 3, "passed over since");
    assert_eq!(plan.targets[0].ejections(), 1);
    assert!(plan.targets[0].ejected_until(world.net.now()).is_some());
    let other = world.add_server(OTHER, Manners::default());
    world.run_for(10 * SECOND);
    let about = |event: &RecordEvent| {
        matches!(event, RecordEvent::TargetEjected { .. } | RecordEvent::TargetRestored)
    };
    assert_eq!(
        world.events(about),
        [RecordEvent::TargetEjected { time: 10 * SECOND }, RecordEvent::TargetRestored]
    );
    for _ in 0..4 {
        world.establish_anywhere(&mms());
    }
    assert_eq!(world.others[other].app().sessions.len(), 2);
}

#[test]
fn the_last_usable_target_is_never_ejected() {
    let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
    for target in &mut config.targets {
        target.eject_failures = 1;
    }
    config.targets[0].connect_timeout = SECOND;
    let mut world = World::without_server(SimNet::new(SimConfig::default()), config, Manners::default());
    for _ in 0..5 {
        let client = world.connect(&mms());
        world.run_for(3 * SECOND);
        assert_eq!(refused(&world, client), Some(130));
    }
    let plan = world.gateway.app().plan();
    let ejected =
        plan.targets.iter().filter(|target| target.ejected_until(world.net.now()).is_some()).count();
    assert!(ejected <= 1, "{ejected}");
    assert!(plan.targets.iter().all(|target| target.connects(ConnectOutcome::Unreachable) >= 2));
}

#[test]
fn provider_aborts_of_established_sessions_eject_too() {
    let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
    config.targets[0].eject_failures = 2;
    let mut world = World::new(config, Manners::default());
    let other = world.add_server(OTHER, Manners::default());
    for _ in 0..2 {
        world.establish_anywhere(&mms());
        world.establish_anywhere(&mms());
        let session = world.others[other].app().last();
        let reason = colloquy_session::ProviderAbortReason::Undefined;
        world.others[other].with(|_, ctx| ctx.provider_abort(session, reason));
        world.settle();
    }
    assert_eq!(world.gateway.app().plan().targets[0].ejections(), 1);
}

#[test]
fn a_target_alone_is_tried_once_and_never_ejected() {
    let mut config = relay_config(Profile::Mms);
    config.targets[0].eject_failures = 1;
    let mut world = World::without_server(SimNet::new(SimConfig::default()), config, Manners::default());
    for _ in 0..3 {
        let client = world.connect(&mms());
        assert_eq!(refused(&world, client), Some(130));
    }
    assert_eq!(world.gateway.app().plan().targets[0].ejections(), 0);
    assert_eq!(world.gateway.app().plan().targets[0].connects(ConnectOutcome::Unreachable), 3);
}

#[test]
fn states_and_limits_of_targets_decide() {
    use colloquy_gateway::config::{ConnectionPolicy, TargetState};
    let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
    config.targets[0].policy = ConnectionPolicy::IncomingOnly;
    config.targets[1].sessions_max = 1;
    let mut world = World::new(config, Manners::default());
    world.add_server(OTHER, Manners::default());
    world.establish(&mms());
    let full = world.connect(&mms());
    assert_eq!(refused(&world, full), Some(131));
    world.gateway.app().plan().targets[1].set_state(TargetState::Drain);
    let none = world.connect(&mms());
    assert_eq!(refused(&world, none), Some(130));
    let no_target = world.events(|event| matches!(event, RecordEvent::NoTarget { .. }));
    assert_eq!(no_target, [RecordEvent::NoTarget { refused: 131 }, RecordEvent::NoTarget { refused: 130 }]);
}

fn checked(level: HealthLevel) -> Config {
    let mut config = group(&[OTHER, SERVER], Balance::RoundRobin);
    config.targets[0].health =
        HealthCheck { level, interval: SECOND, timeout: Duration::from_millis(500), rise: 2, fall: 3 };
    config
}

#[test]
fn checks_find_a_target_down_and_up_again_at_each_level() {
    for level in [HealthLevel::Tcp, HealthLevel::Transport, HealthLevel::Session] {
        let mut world = World::new(checked(level), Manners::default());
        let health = |world: &World| world.gateway.app().plan().targets[0].health();
        world.run_for(Duration::from_millis(1700));
        assert_eq!(health(&world), Health::Unknown, "{level:?}: three must fail");
        world.run_for(2 * SECOND);
        assert_eq!(health(&world), Health::Down, "{level:?}");
        for _ in 0..4 {
            world.establish(&mms());
        }
        assert_eq!(world.gateway.app().plan().targets[0].retries(), 0, "{level:?}: passed over");
        world.add_server(OTHER, Manners::default());
        world.run_for(3 * SECOND);
        assert_eq!(health(&world), Health::Up, "{level:?}");
        let changes = world.events(|event| matches!(event, RecordEvent::TargetHealth { .. }));
        let change = |up, reason| RecordEvent::TargetHealth { up, reason };
        assert_eq!(changes, [change(false, Some("unreachable")), change(true, None)]);
        // Checks are no sessions of users, and leave nothing behind.
        assert_eq!(world.gateway.app().plan().targets[0].sessions(), 0);
        assert_eq!(world.ends().1, [], "{level:?}");
        assert!(world.gateway.connection_count() <= 9);
    }
}

/// What each level takes for life: a peer that accepts and says nothing, one that knows the transport only, one that
/// refuses sessions.
#[test]
fn each_level_asks_for_more() {
    let expected = [
        (Manners::Nothing, [Health::Up, Health::Up, Health::Down]),
        (Manners::RefuseTransport(1), [Health::Up, Health::Down, Health::Down]),
        (Manners::Refuse(130, b""), [Health::Up, Health::Up, Health::Up]),
        (Manners::ProviderAbort, [Health::Up, Health::Up, Health::Down]),
    ];
    let levels = [HealthLevel::Tcp, HealthLevel::Transport, HealthLevel::Session];
    for (manners, healths) in expected {
        for (level, health) in levels.into_iter().zip(healths) {
            let mut world = World::new(checked(level), Manners::default());
            world.add_server(OTHER, manners);
            world.run_for(6 * SECOND);
            assert_eq!(world.gateway.app().plan().targets[0].health(), health, "{level:?} {manners:?}");
        }
    }
}

#[test]
fn a_target_in_maintenance_is_not_checked() {
    use colloquy_gateway::config::TargetState;
    let mut world = World::new(checked(HealthLevel::Tcp), Manners::default());
    world.gateway.app().plan().targets[0].set_state(TargetState::Maint);
    world.run_for(10 * SECOND);
    assert_eq!(world.gateway.app().plan().targets[0].checks(), (0, 0));
}

fn warm(connections: usize) -> Config {
    use colloquy_gateway::config::ConnectionPolicy;
    let mut config = relay_config(Profile::Mms);
    config.targets[0].policy = ConnectionPolicy::OnStartup { warm_connections: connections };
    config.targets[0].called_tsap = TransportSelector::new(b"T1");
    config.targets[0].calling_tsap = TransportSelector::new(b"T2");
    config
}

#[test]
fn warm_connections_are_there_before_sessions_and_are_replaced_at_once() {
    let mut world = World::new(warm(3), Manners::default());
    world.settle();
    let status = |world: &World| world.gateway.app().plan().targets[0].warm_connections();
    assert_eq!((status(&world), world.server.connection_count()), (3, 3));
    let client = world.establish_anywhere(&mms());
    let server = world.server.app().sessions[0];
    assert_eq!(world.server.app().connected(server).called_tsap, b"T1");
    assert_eq!((status(&world), world.server.connection_count()), (3, 4));
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    assert_eq!((status(&world), world.server.connection_count()), (3, 3));
    assert_eq!(world.gateway.app().plan().targets[0].sessions(), 0);
    assert_eq!(world.ends().1.len(), 1, "of the one session; what waits has no record");
}

#[test]
fn a_warm_connection_that_is_lost_is_opened_again() {
    let mut world = World::without_server(SimNet::new(SimConfig::default()), warm(2), Manners::default());
    world.run_for(5 * SECOND);
    assert_eq!(world.gateway.app().plan().targets[0].warm_connections(), 0);
    let socket = world.net.bind(address(SERVER)).unwrap();
    world.server.listen(socket, 0, Default::default()).unwrap();
    world.run_for(11 * SECOND);
    assert_eq!(world.gateway.app().plan().targets[0].warm_connections(), 2);
}

/// Ten in a second, although no session is there that would take the turns.
#[test]
fn warm_connections_leave_at_the_pace_of_a_drain() {
    use colloquy_gateway::app::GatewayCommand;
    use colloquy_gateway::config::DrainConfig;
    use colloquy_gateway::drain::DrainOrder;
    let mut world = World::new(warm(10), Manners::default());
    world.run_for(2 * SECOND);
    world.command(GatewayCommand::Drain(DrainOrder::new(DrainConfig {
        deadline: 30 * SECOND,
        sessions_per_second: 10,
        jitter_percent: 0,
        idle_for: SECOND,
        ..DrainConfig::default()
    })));
    for left in (1..=9).rev() {
        world.run_for(SECOND / 20);
        assert_eq!(world.server.connection_count(), left);
        world.run_for(SECOND / 20);
    }
    world.run_for(SECOND);
    assert!(world.gateway.is_finished());
}

/// A target that accepts and then closes whatever brings no session is not connected to in a loop.
#[test]
fn warm_connections_that_do_not_last_are_tried_less_and_less_often() {
    let mut world = World::without_server(SimNet::new(SimConfig::default()), warm(2), Manners::default());
    world.run_for(60 * SECOND);
    let status = &world.gateway.app().plan().targets[0];
    // Seven rounds of two until the longest pause is reached, then one in five to ten seconds.
    assert!((10..=40).contains(&status.warm_failures()), "{}", status.warm_failures());
    assert_eq!(status.last_failure(), Some("unreachable"));
    let told = world.events(|event| matches!(event, RecordEvent::WarmFailed { .. }));
    assert!((3..=5).contains(&told.len()), "the first, the second, the fourth, the eighth: {told:?}");
    let socket = world.net.bind(address(SERVER)).unwrap();
    world.server.listen(socket, 0, Default::default()).unwrap();
    world.run_for(11 * SECOND);
    assert_eq!(world.gateway.app().plan().targets[0].last_failure(), None);
}

#[test]
fn sessions_of_a_target_in_maintenance_end_at_the_pace_of_the_drain() {
    use colloquy_gateway::app::GatewayCommand;
    use colloquy_gateway::config::TargetState;
    let mut config = relay_config(Profile::Mms);
    config.drain.sessions_per_second = 2;
    config.drain.jitter_percent = 0;
    let mut world = World::new(config, Manners::default());
    let clients: Vec<_> = (0..5).map(|_| world.establish_anywhere(&mms())).collect();
    world.run_for(10 * SECOND);
    world.gateway.app().plan().targets[0].set_state(TargetState::Maint);
    world.command(GatewayCommand::TargetsChanged);
    let asked = |world: &World| {
        let is_asked = |id: &&colloquy_shard::SessionId| {
            world.client.app().of(**id).iter().any(|seen| matches!(seen, Seen::Release(_)))
        };
        clients.iter().filter(is_asked).count()
    };
    for half_second in 0..4 {
        assert_eq!(asked(&world), half_second + 1);
        world.run_for(SECOND / 2);
    }
    world.gateway.app().plan().targets[0].set_state(TargetState::Ready);
    world.run_for(5 * SECOND);
    assert!(asked(&world) <= 5);
    world.establish_anywhere(&mms());
}
