//! Sessions seen from outside: one by one, in pages, and what they hold in all.

use std::time::Duration;

use colloquy_session::{Enclosure, State, Versions};
use colloquy_shard::{SessionPhase, TransportRole};
use colloquy_transport::buf::Slice;

use crate::pair::{Pair, World};
use crate::raw::{Raw, tpkt};
use crate::recorder::{Manners, Seen};

crate::pair::on_every_driver! {
    a_view_tells_both_ends,
    pages_have_every_session_once,
    what_is_queued_is_held_until_it_is_sent,
}

crate::pair::on_real_drivers! {
    what_is_incomplete_or_waits_is_held,
}

fn pair<W: World>() -> Option<Pair<W>> {
    Pair::new(Manners::default(), Manners::default())
}

fn a_view_tells_both_ends<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let (client, server) = pair.established();
    for (own, id, role) in [
        (&mut pair.client, client, TransportRole::Initiator),
        (&mut pair.server, server, TransportRole::Responder),
    ] {
        let (view, now) = own.with(|_, ctx| (ctx.view(id).unwrap(), ctx.now()));
        assert!(view.opened_at <= view.heard_at && view.heard_at <= now, "{view:?} at {now:?}");
        assert_eq!((view.phase, view.state, view.role), (SessionPhase::Open, State::Sta713, role));
        assert_eq!((view.version, view.transport_open, view.tpdu_octets), (Some(Versions::V2), true, 8192));
        assert_eq!((view.paused, view.congested, view.over, view.tapped), (false, false, false, false));
        assert!(view.deadlines.iter().flatten().all(|deadline| deadline.name == "send"), "{view:?}");
    }
    pair.client.with(|_, ctx| {
        ctx.pause(client);
        ctx.set_timer(client, Some(ctx.now() + Duration::from_secs(3)));
        let view = ctx.view(client).unwrap();
        assert!(view.paused && view.receive_stopped);
        let timer = view.deadlines.iter().flatten().find(|deadline| deadline.name == "application");
        assert_eq!(timer.unwrap().left, Duration::from_secs(3));
        ctx.resume(client);
    });
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    let view = pair.client.with(|_, ctx| ctx.view(client)).unwrap();
    assert_eq!((view.phase, view.state), (SessionPhase::Releasing, State::Sta03));
    assert!(view.deadlines.iter().flatten().any(|deadline| deadline.name == "release"));
    pair.emptied();
    assert_eq!(pair.client.with(|_, ctx| ctx.view(client)), None);
}

fn pages_have_every_session_once<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let mut expected: Vec<_> = (0..7).map(|_| pair.established().0).collect();
    let gone = expected.remove(3);
    pair.client.with(|_, ctx| ctx.release_request(gone, &[])).unwrap();
    pair.until(|pair| pair.client.connection_count() == 6);
    expected.sort_by_key(|id| id.index);
    let (mut listed, mut next) = (Vec::new(), 0);
    loop {
        let page: Vec<_> = pair.client.with(|_, ctx| ctx.sessions_from(next, 4).collect());
        let Some(last) = page.last() else { break };
        next = last.index + 1;
        assert!(page.len() <= 4);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}

fn held<W: World>(pair: &mut Pair<W>) -> [usize; 2] {
    [pair.client.with(|_, ctx| ctx.octets_held()), pair.server.with(|_, ctx| ctx.octets_held())]
}

fn what_is_queued_is_held_until_it_is_sent<W: World>() {
    const OCTETS: usize = 3 << 20;
    let Some(mut pair) =
        Pair::<W>::new(Manners { keep_data: false, ..Manners::default() }, Manners::default())
    else {
        return;
    };
    let (client, _) = pair.established();
    pair.until(|pair| pair.client.tally().sends >= 2 && pair.server.tally().sends >= 2);
    for _ in 0..OCTETS >> 16 {
        let body = [Slice::from_vec(vec![7; 1 << 16])];
        pair.client.with(|_, ctx| ctx.data_request(client, &body, Enclosure::WHOLE)).unwrap();
    }
    let queued = pair.client.with(|_, ctx| ctx.octets_waiting(client));
    assert!(queued > OCTETS, "{queued}");
    pair.client.turn(Some(Duration::ZERO)).unwrap();
    assert!(held(&mut pair)[0] > OCTETS / 2, "{:?}", held(&mut pair));
    pair.until(|pair| pair.server.app().data_octets == OCTETS as u64);
    pair.client.with(|_, ctx| ctx.release_request(client, &[])).unwrap();
    pair.emptied();
    assert_eq!(held(&mut pair), [0, 0]);
}

fn what_is_incomplete_or_waits_is_held<W: World>() {
    let Some(mut pair) = pair::<W>() else { return };
    let mut raw = Raw::connect(pair.address);
    raw.open_session(&mut pair);
    let id = pair.server.app().seen[0].0;
    let whole = tpkt(&[&[1, 0, 1, 0][..], &[7; 1000]].concat());
    raw.send(&whole[..600]);
    raw.until(&mut pair, |_, pair| pair.server.tally().octets_in > 600);
    let view = pair.server.with(|_, ctx| ctx.view(id)).unwrap();
    assert!((590..=600).contains(&view.held_octets), "{view:?}");
    assert_eq!(held(&mut pair)[1], view.held_octets);
    raw.send(&whole[600..]);
    raw.until(&mut pair, |_, pair| pair.server.app().data_count == 1);
    assert_eq!(held(&mut pair)[1], 0);
    // What comes for a paused session waits whole.
    pair.server.with(|_, ctx| ctx.pause(id));
    let before = pair.server.tally().octets_in;
    raw.send(&whole);
    for _ in 0..3 {
        pair.server.turn(Some(Duration::from_millis(1))).unwrap();
    }
    let came = (pair.server.tally().octets_in - before) as usize;
    assert_eq!(held(&mut pair)[1], came);
    assert_eq!(pair.server.with(|_, ctx| ctx.octets_waiting(id)), came);
    pair.server.with(|_, ctx| ctx.resume(id));
    raw.until(&mut pair, |_, pair| pair.server.app().count(|seen| matches!(seen, Seen::Data(_))) == 2);
    assert_eq!(held(&mut pair)[1], 0);
    drop(raw);
    pair.emptied();
    assert_eq!(held(&mut pair), [0, 0]);
}
