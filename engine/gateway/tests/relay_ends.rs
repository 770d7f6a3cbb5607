//! Each way a side of a relay can end, carried over to the other side.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::config::Profile;
use colloquy_gateway::record::EndReason;
use colloquy_session::ProviderAbortReason::{self, Undefined};
use colloquy_transport::driver::sim::{SimConfig, SimNet};
use common::peer::{Manners, Seen};
use common::{World, half_duplex, mms, relay_config};

/// What the client of a relay sees when the upstream answers CN so.
fn answer_of(server: Manners) -> Vec<Seen> {
    let mut world = World::new(relay_config(Profile::Mms), server);
    let id = world.connect(&mms());
    world.run_for(Duration::from_secs(8));
    let seen = world.client.app().of(id);
    world.assert_empty();
    seen
}

fn refused(reason: u8, user_data: &[u8]) -> [Seen; 2] {
    let ended = format!("Refused {{ reason: {reason}, by_peer: true }}");
    [Seen::Refused(reason, user_data.to_vec()), Seen::Ended(ended)]
}

#[test]
fn a_refusal_keeps_its_reason_and_its_data() {
    assert_eq!(answer_of(Manners::Refuse(2, b"because")), refused(2, b"because"));
    for reason in [0, 1, 129, 131] {
        assert_eq!(answer_of(Manners::Refuse(reason, b"")), refused(reason, b""));
    }
}

#[test]
fn a_refused_transport_connection_becomes_a_refusal() {
    for (disconnect, reason) in [(0, 133), (1, 131), (2, 130), (3, 130)] {
        assert_eq!(answer_of(Manners::RefuseTransport(disconnect)), refused(reason, b""));
    }
}

#[test]
fn an_upstream_that_does_not_answer_becomes_a_refusal_in_time() {
    assert_eq!(answer_of(Manners::Nothing), refused(131, b""));
}

#[test]
fn an_upstream_that_is_not_there_becomes_a_refusal() {
    let net = SimNet::new(SimConfig::default());
    let mut world = World::without_server(net, relay_config(Profile::Mms), Manners::default());
    let id = world.connect(&mms());
    assert_eq!(world.client.app().of(id)[..1], refused(130, b"")[..1]);
    world.assert_empty();
}

#[test]
fn an_abort_before_the_answer_is_an_abort_or_a_refusal() {
    let by_user = Seen::Ended("Aborted { by_peer: true, by_user: true }".into());
    assert_eq!(answer_of(Manners::UserAbort(b"no")), [Seen::UserAbort(b"no".to_vec()), by_user]);
    assert_eq!(answer_of(Manners::ProviderAbort), refused(133, b""));
}

#[test]
fn a_user_abort_goes_over_with_its_data_in_both_directions() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.abort_request(client, b"from the client").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[0], Seen::UserAbort(b"from the client".to_vec()));
    let (client, server) = world.establish(&mms());
    world.of_server(|ctx| ctx.abort_request(server, b"from the server").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[0], Seen::UserAbort(b"from the server".to_vec()));
    world.assert_empty();
    let by_peer = EndReason::Aborted { by_peer: true, by_user: true };
    let by_us = EndReason::Aborted { by_peer: false, by_user: true };
    assert_eq!(world.ends(), (vec![by_peer, by_us], vec![by_us, by_peer]));
}

#[test]
fn a_provider_abort_keeps_its_reason() {
    for reason in [ProviderAbortReason::ProtocolError, Undefined] {
        let mut world = World::new(relay_config(Profile::Mms), Manners::default());
        let (client, server) = world.establish(&mms());
        world.of_server(|ctx| ctx.provider_abort(server, reason));
        world.settle();
        assert_eq!(world.client.app().since_open(client)[0], Seen::ProviderAbort(reason));
        world.assert_empty();
    }
}

#[test]
fn a_lost_connection_becomes_a_provider_abort_on_the_other_side() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.reset_at_client(client);
    assert_eq!(world.server.app().since_open(server)[0], Seen::ProviderAbort(Undefined));
    let (client, server) = world.establish(&mms());
    world.reset_at_server(server);
    assert_eq!(world.client.app().since_open(client)[0], Seen::ProviderAbort(Undefined));
    let (_, server) = world.establish(&mms());
    world.kill_client();
    assert_eq!(world.server.app().since_open(server)[0], Seen::ProviderAbort(Undefined));
    world.assert_empty();
}

#[test]
fn a_release_goes_over_with_its_data_in_both_directions() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, b"bye").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server), [Seen::Release(b"bye".to_vec())]);
    world.of_server(|ctx| ctx.release_response(server, true, b"good bye").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[0], Seen::ReleaseConfirm(true, b"good bye".to_vec()));

    let (client, server) = world.establish(&mms());
    world.of_server(|ctx| ctx.release_request(server, b"over").unwrap());
    world.settle();
    world.of_client(|ctx| ctx.release_response(client, true, b"and out").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[0], Seen::ReleaseConfirm(true, b"and out".to_vec()));
    world.assert_empty();
    assert_eq!(world.ends(), (vec![EndReason::Released; 2], vec![EndReason::Released; 2]));
}

#[test]
fn releases_that_cross_end_both_sides_in_order() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, b"c").unwrap());
    world.of_server(|ctx| ctx.release_request(server, b"s").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client), [Seen::Release(b"s".to_vec())]);
    assert_eq!(world.server.app().since_open(server), [Seen::Release(b"c".to_vec())]);
    world.of_client(|ctx| ctx.release_response(client, true, b"").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[1], Seen::ReleaseConfirm(true, Vec::new()));
    assert_eq!(world.server.app().since_open(server)[1], Seen::ReleaseConfirm(true, Vec::new()));
    world.assert_empty();
    assert_eq!(world.ends(), (vec![EndReason::Released], vec![EndReason::Released]));
}

#[test]
fn a_refused_release_leaves_the_session_as_it_was() {
    let mut world = World::new(relay_config(Profile::Transparent), Manners::default());
    let (client, server) = world.establish(&half_duplex());
    world.of_client(|ctx| ctx.release_request(client, b"may I").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, false, b"not yet").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client), [Seen::ReleaseConfirm(false, b"not yet".to_vec())]);
    // The release timer has stopped: much later the session is still there, and can be released.
    world.run_for(Duration::from_secs(100));
    world.of_client(|ctx| ctx.release_request(client, b"again").unwrap());
    world.settle();
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[1], Seen::ReleaseConfirm(true, Vec::new()));
    world.assert_empty();
}

#[test]
fn a_release_that_is_never_answered_aborts_both_sides() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    // The client's own timer is the same length and starts earlier: only the gateway's is to be seen here.
    world.client.app_mut().seen.clear();
    world.run_for(Duration::from_millis(9_999));
    assert_eq!(world.server.app().since_open(server).len(), 1, "still waiting");
    world.run_for(Duration::from_secs(2));
    assert!(world.server.app().since_open(server).contains(&Seen::ProviderAbort(Undefined)));
    world.assert_empty();
}

#[test]
fn a_peer_that_asks_for_the_release_and_leaves_does_not_abort_it() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, b"").unwrap());
    world.settle();
    world.kill_client();
    assert_eq!(world.server.app().since_open(server), [Seen::Release(Vec::new())]);
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.settle();
    world.assert_empty();
    assert_eq!(world.ends(), (vec![EndReason::Released], vec![EndReason::Released]));
}

#[test]
fn a_downstream_that_leaves_while_the_upstream_connects_aborts_it() {
    let mut world = World::new(relay_config(Profile::Mms), Manners::Nothing);
    let client = world.connect(&mms());
    let server = world.server.app().last();
    world.of_client(|ctx| ctx.abort_request(client, b"never").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[0], Seen::UserAbort(b"never".to_vec()));
    world.assert_empty();
}

/// ISODE takes no more than 512 octets of user data in whatever SPDU, though both sides speak version 2.
#[test]
fn what_a_profile_does_not_take_stays_here() {
    let profile = Profile::named("isode").unwrap();
    static LONG: [u8; 513] = [7; 513];
    let mut world = World::new(relay_config(profile), Manners::default());
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.abort_request(client, &LONG).unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[0], Seen::UserAbort(Vec::new()));
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, &LONG).unwrap());
    world.settle();
    let restriction = Seen::ProviderAbort(ProviderAbortReason::ImplementationRestriction);
    assert_eq!(world.server.app().since_open(server)[0], restriction);
    assert_eq!(world.client.app().since_open(client)[0], restriction);
    // Up to there, and towards the client, nothing is in the way.
    let (client, server) = world.establish(&mms());
    world.of_client(|ctx| ctx.release_request(client, &LONG[..512]).unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[0], Seen::Release(LONG[..512].to_vec()));
    world.of_server(|ctx| ctx.release_response(server, true, &LONG[..512]).unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[0], Seen::ReleaseConfirm(true, LONG[..512].to_vec()));
    let (client, server) = world.establish(&mms());
    world.of_server(|ctx| ctx.abort_request(server, &LONG).unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[0], Seen::UserAbort(LONG.to_vec()));
}
