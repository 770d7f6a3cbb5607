//! The receive pool under pressure: peers that fall silent in the middle of something do not keep it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::config::{Config, ListenerApplication, Profile};
use colloquy_session::{ConnectParameters, Enclosure, TsduMaximumSize};
use colloquy_shard::{SessionId, Tally};
use colloquy_transport::buf::{Slice, copies};
use colloquy_transport::driver::Driver;
use common::peer::{Manners, Seen};
use common::raw::{CN, CR};
use common::{World, mms, relay_config};

const BLOCK_OCTETS: usize = 16 << 10;
const BLOCKS: usize = 8;
const SILENT_PEERS: usize = 40;
const PIECE_OCTETS: usize = 3 << 10;

/// A gateway whose pool a few peers can keep.
fn small_pool(mut config: Config) -> Config {
    config.engine.receive_blocks = BLOCKS;
    config.engine.receive_block_octets = BLOCK_OCTETS;
    config
}

fn echo() -> Config {
    let mut config = small_pool(relay_config(Profile::Mms));
    config.listeners[0].application = ListenerApplication::Echo;
    config
}

fn pinned(world: &World) -> usize {
    world.gateway.driver().stats().octets_pinned as usize
}

fn is_scarce(world: &World) -> bool {
    pinned(world) * 2 >= BLOCKS * BLOCK_OCTETS
}

/// Large SSDUs of a healthy session, there and back through the echo; gives the large copies they cost.
fn round_trips(world: &mut World, id: SessionId, count: usize) -> u64 {
    let body = Slice::from_vec((0..16_000).map(|at| at as u8).collect());
    let before = copies::of_this_thread().large_count;
    let answered = world.client.app().ssdus(id).len();
    for round in 1..=count {
        world.of_client(|ctx| ctx.data_request(id, std::slice::from_ref(&body), Enclosure::WHOLE).unwrap());
        world.settle();
        let ssdus = world.client.app().ssdus(id);
        assert_eq!(ssdus.len(), answered + round);
        assert!(ssdus.last().unwrap()[..] == body[..]);
    }
    copies::of_this_thread().large_count - before
}

/// The octets of a silent peer's SSDU.
fn ssdu(peer: usize) -> Vec<u8> {
    (0..2 * PIECE_OCTETS).map(|at| (at + peer) as u8).collect()
}

/// DT SPDU without parameters.
const DT: &[u8] = &[1, 0, 1, 0];

/// Peers stop in the middle of a TSDU, a healthy session goes on, and much later the peers go on too.
fn silent_in_mid_tsdu() -> Tally {
    let mut world = World::new(echo(), Manners::default());
    let healthy = world.connect(&mms());
    assert_eq!(round_trips(&mut world, healthy, 20), 0, "the pool holds what one session needs");
    let peers: Vec<usize> = (0..SILENT_PEERS).map(|_| world.raw.connect()).collect();
    for &at in &peers {
        world.raw.send(at, CR);
        world.settle();
        world.raw.send_dt(at, CN, true);
        world.settle();
        assert_eq!(world.raw.tsdus(at).len(), 1, "AC");
        world.raw.send_dt(at, &[DT, &ssdu(at)[..PIECE_OCTETS]].concat(), false);
        world.settle();
    }
    assert!(is_scarce(&world), "{} octets are kept", pinned(&world));
    assert_eq!(world.gateway.tally().bodies_unpinned, 0, "nobody has been silent for long");
    world.run_for(Duration::from_millis(20));
    assert!(!is_scarce(&world), "{} octets are kept", pinned(&world));
    assert!(world.gateway.tally().bodies_unpinned > 0);
    assert_eq!(round_trips(&mut world, healthy, 50), 0, "large copies for a healthy session");
    for &at in &peers {
        world.raw.send_dt(at, &ssdu(at)[PIECE_OCTETS..], true);
        world.settle();
        assert!(world.raw.tsdus(at)[1] == [DT, &ssdu(at)].concat(), "what was copied out is what was sent");
    }
    assert_eq!(pinned(&world), 0);
    // These are of the thread and of the clock, not of the run.
    let (copied_octets, copies_small, copies_large, busy_ns) = (0, 0, 0, 0);
    Tally { copied_octets, copies_small, copies_large, busy_ns, ..*world.gateway.tally() }
}

#[test]
fn peers_silent_in_mid_tsdu_do_not_keep_the_pool() {
    let first = silent_in_mid_tsdu();
    assert_eq!(silent_in_mid_tsdu(), first, "a run repeats itself");
}

/// What a relay keeps for a side that does not segment is in the application's hands, not the shard's.
#[test]
fn peers_silent_in_mid_ssdu_do_not_keep_the_pool() {
    let mut world = World::new(small_pool(relay_config(Profile::Mms)), Manners::default());
    let sizes = TsduMaximumSize { initiator_to_responder: 4000, responder_to_initiator: 0 };
    let segmenting = ConnectParameters { tsdu_maximum_size: Some(sizes), ..mms() };
    let peers: Vec<_> = (0..SILENT_PEERS).map(|_| world.establish(&segmenting)).collect();
    let begin = Enclosure { begin: true, end: false };
    let first: Vec<Slice> = (0..SILENT_PEERS).map(|_| Slice::from_vec(vec![7; PIECE_OCTETS])).collect();
    for (&(client, _), first) in peers.iter().zip(first) {
        world.of_client(|ctx| ctx.data_request(client, &[first], begin).unwrap());
        world.settle();
    }
    assert!(is_scarce(&world), "{} octets are kept", pinned(&world));
    world.run_for(Duration::from_millis(20));
    assert!(!is_scarce(&world), "{} octets are kept", pinned(&world));
    let end = Enclosure { begin: false, end: true };
    for (client, server) in peers {
        world.of_client(|ctx| ctx.data_request(client, &[Slice::from_vec(vec![8; 10])], end).unwrap());
        world.settle();
        let whole = [vec![7; PIECE_OCTETS], vec![8; 10]].concat();
        assert_eq!(world.server.app().since_open(server), [Seen::Data(whole)]);
    }
    assert_eq!(pinned(&world), 0);
}

/// A paused session keeps what it has received; the peer that pauses it decides for how long.
#[test]
fn sessions_that_wait_for_a_slow_reader_do_not_keep_the_pool() {
    let mut config = small_pool(relay_config(Profile::Mms));
    // A relay is paused when a few SSDUs wait.
    config.engine.send_high_mark_octets = 4096;
    config.engine.send_low_mark_octets = 1024;
    let mut world = World::new(config, Manners::default());
    let slow: Vec<_> = (0..10).map(|_| world.establish(&mms())).collect();
    let ssdus: Vec<Vec<u8>> = (0..60).map(|number| vec![number; 3000]).collect();
    for &(client, server) in &slow {
        world.of_server(|ctx| ctx.pause(server));
        for octets in &ssdus {
            let body = Slice::from_vec(octets.clone());
            world.of_client(|ctx| ctx.data_request(client, &[body], Enclosure::WHOLE).unwrap());
        }
        world.settle();
    }
    assert!(is_scarce(&world), "{} octets are kept", pinned(&world));
    world.run_for(Duration::from_millis(20));
    assert!(!is_scarce(&world), "{} octets are kept", pinned(&world));
    for &(_, server) in &slow {
        world.of_server(|ctx| ctx.resume(server));
        world.settle();
        assert!(world.server.app().ssdus(server) == ssdus, "nothing lost, in order");
    }
    assert_eq!(pinned(&world), 0);
}
