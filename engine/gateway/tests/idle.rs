//! Idle sessions are ended as the listener says, in the order that the standard wants, and others are left alone.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::time::Duration;

use colloquy_gateway::app::Why;
use colloquy_gateway::config::{Config, IdleAction, Profile};
use colloquy_gateway::record::{EndReason, EndRecord, RecordEvent, Side};
use colloquy_session::{ProviderAbortReason, Tokens};
use common::peer::{Manners, Seen, send};
use common::{World, half_duplex, mms, relay_config};

const SECOND: Duration = Duration::from_secs(1);
const RELEASED: EndReason = EndReason::Released;
const ABORTED: EndReason = EndReason::Aborted { by_peer: false, by_user: false };

fn config(profile: Profile, action: IdleAction) -> Config {
    let mut config = relay_config(profile);
    config.listeners[0].idle_timeout = 10 * SECOND;
    config.listeners[0].idle_action = action;
    config.listeners[0].release_timeout = 2 * SECOND;
    config.targets[0].release_timeout = 2 * SECOND;
    config
}

/// The close record of the accepted side.
fn record(world: &World) -> EndRecord {
    let records = world.records.borrow();
    let ended = records.iter().find_map(|record| match (record.event, record.subject.side) {
        (RecordEvent::Ended(ended), Side::Responder { .. }) => Some(ended),
        _ => None,
    });
    ended.expect("the downstream has ended")
}

#[test]
fn an_idle_session_is_released_first_downstream_then_upstream() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&mms());
    world.run_for(9 * SECOND);
    assert_eq!(world.client.app().since_open(client), []);
    world.run_for(2 * SECOND);
    assert_eq!(world.client.app().since_open(client), [Seen::Release(Vec::new())]);
    assert_eq!(world.server.app().since_open(server), [], "the upstream's turn comes later");
    world.of_client(|ctx| ctx.release_response(client, true, b"").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server), [Seen::Release(Vec::new())]);
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.run_out();
    assert_eq!(world.ends(), (vec![RELEASED], vec![RELEASED]));
    assert_eq!(record(&world).why, Some(Why::Idle));
    assert_eq!(world.counters.snapshot().closed, [("idle", "release", 1)]);
    world.assert_empty();
}

#[test]
fn what_goes_over_it_in_either_direction_keeps_a_session() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Abort), Manners::default());
    let (client, server) = world.establish(&mms());
    for _ in 0..5 {
        world.run_for(9 * SECOND);
        world.of_client(|ctx| send(ctx, client, b"up"));
        world.run_for(9 * SECOND);
        world.of_server(|ctx| send(ctx, server, b"down"));
    }
    world.run_for(9 * SECOND);
    assert_eq!(world.server.app().ssdus(server).len(), 5);
    assert_eq!(world.client.app().ssdus(client).len(), 5);
    assert_eq!(world.ends(), (vec![], vec![]));
    world.run_for(5 * SECOND);
    assert_eq!(world.ends(), (vec![ABORTED], vec![ABORTED]));
    let abort = Seen::ProviderAbort(ProviderAbortReason::Undefined);
    assert_eq!(world.client.app().of(client)[6], abort);
    assert_eq!(world.server.app().of(server)[6], abort);
    assert_eq!(world.counters.snapshot().closed, [("idle", "abort", 1)]);
    world.assert_empty();
}

#[test]
fn tokens_that_a_release_needs_are_asked_for() {
    let mut world = World::new(config(Profile::Transparent, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&half_duplex());
    world.run_for(11 * SECOND);
    let tokens = Tokens::DATA | Tokens::RELEASE;
    assert_eq!(world.client.app().since_open(client), [Seen::TokenPlease(tokens, Vec::new())]);
    world.of_client(|ctx| ctx.token_give_request(client, tokens, b"").unwrap());
    world.settle();
    assert_eq!(world.client.app().since_open(client)[1..], [Seen::Release(Vec::new())]);
    assert_eq!(world.server.app().since_open(server), [Seen::TokenGive(tokens, Vec::new())]);
    world.of_client(|ctx| ctx.release_response(client, true, b"").unwrap());
    world.settle();
    // The upstream's peer has the tokens now, and is asked for them in turn.
    assert_eq!(world.server.app().since_open(server)[1..], [Seen::TokenPlease(tokens, Vec::new())]);
    world.of_server(|ctx| ctx.token_give_request(server, tokens, b"").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server)[2..], [Seen::Release(Vec::new())]);
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.run_out();
    assert_eq!(world.ends(), (vec![RELEASED], vec![RELEASED]));
    world.assert_empty();
}

#[test]
fn a_refused_release_leaves_the_session_and_idleness_begins_anew() {
    let mut world = World::new(config(Profile::Transparent, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&half_duplex());
    world.run_for(11 * SECOND);
    let tokens = Tokens::DATA | Tokens::RELEASE;
    world.of_client(|ctx| ctx.token_give_request(client, tokens, b"").unwrap());
    world.settle();
    world.of_client(|ctx| ctx.release_response(client, false, b"no").unwrap());
    world.settle();
    // It works as before: the other end has the data token.
    world.of_server(|ctx| send(ctx, server, b"still here"));
    world.settle();
    assert_eq!(world.client.app().ssdus(client), [b"still here"]);
    world.run_for(9 * SECOND);
    assert_eq!(world.ends(), (vec![], vec![]));
    assert_eq!(world.client.app().since_open(client).last(), Some(&Seen::Data(b"still here".to_vec())));
    world.run_for(3 * SECOND);
    assert_eq!(world.client.app().since_open(client).last(), Some(&Seen::Release(Vec::new())));
}

#[test]
fn a_release_that_nobody_answers_becomes_an_abort() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&mms());
    world.run_for(15 * SECOND);
    let abort = Seen::ProviderAbort(ProviderAbortReason::Undefined);
    assert_eq!(world.client.app().since_open(client)[..2], [Seen::Release(Vec::new()), abort.clone()]);
    assert_eq!(world.server.app().since_open(server)[0], abort);
    assert_eq!(world.ends(), (vec![ABORTED], vec![ABORTED]));
    assert_eq!(record(&world).why, Some(Why::Idle));
    world.assert_empty();
}

#[test]
fn data_that_a_peer_still_sends_are_carried_over_and_the_other_side_waits() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&mms());
    world.run_for(11 * SECOND);
    assert_eq!(world.client.app().since_open(client), [Seen::Release(Vec::new())]);
    // Behind FINISH nothing can be sent to the client, which itself may go on until it answers.
    world.of_server(|ctx| send(ctx, server, b"too late"));
    world.of_client(|ctx| send(ctx, client, b"last words"));
    world.settle();
    assert_eq!(world.server.app().ssdus(server), [b"last words"]);
    world.of_client(|ctx| ctx.release_response(client, true, b"").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server).last(), Some(&Seen::Release(Vec::new())));
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.run_out();
    assert_eq!(world.ends(), (vec![RELEASED], vec![RELEASED]));
    world.assert_empty();
}

#[test]
fn a_release_of_the_peer_that_crosses_goes_over_with_its_user_data() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Release), Manners::default());
    let (client, server) = world.establish(&mms());
    // The client has not answered FINISH when it sends its own.
    world.run_for(11 * SECOND);
    assert_eq!(world.client.app().since_open(client), [Seen::Release(Vec::new())]);
    world.of_client(|ctx| ctx.release_request(client, b"bye").unwrap());
    world.settle();
    assert_eq!(world.server.app().since_open(server), [Seen::Release(b"bye".to_vec())]);
    world.of_client(|ctx| ctx.release_response(client, true, b"").unwrap());
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.run_out();
    assert_eq!(world.ends(), (vec![RELEASED], vec![RELEASED]));
    world.assert_empty();
}

#[test]
fn a_peer_that_only_closes_has_agreed() {
    let mut world = World::new(config(Profile::Mms, IdleAction::Release), Manners::default());
    let (_, server) = world.establish(&mms());
    world.run_for(11 * SECOND);
    world.kill_client();
    world.settle();
    assert_eq!(world.server.app().since_open(server), [Seen::Release(Vec::new())]);
    world.of_server(|ctx| ctx.release_response(server, true, b"").unwrap());
    world.run_out();
    assert_eq!(world.ends().1, [RELEASED]);
    assert_eq!(world.counters.snapshot().closed, [("idle", "release", 1)]);
    world.assert_empty();
}
