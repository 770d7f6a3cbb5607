//! Sessions over TLS and behind PROXY headers: with the handshake threads on sockets, on the shard itself in virtual time.

use std::sync::Arc;
use std::time::Duration;

use colloquy_session::Enclosure;
use colloquy_shard::{ConnectTarget, HandshakePool, ListenerWire, SessionId, TargetWire};
use colloquy_transport::buf::Slice;
use colloquy_transport::driver::Driver;

use crate::pair::{Pair, World};
use crate::raw::{Raw, cn, cr, tpkt};
use crate::recorder::{Manners, Seen, proposal, target};
use crate::secured::Secured;

crate::pair::on_every_driver! {
    sessions_go_over_either_version_behind_a_header,
    a_header_that_does_not_come_ends_in_time,
    whoever_finds_no_place_is_told_so_behind_the_handshake,
}

crate::pair::on_real_drivers! {
    all_who_come_at_once_finish_while_a_session_goes_on,
    what_a_peer_does_not_read_is_bounded_and_not_lost,
    keys_change_in_both_directions,
}

const ECHO: Manners = Manners {
    admission: colloquy_shard::Admission::Admit,
    transport: colloquy_shard::TransportAnswer::Accept,
    connect: crate::recorder::ConnectAnswer::Accept,
    release: true,
    echo: true,
    keep_data: true,
    pause: false,
};
/// What the shard gives to the handshake threads at once.
const UNDER_WAY_MAX: u64 = 64;

/// A server with this wire and one thread for handshakes, where there are sockets.
fn wired<W: World>(manners: Manners, wire: &ListenerWire) -> Option<Pair<W>> {
    let mut pair = Pair::<W>::new(manners, Manners::default())?;
    pair.server.with(|_, ctx| ctx.set_listener_wire(7, wire));
    if pair.world.net().is_none() {
        pair.server.use_handshake_pool(Arc::new(HandshakePool::start(1).unwrap()));
        pair.client.use_handshake_pool(Arc::new(HandshakePool::start(1).unwrap()));
    }
    Some(pair)
}

fn connect<W: World>(pair: &mut Pair<W>, wire: &TargetWire) -> SessionId {
    let to = ConnectTarget { wire: Some(wire), ..target(pair.address, proposal(b"hello")) };
    let id = pair.client.with(|_, ctx| ctx.connect(&to)).unwrap();
    pair.until(|pair| pair.client.app().of(id).contains(&Seen::Confirm));
    id
}

fn send<W: World>(pair: &mut Pair<W>, id: SessionId, octets: Vec<u8>) {
    let body = [Slice::from_vec(octets)];
    pair.client.with(|_, ctx| ctx.data_request(id, &body, Enclosure::WHOLE)).unwrap();
}

fn sessions_go_over_either_version_behind_a_header<W: World>() {
    for (version_1_2, version_1_3) in [(true, false), (false, true)] {
        let secured = Secured::new(version_1_2, version_1_3);
        for source in [None, Some(([192, 0, 2, 7], 8080).into())] {
            let Some(mut pair) = wired::<W>(ECHO, &secured.listener(source.is_some())) else { return };
            let id = connect(&mut pair, &secured.target(source));
            let at_server = pair.server.app().accepted[0].0;
            let (peer, known) = pair.server.with(|_, ctx| (ctx.peer(at_server), ctx.tls_peer(at_server)));
            assert!(source.is_none_or(|source| peer == Some(source)), "{peer:?}");
            assert_eq!(known.unwrap().dns_names, ["gateway.example"]);
            let sent: Vec<Vec<u8>> = [0, 1, 100, 16_383, 16_384, 16_385, 60_000, 300_000]
                .map(|octets| vec![octets as u8; octets])
                .into();
            for body in &sent {
                send(&mut pair, id, body.clone());
            }
            let count = sent.len() as u64;
            pair.until(|pair| pair.client.app().data_count == count);
            assert_eq!(pair.client.app().data(), sent);
            let tally = pair.server.tally();
            assert_eq!((tally.tls_open_12, tally.tls_open_13), (version_1_2.into(), version_1_3.into()));
            pair.client.with(|_, ctx| ctx.release_request(id, &[])).unwrap();
            pair.emptied();
            assert_eq!(
                (pair.server.app().ends(), pair.client.app().ends()),
                (vec!["Released"], vec!["Released"])
            );
            let tally = pair.server.tally();
            assert_eq!((tally.tls_open_12, tally.tls_open_13, tally.tls_handshakes_under_way), (0, 0, 0));
        }
    }
}

fn a_header_that_does_not_come_ends_in_time<W: World>() {
    let secured = Secured::new(true, true);
    let listener = colloquy_shard::ListenerConfig {
        connect_timeout: Duration::from_millis(80),
        ..colloquy_shard::ListenerConfig::default()
    };
    let made = Pair::<W>::with(Manners::default(), Manners::default(), Default::default(), listener);
    let Some(mut pair) = made else { return };
    pair.server.with(|_, ctx| ctx.set_listener_wire(7, &secured.listener(true)));
    let address = pair.address;
    let open = crate::recorder::open_target(address);
    pair.client.with(|_, ctx| ctx.open(&open, colloquy_shard::Reach::Network)).unwrap();
    pair.until(|pair| !pair.server.app().ends().is_empty());
    pair.emptied();
    let end = pair.server.app().ends()[0].to_owned();
    assert!(end.contains("Proxy") && end.contains("Timeout"), "{end}");
    assert_eq!((pair.server.app().accepted.len(), pair.server.tally().ended_proxy), (1, 1));
}

fn whoever_finds_no_place_is_told_so_behind_the_handshake<W: World>() {
    for (version_1_2, version_1_3) in [(true, false), (false, true)] {
        let secured = Secured::new(version_1_2, version_1_3);
        let listener = colloquy_shard::ListenerConfig { sessions_max: 0, ..Default::default() };
        let made = Pair::<W>::with(Manners::default(), Manners::default(), Default::default(), listener);
        let Some(mut pair) = made else { return };
        pair.server.with(|_, ctx| ctx.set_listener_wire(7, &secured.listener(false)));
        let wire = secured.target(None);
        let to = ConnectTarget { wire: Some(&wire), ..target(pair.address, proposal(b"hello")) };
        pair.client.with(|_, ctx| ctx.connect(&to)).unwrap();
        pair.emptied();
        assert_eq!(pair.client.app().ends(), ["TransportRefused { reason: 1 }"], "{version_1_2}");
        assert_eq!(pair.server.tally().refused_with_disconnect, 1);
    }
}

/// A peer made of octets that speaks TLS.
struct SecuredRaw {
    raw: Raw,
    tls: colloquy_transport::tls::TlsConnection,
    plain: Vec<u8>,
}

impl SecuredRaw {
    fn new(raw: Raw, secured: &Secured) -> Self {
        Self { raw, tls: secured.connection(), plain: Vec::new() }
    }

    /// Takes what has come and sends what that calls for.
    fn take(&mut self) {
        let (mut out, plain) = (Vec::new(), &mut self.plain);
        let received = std::mem::take(&mut self.raw.received);
        self.tls.receive(&received, &mut out, &mut |octets| plain.extend_from_slice(octets)).unwrap();
        self.raw.send(&out);
    }

    fn send(&mut self, octets: &[u8]) {
        let mut out = Vec::new();
        self.tls.seal(octets, &mut out).unwrap();
        self.raw.send(&out);
    }

    fn until<W: World>(&mut self, pair: &mut Pair<W>, done: impl Fn(&Self) -> bool) {
        self.take();
        while !done(self) {
            self.raw.until(pair, |raw, _| !raw.received.is_empty() || raw.closed);
            assert!(!self.raw.closed, "{:?}", pair.server.app().ends());
            self.take();
        }
    }

    fn open_session<W: World>(&mut self, pair: &mut Pair<W>) {
        self.until(pair, |peer| peer.tls.is_established());
        self.send(&cr());
        self.until(pair, |peer| !peer.plain.is_empty());
        assert_eq!(self.plain[5], 0xd0, "CC");
        self.plain.clear();
        self.send(&cn());
        self.until(pair, |peer| !peer.plain.is_empty());
        assert_eq!(self.plain[7], 14, "AC");
        self.plain.clear();
    }
}

fn all_who_come_at_once_finish_while_a_session_goes_on<W: World>() {
    const PEERS: usize = 200;
    let secured = Secured::new(true, true);
    let Some(mut pair) = wired::<W>(ECHO, &secured.listener(false)) else { return };
    let beside = connect(&mut pair, &secured.target(None));
    let address = pair.address;
    let mut peers: Vec<_> = (0..PEERS).map(|_| SecuredRaw::new(Raw::connect(address), &secured)).collect();
    pair.until(|pair| pair.server.connection_count() == PEERS + 1);
    peers.iter_mut().for_each(SecuredRaw::take);
    let mut waited = 0;
    while pair.server.tally().octets_in < PEERS as u64 * 150 {
        pair.turn_both();
        let tally = pair.server.tally();
        assert!(tally.tls_handshakes_under_way <= UNDER_WAY_MAX, "{tally:?}");
        waited = waited.max(tally.tls_handshakes_waiting);
    }
    assert!(waited > 0, "one thread has not done with {PEERS} before they are there");
    // None of them goes on before the session beside them has had its rounds.
    for round in 1..=20 {
        send(&mut pair, beside, vec![round as u8; 100]);
        pair.until(|pair| pair.client.app().data_count == round);
        assert!(pair.server.tally().tls_handshakes_under_way <= UNDER_WAY_MAX);
    }
    assert_eq!(pair.server.tally().tls_open_13, 1);
    for peer in &mut peers {
        peer.until(&mut pair, |peer| peer.tls.is_established());
        peer.send(&cr());
    }
    for peer in &mut peers {
        peer.until(&mut pair, |peer| peer.plain.get(5) == Some(&0xd0));
    }
    let tally = pair.server.tally();
    assert_eq!(tally.tls_open_13, PEERS as u64 + 1);
    assert_eq!((tally.tls_handshakes_under_way, tally.tls_handshakes_waiting), (0, 0));
}

fn what_a_peer_does_not_read_is_bounded_and_not_lost<W: World>() {
    const BODY_OCTETS: usize = 4 << 10;
    /// What the server holds for it and what the two systems take without anybody reading.
    const HELD_OCTETS_MAX: usize = 8 << 20;
    const ROUNDS: usize = 3;
    let secured = Secured::new(true, true);
    let Some(mut pair) = wired::<W>(Manners::default(), &secured.listener(false)) else { return };
    let mut peer = SecuredRaw::new(Raw::connect_narrow(pair.address), &secured);
    peer.open_session(&mut pair);
    let id = pair.server.app().accepted[0].0;
    let mut sent = 0_usize;
    let mut taken = 0_usize;
    for _ in 0..ROUNDS {
        let before = sent;
        loop {
            let body =
                [Slice::from_vec((sent..sent + BODY_OCTETS).map(|at| (at / BODY_OCTETS) as u8).collect())];
            let congested = pair.server.with(|_, ctx| {
                ctx.data_request(id, &body, Enclosure::WHOLE).unwrap();
                ctx.is_congested(id)
            });
            sent += BODY_OCTETS;
            pair.server.turn(Some(Duration::ZERO)).unwrap();
            assert!(sent - before < HELD_OCTETS_MAX, "nobody is told to stop");
            if congested && pair.server.with(|_, ctx| ctx.is_congested(id)) {
                break;
            }
        }
        assert!(pair.server.driver().stats().octets_pinned < HELD_OCTETS_MAX as u64);
        let writable = pair.server.app().count(|seen| *seen == Seen::Writable);
        while taken < sent {
            peer.until(&mut pair, |peer| peer.plain.len() >= BODY_OCTETS + 11);
            let whole = peer.plain.len() / (BODY_OCTETS + 11);
            for tsdu in peer.plain.drain(..whole * (BODY_OCTETS + 11)).as_slice().chunks(BODY_OCTETS + 11) {
                assert!(tsdu[11..] == [(taken / BODY_OCTETS) as u8; BODY_OCTETS], "from {taken}");
                taken += BODY_OCTETS;
            }
        }
        assert!(pair.server.app().count(|seen| *seen == Seen::Writable) > writable, "it may go on");
    }
    assert_eq!((taken, peer.plain.len()), (sent, 0));
}

fn keys_change_in_both_directions<W: World>() {
    let secured = Secured::new(false, true);
    let Some(mut pair) = wired::<W>(ECHO, &secured.listener(false)) else { return };
    let mut peer = SecuredRaw::new(Raw::connect(pair.address), &secured);
    peer.open_session(&mut pair);
    for round in 0..20_u8 {
        let data = tpkt(&[1, 0, 1, 0, round, round]);
        let mut out = Vec::new();
        peer.tls.update_keys(&mut out).unwrap();
        // The update comes apart and together with data.
        if round % 2 == 0 {
            peer.raw.send(&out);
            peer.send(&data);
        } else {
            peer.tls.seal(&data, &mut out).unwrap();
            peer.raw.send(&out);
        }
        peer.until(&mut pair, |peer| peer.plain == data);
        peer.plain.clear();
    }
}
