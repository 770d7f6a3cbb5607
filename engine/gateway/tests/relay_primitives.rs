//! Every primitive of every functional unit over the relay, between two users in a simulated network.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use colloquy_gateway::config::{Config, Profile};
use colloquy_session::{
    ActivityResumeParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, OldConnection, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, SessionConfig, State,
    TokenSettings, TokenSide, Tokens, TsduMaximumSize, Versions,
};
use colloquy_shard::{ConnectTarget, ListenerConfig as ShardListenerConfig, SessionId};
use colloquy_transport::buf::Slice;
use colloquy_transport::class0::Class0Config;
use colloquy_transport::driver::ConnectOptions;
use colloquy_transport::driver::sim::{SimConfig, SimNet};
use common::peer::{Manners, Seen, send};
use common::{GATEWAY, SERVER, World, address, mms, relay_config};

/// All units that are verified, half duplex.
fn all() -> Fu {
    Fu::all() - Fu::SYMMETRIC_SYNC - Fu::DUPLEX
}

fn session(versions: Versions) -> SessionConfig {
    SessionConfig { versions, functional_units: Fu::all(), transport_reuse: true, ..SessionConfig::default() }
}

/// A session over the relay and its two users.
struct Dialogue {
    world: World,
    ends: [SessionId; 2],
    /// What each has seen and was looked at.
    read: [usize; 2],
}

const CLIENT: usize = 0;
const SERVER_END: usize = 1;

fn config() -> Config {
    let mut config = relay_config(Profile::Transparent);
    config.listeners[0].functional_units = Fu::all();
    config.listeners[0].transport_expedited = true;
    config.targets[0].transport_expedited = true;
    config
}

impl Dialogue {
    fn new(units: Fu, versions: Versions, expedited: [bool; 2]) -> Dialogue {
        let connect = ConnectParameters {
            requirements: units,
            versions,
            initial_serial_number: (!units.contains(Fu::ACTIVITY)).then_some(SerialNumber(7)),
            ..mms()
        };
        Self::with(config(), &connect, expedited)
    }

    fn with(config: Config, connect: &ConnectParameters<'_>, expedited: [bool; 2]) -> Dialogue {
        let manners = Manners::Accept(Fu::all(), b"accept");
        let mut world = World::without_server(SimNet::new(SimConfig::default()), config, manners);
        let transport = |expedited| Class0Config { expedited, ..Class0Config::default() };
        let listener = ShardListenerConfig {
            session: session(connect.versions),
            transport: transport(expedited[1]),
            ..ShardListenerConfig::default()
        };
        let socket = world.net.bind(address(SERVER)).unwrap();
        world.server.listen(socket, 0, listener).unwrap();
        let target = ConnectTarget {
            wire: None,
            address: address(GATEWAY),
            options: ConnectOptions::default(),
            calling_tsap: None,
            called_tsap: None,
            transport: transport(expedited[0]),
            session: session(connect.versions),
            connect: *connect,
        };
        let client = world.client.with(|_, ctx| ctx.connect(&target)).unwrap();
        world.settle();
        let accepted = world.client.app().of(client);
        assert!(matches!(accepted[..], [Seen::Accept(_)]), "{accepted:?}");
        let server = world.server.app().last();
        Dialogue { world, ends: [client, server], read: [1, 1] }
    }

    /// A request that must be taken; the network stands still.
    fn ask_only(&mut self, end: usize, request: &Request<'_>) {
        let id = self.ends[end];
        let asked = match end {
            CLIENT => self.world.of_client(|ctx| ctx.request(id, request)),
            _ => self.world.of_server(|ctx| ctx.request(id, request)),
        };
        asked.unwrap_or_else(|error| panic!("end {end}: {request:?}: {error}"));
    }

    /// A request that must be taken, and what the other end was told of it.
    fn ask(&mut self, end: usize, request: &Request<'_>) -> Vec<Seen> {
        self.ask_only(end, request);
        self.world.settle();
        self.told(1 - end)
    }

    /// What an end was told since this was asked last.
    fn told(&mut self, end: usize) -> Vec<Seen> {
        let seen = match end {
            CLIENT => self.world.client.app().of(self.ends[CLIENT]),
            _ => self.world.server.app().of(self.ends[SERVER_END]),
        };
        let from = std::mem::replace(&mut self.read[end], seen.len());
        seen[from..].to_vec()
    }

    /// Asks, expects the indication, answers, and expects the confirm.
    fn exchange(
        &mut self,
        end: usize,
        request: Request<'_>,
        told: &str,
        answer: Option<(Request<'_>, &str)>,
    ) {
        let indicated = self.ask(end, &request);
        assert_told(&indicated, told);
        if let Some((answer, told)) = answer {
            let confirmed = self.ask(1 - end, &answer);
            assert_told(&confirmed, told);
        }
        self.agree();
    }

    /// Tokens are at exactly one end, and the numbers are the same at both.
    fn agree(&mut self) {
        let [client, server] = self.ends;
        let of = |machine: &colloquy_session::Session| {
            let numbers = machine.serial_numbers();
            (
                machine.state(),
                (machine.tokens_available(), machine.tokens_owned()),
                (numbers.next, numbers.lowest_unconfirmed, numbers.lowest_restart),
            )
        };
        let one = self.world.of_client(|ctx| of(ctx.machine(client).unwrap()));
        let other = self.world.of_server(|ctx| of(ctx.machine(server).unwrap()));
        assert_eq!((one.0, other.0), (State::Sta713, State::Sta713));
        assert_eq!(one.1.0 - one.1.1, other.1.1, "tokens: {one:?} {other:?}");
        assert_eq!(one.2, other.2, "numbers: {one:?} {other:?}");
        assert_eq!(self.world.not_carried(), []);
        assert_eq!(self.world.faults(), []);
    }

    /// All tokens go to one end.
    fn give_all(&mut self, to: usize) {
        let from = 1 - to;
        let id = self.ends[from];
        let owned = match from {
            CLIENT => self.world.of_client(|ctx| ctx.machine(id).unwrap().tokens_owned()),
            _ => self.world.of_server(|ctx| ctx.machine(id).unwrap().tokens_owned()),
        };
        if !owned.is_empty() {
            self.exchange_tokens(from, owned);
        }
    }

    fn exchange_tokens(&mut self, from: usize, tokens: Tokens) {
        let seen = self.ask(from, &Request::TokenGive { tokens, user_data: &[] });
        assert_eq!(seen, [Seen::TokenGive(tokens, Vec::new())]);
        self.agree();
    }
}

/// One indication, whose text has all the words of `told`.
fn assert_told(seen: &[Seen], told: &str) {
    let [one] = seen else { panic!("{told} is expected: {seen:?}") };
    let text = format!("{one:?}");
    for word in told.split(' ') {
        assert!(text.contains(word), "{told} is expected: {text}");
    }
}

/// What `[117, 49]` is in the text of an indication.
const DATA: &[u8] = b"u1";
const PRINTED: &str = "117,";

fn every_primitive(dialogue: &mut Dialogue, end: usize) {
    let id = dialogue.ends[CLIENT];
    let v2 = dialogue.world.of_client(|ctx| ctx.machine(id).unwrap().version()) == Some(Versions::V2);
    // These have user data in version 2 only.
    let late_data: &[u8] = if v2 { DATA } else { &[] };
    let user_data = DATA;
    dialogue.give_all(end);
    let told = |name: &str| format!("{name} {PRINTED}");
    dialogue.exchange(
        end,
        Request::CapabilityData { user_data },
        &told("CapabilityData"),
        Some((Request::CapabilityDataResponse { user_data }, &told("CapabilityDataConfirm"))),
    );
    dialogue.exchange(
        end,
        Request::ActivityStart { identifier: b"a1", user_data },
        &told("ActivityStart"),
        None,
    );
    for (optional, word) in [(false, "confirmation_optional:"), (true, "true")] {
        let request =
            Request::SyncMinor { confirmation_optional: optional, data_separation: false, user_data };
        dialogue.exchange(end, request, &format!("SyncMinor {PRINTED} {word}"), None);
    }
    let serial_number = SerialNumber(1);
    dialogue.exchange(
        1 - end,
        Request::SyncMinorResponse { serial_number, user_data },
        &format!("SyncMinorConfirm SerialNumber(1) {PRINTED}"),
        None,
    );
    dialogue.exchange(
        end,
        Request::SyncMajor { user_data },
        &format!("SyncMajor SerialNumber(3) {PRINTED}"),
        Some((Request::SyncMajorResponse { user_data }, &told("SyncMajorConfirm"))),
    );
    exceptions_and_resynchronization(dialogue, end);
    dialogue.give_all(end);
    ends_of_activities(dialogue, end, late_data);
}

/// Interrupt, resume, discard, end; then all tokens go over at once.
fn ends_of_activities(dialogue: &mut Dialogue, end: usize, late_data: &[u8]) {
    let user_data = DATA;
    let told = |name: &str| format!("{name} {PRINTED}");
    let with_data = if late_data.is_empty() { "" } else { " 117," };
    dialogue.exchange(
        end,
        Request::ActivityInterrupt { reason: 3, user_data: late_data },
        "ActivityInterrupt 3",
        Some((
            Request::ActivityInterruptResponse { user_data: late_data },
            &format!("ActivityInterruptConfirm{with_data}"),
        )),
    );
    let resume = ActivityResumeParameters {
        identifier: b"a2",
        old_identifier: b"a1",
        serial_number: SerialNumber(40),
        old_connection: OldConnection { common_reference: b"cr", ..OldConnection::default() },
        user_data,
        second_serial_number: None,
    };
    dialogue.exchange(end, Request::ActivityResume(resume), "ActivityResume SerialNumber(40) 99,", None);
    dialogue.exchange(
        end,
        Request::ActivityDiscard { reason: 5, user_data: late_data },
        "ActivityDiscard 5",
        Some((Request::ActivityDiscardResponse { user_data: late_data }, "ActivityDiscardConfirm")),
    );
    dialogue.exchange(
        end,
        Request::ActivityStart { identifier: b"a3", user_data: &[] },
        "ActivityStart",
        None,
    );
    dialogue.exchange(
        end,
        Request::ActivityEnd { user_data },
        &told("ActivityEnd"),
        Some((Request::ActivityEndResponse { user_data }, &told("ActivityEndConfirm"))),
    );
    dialogue.exchange(end, Request::ControlGive { user_data: late_data }, "ControlGive", None);
    let tokens = Tokens::DATA | Tokens::MAJOR;
    let please = dialogue.ask(end, &Request::TokenPlease { tokens, user_data });
    assert_eq!(please, [Seen::TokenPlease(tokens, DATA.to_vec())]);
}

/// An exception that the peer of `end` reports, and recovery by each resynchronization.
fn exceptions_and_resynchronization(dialogue: &mut Dialogue, end: usize) {
    let user_data = DATA;
    let settings = TokenSettings {
        data: TokenSide::AcceptorChooses,
        minor: TokenSide::Responder,
        major: TokenSide::Initiator,
        release: TokenSide::AcceptorChooses,
    };
    let chosen = TokenSettings { data: TokenSide::Responder, ..TokenSettings::default() };
    for (resync_type, number) in
        [(ResyncType::Restart, Some(4)), (ResyncType::Set, Some(100)), (ResyncType::Abandon, None)]
    {
        dialogue.give_all(end);
        let exception = dialogue.ask(1 - end, &Request::UserException { reason: 1, user_data });
        assert_told(&exception, &format!("UserException {PRINTED}"));
        let asked = ResynchronizeParameters {
            resync_type,
            serial_number: number.map(SerialNumber),
            token_settings: Some(settings),
            user_data,
            second: None,
        };
        let answer = ResynchronizeAnswer {
            serial_number: (resync_type == ResyncType::Set).then_some(SerialNumber(200)),
            token_settings: Some(chosen),
            user_data,
            second_serial_number: None,
        };
        dialogue.exchange(
            end,
            Request::Resynchronize(asked),
            &format!("Resynchronize {resync_type:?} {PRINTED}"),
            Some((Request::ResynchronizeResponse(answer), &format!("ResynchronizeConfirm {PRINTED}"))),
        );
    }
    // Set was answered with a number of the acceptor's own, and abandon went on from there.
    let id = dialogue.ends[CLIENT];
    let next = dialogue.world.of_client(|ctx| ctx.machine(id).unwrap().serial_numbers().next);
    assert_eq!(next, SerialNumber(200));
}

#[test]
fn every_primitive_goes_over_both_ways_in_both_versions() {
    for versions in [Versions::V1, Versions::V2] {
        for expedited in [[false, false], [true, true], [true, false]] {
            let mut dialogue = Dialogue::new(all(), versions, expedited);
            for end in [CLIENT, SERVER_END] {
                every_primitive(&mut dialogue, end);
            }
        }
    }
}

#[test]
fn sixteen_units_are_negotiated_and_expedited_data_only_where_both_sides_have_it() {
    for (expedited, there) in [([true, true], true), ([true, false], false), ([false, true], false)] {
        let mut dialogue = Dialogue::new(Fu::all() - Fu::SYMMETRIC_SYNC, Versions::V2, expedited);
        // Of half duplex and duplex the responder takes duplex, and exceptions go with half duplex.
        let mut expected = Fu::all() - Fu::SYMMETRIC_SYNC - Fu::HALF_DUPLEX - Fu::EXCEPTIONS;
        expected.set(Fu::EXPEDITED, there);
        let id = dialogue.ends[CLIENT];
        let units = dialogue.world.of_client(|ctx| ctx.machine(id).unwrap().functional_units());
        assert_eq!(units, expected, "{expedited:?}");
        for end in [CLIENT, SERVER_END] {
            if there {
                let told = dialogue.ask(end, &Request::ExpeditedData { user_data: b"fourteen octet" });
                assert_told(&told, "ExpeditedData 102, 116]");
            }
            let id = dialogue.ends[end];
            let body = [Slice::from_vec(vec![9; 3000])];
            match end {
                CLIENT => dialogue.world.of_client(|ctx| ctx.typed_data_request(id, &body, Enclosure::WHOLE)),
                _ => dialogue.world.of_server(|ctx| ctx.typed_data_request(id, &body, Enclosure::WHOLE)),
            }
            .unwrap();
            dialogue.world.settle();
            assert_told(&dialogue.told(1 - end), "TypedData");
        }
        dialogue.agree();
    }
}

fn resync(resync_type: ResyncType, serial: u32) -> ResynchronizeParameters<'static> {
    let serial_number = (resync_type != ResyncType::Abandon).then_some(SerialNumber(serial));
    ResynchronizeParameters { resync_type, serial_number, ..ResynchronizeParameters::default() }
}

#[test]
fn resynchronizations_that_cross_end_alike_at_both_ends() {
    let types = [ResyncType::Restart, ResyncType::Set, ResyncType::Abandon];
    let units = Fu::DUPLEX | Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE;
    for (one, other) in types.iter().flat_map(|one| types.map(|other| (*one, other))) {
        for serials in [[3, 3], [2, 5], [5, 2]] {
            let mut dialogue = Dialogue::new(units, Versions::V2, [false, false]);
            let set = ResynchronizeParameters {
                token_settings: Some(TokenSettings::default()),
                ..resync(ResyncType::Set, 6)
            };
            assert_told(&dialogue.ask(CLIENT, &Request::Resynchronize(set)), "Resynchronize");
            dialogue.ask(SERVER_END, &Request::ResynchronizeResponse(ResynchronizeAnswer::default()));
            dialogue.ask_only(CLIENT, &Request::Resynchronize(resync(one, serials[0])));
            dialogue.ask_only(SERVER_END, &Request::Resynchronize(resync(other, serials[1])));
            dialogue.world.settle();
            dialogue.told(CLIENT);
            let ends = dialogue.ends;
            let loser = [
                dialogue.world.of_client(|ctx| ctx.machine(ends[0]).unwrap().state()),
                dialogue.world.of_server(|ctx| ctx.machine(ends[1]).unwrap().state()),
            ]
            .iter()
            .position(|state| *state == State::Sta11A)
            .expect("one of two that cross loses");
            let rank = |resync_type| types.iter().position(|known| *known == resync_type).unwrap();
            let initiator_wins = match rank(one).cmp(&rank(other)) {
                std::cmp::Ordering::Equal if one == ResyncType::Restart => serials[0] <= serials[1],
                order => order.is_ge(),
            };
            assert_eq!(loser, usize::from(initiator_wins), "{one:?} {other:?} {serials:?}");
            dialogue.ask(loser, &Request::ResynchronizeResponse(ResynchronizeAnswer::default()));
            dialogue.agree();
        }
    }
}

/// `at_relay`: the relay alone segments with its client, and joins what it gets.
fn half_an_ssdu_and_a_resynchronization(at_relay: bool) {
    let sizes = TsduMaximumSize { initiator_to_responder: 500, responder_to_initiator: 0 };
    let connect = ConnectParameters {
        requirements: Fu::DUPLEX | Fu::MINOR_SYNC | Fu::RESYNCHRONIZE,
        initial_serial_number: Some(SerialNumber(1)),
        tsdu_maximum_size: (!at_relay).then_some(sizes),
        ..mms()
    };
    let mut config = config();
    config.listeners[0].tsdu_maximum_size = if at_relay { 500 } else { 0 };
    let mut dialogue = Dialogue::with(config, &connect, [false, false]);
    let [client, _] = dialogue.ends;
    let part = Enclosure { begin: true, end: false };
    let half = [Slice::from_vec(vec![1; 300])];
    dialogue.world.of_client(|ctx| ctx.data_request(client, &half, part)).unwrap();
    dialogue.world.settle();
    assert_eq!(dialogue.told(SERVER_END).is_empty(), at_relay);
    let abandon = Request::Resynchronize(resync(ResyncType::Abandon, 0));
    assert_told(&dialogue.ask(CLIENT, &abandon), "Resynchronize");
    dialogue.ask(SERVER_END, &Request::ResynchronizeResponse(ResynchronizeAnswer::default()));
    dialogue.agree();
    dialogue.world.of_client(|ctx| send(ctx, client, b"after"));
    dialogue.world.settle();
    let told = dialogue.told(SERVER_END);
    assert_eq!(told, [Seen::Data(b"after".to_vec())]);
}

#[test]
fn an_ssdu_that_a_resynchronization_cuts_short_is_purged_in_the_relay() {
    half_an_ssdu_and_a_resynchronization(true);
    half_an_ssdu_and_a_resynchronization(false);
}

#[test]
fn tokens_asked_for_in_the_accept_are_asked_for_once() {
    let connect = ConnectParameters {
        requirements: Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::NEGOTIATED_RELEASE,
        initial_serial_number: Some(SerialNumber(1)),
        ..mms()
    };
    let manners = Manners::AcceptAndAsk(Tokens::DATA | Tokens::MINOR);
    let mut world = World::without_server(SimNet::new(SimConfig::default()), config(), manners);
    let listener = ShardListenerConfig { session: session(Versions::V2), ..ShardListenerConfig::default() };
    let socket = world.net.bind(address(SERVER)).unwrap();
    world.server.listen(socket, 0, listener).unwrap();
    let client = world.connect(&connect);
    let seen = world.client.app().of(client);
    let [Seen::Accept(_), Seen::TokenPlease(tokens, _)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(*tokens, Tokens::DATA | Tokens::MINOR);
}

#[test]
fn a_kept_connection_takes_the_next_session() {
    let mut config = config();
    config.listeners[0].transport_reuse = true;
    config.listeners[0].transport_expedited = false;
    let connect = ConnectParameters { requirements: Fu::DUPLEX, versions: Versions::V2, ..mms() };
    let mut dialogue = Dialogue::with(config, &connect, [false, false]);
    dialogue.world.client.app_mut().kept = Some(Vec::new());
    for round in 0..3 {
        let [client, server] = dialogue.ends;
        dialogue.world.of_client(|ctx| send(ctx, client, b"data"));
        dialogue.world.settle();
        assert_eq!(dialogue.world.server.app().ssdus(server), [b"data"]);
        dialogue.ask(CLIENT, &Request::Release { user_data: b"bye" });
        dialogue.ask(SERVER_END, &Request::ReleaseResponse { affirmative: true, user_data: b"so long" });
        let kept = dialogue.world.client.app().kept.clone().unwrap();
        assert_eq!(kept.len(), round + 1, "the connection is kept");
        let next = *kept.last().unwrap();
        dialogue.world.of_client(|ctx| ctx.connect_again(next, &connect)).unwrap();
        dialogue.world.settle();
        assert!(matches!(dialogue.world.client.app().of(next)[..], [Seen::Accept(_)]));
        let called = dialogue.world.server.app().connected(dialogue.world.server.app().last());
        assert_eq!(called.user_data, b"connect");
        dialogue.ends = [next, dialogue.world.server.app().last()];
    }
    let last = dialogue.ends[CLIENT];
    dialogue.world.of_client(|ctx| ctx.abort_request(last, b"").unwrap());
    dialogue.world.assert_empty();
}
