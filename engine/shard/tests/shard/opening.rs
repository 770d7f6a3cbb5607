//! Connections opened before a session is asked for on them.

use std::time::Duration;

use colloquy_session::{ServiceError, State};
use colloquy_shard::{ConnectError, ListenerConfig, Reach, SessionEnd, SessionId, SessionPhase, ShardConfig};

use crate::pair::{Pair, World};
use crate::recorder::{Manners, Seen, open_target, proposal};

crate::pair::on_every_driver! {
    an_open_transport_takes_a_session_later,
    an_open_transport_is_closed_without_one,
    a_network_connection_is_all_that_is_asked_for,
    a_peer_that_closes_ends_it_as_unused,
    nobody_there_is_a_network_end,
    a_refused_transport_tells_its_reason,
    one_that_is_under_way_is_given_up,
    it_counts_against_the_limit,
}

fn pair<W: World>() -> Option<Pair<W>> {
    Pair::new(Manners::default(), Manners::default())
}

fn open<W: World>(pair: &mut Pair<W>, reach: Reach) -> SessionId {
    let target = open_target(pair.address);
    pair.client.with(|_, ctx| ctx.open(&target, reach)).unwrap()
}

fn opened<W: World>(pair: &mut Pair<W>, reach: Reach) -> SessionId {
    let id = open(pair, reach);
    pair.until(|pair| pair.client.app().of(id) == [Seen::Opened(reach)]);
    id
}

fn an_open_transport_takes_a_session_later<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let id = opened(&mut pair, Reach::Transport);
    let view = pair.client.with(|_, ctx| ctx.view(id)).unwrap();
    assert_eq!((view.phase, view.state, view.opened_ahead), (SessionPhase::Kept, State::Sta01C, true));
    assert_eq!(pair.server.app().count(|seen| matches!(seen, Seen::Connect(_))), 0);
    pair.client.with(|_, ctx| ctx.connect_again(id, &proposal(b"later"))).unwrap();
    pair.until(|pair| pair.client.app().of(id).contains(&Seen::Confirm));
    assert_eq!(pair.server.app().count(|seen| *seen == Seen::Connect(b"later".to_vec())), 1);
    let again = pair.client.with(|_, ctx| ctx.connect_again(id, &proposal(b"twice")));
    assert!(matches!(again, Err(ServiceError::State { .. })));
    pair.client.with(|_, ctx| ctx.release_request(id, &[])).unwrap();
    pair.emptied();
    assert_eq!((pair.client.app().ends(), pair.server.app().ends()), (vec!["Released"], vec!["Released"]));
}

fn an_open_transport_is_closed_without_one<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let id = opened(&mut pair, Reach::Transport);
    pair.client.with(|_, ctx| ctx.transport_disconnect(id));
    pair.emptied();
    assert_eq!((pair.client.app().ends(), pair.server.app().ends()), (vec!["Unused"], vec!["Eof"]));
    assert_eq!(pair.client.tally().ended_unused, 1);
}

fn a_network_connection_is_all_that_is_asked_for<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let id = opened(&mut pair, Reach::Network);
    assert_eq!(pair.client.with(|_, ctx| ctx.view(id)).unwrap().phase, SessionPhase::Reached);
    let early = pair.client.with(|_, ctx| ctx.connect_again(id, &proposal(b"no")));
    assert!(matches!(early, Err(ServiceError::State { .. })), "there is no transport connection");
    pair.client.with(|_, ctx| ctx.transport_disconnect(id));
    pair.emptied();
    assert_eq!((pair.client.app().ends(), pair.server.app().ends()), (vec!["Unused"], vec!["Eof"]));
    assert_eq!(pair.client.tally().octets_out, 0);
}

fn a_peer_that_closes_ends_it_as_unused<W: World>() {
    let listener = ListenerConfig { connect_timeout: Duration::from_millis(50), ..ListenerConfig::default() };
    let config = ShardConfig::default();
    let Some(mut pair) = Pair::<W>::with(Manners::default(), Manners::default(), config, listener) else {
        return;
    };
    opened(&mut pair, Reach::Transport);
    pair.emptied();
    assert_eq!(pair.client.app().ends(), ["Unused"]);
    assert_eq!(pair.server.app().ends(), ["Timeout(\"half-open\")"]);
}

fn nobody_there_is_a_network_end<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let target = open_target(pair.world.nobody());
    let id = pair.client.with(|_, ctx| ctx.open(&target, Reach::Network)).unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().of(id), [Seen::Ended("Network".to_owned())]);
    pair.emptied();
}

fn a_refused_transport_tells_its_reason<W: World>() {
    let listener = ListenerConfig { sessions_max: 0, ..ListenerConfig::default() };
    let config = ShardConfig::default();
    let Some(mut pair) = Pair::<W>::with(Manners::default(), Manners::default(), config, listener) else {
        return;
    };
    let id = open(&mut pair, Reach::Transport);
    pair.until(|pair| !pair.client.app().ends().is_empty());
    let end = SessionEnd::TransportRefused { reason: 1 };
    assert_eq!(pair.client.app().of(id), [Seen::Ended(format!("{end:?}"))]);
    pair.emptied();
}

fn one_that_is_under_way_is_given_up<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let id = open(&mut pair, Reach::Transport);
    pair.client.with(|_, ctx| ctx.transport_disconnect(id));
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().of(id), [Seen::Ended("Unused".to_owned())]);
    pair.emptied();
}

fn it_counts_against_the_limit<W: World>() {
    let config = ShardConfig { sessions_max: 1, ..ShardConfig::default() };
    let listener = ListenerConfig::default();
    let Some(mut pair) = Pair::<W>::with(Manners::default(), Manners::default(), config, listener) else {
        return;
    };
    opened(&mut pair, Reach::Network);
    let target = open_target(pair.address);
    let more = pair.client.with(|_, ctx| ctx.open(&target, Reach::Network));
    assert!(matches!(more, Err(ConnectError::SessionsMax(1))));
}
