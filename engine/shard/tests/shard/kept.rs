//! One session after the other on one transport connection, and peers that want none of it.

use std::time::Duration;

use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, FunctionalUnits as Fu, ProviderAbortReason, Request,
    ServiceError, SessionConfig, State,
};
use colloquy_shard::{ListenerConfig, ShardConfig};
use colloquy_transport::driver::Driver;

use crate::pair::{Pair, World};
use crate::raw::{Raw, cn, tpkt};
use crate::recorder::{ConnectAnswer, Manners, Seen, proposal};
use crate::services::{Client, Server, Setting, Talk, client_target, session};

crate::pair::on_every_driver! {
    a_hundred_sessions_released_one_after_the_other,
    a_hundred_sessions_aborted_by_either_side,
    a_hundred_sessions_refused,
    an_unused_connection_closed_by_its_initiator_ends_normally,
    an_unused_connection_closed_by_its_responder_ends_normally,
    a_kept_connection_without_a_cn_is_closed_in_time,
    an_initiator_that_does_not_want_reuse_gets_none,
    a_responder_that_does_not_want_reuse_ends_the_second_session,
    an_abort_that_the_peer_does_not_keep_ends_both,
    there_is_no_reuse_with_transport_expedited,
    only_a_kept_connection_can_be_connected_again,
    limits_count_a_kept_connection_once,
}

crate::pair::on_real_drivers! {
    a_cn_that_comes_with_the_end_of_the_session_before_waits_for_its_id,
    an_abort_that_is_never_answered_runs_into_tim,
    a_connection_lost_while_an_abort_waits_for_its_peer_ends_once,
    nonsense_on_a_kept_connection_is_the_next_sessions_fault,
    a_flood_of_aborts_between_sessions_is_not_answered_without_end,
}

const SESSIONS: u64 = 100;

fn setting(client: bool, server: bool) -> Setting {
    Setting { reuse: (client, server), ..Setting::new(Fu::DUPLEX, false) }
}

/// A pair in which both sides keep their transport connection; nothing is connected yet.
fn pair<W: World>(server: Manners, shard: ShardConfig) -> Option<Pair<W>> {
    let listener = ListenerConfig { session: session(true), ..ListenerConfig::default() };
    Pair::<W>::with(server, Manners::default(), shard, listener)
}

/// Nothing is left of `sessions` sessions that went over one network connection, ending as `ends` say, and of the
/// unused one behind them.
fn check<W: World>(pair: &mut Pair<W>, sessions: u64, ends: [&str; 2]) {
    pair.emptied();
    for (shard, end) in [(&pair.client, ends[0]), (&pair.server, ends[1])] {
        let app_ends = shard.app().ends();
        assert_eq!(app_ends.len() as u64, sessions + 1);
        assert!(app_ends[..sessions as usize].iter().all(|each| *each == end), "{app_ends:?}");
        assert_eq!(app_ends[sessions as usize], "Unused");
        let tally = shard.tally();
        assert_eq!((tally.transports_kept, tally.ended_unused), (sessions, 1));
        assert_eq!((tally.sessions_open_initiator, tally.sessions_open_responder), (0, 0));
        assert_eq!((tally.sessions_established, tally.sessions_opened), (0, sessions + 1));
    }
    assert_eq!(pair.server.tally().accepted, 1, "one network connection");
    let count = |seen: &Seen| matches!(seen, Seen::TransportConnect(_));
    assert_eq!(pair.server.app().count(count), 1);
}

fn a_hundred_sessions_released_one_after_the_other<W: World>() {
    let Some(mut pair) = pair::<W>(Manners { echo: true, ..Manners::default() }, ShardConfig::default())
    else {
        return;
    };
    pair.client.app_mut().again_left = SESSIONS - 1;
    let target = client_target(&pair, setting(true, true));
    let first = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    let mut id = first;
    for session in 0..SESSIONS {
        pair.until(|pair| pair.client.app().of(id).contains(&Seen::Confirm));
        let body = [colloquy_transport::buf::Slice::from_vec(vec![session as u8; 3000])];
        pair.client.with(|_, ctx| {
            ctx.data_request(id, &body, colloquy_session::Enclosure::WHOLE).unwrap();
        });
        pair.until(|pair| pair.client.app().data_count == session + 1);
        assert_eq!(pair.client.app().data()[session as usize], vec![session as u8; 3000]);
        assert_eq!((pair.client.connection_count(), pair.server.connection_count()), (1, 1));
        let connections =
            [pair.client.driver().stats().connections, pair.server.driver().stats().connections];
        assert_eq!(connections, [1, 1], "descriptors are constant");
        pair.client.with(|_, ctx| ctx.release_request(id, &[])).unwrap();
        pair.until(|pair| pair.client.app().count(|seen| *seen == Seen::Kept(id)) == 1);
        let stale = pair.client.with(|_, ctx| ctx.abort_request(id, &[]));
        assert_eq!(stale, Err(ServiceError::State { state: State::Sta01 }));
        id = pair.client.app().seen.iter().find(|each| each.1 == Seen::Kept(id)).unwrap().0;
        assert_eq!(id.index, first.index);
    }
    check(&mut pair, SESSIONS, ["Released"; 2]);
}

fn a_hundred_sessions_aborted_by_either_side<W: World>() {
    let Some(mut pair) = pair::<W>(Manners::default(), ShardConfig::default()) else { return };
    pair.client.app_mut().again_left = SESSIONS - 1;
    let target = client_target(&pair, setting(true, true));
    let mut id = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    for session in 0..SESSIONS {
        pair.until(|pair| {
            pair.client.app().of(id).contains(&Seen::Confirm)
                && pair.server.app().count(|seen| matches!(seen, Seen::Connect(_))) as u64 == session + 1
        });
        let connect = |each: &&(_, Seen)| matches!(each.1, Seen::Connect(_));
        let server = pair.server.app().seen.iter().rfind(connect).unwrap().0;
        if session % 2 == 0 {
            pair.client.with(|_, ctx| ctx.request(id, &Request::Abort { user_data: b"x" })).unwrap();
        } else {
            pair.server.with(|_, ctx| ctx.abort_request(server, b"x")).unwrap();
        }
        // The side that aborts hears of the end before the peer has answered, and of the new session after.
        let kept = |seen: &Seen| matches!(seen, Seen::Kept(_));
        pair.until(|pair| {
            pair.client.app().count(kept) as u64 == session + 1
                && pair.server.app().count(kept) as u64 == session + 1
        });
        id = pair.client.app().seen.iter().rfind(|each| kept(&each.1)).unwrap().0;
    }
    pair.emptied();
    for (shard, own) in [(&pair.client, 0), (&pair.server, 1)] {
        let ends = shard.app().ends();
        assert_eq!(ends.len() as u64, SESSIONS + 1);
        for (session, end) in ends[..SESSIONS as usize].iter().enumerate() {
            let by_peer = session % 2 != own;
            assert_eq!(*end, format!("Aborted {{ by_peer: {by_peer}, by_user: true }}"));
        }
        assert_eq!(ends[SESSIONS as usize], "Unused");
    }
    assert_eq!(pair.server.tally().accepted, 1);
}

fn a_hundred_sessions_refused<W: World>() {
    let refuse = Manners { connect: ConnectAnswer::Refuse(1), ..Manners::default() };
    let Some(mut pair) = pair::<W>(refuse, ShardConfig::default()) else { return };
    pair.client.app_mut().again_left = SESSIONS - 1;
    let target = client_target(&pair, setting(true, true));
    pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    pair.until(|pair| pair.client.app().ends().len() as u64 == SESSIONS + 1);
    check(
        &mut pair,
        SESSIONS,
        ["Refused { reason: 1, by_peer: true }", "Refused { reason: 1, by_peer: false }"],
    );
}

/// One session, released, whose transport connection both sides keep and the client leaves idle.
fn idle<W: World>(shard: ShardConfig, connect_timeout: Duration) -> Option<Talk<W>> {
    let listener = ListenerConfig { session: session(true), connect_timeout, ..ListenerConfig::default() };
    let mut pair = Pair::<W>::with(Manners::default(), Manners::default(), shard, listener)?;
    pair.client.app_mut().keep_idle = true;
    let target = client_target(&pair, setting(true, true));
    let client = pair.client.with(|_, ctx| ctx.connect(&target)).unwrap();
    pair.until(|pair| pair.client.app().of(client).contains(&Seen::Confirm));
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    let kept = |seen: &Seen| matches!(seen, Seen::Kept(_));
    pair.until(|pair| pair.client.app().count(kept) + pair.server.app().count(kept) == 2);
    let id = |seen: &[(_, Seen)]| seen.iter().rfind(|each| kept(&each.1)).unwrap().0;
    let (client, server) = (id(&pair.client.app().seen), id(&pair.server.app().seen));
    Some(Talk { pair, client, server })
}

const LONG: Duration = Duration::from_secs(3600);

fn an_unused_connection_closed_by_its_initiator_ends_normally<W: World>() {
    let Some(mut talk) = idle::<W>(ShardConfig::default(), LONG) else { return };
    let client = talk.client;
    talk.pair.client.with(|_, ctx| {
        ctx.transport_disconnect(client);
        ctx.transport_disconnect(client);
    });
    check(&mut talk.pair, 1, ["Released"; 2]);
}

fn an_unused_connection_closed_by_its_responder_ends_normally<W: World>() {
    let Some(mut talk) = idle::<W>(ShardConfig::default(), LONG) else { return };
    let server = talk.server;
    talk.pair.server.with(|_, ctx| ctx.transport_disconnect(server));
    check(&mut talk.pair, 1, ["Released"; 2]);
    // The same by what a gateway does when it drains.
    let Some(mut talk) = idle::<W>(ShardConfig::default(), LONG) else { return };
    talk.pair.server.with(|_, ctx| ctx.refuse_unestablished());
    check(&mut talk.pair, 1, ["Released"; 2]);
}

fn a_kept_connection_without_a_cn_is_closed_in_time<W: World>() {
    let Some(mut talk) = idle::<W>(ShardConfig::default(), Duration::from_millis(80)) else { return };
    check(&mut talk.pair, 1, ["Released"; 2]);
}

fn an_initiator_that_does_not_want_reuse_gets_none<W: World>() {
    let Some(talk) = Talk::<W>::with(setting(false, true), Manners::default()) else { return };
    // FN-nr: the responder ends, too, and nothing is kept.
    talk.release();
}

fn a_responder_that_does_not_want_reuse_ends_the_second_session<W: World>() {
    let Some(mut talk) = Talk::<W>::with(setting(true, false), Manners::default()) else { return };
    talk.pair.client.app_mut().again_left = 1;
    talk.request(Client, Request::Release { user_data: b"" });
    talk.pair.emptied();
    // FN-r cannot be answered by a no: the responder waits for T-DISCONNECT and takes CN for one.
    assert_eq!(talk.pair.server.app().ends(), ["Released"]);
    let ends = talk.pair.client.app().ends();
    assert_eq!(ends, ["Released", "Eof"]);
    assert_eq!(talk.pair.client.tally().transports_kept, 1);
}

fn an_abort_that_the_peer_does_not_keep_ends_both<W: World>() {
    for (side, reuse) in [(Client, (true, false)), (Server, (false, true))] {
        let Some(mut talk) = Talk::<W>::with(setting(reuse.0, reuse.1), Manners::default()) else { return };
        talk.request(side, Request::Abort { user_data: b"" });
        talk.pair.emptied();
        let own = "Aborted { by_peer: false, by_user: true }";
        let peers = "Aborted { by_peer: true, by_user: true }";
        let (client, server) = if side == Client { (own, peers) } else { (peers, own) };
        assert_eq!(talk.pair.client.app().ends(), [client]);
        assert_eq!(talk.pair.server.app().ends(), [server]);
    }
}

fn there_is_no_reuse_with_transport_expedited<W: World>() {
    let setting = Setting { reuse: (true, true), ..Setting::new(Fu::DUPLEX | Fu::EXPEDITED, true) };
    let Some(talk) = Talk::<W>::with(setting, Manners::default()) else { return };
    talk.release();
}

fn only_a_kept_connection_can_be_connected_again<W: World>() {
    let Some(mut talk) = idle::<W>(ShardConfig::default(), LONG) else { return };
    let (client, server) = (talk.client, talk.server);
    let again = proposal(b"again");
    talk.pair.server.with(|_, ctx| {
        let refused = ctx.connect_again(server, &again);
        assert_eq!(refused, Err(ServiceError::State { state: State::Sta01C }), "a responder");
    });
    talk.pair.client.with(|_, ctx| {
        let identifier = ConnectionIdentifier { user_reference: &[0; 65], ..Default::default() };
        let long = ConnectParameters { identifier, ..again };
        assert!(ctx.connect_again(client, &long).is_err(), "a parameter out of range");
        ctx.connect_again(client, &again).unwrap();
        let refused = ctx.connect_again(client, &again);
        assert!(matches!(refused, Err(ServiceError::State { .. })), "it is under way: {refused:?}");
        // There is a session, so this is not for it.
        ctx.transport_disconnect(client);
    });
    talk.until(|talk| talk.seen(Client).contains(&Seen::Confirm));
    let refused = talk.pair.client.with(|_, ctx| ctx.connect_again(client, &again));
    assert_eq!(refused, Err(ServiceError::State { state: State::Sta713 }));
    talk.pair.client.with(|_, ctx| ctx.provider_abort(client, ProviderAbortReason::Undefined));
    talk.pair.emptied();
    let ends = talk.pair.server.app().ends();
    assert_eq!(ends, ["Released", "Aborted { by_peer: true, by_user: false }"]);
    let refused = talk.pair.client.with(|_, ctx| ctx.connect_again(client, &again));
    assert_eq!(refused, Err(ServiceError::State { state: State::Sta01 }), "a stale id");
}

fn limits_count_a_kept_connection_once<W: World>() {
    let shard = ShardConfig { sessions_max: 1, ..ShardConfig::default() };
    let Some(mut talk) = idle::<W>(shard, LONG) else { return };
    assert!(talk.pair.connect().is_err(), "the kept connection has the place");
    let client = talk.client;
    talk.pair.client.with(|_, ctx| ctx.connect_again(client, &proposal(b"again"))).unwrap();
    talk.until(|talk| talk.seen(Client).contains(&Seen::Confirm));
    let tally = talk.pair.server.tally();
    assert_eq!((tally.sessions_open_responder, tally.sessions_established), (1, 1));
    talk.pair.client.app_mut().keep_idle = false;
    talk.pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    check(&mut talk.pair, 2, ["Released"; 2]);
    talk.pair.connect().unwrap();
}

fn raw_pair<W: World>(tim: Duration) -> Option<Pair<W>> {
    let session = SessionConfig { tim, ..session(true) };
    let listener = ListenerConfig { session, ..ListenerConfig::default() };
    Pair::<W>::with(Manners::default(), Manners::default(), ShardConfig::default(), listener)
}

/// FINISH that keeps the transport connection.
const FN_R: [u8; 5] = [9, 3, 0x11, 1, 0];

fn a_cn_that_comes_with_the_end_of_the_session_before_waits_for_its_id<W: World>() {
    let Some(mut pair) = raw_pair::<W>(LONG) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    // The next CN, and its FN, are in the same segment as FN: nothing of that may reach the ended session.
    let sessions = 20;
    let mut octets = Vec::new();
    for _ in 0..sessions {
        octets.extend(tpkt(&FN_R));
        octets.extend(cn());
    }
    raw.send(&octets);
    let connects = |pair: &Pair<W>| pair.server.app().count(|seen| matches!(seen, Seen::Connect(_)));
    raw.until(&mut pair, |_, pair| connects(pair) == sessions + 1);
    let seen = &pair.server.app().seen;
    let mut ids: Vec<_> =
        seen.iter().filter(|each| matches!(each.1, Seen::Connect(_))).map(|each| each.0).collect();
    ids.dedup();
    assert_eq!(ids.len(), sessions + 1, "each under an id of its own");
    for id in &ids[..sessions] {
        let of = pair.server.app().of(*id);
        let tail = &of[of.len() - 3..];
        assert_eq!(tail, [Seen::Connect(b"raw".to_vec()), Seen::Release, Seen::Ended("Released".into())]);
    }
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
    assert_eq!(pair.server.app().ends().len(), sessions + 1);
}

fn an_abort_that_is_never_answered_runs_into_tim<W: World>() {
    let Some(mut pair) = raw_pair::<W>(Duration::from_millis(60)) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let connect = |each: &&(_, Seen)| matches!(each.1, Seen::Connect(_));
    let id = pair.server.app().seen.iter().rfind(connect).unwrap().0;
    pair.server.with(|_, ctx| ctx.abort_request(id, &[])).unwrap();
    // AB-r, and no AA: STA01A.
    raw.until(&mut pair, |raw, _| raw.received.len() >= 12);
    assert_eq!(raw.received[7], 25);
    assert!(pair.server.inspect()[0].contains("Sta01A"), "{:?}", pair.server.inspect());
    raw.until(&mut pair, |raw, _| raw.closed);
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
    assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
    assert_eq!(pair.server.tally().transports_kept, 0);
}

fn nonsense_on_a_kept_connection_is_the_next_sessions_fault<W: World>() {
    let Some(mut pair) = raw_pair::<W>(LONG) else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    raw.send(&tpkt(&FN_R));
    raw.until(&mut pair, |_, pair| pair.server.app().count(|seen| matches!(seen, Seen::Kept(_))) == 1);
    raw.send(&tpkt(&[1, 0, 1, 0, 0xaa]));
    raw.until(&mut pair, |raw, _| raw.closed);
    drop(raw);
    pair.until(|pair| pair.server.connection_count() == 0);
    assert_eq!(pair.server.app().ends(), ["Released", "ProtocolError"]);
    assert_eq!(pair.server.app().count(|seen| matches!(seen, Seen::Fault(_))), 1);
}

fn a_connection_lost_while_an_abort_waits_for_its_peer_ends_once<W: World>() {
    for (reuse, state) in [(true, "Sta01A"), (false, "Sta16")] {
        let listener =
            ListenerConfig { session: SessionConfig { tim: LONG, ..session(reuse) }, ..Default::default() };
        let pair = Pair::<W>::with(Manners::default(), Manners::default(), ShardConfig::default(), listener);
        let Some(mut pair) = pair else { return };
        let mut raw = Raw::connect(pair.address);
        raw.open_session(&mut pair);
        let id = pair.server.app().seen[0].0;
        pair.server.with(|_, ctx| ctx.abort_request(id, &[])).unwrap();
        raw.until(&mut pair, |raw, _| !raw.received.is_empty());
        assert!(pair.server.inspect()[0].contains(state), "{:?}", pair.server.inspect());
        drop(raw);
        pair.until(|pair| pair.server.connection_count() == 0);
        assert_eq!(pair.server.app().ends(), ["Aborted { by_peer: false, by_user: true }"]);
        let aborts = |seen: &Seen| matches!(seen, Seen::ProviderAbort(_) | Seen::Kept(_));
        assert_eq!(pair.server.app().count(aborts), 0);
    }
}

fn a_flood_of_aborts_between_sessions_is_not_answered_without_end<W: World>() {
    const FLOOD_OCTETS: usize = 48 << 20;
    const HIGH: usize = 64 << 10;
    const STUCK_TURNS: usize = 50;
    let config = ShardConfig { send_high_octets: HIGH, send_low_octets: 16 << 10, ..ShardConfig::default() };
    let listener =
        ListenerConfig { session: session(true), connect_timeout: LONG, ..ListenerConfig::default() };
    let pair = Pair::<W>::with(Manners::default(), Manners::default(), config, listener);
    let Some(mut pair) = pair else { return };
    let mut raw = Raw::connect_narrow(pair.address);
    raw.open_session(&mut pair);
    raw.send(&tpkt(&FN_R));
    raw.until(&mut pair, |_, pair| pair.server.app().count(|seen| matches!(seen, Seen::Kept(_))) == 1);
    raw.received.clear();
    // AB-r after AB-r, each answered by AA; nothing of that is read until nothing goes any more.
    let abort = tpkt(&[25, 3, 0x11, 1, 2]);
    let flood = abort.repeat(10_000);
    let queued = |pair: &mut Pair<W>| {
        let id = pair.server.app().seen.last().unwrap().0;
        pair.server.with(|_, ctx| ctx.queued_octets(id))
    };
    let (mut sent, mut stuck) = (0, 0);
    while sent < FLOOD_OCTETS && stuck < STUCK_TURNS {
        let count = raw.send_some(&flood[sent % abort.len()..]);
        sent += count;
        pair.server.turn(Some(Duration::from_millis(1))).unwrap();
        stuck = if count == 0 && queued(&mut pair) >= HIGH { stuck + 1 } else { 0 };
    }
    assert_eq!(stuck, STUCK_TURNS, "the shard has taken {sent} octets whose answers nobody reads");
    assert!(queued(&mut pair) < 2 * HIGH, "{} octets of answers are queued", queued(&mut pair));
    // Once the answers are read it goes on to the last abort.
    raw.widen();
    raw.until(&mut pair, |raw, _| raw.received.len() >= sent / abort.len() * tpkt(&[26, 0]).len());
}
