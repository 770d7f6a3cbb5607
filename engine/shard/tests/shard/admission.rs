//! The application is asked about each connection before anything of it is looked at; what stops listening refuses.

use std::time::Duration;

use colloquy_shard::{Admission, ListenerConfig, ShardConfig, ShardLimit};

use crate::pair::{Pair, World};
use crate::raw::{Raw, cr};
use crate::recorder::Manners;

crate::pair::on_every_driver! {
    an_application_refuses_with_its_reason,
    an_application_closes_at_once,
    refusals_of_the_application_are_bounded,
    another_configuration_is_for_later_connections,
}

crate::pair::on_real_drivers! {
    an_admitted_connection_ends_once_without_a_cr,
    a_refused_connection_never_ends,
    who_waits_when_listening_stops_is_told,
    a_cr_must_come_in_its_own_time,
}

fn pair<W: World>(admission: Admission, config: ShardConfig, listener: ListenerConfig) -> Option<Pair<W>> {
    Pair::with(Manners { admission, ..Manners::default() }, Manners::default(), config, listener)
}

fn plain<W: World>(admission: Admission) -> Option<Pair<W>> {
    pair(admission, ShardConfig::default(), ListenerConfig::default())
}

fn an_application_refuses_with_its_reason<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Refuse(136)) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 136 }"]);
    pair.emptied();
    let (app, tally) = (pair.server.app(), pair.server.tally());
    assert_eq!((app.accepted.len(), app.seen.len()), (1, 0), "it was asked, and hears nothing more");
    assert_eq!((tally.refused_by_application, tally.refused_with_disconnect), (1, 1));
    assert_eq!((tally.sessions_opened, tally.sessions_open_responder, tally.refusals_open), (0, 0, 0));
    // There is a place for others.
    pair.server.app_mut().manners.admission = Admission::Admit;
    pair.established();
}

fn an_application_closes_at_once<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Close) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    let end = pair.client.app().ends()[0].to_owned();
    assert!(end == "Network" || end == "Eof", "{end}");
    pair.emptied();
    let tally = pair.server.tally();
    assert_eq!((tally.refused_by_application, tally.refused_closed, tally.refusals_open), (1, 1, 0));
    assert_eq!(pair.server.app().seen.len(), 0);
}

fn refusals_of_the_application_are_bounded<W: World>() {
    let config = ShardConfig { refusals_max: 0, ..ShardConfig::default() };
    let Some(mut pair) = pair::<W>(Admission::Refuse(1), config, ListenerConfig::default()) else { return };
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    pair.emptied();
    assert_eq!((pair.server.tally().refused_closed, pair.server.tally().refused_with_disconnect), (1, 0));
}

fn another_configuration_is_for_later_connections<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Admit) else { return };
    let (first, _) = pair.established();
    let full = ListenerConfig { sessions_max: 1, ..ListenerConfig::default() };
    pair.server.with(|_, ctx| {
        assert!(ctx.set_listener(7, full));
        assert!(!ctx.set_listener(8, full), "there is no such listener");
        let config = ShardConfig { sessions_max: 5, commands_max: 1, ..*ctx.shard_config() };
        ctx.set_shard_config(config);
        assert_eq!((ctx.shard_config().sessions_max, ctx.shard_config().commands_max), (5, 1024));
    });
    pair.connect().unwrap();
    pair.until(|pair| !pair.client.app().ends().is_empty());
    assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 1 }"]);
    pair.client.with(|_, ctx| ctx.release_request(first, &[])).unwrap();
    pair.emptied();
    assert_eq!(pair.server.app().ends(), ["Released"], "who was there before is left alone");
}

fn an_admitted_connection_ends_once_without_a_cr<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Admit) else { return };
    drop(Raw::connect(pair.address));
    pair.until(|pair| !pair.server.app().ends().is_empty());
    pair.emptied();
    assert_eq!(pair.server.app().ends().len(), 1);
    assert_eq!(pair.server.app().accepted[0].0, pair.server.app().seen[0].0);
}

fn a_refused_connection_never_ends<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Refuse(1)) else { return };
    drop(Raw::connect(pair.address));
    pair.until(|pair| pair.server.tally().refused_by_application == 1);
    pair.emptied();
    assert_eq!(pair.server.app().seen.len(), 0);
}

/// The system has told them that they are connected: they get an answer, and no reset.
fn who_waits_when_listening_stops_is_told<W: World>() {
    let Some(mut pair) = plain::<W>(Admission::Admit) else { return };
    pair.server.turn(Some(Duration::ZERO)).unwrap();
    let mut late: Vec<Raw> = (0..3).map(|_| Raw::connect(pair.address)).collect();
    late.iter_mut().for_each(|raw| raw.send(&cr()));
    pair.server.with(|_, ctx| ctx.stop_listening());
    for raw in &mut late {
        raw.until(&mut pair, |raw, _| raw.closed);
        assert_eq!(raw.received.get(5), Some(&0x80), "DR");
        assert_eq!(raw.received.get(10), Some(&1), "congestion");
    }
    drop(late);
    pair.emptied();
    assert_eq!(pair.server.app().refused, [(7, ShardLimit::NotListening); 3]);
    assert_eq!(pair.server.tally().refused_not_listening, 3);
    assert_eq!(pair.server.app().accepted.len(), 0);
}

fn a_cr_must_come_in_its_own_time<W: World>() {
    let listener =
        ListenerConfig { transport_timeout: Duration::from_millis(60), ..ListenerConfig::default() };
    let Some(mut pair) = pair::<W>(Admission::Admit, ShardConfig::default(), listener) else { return };
    let mut polite = Raw::connect(pair.address);
    polite.open_transport(&mut pair);
    let mut silent = Raw::connect(pair.address);
    silent.until(&mut pair, |raw, _| raw.closed);
    assert_eq!(pair.server.app().ends(), ["Timeout(\"half-open\")"]);
    polite.send(&crate::raw::cn());
    polite.until(&mut pair, |raw, _| !raw.received.is_empty());
    assert_eq!(polite.received[7], 14, "AC: it had its CR in time, and has longer for its CN");
}
