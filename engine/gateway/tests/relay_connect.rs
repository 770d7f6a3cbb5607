//! What goes over when a relay connects, and who is let in.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use colloquy_gateway::config::{Config, ListenerApplication, Profile};
use colloquy_gateway::record::{EndReason, NotCarried};
use colloquy_session::spdu::SpduKind;
use colloquy_session::{
    ConnectParameters, ConnectionIdentifier, FunctionalUnits, PeerFault, ProviderAbortReason, Selector,
    SerialNumber, ServiceError, Tokens, TsduMaximumSize, Versions,
};
use colloquy_shard::Fault;
use colloquy_transport::class0::TransportSelector;
use common::peer::{Accepted, Connected, Manners, Seen, send};
use common::raw::CR;
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

#[test]
fn more_connect_data_than_are_taken_are_refused_with_a_record() {
    let mut config = relay_config(Profile::Transparent);
    config.listeners[0].connect_user_data_octets_max = 10_240;
    let mut world = World::new(config, Manners::default());
    let at = world.raw.connect();
    world.raw.send(at, CR);
    world.settle();
    // Session User Requirements: duplex; Data Overflow: more will follow; Extended User Data.
    let parameters = [&[0x05, 0x03, 0x16, 0x01, 0x02][..], &[0x14, 0x02, 0x00, 0x02], &[0x3c, 0x01, 0x01]];
    world.raw.send_tsdu(at, &cn(&parameters.concat(), &[7; 10_240]));
    world.settle();
    let rf = world.raw.tsdus(at).remove(0);
    assert_eq!((rf[0], rf.last()), (0x0c, Some(&134)), "RF: {rf:02x?}");
    assert!(world.server.app().sessions.is_empty(), "no upstream was opened");
    let rule = "more user data than are taken";
    let fault = Fault::Session(PeerFault::Violation {
        spdu: SpduKind::Connect,
        parameter: Some(60),
        offset: 13,
        rule,
    });
    assert_eq!(world.faults(), [fault]);
    world.assert_empty();
    assert_eq!(world.ends(), (vec![EndReason::Refused { reason: 134, by_peer: false }], vec![]));
}

/// A CONNECT with these parameters and Extended User Data.
fn cn(parameters: &[u8], user_data: &[u8]) -> Vec<u8> {
    let long = |octets: usize| [&[0xff][..], &u16::try_from(octets).unwrap().to_be_bytes()].concat();
    let data = [&[0xc2][..], &long(user_data.len()), user_data].concat();
    [&[0x0d][..], &long(parameters.len() + data.len()), parameters, &data].concat()
}

#[test]
fn an_answer_that_the_version_of_the_client_cannot_carry_is_a_refusal() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::Accept(units(), &[5; 513]));
    let client = world.connect(&ConnectParameters { versions: Versions::V1, ..mms() });
    assert_eq!(world.client.app().of(client)[0], Seen::Refused(134, Vec::new()));
    let server = world.server.app().last();
    let restriction = ProviderAbortReason::ImplementationRestriction;
    assert_eq!(world.server.app().since_open(server)[0], Seen::ProviderAbort(restriction));
    let error = ServiceError::UserDataLength { octets: 513, octets_max: 512 };
    assert_eq!(world.not_carried(), [NotCarried::Primitive { name: "S-CONNECT response", error }]);
    world.assert_empty();
}

/// The number belongs to units that the relay does not have; without them it must not go over.
#[test]
fn a_client_that_proposes_more_than_the_relay_has_gets_what_there_is() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let at = world.raw.connect();
    world.raw.send(at, CR);
    world.settle();
    // Initial Serial Number 1; Session User Requirements: duplex, minor and major synchronize.
    let parameters = [&[0x05, 0x06, 0x16, 0x01, 0x02, 0x17, 0x01, 0x31][..], &[0x14, 0x02, 0x00, 0x1a]];
    world.raw.send_tsdu(at, &cn(&parameters.concat(), b"abc"));
    world.settle();
    assert_eq!(world.raw.tsdus(at)[0][0], 0x0e, "AC: {:02x?}", world.raw.tsdus(at));
    let server = world.server.app().last();
    assert_eq!(world.server.app().connected(server).requirements, FunctionalUnits::DUPLEX);
}

/// The relay counts one flow: both of symmetric synchronize are negotiated away, numbers and all.
#[test]
fn symmetric_synchronize_is_negotiated_away_and_the_rest_is_carried() {
    let mut config = relay_config(Profile::Transparent);
    config.listeners[0].functional_units = FunctionalUnits::all();
    let mut world = World::new(config, Manners::default());
    let connect = ConnectParameters {
        requirements: units() | FunctionalUnits::SYMMETRIC_SYNC,
        initial_serial_number: Some(SerialNumber(7)),
        second_initial_serial_number: Some(SerialNumber(31)),
        ..mms()
    };
    let (client, server) = world.establish(&connect);
    assert_eq!(world.server.app().connected(server).requirements, units());
    let selected = world.of_client(|ctx| ctx.machine(client).unwrap().functional_units());
    assert_eq!(selected, FunctionalUnits::DUPLEX | FunctionalUnits::NEGOTIATED_RELEASE);
    assert!(world.of_client(|ctx| ctx.machine(client).unwrap().flow_numbers()).is_none());
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

#[test]
fn connect_data_beyond_a_cn_are_carried_over_whole() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let user_data: Vec<u8> = (0..60_000_u32).map(|octet| (octet % 251) as u8).collect();
    let user_data: &'static [u8] = user_data.leak();
    let (client, server) = world.establish(&ConnectParameters { user_data, ..mms() });
    assert_eq!(world.server.app().connected(server).user_data, user_data);
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.assert_empty();
}
