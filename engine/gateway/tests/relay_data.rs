//! Data and tokens over a relay: whole, in order, at the pace of the slower side.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::config::{Config, Profile};
use colloquy_gateway::record::NotCarried;
use colloquy_session::{ConnectParameters, Enclosure, FunctionalUnits, Tokens, TsduMaximumSize, Versions};
use colloquy_transport::buf::Slice;
use colloquy_transport::driver::sim::{Random, SimConfig, SimFaults, SimNet};
use common::peer::{Manners, Seen, send};
use common::{World, half_duplex, mms, relay_config};

/// Octets that tell their SSDU and their place in it.
fn ssdu(number: usize, octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (number.wrapping_mul(31) ^ at ^ (at >> 8)) as u8).collect()
}

#[test]
fn ssdus_of_all_sizes_arrive_whole_and_in_order_in_both_directions() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    let sizes = [0, 1, 2, 127, 128, 2045, 2048, 4096, 8191, 8192, 8193, 65_535, 65_536, 200_000];
    let ssdus: Vec<_> = sizes.iter().enumerate().map(|(number, octets)| ssdu(number, *octets)).collect();
    for octets in &ssdus {
        world.of_client(|ctx| send(ctx, client, octets));
        world.of_server(|ctx| send(ctx, server, octets));
    }
    world.settle();
    let lengths: Vec<usize> = world.server.app().ssdus(server).iter().map(Vec::len).collect();
    assert_eq!(lengths, sizes);
    assert!(world.server.app().ssdus(server) == ssdus, "client to server");
    assert!(world.client.app().ssdus(client) == ssdus, "server to client");
}

#[test]
fn nothing_is_lost_on_a_rough_network() {
    let seed = std::env::var("COLLOQUY_SEED").map_or(7, |seed| seed.parse().unwrap());
    println!("seed {seed} (COLLOQUY_SEED)");
    let net = SimNet::new(SimConfig { seed, faults: SimFaults::ROUGH, window_octets: 5000 });
    let mut world = World::in_net(net, relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    let mut random = Random::new(seed);
    let ssdus: Vec<_> = (0..500).map(|number| ssdu(number, random.below(6000) as usize)).collect();
    for octets in &ssdus {
        world.of_client(|ctx| send(ctx, client, octets));
        world.of_server(|ctx| send(ctx, server, octets));
    }
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.run_for(Duration::from_secs(9));
    assert!(world.server.app().ssdus(server) == ssdus, "client to server");
    assert!(world.client.app().ssdus(client) == ssdus, "server to client");
    assert_eq!(world.server.app().of(server).last(), Some(&Seen::Release(Vec::new())), "after the data");
    assert!(world.net.fault_counts().short_writes > 0, "the network was rough");
}

#[test]
fn data_are_forwarded_before_the_release_and_the_abort_that_follow_them() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| {
        send(ctx, client, b"last words");
        ctx.abort_request(client, b"").unwrap();
    });
    world.settle();
    let seen = world.server.app().since_open(server);
    assert_eq!(seen[..2], [Seen::Data(b"last words".to_vec()), Seen::UserAbort(Vec::new())]);
}

#[test]
fn a_slow_receiver_stops_the_sender_and_nothing_is_lost() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.server.app_mut().pause = true;
    let ssdus: Vec<_> = (0..400).map(|number| ssdu(number, 10_000)).collect();
    for octets in &ssdus {
        world.of_client(|ctx| send(ctx, client, octets));
    }
    world.settle();
    let taken = world.gateway.tally().user_octets_in;
    assert!(taken < 2_000_000, "{taken} octets were taken from the client, none was wanted");
    assert!(world.gateway.tally().congested > 0);
    while world.server.app().ssdus(server).len() < ssdus.len() {
        let before = world.server.app().ssdus(server).len();
        world.of_server(|ctx| ctx.resume(server));
        world.settle();
        assert!(world.server.app().ssdus(server).len() > before, "stuck after {before} SSDUs");
    }
    assert!(world.server.app().ssdus(server) == ssdus);
}

#[test]
fn tokens_go_over_with_their_user_data_and_data_follow_them() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let (client, server) = world.establish(&half_duplex());
    world.of_client(|ctx| send(ctx, client, b"question"));
    world.of_server(|ctx| ctx.token_please_request(server, Tokens::DATA, b"let me").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client), [Seen::TokenPlease(Tokens::DATA, b"let me".to_vec())]);
    world.of_client(|ctx| ctx.token_give_request(client, Tokens::DATA, b"go on").unwrap());
    world.settle();
    world.of_server(|ctx| send(ctx, server, b"answer"));
    world.settle();
    assert_eq!(
        world.server.app().since_open(server),
        [Seen::Data(b"question".to_vec()), Seen::TokenGive(Tokens::DATA, b"go on".to_vec())]
    );
    assert_eq!(world.client.app().since_open(client)[1], Seen::Data(b"answer".to_vec()));
}

#[test]
fn tokens_asked_for_in_the_answer_to_connect_are_asked_for_once() {
    let config = relay_config(Profile::Transparent);
    let mut world = World::new(config, Manners::AcceptAndAsk(Tokens::DATA));
    let client = world.connect(&half_duplex());
    let please = Seen::TokenPlease(Tokens::DATA, Vec::new());
    assert_eq!(world.client.app().since_open(client), [please]);
}

#[test]
fn the_token_goes_to_and_fro_a_thousand_times() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let (client, server) = world.establish(&half_duplex());
    for number in 0..500 {
        world.of_client(|ctx| {
            send(ctx, client, &ssdu(number, 10));
            ctx.token_give_request(client, Tokens::DATA, b"").unwrap();
        });
        world.settle();
        world.of_server(|ctx| {
            send(ctx, server, &ssdu(number, 20));
            ctx.token_give_request(server, Tokens::DATA, b"").unwrap();
        });
        world.settle();
    }
    assert_eq!(world.client.app().ssdus(client).len(), 500);
    assert_eq!(world.server.app().ssdus(server).len(), 500);
}

fn segmenting() -> ConnectParameters<'static> {
    let sizes = TsduMaximumSize { initiator_to_responder: 100, responder_to_initiator: 200 };
    ConnectParameters { tsdu_maximum_size: Some(sizes), ..mms() }
}

#[test]
fn segments_are_joined_for_a_side_that_does_not_segment() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&segmenting());
    let long = ssdu(1, 5000);
    world.of_client(|ctx| {
        send(ctx, client, &long);
        send(ctx, client, b"short");
    });
    world.of_server(|ctx| send(ctx, server, &long));
    world.settle();
    assert!(world.server.app().ssdus(server) == [long.clone(), b"short".to_vec()]);
    let segments = world.client.app().since_open(client);
    assert!(segments.len() > 20, "the server's SSDU reached the client in {} segments", segments.len());
    assert!(joined(&segments) == long);
}

#[test]
fn segments_go_on_as_they_come_to_a_side_that_segments_too() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let (client, server) = world.establish(&segmenting());
    let long = ssdu(1, 5000);
    world.of_client(|ctx| send(ctx, client, &long));
    world.settle();
    let segments = world.server.app().since_open(server);
    assert!(segments.len() > 40);
    assert!(joined(&segments) == long);
}

fn joined(segments: &[Seen]) -> Vec<u8> {
    let last = segments.len() - 1;
    let mut octets = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Seen::Segment(part, enclosure) = segment else { panic!("{segment:?} is no segment") };
        assert_eq!(*enclosure, Enclosure { begin: index == 0, end: index == last });
        octets.extend_from_slice(part);
    }
    octets
}

#[test]
fn an_ssdu_that_grows_beyond_the_bound_ends_both_sides() {
    let mut config: Config = relay_config(Profile::Mms);
    config.engine.ssdu_octets_max = 2000;
    let mut world = World::new(config, Manners::default());
    let (client, server) = world.establish(&segmenting());
    world.of_client(|ctx| send(ctx, client, &ssdu(1, 2001)));
    world.settle();
    let restriction = colloquy_session::ProviderAbortReason::ImplementationRestriction;
    assert_eq!(world.client.app().since_open(client)[0], Seen::ProviderAbort(restriction));
    assert_eq!(world.server.app().since_open(server)[0], Seen::ProviderAbort(restriction));
    assert_eq!(world.not_carried(), [NotCarried::SsduTooLong]);
    world.assert_empty();
}

/// The client speaks version 1, the mms profile speaks version 2 to the server.
fn old_client() -> ConnectParameters<'static> {
    ConnectParameters { versions: Versions::V1, ..mms() }
}

#[test]
fn an_abort_too_long_for_the_other_version_goes_over_without_its_data() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&old_client());
    world.of_server(|ctx| ctx.abort_request(server, &[7; 100]).unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[0], Seen::UserAbort(Vec::new()));
    world.assert_empty();
}

#[test]
fn release_data_too_long_for_the_other_version_are_not_dropped_silently() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&old_client());
    world.of_server(|ctx| ctx.release_request(server, &[7; 513]).unwrap());
    world.settle();
    let restriction = colloquy_session::ProviderAbortReason::ImplementationRestriction;
    assert_eq!(world.client.app().since_open(client)[0], Seen::ProviderAbort(restriction));
    assert_eq!(world.server.app().since_open(server)[0], Seen::ProviderAbort(restriction));
    assert!(matches!(world.not_carried()[..], [NotCarried::Primitive { name: "S-RELEASE request", .. }]));
    world.assert_empty();
}

#[test]
fn a_large_ssdu_is_forwarded_without_a_copy() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    let before = colloquy_transport::buf::copies::of_this_thread().large_count;
    let slice = Slice::from_vec(ssdu(1, 6000));
    world.of_client(|ctx| ctx.data_request(client, &[slice], Enclosure::WHOLE).unwrap());
    world.settle();
    assert_eq!(world.server.app().ssdus(server).len(), 1);
    let after = colloquy_transport::buf::copies::of_this_thread().large_count;
    assert_eq!(after, before, "client, gateway and server run on this thread");
}

#[test]
fn the_units_of_the_upstream_are_those_of_the_downstream() {
    for units in [FunctionalUnits::DUPLEX, FunctionalUnits::HALF_DUPLEX] {
        let mut world = World::new(relay_config(Profile::Transparent), Manners::Accept(units, b""));
        let both = FunctionalUnits::DUPLEX | FunctionalUnits::HALF_DUPLEX;
        let (client, server) = world.establish(&ConnectParameters { requirements: both, ..mms() });
        let of = |ctx: &mut colloquy_shard::Context<'_, _, common::peer::Peer>, id| {
            ctx.machine(id).unwrap().functional_units()
        };
        assert_eq!(world.of_client(|ctx| of(ctx, client)), units);
        assert_eq!(world.of_server(|ctx| of(ctx, server)), units);
    }
}
