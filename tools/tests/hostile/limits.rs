//! More connections than a listener takes: those too many are told so, and those within are served.

use crate::gateway::{Gateway, NOT_ESTABLISHED_MAX, SESSIONS_MAX};
use crate::octets::{CC, CR, DR_CONGESTION};
use crate::peer::Peer;

/// Connections over a limit that a shard keeps until it can answer their CR.
const REFUSALS_MAX: usize = 64;

/// Connections without a session.
const NOT_ESTABLISHED: &str = "colloquy_sessions{state=\"not_established\",role=\"any\"}";

/// Half-open connections up to the limit; the next one is refused by DR, reason congestion (X.224 §13.5.3).
pub(crate) fn connections_not_established(gateway: &Gateway) {
    let address = gateway.address("narrow");
    let counted =
        "colloquy_connections_refused_total{scope=\"listener\",limit=\"connections_not_established\"}";
    let before = gateway.metric(counted);
    let mut half_open: Vec<Peer> = (0..NOT_ESTABLISHED_MAX).map(|_| Peer::transport(address)).collect();
    let mut refused = Peer::connect(address);
    refused.send(&CR);
    refused.expect_last(&DR_CONGESTION);
    gateway.wait_for_metric(counted, before + 1);
    // A place is free again as soon as one is gone.
    drop(half_open.pop().expect("there are some"));
    gateway.wait_for_metric(NOT_ESTABLISHED, NOT_ESTABLISHED_MAX as u64 - 1);
    let mut admitted = Peer::connect(address);
    admitted.send(&CR);
    admitted.expect(&CC);
    for peer in half_open.into_iter().chain([admitted]) {
        let address = peer.address();
        drop(peer);
        gateway.log().expect_end(address, "eof");
    }
    gateway.wait_for_metric(NOT_ESTABLISHED, 0);
}

/// Sessions up to the limit; the next one is refused, and taken when one has ended.
pub(crate) fn sessions(gateway: &Gateway) {
    let address = gateway.address("narrow");
    let counted = "colloquy_connections_refused_total{scope=\"listener\",limit=\"sessions\"}";
    let before = gateway.metric(counted);
    let mut open: Vec<Peer> = (0..SESSIONS_MAX).map(|_| Peer::session(address)).collect();
    let mut refused = Peer::connect(address);
    refused.send(&CR);
    refused.expect_last(&DR_CONGESTION);
    gateway.wait_for_metric(counted, before + 1);
    for peer in &mut open {
        peer.echo(b"served meanwhile");
    }
    let (last, addresses): (Option<Peer>, Vec<_>) = (open.pop(), open.iter().map(Peer::address).collect());
    last.expect("there are some").release();
    // DN was the end of the session; its place is free when the connection is.
    gateway.wait_for_metric("colloquy_sessions{state=\"established\",role=\"any\"}", SESSIONS_MAX as u64 - 1);
    let mut admitted = Peer::session(address);
    admitted.echo(b"admitted");
    admitted.release();
    open.into_iter().for_each(Peer::release);
    for address in addresses {
        gateway.log().expect_end(address, "released");
    }
}

/// A flood of connections that say nothing: a few are waited for, the others closed at once; other listeners
/// serve, and in the end so does this one.
pub(crate) fn flood(gateway: &Gateway) {
    let address = gateway.address("narrow");
    let flood_count = NOT_ESTABLISHED_MAX + REFUSALS_MAX + 100;
    let mut flood: Vec<Peer> = (0..flood_count).filter_map(|_| Peer::try_connect(address).ok()).collect();
    gateway.healthy();
    // Those with a place, those that wait to be refused, and those that were closed when there were too many.
    flood.iter_mut().for_each(|peer| peer.send(&CR));
    let mut told = 0;
    for peer in &mut flood {
        let answer = peer.receive_all();
        told += usize::from(!answer.is_empty());
        let answers: [&[u8]; 3] = [&[], &CC, &DR_CONGESTION];
        assert!(answers.contains(&&answer[..]), "{answer:02x?}");
    }
    assert!(told >= NOT_ESTABLISHED_MAX, "{told} of {flood_count} were answered");
    assert!(told <= NOT_ESTABLISHED_MAX + REFUSALS_MAX, "{told} connections were kept");
    gateway.wait_for_metric(NOT_ESTABLISHED, 0);
    let mut peer = Peer::session(address);
    peer.echo(b"after the flood");
    peer.release();
}
