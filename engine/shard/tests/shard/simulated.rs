//! Random users on a hostile network in virtual time: whatever happens, every session ends exactly once,
//! what arrives is what was sent in its order, and nothing is left.
//!
//! `COLLOQUY_SEED=n` runs that seed alone.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use colloquy_session::machine::Companions;
use colloquy_session::{
    ConnectParameters, Enclosure, FunctionalUnits, ProviderAbortReason, Request, SerialNumber, SessionConfig,
    Tokens,
};
use colloquy_shard::{ConnectTarget, ListenerConfig, SessionId, Shard, ShardConfig, TargetWire};
use colloquy_transport::buf::{PoolConfig, Slice};
use colloquy_transport::class0::Class0Config;
use colloquy_transport::driver::Driver;
use colloquy_transport::driver::sim::{Random, SimConfig, SimDriver, SimFaults, SimHostConfig, SimNet};

use crate::recorder::{Manners, Recorder, Seen, proposal, target};
use crate::secured::Secured;

const SEEDS: u64 = 150;
const STEPS_MAX: usize = 50_000;
/// Steps in which the users act.
const ACTING_STEPS: usize = 1500;
const SESSIONS: usize = 12;

/// How a point stands among the SSDUs of a session: none of them looks like it.
const POINT: &[u8] = b"point";
const WITH_POINT: Companions<'static> = Companions {
    begin: None,
    point: Some(Request::SyncMinor { confirmation_optional: true, data_separation: false, user_data: b"" }),
    tokens: Tokens::empty(),
};

struct World {
    net: SimNet,
    random: Random,
    server: Shard<SimDriver, Recorder>,
    client: Shard<SimDriver, Recorder>,
    /// Both sides keep transport connections.
    reuse: bool,
    /// Both sides use the transport expedited flow.
    expedited: bool,
    /// What the client's connections begin with: TLS, and a PROXY header before it.
    wire: Option<TargetWire>,
    /// What each session of the client has sent.
    sent: HashMap<SessionId, Vec<Vec<u8>>>,
}

#[test]
fn random_users_on_a_hostile_network_end_exactly_once() {
    let given = std::env::var("COLLOQUY_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let seeds = given.map_or(0..SEEDS, |seed| seed..seed + 1);
    let (mut released, mut faults, mut kept, mut expedited, mut points, mut secured) = (0, 0, 0, 0, 0, 0);
    for seed in seeds {
        // Shown when the test fails.
        println!("COLLOQUY_SEED={seed}");
        let mut world = World::new(seed);
        world.run();
        world.check();
        released += world.server.tally().ended_released;
        kept += world.server.tally().transports_kept;
        expedited += world.server.tally().spdus_expedited_data_in;
        points += world.server.tally().spdus_sync_in;
        secured +=
            world.server.tally().tls_handshakes_12.min(1) + world.server.tally().tls_handshakes_13.min(1);
        faults += world.net.fault_counts().resets + world.net.fault_counts().eofs;
    }
    if given.is_none() {
        assert!(
            released > SEEDS
                && faults > SEEDS / 4
                && kept > SEEDS
                && expedited > SEEDS
                && points > SEEDS
                && secured > SEEDS / 8,
            "the mix is wrong: {released} released, {faults} lost, {kept} kept, {expedited} expedited, \
             {points} points, {secured} over TLS"
        );
    }
}

#[test]
fn a_seed_reproduces_its_run() {
    let digest = |seed| {
        let mut world = World::new(seed);
        world.run();
        (world.net.digest(), *world.server.tally(), *world.client.tally())
    };
    let (first, mut second) = (digest(7), digest(7));
    // What copies the thread has made before is no part of the run.
    (second.1.copies_small, second.1.copied_octets) = (first.1.copies_small, first.1.copied_octets);
    (second.2.copies_small, second.2.copied_octets) = (first.2.copies_small, first.2.copied_octets);
    (second.1.copies_large, second.2.copies_large) = (first.1.copies_large, first.2.copies_large);
    assert_eq!(first, second);
}

impl World {
    fn new(seed: u64) -> Self {
        let faults = [SimFaults::NONE, SimFaults::ROUGH, SimFaults::HOSTILE, SimFaults::HOSTILE];
        let faults = faults[seed as usize % faults.len()];
        let net = SimNet::new(SimConfig { seed, faults, ..SimConfig::default() });
        let pool = PoolConfig { block_count: 6, block_octets: 8 << 10 };
        let host = SimHostConfig { pool, ..SimHostConfig::default() };
        let driver = |last| SimDriver::new(&net, Ipv4Addr::new(10, 0, 0, last).into(), host);
        let config = ShardConfig {
            virtual_time: true,
            session_tsdus_per_turn_max: 3,
            completions_per_turn_max: 5,
            sessions_max: 10,
            ..ShardConfig::default()
        };
        let echo = seed.is_multiple_of(3);
        let mut server = Shard::new(driver(1), Recorder::new(Manners { echo, ..Manners::default() }), config);
        let client = Shard::new(driver(2), Recorder::default(), config);
        let listener = net.bind((Ipv4Addr::new(10, 0, 0, 1), 102).into()).unwrap();
        let extended = seed % 7 < 4;
        let (reuse, expedited) = (seed % 5 == 1 || seed % 5 == 2, seed % 5 == 3);
        let listening = ListenerConfig {
            transport: class0(expedited),
            session: session(reuse, extended),
            ..Default::default()
        };
        server.listen(listener, 7, listening).unwrap();
        let secured = (seed % 5 == 4).then(|| Secured::new(!(seed / 5).is_multiple_of(3), seed / 5 % 3 != 1));
        let source = (seed % 3 == 1).then(|| (Ipv4Addr::new(192, 0, 2, 7), 8080).into());
        if let Some(secured) = &secured {
            server.with(|_, ctx| ctx.set_listener_wire(7, &secured.listener(source.is_some())));
        }
        let wire = secured.map(|secured| secured.target(source));
        Self { wire, net, random: Random::new(!seed), server, client, reuse, expedited, sent: HashMap::new() }
    }

    /// The users act at random for a while; then they release what is left and wait.
    fn run(&mut self) {
        let mut opened = 0;
        for step in 0..STEPS_MAX {
            let acting = step < ACTING_STEPS;
            if opened < SESSIONS && self.random.chance(100_000) {
                opened += 1;
                let wire = self.wire.clone();
                let to = ConnectTarget { wire: wire.as_ref(), ..self.target() };
                self.client.app_mut().again_left += u64::from(self.reuse);
                if let Ok(id) = self.client.with(|_, ctx| ctx.connect(&to)) {
                    self.sent.insert(id, Vec::new());
                }
            }
            if acting {
                self.act_as_client();
                self.act_as_server();
            } else if (step - ACTING_STEPS).is_multiple_of(64) {
                self.release_all();
            }
            self.client.turn(Some(Duration::ZERO)).unwrap();
            self.server.turn(Some(Duration::ZERO)).unwrap();
            let next = [self.net.next_event(), self.client.next_deadline(), self.server.next_deadline()];
            let next = next.into_iter().flatten().min();
            let now = self.net.now();
            // Users act every few milliseconds; nobody is paused for as long as a time-out takes.
            let at_most = if acting { now + Duration::from_millis(20) } else { Duration::MAX };
            match next {
                Some(next) => self.net.advance_to(next.clamp(now, at_most)),
                None if acting => self.net.advance_to(at_most),
                None if self.everyone_is_gone() => return,
                None => {}
            }
        }
        panic!("not over: {:#?} {:#?}", self.client.inspect(), self.server.inspect());
    }

    fn target(&self) -> ConnectTarget<'static> {
        let connect = ConnectParameters {
            requirements: UNITS,
            initial_serial_number: Some(SerialNumber(1)),
            ..proposal(b"random")
        };
        ConnectTarget {
            wire: None,
            transport: class0(self.expedited),
            session: session(self.reuse, false),
            ..target((Ipv4Addr::new(10, 0, 0, 1), 102).into(), connect)
        }
    }

    /// Goes on until nothing is left: a session may still be on its way up, and another one follow it.
    fn release_all(&mut self) {
        self.client.app_mut().again_left = 0;
        for id in self.client_ids() {
            self.client.with(|app, ctx| {
                app.resume(ctx, id);
                _ = ctx.release_request(id, &[]);
            });
        }
        for id in self.server_ids() {
            self.server.with(|app, ctx| app.resume(ctx, id));
        }
    }

    /// In an order that the seed decides, not the hasher.
    fn client_ids(&self) -> Vec<SessionId> {
        let kept = |(id, seen): &(SessionId, Seen)| matches!(seen, Seen::Kept(_)).then_some(*id);
        let kept = self.client.app().seen.iter().filter_map(kept);
        let mut ids: Vec<SessionId> = self.sent.keys().copied().chain(kept).collect();
        ids.sort_by_key(|id| (id.index, id.generation));
        ids.dedup();
        ids
    }

    fn server_ids(&self) -> Vec<SessionId> {
        let connects = |(id, seen): &(SessionId, Seen)| matches!(seen, Seen::Connect(_)).then_some(*id);
        self.server.app().seen.iter().filter_map(connects).collect()
    }

    fn everyone_is_gone(&self) -> bool {
        self.client.connection_count() + self.server.connection_count() == 0
    }

    fn act_as_client(&mut self) {
        for id in self.client_ids() {
            let (choice, octets) = (self.random.below(1000), self.random.below(9000) as usize);
            let sent = &mut self.sent;
            self.client.with(|app, ctx| match choice {
                0..100 if !ctx.is_congested(id) => {
                    let body: Vec<u8> = (0..octets).map(|i| (i + octets) as u8).collect();
                    let slice = [Slice::from_vec(body.clone())];
                    if choice < 60 {
                        if ctx.data_request(id, &slice, Enclosure::WHOLE).is_ok() {
                            sent.entry(id).or_default().push(body);
                        }
                    } else if ctx.data_request_with(id, &slice, Enclosure::WHOLE, &WITH_POINT).is_ok() {
                        sent.entry(id).or_default().extend([body, POINT.to_vec()]);
                    }
                }
                100..110 => _ = ctx.release_request(id, &[]),
                110 => _ = ctx.abort_request(id, &[]),
                111 => ctx.provider_abort(id, ProviderAbortReason::Undefined),
                112..120 => ctx.set_timer(id, Some(ctx.now() + Duration::from_millis(choice))),
                120..140 => app.pause(ctx, id),
                140..300 => app.resume(ctx, id),
                300..320 => _ = ctx.request(id, &Request::ExpeditedData { user_data: &[choice as u8] }),
                _ => {}
            });
        }
    }

    fn act_as_server(&mut self) {
        for id in self.server_ids() {
            let choice = self.random.below(1000);
            self.server.with(|app, ctx| match choice {
                0..20 => app.pause(ctx, id),
                20..300 => app.resume(ctx, id),
                300 => _ = ctx.abort_request(id, &[]),
                301..320 => _ = ctx.request(id, &Request::ExpeditedData { user_data: &[choice as u8] }),
                _ => {}
            });
        }
    }

    fn check(&self) {
        for id in &self.client_ids() {
            let sent = self.sent.get(id).map_or(&[][..], Vec::as_slice);
            let seen = self.client.app().of(*id);
            let ends = seen.iter().filter(|seen| matches!(seen, Seen::Ended(_))).count();
            assert_eq!(ends, 1, "client's {id:?}: {ends} ends");
            assert!(matches!(seen.last(), Some(Seen::Ended(_))), "nothing comes after the end");
            assert!(sent.len() < STEPS_MAX);
        }
        self.check_server();
        if !self.is_lossy() {
            self.check_ends_without_losses();
        }
        for shard in [&self.client, &self.server] {
            let stats = shard.driver().stats();
            assert_eq!((stats.connections, stats.octets_pinned), (0, 0));
            let tally = shard.tally();
            assert_eq!((tally.sessions_open_initiator, tally.sessions_open_responder), (0, 0));
            assert_eq!((tally.sessions_established, tally.refusals_open), (0, 0));
            assert_eq!(tally.sessions_opened, shard.app().ends().len() as u64);
            assert_eq!((tally.faults_transport, tally.faults_session), (0, 0), "both sides are sound");
        }
        assert_eq!(self.net.open_sockets(), 0);
    }

    fn is_lossy(&self) -> bool {
        let faults = self.net.fault_counts();
        faults.resets + faults.eofs + faults.connects_refused + faults.connect_timeouts > 0
    }

    /// Without losses every session ends by what a user did; nothing is lost, and no time runs out.
    fn check_ends_without_losses(&self) {
        let by_a_user = |end: &str| {
            ["Released", "Aborted", "Unused", "TransportRefused { reason: 1 }"]
                .iter()
                .any(|start| end.starts_with(start))
        };
        assert!(self.client.app().ends().into_iter().all(by_a_user), "{:?}", self.client.app().ends());
        // A client that gives up before it has a session closes or resets the connection, or cancels its CR by DR.
        let cancelled = |end: &str| end == "TransportRefused { reason: 0 }";
        let early = |end: &str| self.wire.is_some() && end.starts_with("Wire") && end.contains("Truncated");
        let by_its_peer =
            |end: &str| by_a_user(end) || end == "Eof" || end == "Network" || early(end) || cancelled(end);
        assert!(self.server.app().ends().into_iter().all(by_its_peer), "{:?}", self.server.app().ends());
    }

    /// What each session of the server has received begins what some session of the client has sent, and is all
    /// of it when it was released in order.
    fn check_server(&self) {
        let app = self.server.app();
        let mut received = HashMap::<SessionId, Vec<Vec<u8>>>::new();
        for (id, seen) in &app.seen {
            match seen {
                Seen::Data(octets) => received.entry(*id).or_default().push(octets.clone()),
                Seen::Told(text) if text.starts_with("SyncMinor") => {
                    received.entry(*id).or_default().push(POINT.to_vec());
                }
                Seen::Ended(_) => {
                    let ends = app.of(*id).iter().filter(|seen| matches!(seen, Seen::Ended(_))).count();
                    assert_eq!(ends, 1, "server's {id:?}: {ends} ends");
                }
                _ => {}
            }
        }
        for (id, received) in received {
            let released = app.of(id).contains(&Seen::Release);
            let fits = |sent: &Vec<Vec<u8>>| match released {
                true => *sent == received,
                false => sent.starts_with(&received),
            };
            assert!(self.sent.values().any(fits), "server's {id:?} received what nobody sent");
        }
    }
}

fn class0(expedited: bool) -> Class0Config {
    Class0Config { expedited, ..Class0Config::default() }
}

const UNITS: FunctionalUnits =
    FunctionalUnits::DUPLEX.union(FunctionalUnits::EXPEDITED).union(FunctionalUnits::MINOR_SYNC);

fn session(transport_reuse: bool, extended_concatenation: bool) -> SessionConfig {
    SessionConfig {
        functional_units: UNITS,
        transport_reuse,
        extended_concatenation,
        ..SessionConfig::default()
    }
}
