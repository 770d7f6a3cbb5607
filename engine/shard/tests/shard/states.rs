//! Whatever state a session is in: when its connection is lost it ends once, and its user hears of it once.

use colloquy_session::{FunctionalUnits as Fu, Request, State};
use colloquy_shard::{Shard, ShardConfig};

use crate::pair::World;
use crate::raw::{Raw, tpkt};
use crate::recorder::{ConnectAnswer, Manners, Recorder, Seen};
use crate::services::{
    Client, Server, Setting, Side, Talk, abandon, client_target, other, session, synchronized,
    with_activities,
};

crate::pair::on_every_driver! {
    a_lost_connection_ends_a_session_once_in_every_state,
    a_lost_connection_ends_a_session_once_before_it_is_up,
}

crate::pair::on_real_drivers! {
    a_lost_connection_ends_a_session_once_behind_a_prepare,
    a_prepared_abort_that_never_comes_runs_into_tim,
}

/// One way into a pair of states: the client's, the server's.
struct Way {
    units: Fu,
    steps: Vec<(Side, Request<'static>)>,
    states: (State, State),
}

fn ways() -> Vec<Way> {
    let way = |units, steps: &[(Side, Request<'static>)], client, server| Way {
        units,
        steps: steps.to_vec(),
        states: (client, server),
    };
    let (bss, act) = (synchronized(), with_activities());
    let release = Request::Release { user_data: b"" };
    let start = Request::ActivityStart { identifier: b"A", user_data: b"" };
    let interrupt = Request::ActivityInterrupt { reason: 1, user_data: b"" };
    let discard = Request::ActivityDiscard { reason: 0, user_data: b"" };
    let exception = Request::UserException { reason: 5, user_data: b"" };
    vec![
        way(Fu::DUPLEX, &[], State::Sta713, State::Sta713),
        way(Fu::DUPLEX, &[(Client, release)], State::Sta03, State::Sta09),
        way(bss, &[(Client, Request::SyncMajor { user_data: b"" })], State::Sta04A, State::Sta10A),
        way(bss, &[(Client, abandon())], State::Sta05A, State::Sta11A),
        way(bss, &[(Server, abandon())], State::Sta11A, State::Sta05A),
        way(act, &[(Client, Request::CapabilityData { user_data: b"" })], State::Sta21, State::Sta22),
        way(
            act,
            &[(Client, start), (Client, Request::ActivityEnd { user_data: b"" })],
            State::Sta04B,
            State::Sta10B,
        ),
        way(act, &[(Client, start), (Client, interrupt)], State::Sta05B, State::Sta11B),
        way(act, &[(Client, start), (Client, discard)], State::Sta05C, State::Sta11C),
        way(act, &[(Client, start), (Server, exception)], State::Sta20, State::Sta19),
    ]
}

impl<W: World> Talk<W> {
    /// Drops the shard of the other side, and waits until this side has closed.
    fn lose(&mut self, survivor: Side) {
        let virtual_time = self.pair.world.net().is_some();
        let config = ShardConfig { virtual_time, ..ShardConfig::default() };
        let driver = self.pair.world.driver(3);
        match other(survivor) {
            Client => self.pair.client = Shard::new(driver, Recorder::default(), config),
            Server => self.pair.server = Shard::new(driver, Recorder::default(), config),
        }
        self.pair.emptied();
    }

    /// One end, and before it at most one abort.
    fn assert_ended_once(&self, side: Side, context: &str) {
        let seen = self.seen(side);
        let ends = seen.iter().filter(|seen| matches!(seen, Seen::Ended(_))).count();
        assert_eq!(ends, 1, "{context}: {seen:?}");
        assert!(matches!(seen.last(), Some(Seen::Ended(_))), "{context}: {seen:?}");
        let aborts = seen.iter().filter(|seen| matches!(seen, Seen::ProviderAbort(_))).count();
        assert!(aborts <= 1, "{context}: {seen:?}");
    }
}

fn a_lost_connection_ends_a_session_once_in_every_state<W: World>() {
    for Way { units, steps, states } in ways() {
        for expedited in [false, true] {
            for survivor in [Client, Server] {
                let Some(mut talk) = Talk::<W>::new(units, expedited) else { return };
                for (side, request) in &steps {
                    talk.ask(*side, *request);
                }
                talk.until_states(states.0, states.1);
                talk.lose(survivor);
                let context = format!("{states:?}, expedited {expedited}, {survivor:?} is left");
                talk.assert_ended_once(survivor, &context);
                let released = survivor == Server && states.1 == State::Sta09;
                let aborts =
                    talk.seen(survivor).iter().filter(|seen| matches!(seen, Seen::ProviderAbort(_))).count();
                assert_eq!(aborts, usize::from(!released), "{context}");
            }
        }
    }
}

fn a_lost_connection_ends_a_session_once_before_it_is_up<W: World>() {
    for survivor in [Client, Server] {
        let listener = colloquy_shard::ListenerConfig { session: session(false), ..Default::default() };
        let silent = Manners { connect: ConnectAnswer::Nothing, ..Manners::default() };
        let pair = crate::pair::Pair::<W>::with(silent, Manners::default(), ShardConfig::default(), listener);
        let Some(mut pair) = pair else { return };
        let target = client_target(&pair, Setting::new(Fu::DUPLEX, false));
        let client = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
        pair.until(|pair| pair.server.app().count(|seen| matches!(seen, Seen::Connect(_))) == 1);
        let server = pair.server.app().seen[0].0;
        let mut talk = Talk { pair, client, server };
        talk.until_states(State::Sta02A, State::Sta08);
        talk.lose(survivor);
        talk.assert_ended_once(survivor, &format!("{survivor:?} is left"));
    }
}

/// EXPEDITED TPDU around a PREPARE.
fn prepare(kind: u8) -> Vec<u8> {
    vec![3, 0, 0, 12, 2, 0x10, 0x80, 7, 3, 0x18, 1, kind]
}

/// PREPARE types: MAA, RS, RA, AB.
const PREPARES: [u8; 4] = [1, 2, 3, 4];

/// A talk of which the client is made of octets: its session is up, with an expedited flow.
pub(crate) fn raw_talk<W: World>(units: Fu, tim: std::time::Duration) -> Option<(Raw, Talk<W>)> {
    use colloquy_session::{ConnectParameters, SerialNumber, Session, SessionConfig, Transmit};
    let session = SessionConfig { tim, ..session(false) };
    let listener = colloquy_shard::ListenerConfig {
        transport: colloquy_transport::class0::Class0Config { expedited: true, ..Default::default() },
        session,
        ..Default::default()
    };
    let manners = Manners { release: false, ..Manners::default() };
    let mut pair =
        crate::pair::Pair::<W>::with(manners, Manners::default(), ShardConfig::default(), listener)?;
    let mut raw = Raw::connect(pair.address);
    // CR with C6; CC comes with C6, too.
    raw.send(&[3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 1, 0, 0xc6, 1, 1]);
    raw.until(&mut pair, |raw, _| raw.received.len() >= 14);
    assert_eq!(raw.received[11..14], [0xc6, 1, 1]);
    raw.received.clear();
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: units.contains(Fu::MINOR_SYNC).then_some(SerialNumber(1)),
        ..crate::recorder::proposal(b"raw")
    };
    let mut initiator = Session::initiator(&session, &connect).unwrap();
    initiator.transport_connected(std::time::Duration::ZERO, true);
    let Some(Transmit::Tsdu(cn)) = initiator.poll_transmit() else { panic!("no CN") };
    raw.send(&tpkt(cn));
    raw.until(&mut pair, |raw, _| !raw.received.is_empty());
    assert_eq!(raw.received[7], 14, "AC");
    raw.received.clear();
    let server = pair.server.app().seen[0].0;
    pair.server.app_mut().seen.clear();
    Some((raw, Talk { pair, client: server, server }))
}

fn a_lost_connection_ends_a_session_once_behind_a_prepare<W: World>() {
    for kind in PREPARES {
        let Some((mut raw, mut talk)) = raw_talk::<W>(synchronized(), std::time::Duration::from_secs(60))
        else {
            return;
        };
        match kind {
            1 => {
                // The tokens go over, so that the server may ask for a major point.
                raw.send(&tpkt(&[1, 3, 0x10, 1, 0x15]));
                raw.until(&mut talk.pair, |_, pair| {
                    pair.server.app().count(|seen| *seen == Seen::TokenGive) == 1
                });
                talk.request(Server, Request::SyncMajor { user_data: b"" });
            }
            3 => talk.request(Server, abandon()),
            _ => {}
        }
        raw.send(&prepare(kind));
        let state = [State::Sta15A, State::Sta15B, State::Sta15C, State::Sta15D][usize::from(kind) - 1];
        let wanted = format!("{state:?}");
        let mut other = Vec::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while talk.state(Server) != state {
            raw.until(&mut talk.pair, |_, _| true);
            talk.pair.server.turn(Some(std::time::Duration::from_millis(1))).unwrap();
            other = talk.seen(Server);
            assert!(std::time::Instant::now() < deadline, "no {wanted} but {other:?}");
        }
        drop(raw);
        talk.pair.until(|pair| pair.server.connection_count() == 0);
        talk.assert_ended_once(Server, &wanted);
        let aborts = talk.seen(Server).iter().filter(|seen| matches!(seen, Seen::ProviderAbort(_))).count();
        assert_eq!(aborts, 1, "{wanted}: {other:?}");
    }
}

fn a_prepared_abort_that_never_comes_runs_into_tim<W: World>() {
    let Some((mut raw, mut talk)) = raw_talk::<W>(synchronized(), std::time::Duration::from_millis(60))
    else {
        return;
    };
    raw.send(&prepare(4));
    raw.until(&mut talk.pair, |raw, _| raw.closed);
    drop(raw);
    talk.pair.until(|pair| pair.server.connection_count() == 0);
    talk.assert_ended_once(Server, "TIM");
}
