//! Loads over the simulated network, where a run repeats itself.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_gateway::app::GatewayApp;
use colloquy_shard::Shard;
use colloquy_transport::buf::TxBatch;
use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimHostConfig, SimNet};
use colloquy_transport::driver::{Completion, ConnectOptions, ConnectionId, Driver};

use crate::meter::{Cost, Uncounted, cost_of};
use crate::plain::{Initiator, Manner, Plain};
use crate::{Load, config, costs_nothing, gateway};

const GATEWAY: &str = "10.0.0.1:102";
const SERVER: &str = "10.0.0.2:102";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A host with one connection.
struct Host {
    driver: SimDriver,
    connection: Option<ConnectionId>,
    plain: Plain,
    out: Vec<u8>,
    sending: bool,
}

impl Host {
    fn new(net: &SimNet, at: &str, plain: Plain) -> Host {
        let driver = SimDriver::new(net, address(at).ip(), SimHostConfig::default());
        Host { driver, connection: None, plain, out: Vec::new(), sending: false }
    }

    fn poll(&mut self) -> bool {
        let mut completions = Vec::new();
        self.driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
        let worked = !completions.is_empty();
        for completion in completions {
            match completion {
                Completion::Accepted { connection, .. } | Completion::Connected(connection) => {
                    self.connection = Some(connection);
                }
                Completion::Received(_, octets) => self.plain.receive(&octets, &mut self.out),
                Completion::Sent(..) => self.sending = false,
                other => panic!("{other:?}"),
            }
        }
        self.flush();
        worked
    }

    fn flush(&mut self) {
        let Some(connection) = self.connection.filter(|_| !self.sending && !self.out.is_empty()) else {
            return;
        };
        let mut batch = TxBatch::new();
        batch.put_header(&self.out);
        self.out.clear();
        self.sending = true;
        self.driver.send(connection, batch);
    }

    fn initiator(&mut self) -> &mut Initiator {
        match &mut self.plain {
            Plain::Initiator(initiator) => initiator,
            Plain::Responder { .. } => panic!("a responder"),
        }
    }
}

struct Simulated {
    net: SimNet,
    gateway: Shard<Uncounted<SimDriver>, GatewayApp>,
    client: Host,
    server: Host,
}

impl Simulated {
    fn new(relay: bool, manner: Manner) -> Simulated {
        let net = SimNet::new(SimConfig::default());
        let config = config(address(GATEWAY), relay.then(|| address(SERVER)), manner == Manner::Typed);
        let host = SimHostConfig { pool: config.engine.pool(), ..SimHostConfig::default() };
        let driver = Uncounted(SimDriver::new(&net, address(GATEWAY).ip(), host));
        let gateway = gateway(driver, &config, net.bind(address(GATEWAY)).unwrap());
        let mut server = Host::new(&net, SERVER, Plain::responder());
        server.driver.listen(net.bind(address(SERVER)).unwrap()).unwrap();
        let mut out = Vec::new();
        let initiator = Plain::Initiator(Initiator::connect(manner, &mut out));
        let mut client = Host::new(&net, "10.0.0.3:0", initiator);
        client.out = out;
        client.driver.connect(address(GATEWAY), &ConnectOptions::default()).unwrap();
        let mut simulated = Simulated { net, gateway, client, server };
        simulated.run_until(|initiator| initiator.open);
        simulated
    }

    fn run_until(&mut self, holds: impl Fn(&Initiator) -> bool) -> Cost {
        let mut cost = Cost::default();
        while !holds(self.client.initiator()) {
            let before = self.gateway.tally().completions;
            cost += cost_of(|| self.gateway.turn(Some(Duration::ZERO)).unwrap());
            let worked = self.gateway.tally().completions != before;
            if !(self.client.poll() | self.server.poll() | worked) {
                let due = self.gateway.next_deadline().filter(|at| *at <= self.net.now());
                let next = due.or(self.net.next_event());
                self.net.advance_to(next.expect("something is under way"));
            }
        }
        cost
    }
}

impl Load for Simulated {
    fn run(&mut self, octets: usize, depth: usize, count: usize) -> Cost {
        let mut out = Vec::new();
        self.client.initiator().start(octets, depth, count, &mut out);
        self.client.out.append(&mut out);
        self.client.flush();
        self.run_until(|initiator| initiator.missing == 0)
    }
}

#[test]
fn an_echo_in_the_simulator_allocates_nothing_and_copies_no_large_body() {
    costs_nothing("echo on sim", &mut Simulated::new(false, Manner::Whole));
}

#[test]
fn a_relay_in_the_simulator_allocates_nothing_and_copies_no_large_body() {
    costs_nothing("relay on sim", &mut Simulated::new(true, Manner::Whole));
}

/// One side of the relay segments and the other does not: SSDUs are joined one way and cut the other.
#[test]
fn a_relay_that_joins_and_cuts_allocates_nothing_and_copies_no_large_body() {
    costs_nothing("joining relay on sim", &mut Simulated::new(true, Manner::Segments));
}

#[test]
fn typed_data_cost_an_echo_no_more_than_data() {
    costs_nothing("typed echo on sim", &mut Simulated::new(false, Manner::Typed));
}

#[test]
fn typed_data_cost_a_relay_no_more_than_data() {
    costs_nothing("typed relay on sim", &mut Simulated::new(true, Manner::Typed));
}
