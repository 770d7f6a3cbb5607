//! What a data SPDU costs the gateway once it flows: no allocation, and no copy of a large body.
//!
//! The gateway's shard runs on the test's own thread, echoing or between two peers that share no code with it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod meter;
mod plain;
mod secured;
mod simulated;
mod sockets;

use std::net::SocketAddr;
use std::sync::Arc;

use colloquy_gateway::app::{AppCounters, GatewayApp};
use colloquy_gateway::assemble;
use colloquy_gateway::config::{Config, ListenerApplication, ListenerConfig, Profile, TargetConfig};
use colloquy_session::FunctionalUnits;
use colloquy_shard::Shard;
use colloquy_transport::buf::COPY_THRESHOLD_OCTETS;
use colloquy_transport::driver::Driver;
use meter::Cost;

/// Octets of an SSDU, and SSDUs in flight.
const LOADS: [(usize, usize); 8] =
    [(64, 1), (64, 16), (256, 1), (256, 16), (4096, 1), (4096, 16), (16_384, 1), (16_384, 16)];
/// SSDUs in one measurement.
const SSDUS: usize = 2000;
/// Measurements after which a load that still allocates is held to do so for ever: free lists and batches grow
/// until they hold the most that a load ever needs at once, and on real sockets that is a matter of chance. One
/// allocation in a thousand SSDUs would show in every measurement.
const MEASUREMENTS_MAX: usize = 10;

/// Something that sends SSDUs through a gateway.
trait Load {
    /// Has `count` SSDUs come back, `depth` of them at once, and says what that cost the gateway.
    fn run(&mut self, octets: usize, depth: usize, count: usize) -> Cost;
}

/// An echo, or a relay to `server`, at `address`; `typed`: typed data are offered.
fn config(address: SocketAddr, server: Option<SocketAddr>, typed: bool) -> Arc<Config> {
    let application = match server {
        Some(_) => ListenerApplication::Relay { target: 0 },
        None => ListenerApplication::Echo,
    };
    let profile = if typed { Profile::Transparent } else { Profile::Mms };
    let target =
        |server| TargetConfig { tpdu_octets_max: 8192, profile, ..TargetConfig::new("server", server) };
    let mut listener = ListenerConfig::new("main", address, application);
    listener.functional_units.set(FunctionalUnits::TYPED_DATA, typed);
    Arc::new(Config {
        listeners: vec![listener],
        targets: server.into_iter().map(target).collect(),
        ..Config::default()
    })
}

fn gateway<D: Driver>(driver: D, config: &Arc<Config>, listener: D::Listener) -> Shard<D, GatewayApp> {
    let counters = Arc::new(AppCounters::default());
    assemble(driver, config, 0, counters, Box::new(|_| ()), [listener]).unwrap()
}

fn costs_nothing(name: &str, load: &mut impl Load) {
    for (octets, depth) in LOADS {
        let measured = (0..MEASUREMENTS_MAX).find_map(|measurement| {
            let cost = load.run(octets, depth, SSDUS);
            let each = cost.copied_octets / SSDUS as u64;
            println!("{name}, {octets} octets, depth {depth}: {cost:?} ({measurement}), {each} copied each");
            assert_eq!(cost.large_copies, 0, "{name}, {octets} octets, depth {depth}");
            // Nor is a large body copied piece by piece: only what lies across the end of a block is.
            assert!(octets < COPY_THRESHOLD_OCTETS || each < octets as u64 / 2, "{name}: {each} copied each");
            (cost.allocations == 0).then_some(())
        });
        assert!(measured.is_some(), "{name}, {octets} octets, depth {depth}: it never stops to allocate");
    }
}
