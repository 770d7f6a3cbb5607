//! What goes over when a relay connects, and who is let in.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use colloquy_gateway::config::{Config, ListenerApplication, Profile};
use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, FunctionalUnits, Selector, Tokens, TsduMaximumSize, Versions,
};
use colloquy_transport::class0::TransportSelector;
use common::peer::{Accepted, Connected, Manners, Seen, send};
use common::{World, half_duplex, mms, relay_config, units};

fn selector(octets: &[u8]) -> Selector {
    Selector::new(octets).unwrap()
}

fn proposal() -> ConnectParameters<'static> {
    ConnectParameters {
        identifier: ConnectionIdentifier { user_reference: b"reference", ..ConnectionIdentifier::default() },
        versions: Versions::V1 | Versions::V2,
        requirements: units(),
        tsdu_maximum_size: Some(TsduMaximumSize { initiator_to_responder: 0, responder_to_initiator: 500 }),
        ..mms()
    }
}

#[test]
fn the_mms_profile_gives_the_server_the_plain_shape() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&proposal());
    let connected = world.server.app().connected(server);
    let expected = Connected {
        called_tsap: b"ST".to_vec(),
        calling_tsap: b"CT".to_vec(),
        calling: selector(b"CS"),
        called: selector(b"SS"),
        versions: Versions::V2,
        requirements: FunctionalUnits::DUPLEX,
        tsdu_maximum_size: None,
        reference: Vec::new(),
        user_data: b"connect".to_vec(),
    };
    assert_eq!(connected, expected);
    let accepted = Accepted {
        responding: Some(selector(b"SS")),
        requirements: FunctionalUnits::DUPLEX,
        user_data: b"accept".to_vec(),
    };
    assert_eq!(world.client.app().of(client), [Seen::Accept(accepted)]);
}

#[test]
fn the_transparent_profile_gives_the_server_what_the_client_proposed() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::Accept(units(), b""));
    world.server.app_mut().manners = Manners::Accept(FunctionalUnits::DUPLEX, b"");
    let (_, server) = world.establish(&proposal());
    let connected = world.server.app().connected(server);
    assert_eq!(connected.versions, Versions::V1 | Versions::V2);
    assert_eq!(connected.requirements, units());
    assert_eq!(connected.tsdu_maximum_size, proposal().tsdu_maximum_size);
    assert_eq!(connected.reference, b"reference");
}

#[test]
fn selectors_of_the_target_go_to_the_server_and_not_to_the_client() {
    let mut config = relay_config(Profile::Mms);
    config.targets[0].called_tsap = TransportSelector::new(b"T1");
    config.targets[0].calling_tsap = TransportSelector::new(b"T2");
    config.targets[0].called_ssap = Some(selector(b"S1"));
    config.targets[0].calling_ssap = Some(selector(b"S2"));
    let mut world = World::new(config, Manners::default());
    let (client, server) = world.establish(&mms());
    let connected = world.server.app().connected(server);
    assert_eq!((connected.called_tsap, connected.calling_tsap), (b"T1".to_vec(), b"T2".to_vec()));
    assert_eq!((connected.called, connected.calling), (selector(b"S1"), selector(b"S2")));
    let seen = world.client.app().of(client);
    assert!(matches!(&seen[0], Seen::Accept(accepted) if accepted.responding == Some(selector(b"SS"))));
}

#[test]
fn long_connect_data_go_over_whole() {
    for octets in [512, 513, 10_239, 10_240] {
        let user_data: Vec<u8> = (0..octets).map(|at| at as u8).collect();
        let mut world = World::new(relay_config(Profile::Mms), Manners::default());
        let (_, server) = world.establish(&ConnectParameters { user_data: &user_data, ..mms() });
        assert!(world.server.app().connected(server).user_data == user_data, "{octets}");
    }
}

#[test]
fn a_called_selector_that_is_not_accepted_is_refused() {
    let mut config = relay_config(Profile::Mms);
    config.listeners[0].called_ssaps = Some(vec![selector(b"OTHER")]);
    let mut world = World::new(config, Manners::default());
    let client = world.connect(&mms());
    assert_eq!(world.client.app().of(client)[0], Seen::Refused(129, Vec::new()));
    world.assert_empty();

    let mut config = relay_config(Profile::Mms);
    config.listeners[0].called_tsaps = Some(vec![TransportSelector::new(b"OTHER").unwrap()]);
    let mut world = World::new(config, Manners::default());
    let client = world.connect(&mms());
    let ended = world.client.app().of(client);
    assert!(ended.contains(&Seen::Ended("TransportRefused { reason: 3 }".into())), "{ended:?}");
    world.assert_empty();
}

#[test]
fn a_client_that_the_profile_cannot_serve_is_refused() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let client = world.connect(&half_duplex());
    assert_eq!(world.client.app().of(client)[0], Seen::Refused(134, Vec::new()));
    assert!(world.server.app().sessions.is_empty(), "no upstream was opened");
    world.assert_empty();
}

fn local(application: ListenerApplication) -> Config {
    let mut config = relay_config(Profile::Mms);
    config.listeners[0].application = application;
    config
}

#[test]
fn the_echo_sends_everything_back() {
    let mut world = World::new(local(ListenerApplication::Echo), Manners::default());
    let client = world.connect(&mms());
    let ssdus: Vec<Vec<u8>> = (0..50).map(|number| vec![number as u8; number * 300]).collect();
    for octets in &ssdus {
        world.of_client(|ctx| send(ctx, client, octets));
    }
    world.of_client(|ctx| ctx.release_request(client, b"bye").unwrap());
    world.settle();
    assert!(world.client.app().ssdus(client) == ssdus);
    let seen = world.client.app().of(client);
    assert!(matches!(&seen[0], Seen::Accept(accepted) if accepted.user_data == b"connect"));
    assert!(seen.contains(&Seen::ReleaseConfirm(true, b"bye".to_vec())));
    world.assert_empty();
}

#[test]
fn the_echo_asks_for_the_token_and_gives_it_back() {
    let mut world = World::new(local(ListenerApplication::Echo), Manners::default());
    let client = world.connect(&half_duplex());
    world.of_client(|ctx| send(ctx, client, b"one"));
    world.of_client(|ctx| send(ctx, client, b"two"));
    world.settle();
    assert_eq!(world.client.app().since_open(client), [Seen::TokenPlease(Tokens::DATA, Vec::new())]);
    world.of_client(|ctx| ctx.token_give_request(client, Tokens::DATA, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().ssdus(client), [b"one", b"two"]);
    world.of_client(|ctx| ctx.token_please_request(client, Tokens::DATA, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().of(client).last(), Some(&Seen::TokenGive(Tokens::DATA, Vec::new())));
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.assert_empty();
}

#[test]
fn the_echo_joins_and_segments_as_each_direction_wants() {
    let sizes = TsduMaximumSize { initiator_to_responder: 100, responder_to_initiator: 0 };
    let mut world = World::new(local(ListenerApplication::Echo), Manners::default());
    let client = world.connect(&ConnectParameters { tsdu_maximum_size: Some(sizes), ..mms() });
    world.of_client(|ctx| send(ctx, client, &[9; 1000]));
    world.settle();
    assert_eq!(world.client.app().ssdus(client), [vec![9; 1000]]);
}

#[test]
fn the_sink_takes_everything_and_says_nothing() {
    let mut world = World::new(local(ListenerApplication::Sink), Manners::default());
    let client = world.connect(&half_duplex());
    for _ in 0..100 {
        world.of_client(|ctx| send(ctx, client, &[1; 1000]));
    }
    world.of_client(|ctx| ctx.token_give_request(client, Tokens::DATA, b"").unwrap());
    world.of_client(|ctx| ctx.token_please_request(client, Tokens::DATA, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client), [Seen::TokenGive(Tokens::DATA, Vec::new())]);
    assert_eq!(world.gateway.tally().user_octets_in, 100_000);
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.assert_empty();
}
