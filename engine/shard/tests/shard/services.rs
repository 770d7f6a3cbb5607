//! Every primitive from one user to the other, on every driver, with and without the transport expedited flow.

use std::time::{Duration, Instant};

use colloquy_session::{
    ActivityResumeParameters, ConnectParameters, Enclosure, FunctionalUnits as Fu, OldConnection, Request,
    ResyncType, ResynchronizeAnswer, ResynchronizeParameters, SerialNumber, ServiceError, SessionConfig,
    State, Tokens, TsduMaximumSize,
};
use colloquy_shard::{ConnectTarget, ListenerConfig, SessionId, ShardConfig};
use colloquy_transport::buf::{Slice, copies};
use colloquy_transport::class0::Class0Config;

use crate::pair::{Pair, World};
use crate::recorder::{Manners, Seen, proposal, target};

crate::pair::on_every_driver! {
    typed_data_travels_like_data_and_needs_no_token,
    expedited_data_need_class_0_at_both_ends,
    synchronization_points_are_told_and_confirmed,
    a_resynchronization_is_announced_where_there_is_an_expedited_flow,
    what_waits_for_a_resynchronization_is_not_counted_as_sent,
    activities_capability_exceptions_and_control,
    tokens_go_over_and_data_with_them,
    a_refused_release_goes_on_and_its_timer_stops,
    a_release_that_a_resynchronization_drops_does_not_time_out,
    a_request_of_an_absent_unit_changes_nothing,
}

/// Client or server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

pub(crate) use Side::{Client, Server};

/// One session between two shards, whose users do what the test says.
pub(crate) struct Talk<W: World> {
    pub(crate) pair: Pair<W>,
    pub(crate) client: SessionId,
    pub(crate) server: SessionId,
}

/// How the two sides are configured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) units: Fu,
    /// Expedited flow offered by the client, confirmed by the server.
    pub(crate) expedited: (bool, bool),
    /// Reuse of the transport connection wanted by the client, by the server.
    pub(crate) reuse: (bool, bool),
    /// Extended concatenation taken by the client, by the server.
    pub(crate) extended: (bool, bool),
    /// Longest TSDU in both directions, octets; 0: no limit.
    pub(crate) tsdu_octets: u16,
    pub(crate) shard: ShardConfig,
}

impl Setting {
    pub(crate) fn new(units: Fu, expedited: bool) -> Self {
        let expedited = (expedited, expedited);
        let neither = (false, false);
        let shard = ShardConfig::default();
        Self { units, expedited, reuse: neither, extended: neither, tsdu_octets: 0, shard }
    }
}

impl<W: World> Talk<W> {
    pub(crate) fn new(units: Fu, expedited: bool) -> Option<Self> {
        Self::with(Setting::new(units, expedited), Manners { release: false, ..Manners::default() })
    }

    pub(crate) fn with(setting: Setting, server: Manners) -> Option<Self> {
        let listener = ListenerConfig {
            transport: transport(setting.expedited.1),
            session: extended(setting.extended.1, session(setting.reuse.1)),
            ..ListenerConfig::default()
        };
        let mut pair = Pair::<W>::with(server, Manners::default(), setting.shard, listener)?;
        let target = client_target(&pair, setting);
        let client = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
        pair.until(|pair| pair.client.app().of(client).contains(&Seen::Confirm));
        let connect = |each: &&(SessionId, Seen)| matches!(each.1, Seen::Connect(_));
        let server = pair.server.app().seen.iter().rfind(connect).unwrap().0;
        pair.client.app_mut().seen.clear();
        pair.server.app_mut().seen.clear();
        Some(Self { pair, client, server })
    }

    /// A request that must be taken.
    pub(crate) fn request(&mut self, side: Side, request: Request<'_>) {
        self.try_request(side, request).unwrap_or_else(|error| panic!("{side:?} {request:?}: {error}"));
    }

    pub(crate) fn try_request(&mut self, side: Side, request: Request<'_>) -> Result<(), ServiceError> {
        let (client, server) = (self.client, self.server);
        match side {
            Client => self.pair.client.with(|_, ctx| ctx.request(client, &request)),
            Server => self.pair.server.with(|_, ctx| ctx.request(server, &request)),
        }
    }

    /// A request that must be taken, and what the other user hears of it.
    pub(crate) fn ask(&mut self, side: Side, request: Request<'_>) -> Seen {
        let (before, other) = (self.seen(other(side)).len(), other(side));
        self.request(side, request);
        self.until(|talk| talk.seen(other).len() > before);
        self.seen(other)[before].clone()
    }

    /// The same; the text of the indication must hold each of `parts`.
    fn told(&mut self, side: Side, request: Request<'_>, parts: &[&str]) {
        let seen = self.ask(side, request);
        let Seen::Told(text) = &seen else { panic!("{request:?} was indicated as {seen:?}") };
        assert!(parts.iter().all(|part| text.contains(part)), "{request:?} was indicated as {text}");
    }

    pub(crate) fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(self) {
            let went_on = self.pair.step();
            let (client, server) = (self.pair.client.inspect(), self.pair.server.inspect());
            let in_time = Instant::now() < deadline;
            assert!(in_time && (went_on || done(self)), "{client:#?} {server:#?}");
        }
    }

    pub(crate) fn seen(&self, side: Side) -> Vec<Seen> {
        match side {
            Client => self.pair.client.app().of(self.client),
            Server => self.pair.server.app().of(self.server),
        }
    }

    /// Something read from the machine of a side.
    pub(crate) fn machine<R>(&mut self, side: Side, read: impl FnOnce(&colloquy_session::Session) -> R) -> R {
        let (client, server) = (self.client, self.server);
        match side {
            Client => self.pair.client.with(|_, ctx| read(ctx.machine(client).unwrap())),
            Server => self.pair.server.with(|_, ctx| read(ctx.machine(server).unwrap())),
        }
    }

    pub(crate) fn state(&mut self, side: Side) -> State {
        self.machine(side, |machine| machine.state())
    }

    fn serials(&mut self) -> [(u32, u32, u32); 2] {
        [Client, Server].map(|side| {
            let numbers = self.machine(side, |machine| machine.serial_numbers());
            (numbers.lowest_unconfirmed.0, numbers.next.0, numbers.lowest_restart.0)
        })
    }

    /// Releases, and checks that nothing is left and that each side has ended once.
    pub(crate) fn release(mut self) {
        self.pair.server.app_mut().manners.release = true;
        self.request(Client, Request::Release { user_data: b"bye" });
        self.pair.emptied();
        assert_eq!(self.pair.client.app().ends(), ["Released"]);
        assert_eq!(self.pair.server.app().ends(), ["Released"]);
    }
}

pub(crate) fn other(side: Side) -> Side {
    if side == Client { Server } else { Client }
}

fn transport(expedited: bool) -> Class0Config {
    Class0Config { expedited, ..Class0Config::default() }
}

pub(crate) fn session(transport_reuse: bool) -> SessionConfig {
    let functional_units = Fu::all() - Fu::SYMMETRIC_SYNC;
    SessionConfig { functional_units, transport_reuse, ..SessionConfig::default() }
}

fn extended(extended_concatenation: bool, session: SessionConfig) -> SessionConfig {
    SessionConfig { extended_concatenation, ..session }
}

pub(crate) fn client_target<W: World>(pair: &Pair<W>, setting: Setting) -> ConnectTarget<'static> {
    let units = setting.units;
    let numbered = units.intersects(Fu::MINOR_SYNC | Fu::MAJOR_SYNC | Fu::RESYNCHRONIZE);
    let serial = (numbered && !units.contains(Fu::ACTIVITY)).then_some(SerialNumber(1));
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: serial,
        tsdu_maximum_size: (setting.tsdu_octets > 0).then_some(TsduMaximumSize {
            initiator_to_responder: setting.tsdu_octets,
            responder_to_initiator: setting.tsdu_octets,
        }),
        ..proposal(b"hello")
    };
    ConnectTarget {
        wire: None,
        transport: transport(setting.expedited.0),
        session: extended(setting.extended.0, session(setting.reuse.0)),
        ..target(pair.address, connect)
    }
}

/// The subset for basic synchronized dialogues.
pub(crate) fn synchronized() -> Fu {
    Fu::HALF_DUPLEX
        | Fu::TYPED_DATA
        | Fu::MINOR_SYNC
        | Fu::MAJOR_SYNC
        | Fu::RESYNCHRONIZE
        | Fu::NEGOTIATED_RELEASE
}

pub(crate) fn with_activities() -> Fu {
    Fu::HALF_DUPLEX | Fu::MINOR_SYNC | Fu::EXCEPTIONS | Fu::CAPABILITY_DATA | Fu::ACTIVITY | Fu::TYPED_DATA
}

pub(crate) fn minor() -> Request<'static> {
    Request::SyncMinor { confirmation_optional: false, data_separation: false, user_data: b"minor" }
}

pub(crate) fn abandon() -> Request<'static> {
    Request::Resynchronize(ResynchronizeParameters {
        resync_type: ResyncType::Abandon,
        user_data: b"abandon",
        ..ResynchronizeParameters::default()
    })
}

fn typed_data_travels_like_data_and_needs_no_token<W: World>() {
    let Some(mut talk) = Talk::<W>::new(Fu::HALF_DUPLEX | Fu::TYPED_DATA, false) else { return };
    let bodies: Vec<Vec<u8>> =
        [1_usize, 100, 2048, 16 << 10, 70_000].iter().map(|&n| (0..n).map(|i| i as u8).collect()).collect();
    let copied = copies::of_this_thread().large_count;
    let (client, server) = (talk.client, talk.server);
    for body in &bodies {
        let slice = [Slice::from_vec(body.clone())];
        talk.pair.client.with(|_, ctx| ctx.typed_data_request(client, &slice, Enclosure::WHOLE)).unwrap();
        // The data token is with the client: data are refused, typed data are not.
        talk.pair.server.with(|_, ctx| {
            let refused = ctx.data_request(server, &slice, Enclosure::WHOLE);
            assert_eq!(refused, Err(ServiceError::Token(Tokens::DATA)));
            ctx.typed_data_request(server, &slice, Enclosure::WHOLE).unwrap();
        });
    }
    let octets: u64 = bodies.iter().map(|body| body.len() as u64).sum();
    talk.until(|talk| talk.seen(Client).len() == 5 && talk.seen(Server).len() == 5);
    let expected: Vec<Seen> = bodies.into_iter().map(Seen::Typed).collect();
    assert_eq!(talk.seen(Server), expected);
    assert_eq!(talk.seen(Client), expected);
    assert_eq!(copies::of_this_thread().large_count, copied, "copies of 2 KiB or more");
    for tally in [talk.pair.client.tally(), talk.pair.server.tally()] {
        assert_eq!((tally.spdus_typed_data_in, tally.spdus_typed_data_out), (5, 5));
        assert_eq!((tally.user_octets_in, tally.user_octets_out), (octets, octets));
        assert_eq!((tally.spdus_data_in, tally.spdus_data_out), (0, 0));
    }
    talk.release();
}

fn expedited_data_need_class_0_at_both_ends<W: World>() {
    let units = Fu::DUPLEX | Fu::EXPEDITED;
    for expedited in [(false, false), (true, false), (false, true), (true, true)] {
        let setting = Setting { expedited, ..Setting::new(units, false) };
        let Some(mut talk) = Talk::<W>::with(setting, Manners { release: false, ..Manners::default() })
        else {
            return;
        };
        let agreed = expedited == (true, true);
        for side in [Client, Server] {
            let selected = talk.machine(side, |machine| machine.functional_units());
            assert_eq!(selected.contains(Fu::EXPEDITED), agreed, "{expedited:?}");
            let request = Request::ExpeditedData { user_data: b"fourteen octet" };
            if agreed {
                talk.told(side, request, &["ExpeditedData"]);
            } else {
                assert_eq!(talk.try_request(side, request), Err(ServiceError::FunctionalUnit(Fu::EXPEDITED)));
            }
        }
        let tally = talk.pair.server.tally();
        let count = u64::from(agreed);
        assert_eq!((tally.spdus_expedited_data_in, tally.spdus_expedited_data_out), (count, count));
        talk.release();
    }
}

fn synchronization_points_are_told_and_confirmed<W: World>() {
    for expedited in [false, true] {
        let Some(mut talk) = Talk::<W>::new(synchronized(), expedited) else { return };
        talk.told(Client, minor(), &["SyncMinor", "SerialNumber(1)"]);
        talk.told(Client, minor(), &["SyncMinor", "SerialNumber(2)"]);
        let answer = Request::SyncMinorResponse { serial_number: SerialNumber(1), user_data: b"" };
        talk.told(Server, answer, &["SyncMinorConfirm", "SerialNumber(1)"]);
        assert_eq!(talk.serials(), [(2, 3, 0); 2]);
        talk.told(Client, Request::SyncMajor { user_data: b"major" }, &["SyncMajor", "SerialNumber(3)"]);
        assert_eq!((talk.state(Client), talk.state(Server)), (State::Sta04A, State::Sta10A));
        talk.told(Server, Request::SyncMajorResponse { user_data: b"" }, &["SyncMajorConfirm"]);
        assert_eq!(talk.serials(), [(4, 4, 4); 2]);
        let (client, server) = (*talk.pair.client.tally(), *talk.pair.server.tally());
        assert_eq!((client.spdus_sync_out, client.spdus_sync_in), (3, 2));
        assert_eq!((server.spdus_sync_out, server.spdus_sync_in), (2, 3));
        // PR(MAA) goes ahead of MAA.
        assert_eq!(server.spdus_prepare_out, u64::from(expedited));
        talk.release();
    }
}

fn a_resynchronization_is_announced_where_there_is_an_expedited_flow<W: World>() {
    for expedited in [false, true] {
        let Some(mut talk) = Talk::<W>::new(synchronized(), expedited) else { return };
        talk.told(Client, minor(), &["SerialNumber(1)"]);
        for (side, resync_type, serial) in [
            (Client, ResyncType::Restart, Some(1)),
            (Server, ResyncType::Abandon, None),
            (Server, ResyncType::Set, Some(777)),
        ] {
            let parameters = ResynchronizeParameters {
                resync_type,
                serial_number: serial.map(SerialNumber),
                token_settings: None,
                user_data: b"again",
                second: None,
            };
            talk.told(side, Request::Resynchronize(parameters), &["Resynchronize("]);
            let answer = Request::ResynchronizeResponse(ResynchronizeAnswer::default());
            talk.told(other(side), answer, &["ResynchronizeConfirm"]);
            assert_eq!((talk.state(Client), talk.state(Server)), (State::Sta713, State::Sta713));
        }
        assert_eq!(talk.serials(), [(777, 777, 0); 2]);
        let (client, server) = (*talk.pair.client.tally(), *talk.pair.server.tally());
        let prepares = if expedited { 3 } else { 0 };
        assert_eq!((client.spdus_prepare_out, server.spdus_prepare_out), (prepares, prepares));
        assert_eq!((client.spdus_resynchronize_out, server.spdus_resynchronize_out), (3, 3));
        assert_eq!((client.spdus_resynchronize_in, server.spdus_resynchronize_in), (3, 3));
        talk.release();
    }
}

fn what_waits_for_a_resynchronization_is_not_counted_as_sent<W: World>() {
    let Some(mut talk) = Talk::<W>::new(synchronized() | Fu::TYPED_DATA, true) else { return };
    // The PREPARE has arrived and RS has not: data are taken and dropped, for they would be purged.
    talk.request(Server, abandon());
    let server = talk.server;
    let slice = [Slice::from_vec(vec![1; 100])];
    let sent = talk.pair.server.with(|_, ctx| ctx.typed_data_request(server, &slice, Enclosure::WHOLE));
    assert!(sent.is_err(), "the requester itself waits for the answer: {sent:?}");
    talk.until(|talk| !talk.seen(Client).is_empty());
    talk.told(
        Client,
        Request::ResynchronizeResponse(ResynchronizeAnswer::default()),
        &["ResynchronizeConfirm"],
    );
    let tally = talk.pair.server.tally();
    assert_eq!((tally.spdus_typed_data_out, tally.user_octets_out), (0, 0));
    talk.release();
}

fn activities_capability_exceptions_and_control<W: World>() {
    for expedited in [false, true] {
        let Some(mut talk) = Talk::<W>::new(with_activities(), expedited) else { return };
        talk.told(Client, Request::CapabilityData { user_data: b"can you?" }, &["CapabilityData {"]);
        let answer = Request::CapabilityDataResponse { user_data: b"I can" };
        talk.told(Server, answer, &["CapabilityDataConfirm"]);
        let start = Request::ActivityStart { identifier: b"ACT001", user_data: b"" };
        talk.told(Client, start, &["ActivityStart"]);
        assert!(talk.machine(Server, |machine| machine.activity_in_progress()));
        talk.told(Client, minor(), &["SyncMinor", "SerialNumber(1)"]);
        let exception = Request::UserException { reason: 5, user_data: b"disk full" };
        talk.told(Server, exception, &["UserException", "reason: 5"]);
        let interrupt = Request::ActivityInterrupt { reason: 1, user_data: b"" };
        talk.told(Client, interrupt, &["ActivityInterrupt {"]);
        let answer = Request::ActivityInterruptResponse { user_data: b"" };
        talk.told(Server, answer, &["ActivityInterruptConfirm"]);
        let resume = ActivityResumeParameters {
            identifier: b"2",
            old_identifier: b"ACT001",
            serial_number: SerialNumber(1),
            old_connection: OldConnection::default(),
            user_data: b"",
            second_serial_number: None,
        };
        talk.told(Client, Request::ActivityResume(resume), &["ActivityResume"]);
        talk.told(Client, Request::ActivityEnd { user_data: b"" }, &["ActivityEnd {", "SerialNumber(2)"]);
        talk.told(Server, Request::ActivityEndResponse { user_data: b"" }, &["ActivityEndConfirm"]);
        talk.told(Client, Request::ControlGive { user_data: b"" }, &["ControlGive"]);
        talk.until_states(State::Sta713, State::Sta713);
        let start = Request::ActivityStart { identifier: b"B", user_data: b"" };
        talk.told(Server, start, &["ActivityStart"]);
        talk.told(Server, Request::ActivityDiscard { reason: 0, user_data: b"" }, &["ActivityDiscard {"]);
        let answer = Request::ActivityDiscardResponse { user_data: b"" };
        talk.told(Client, answer, &["ActivityDiscardConfirm"]);
        let (client, server) = (*talk.pair.client.tally(), *talk.pair.server.tally());
        // AS, AI, AR and ADA; AIA, AS and AD. AE and AEA count as the major points that they are on the wire.
        assert_eq!((client.spdus_activity_out, server.spdus_activity_out), (4, 3));
        assert_eq!((server.spdus_activity_in, client.spdus_activity_in), (4, 3));
        assert_eq!(
            (server.spdus_sync_in, client.spdus_sync_in),
            (client.spdus_sync_out, server.spdus_sync_out)
        );
        assert_eq!((client.spdus_capability_out, server.spdus_capability_out), (1, 1));
        assert_eq!((client.spdus_exception_in, server.spdus_exception_out), (1, 1));
        // GTC from the client, GTA of the server's machine.
        assert_eq!((client.spdus_token_out, server.spdus_token_out), (1, 1));
        assert_eq!((client.spdus_other_out, server.spdus_other_out), (0, 0));
        talk.request(Server, Request::Abort { user_data: b"enough" });
        talk.pair.emptied();
        assert_eq!(talk.pair.client.app().ends(), ["Aborted { by_peer: true, by_user: true }"]);
        assert_eq!(talk.pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
    }
}

fn tokens_go_over_and_data_with_them<W: World>() {
    let Some(mut talk) = Talk::<W>::new(Fu::HALF_DUPLEX, false) else { return };
    let please = Request::TokenPlease { tokens: Tokens::DATA, user_data: b"" };
    assert_eq!(talk.ask(Server, please), Seen::TokenPlease);
    let give = Request::TokenGive { tokens: Tokens::DATA, user_data: b"" };
    assert_eq!(talk.ask(Client, give), Seen::TokenGive);
    let (client, server) = (talk.client, talk.server);
    let slice = [Slice::from_vec(vec![3; 5000])];
    talk.pair.client.with(|_, ctx| {
        let refused = ctx.data_request(client, &slice, Enclosure::WHOLE);
        assert_eq!(refused, Err(ServiceError::Token(Tokens::DATA)));
    });
    talk.pair.server.with(|_, ctx| ctx.data_request(server, &slice, Enclosure::WHOLE)).unwrap();
    talk.until(|talk| talk.seen(Client).contains(&Seen::Data(vec![3; 5000])));
    assert_eq!(talk.ask(Server, give), Seen::TokenGive);
    talk.release();
}

fn a_refused_release_goes_on_and_its_timer_stops<W: World>() {
    let setting = impatient(Setting::new(Fu::DUPLEX | Fu::NEGOTIATED_RELEASE, false));
    let Some(mut talk) = Talk::<W>::with(setting, Manners { release: false, ..Manners::default() }) else {
        return;
    };
    assert_eq!(talk.ask(Client, Request::Release { user_data: b"" }), Seen::Release);
    let refused = Request::ReleaseResponse { affirmative: false, user_data: b"not yet" };
    assert_eq!(talk.ask(Server, refused), Seen::ReleaseConfirm(false));
    talk.outlives_its_release_timeout();
    // The peer's FN is no reason any more to take a lost connection for a release.
    assert!(talk.pair.server.inspect()[0].contains("release_indicated: false"));
    talk.release();
}

fn a_release_that_a_resynchronization_drops_does_not_time_out<W: World>() {
    for expedited in [false, true] {
        let setting = impatient(Setting::new(synchronized(), expedited));
        let Some(mut talk) = Talk::<W>::with(setting, Manners { release: false, ..Manners::default() })
        else {
            return;
        };
        // FN meets RS: the side that resynchronizes drops FN, and the other one its wait for DN.
        talk.request(Server, abandon());
        talk.request(Client, Request::Release { user_data: b"" });
        talk.until(|talk| !talk.seen(Client).is_empty());
        assert!(matches!(&talk.seen(Client)[0], Seen::Told(text) if text.contains("Resynchronize")));
        assert_eq!(talk.seen(Server), []);
        assert!(talk.pair.client.inspect()[0].contains("Open"), "{:?}", talk.pair.client.inspect());
        let answer = Request::ResynchronizeResponse(ResynchronizeAnswer::default());
        talk.told(Client, answer, &["ResynchronizeConfirm"]);
        talk.until_states(State::Sta713, State::Sta713);
        talk.outlives_its_release_timeout();
        talk.release();
    }
}

fn a_request_of_an_absent_unit_changes_nothing<W: World>() {
    let Some(mut talk) = Talk::<W>::new(Fu::DUPLEX, true) else { return };
    let before = *talk.pair.client.tally();
    for request in [
        minor(),
        abandon(),
        Request::SyncMajor { user_data: b"" },
        Request::ActivityStart { identifier: b"x", user_data: b"" },
        Request::CapabilityData { user_data: b"" },
        Request::UserException { reason: 5, user_data: b"" },
        Request::ExpeditedData { user_data: b"x" },
        Request::ReleaseResponse { affirmative: true, user_data: b"" },
    ] {
        assert!(talk.try_request(Client, request).is_err(), "{request:?}");
    }
    let after = *talk.pair.client.tally();
    assert_eq!(before, after);
    let stale = SessionId { index: talk.client.index, generation: talk.client.generation + 1 };
    let refused = talk.pair.client.with(|_, ctx| ctx.request(stale, &Request::Abort { user_data: b"" }));
    assert_eq!(refused, Err(ServiceError::State { state: State::Sta01 }));
    assert_eq!(talk.state(Client), State::Sta713);
    talk.release();
}

/// A release that is not answered ends the session soon.
fn impatient(setting: Setting) -> Setting {
    let release_timeout = Duration::from_millis(80);
    Setting { shard: ShardConfig { release_timeout, ..setting.shard }, ..setting }
}

impl<W: World> Talk<W> {
    /// Lets more time go by than a release has, after which both sides are as they were.
    fn outlives_its_release_timeout(&mut self) {
        let long = Duration::from_millis(160);
        self.pair.client.with(|_, ctx| ctx.set_shard_timer(Some(ctx.now() + long)));
        self.pair.until(|pair| pair.client.app().count(|seen| *seen == Seen::ShardTimer) == 1);
        // Virtual time may have gone on to the next event, of which the shards have not heard.
        self.pair.turn_both();
        assert_eq!((self.state(Client), self.state(Server)), (State::Sta713, State::Sta713));
    }

    pub(crate) fn until_states(&mut self, client: State, server: State) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while (self.state(Client), self.state(Server)) != (client, server) {
            self.pair.step();
            let states = (self.state(Client), self.state(Server));
            assert!(Instant::now() < deadline, "{states:?}");
        }
    }
}
