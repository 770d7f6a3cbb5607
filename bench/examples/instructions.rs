//! What the instruction gate counts: one scenario, so many times, for callgrind to watch.
//!
//! `bench/instructions/run` runs it; by hand:
//!
//! ```text
//! instructions list                    the scenarios, what one operation of each is, and where to count
//! instructions features                what of the processor the standard libraries choose their code by
//! instructions SCENARIO OPERATIONS     does so many operations
//! ```
//!
//! The difference between two numbers of operations leaves the setting up out. Beside the kernels of the micro
//! benchmarks there are two that need no clock: a minor synchronization, and a whole shard in the simulator.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use colloquy_bench::micro::KERNELS;
use colloquy_bench::pump::Exchange;
use colloquy_session::spdu::Tsdu;
use colloquy_session::{
    AcceptParameters, ConnectParameters, Enclosure, FunctionalUnits, Indication, SerialNumber, Session,
    SessionConfig, Transmit,
};
use colloquy_shard::{
    Application, Context, Fault, ListenerConfig, SessionEnd, SessionId, Shard, ShardConfig, TransportAnswer,
};
use colloquy_transport::buf::{Body, TxBatch};
use colloquy_transport::class0::ConnectTpdu;
use colloquy_transport::driver::sim::{SimConfig, SimDriver, SimHostConfig, SimNet};
use colloquy_transport::driver::{Completion, ConnectOptions, ConnectionId, Driver};

/// A scenario that is no kernel.
struct Own {
    name: &'static str,
    what: &'static str,
    /// The function in which callgrind is to count; everywhere when empty.
    counted_in: &'static str,
    run: fn(u64),
}

const OWN: [Own; 2] = [
    Own {
        name: "minor-sync",
        what: "S-SYNC-MINOR request and response, through both machines",
        counted_in: "",
        run: minor_sync,
    },
    Own {
        name: "shard-echo-sim",
        what: "an SSDU of 64 octets through an echoing shard and its simulated driver, without the peer",
        counted_in: "*instructions::counted_turn*",
        run: shard_echo,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            KERNELS.iter().for_each(|kernel| println!("{}\t{}\t", kernel.id, kernel.what));
            OWN.iter().for_each(|own| println!("{}\t{}\t{}", own.name, own.what, own.counted_in));
            ExitCode::SUCCESS
        }
        ["features"] => {
            println!("{}", features().join(" "));
            ExitCode::SUCCESS
        }
        [name, operations] => match operations.parse() {
            Ok(operations) => run(name, operations),
            Err(error) => failed(&format!("{operations}: {error}")),
        },
        _ => failed("instructions list | features | SCENARIO OPERATIONS"),
    }
}

fn run(name: &str, operations: u64) -> ExitCode {
    if let Some(kernel) = KERNELS.iter().find(|kernel| kernel.id == name) {
        (kernel.run)(operations);
    } else if let Some(own) = OWN.iter().find(|own| own.name == name) {
        (own.run)(operations);
    } else {
        return failed(&format!("{name}: no such scenario"));
    }
    ExitCode::SUCCESS
}

fn failed(what: &str) -> ExitCode {
    eprintln!("instructions: {what}");
    ExitCode::from(2)
}

/// The features that memcpy and its like are chosen by, as they are here: under valgrind those that it offers.
fn features() -> Vec<&'static str> {
    #[allow(unused_mut, reason = "on other processors there are none")]
    let mut there = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    for (name, has) in [
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("ermsb", std::is_x86_feature_detected!("ermsb")),
        ("bmi2", std::is_x86_feature_detected!("bmi2")),
    ] {
        if has {
            there.push(name);
        }
    }
    there
}

/// No timer runs out here, so time may stand still.
const NOW: Duration = Duration::ZERO;

fn minor_sync(operations: u64) {
    let units = FunctionalUnits::DUPLEX | FunctionalUnits::MINOR_SYNC;
    let config = SessionConfig { functional_units: units, ..SessionConfig::default() };
    let first = SerialNumber(1);
    let connect = ConnectParameters {
        requirements: units,
        initial_serial_number: Some(first),
        ..ConnectParameters::default()
    };
    let mut initiator = Session::initiator(&config, &connect).expect("legal parameters");
    let mut responder = Session::responder(&config);
    initiator.transport_connected(NOW, false);
    carry(&mut initiator, &mut responder);
    let accept = AcceptParameters {
        requirements: units,
        initial_serial_number: Some(first),
        ..AcceptParameters::default()
    };
    responder.connect_response(NOW, &accept).expect("it was asked for");
    carry(&mut responder, &mut initiator);
    let mut confirmed = 0;
    for number in 0..operations {
        let point = initiator.sync_minor_request(NOW, false, &[]).expect("the initiator has the token");
        confirmed += carry(&mut initiator, &mut responder);
        responder.sync_minor_response(NOW, point, &[]).expect("it was indicated");
        confirmed += carry(&mut responder, &mut initiator);
        assert_eq!(confirmed, 2 * (number + 1), "each point is indicated and confirmed");
    }
}

/// Carries what one machine has to send to the other; how many indications of minor points there were.
fn carry(from: &mut Session, to: &mut Session) -> u64 {
    let mut points = 0;
    while let Some(transmit) = from.poll_transmit() {
        if let Transmit::Tsdu(octets) = transmit {
            let mut tsdu = Tsdu::new(octets);
            while let Some(indication) = to.handle_tsdu(NOW, &mut tsdu) {
                points += u64::from(matches!(
                    indication,
                    Indication::SyncMinor { .. } | Indication::SyncMinorConfirm { .. }
                ));
            }
        }
    }
    points
}

/// Accepts every session and sends back what it gets.
struct Echo;

impl Application for Echo {
    type Session = ();
    type Command = ();

    fn transport_connect<D: Driver>(
        &mut self,
        _: &mut Context<'_, D, Self>,
        _: SessionId,
        _: u32,
        _: SocketAddr,
        _: &ConnectTpdu,
    ) -> TransportAnswer {
        TransportAnswer::Accept
    }

    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    ) {
        let answered = match indication {
            Indication::Connect(connect) => {
                let requirements = connect.requirements;
                ctx.connect_response(id, &AcceptParameters { requirements, ..AcceptParameters::default() })
            }
            Indication::Data { .. } => ctx.data_request_body(id, body, Enclosure::WHOLE),
            _ => Ok(()),
        };
        answered.expect("an echo does nothing illegal");
    }

    fn ended<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, end: SessionEnd) {
        panic!("the session ended: {end:?}");
    }

    fn writable<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId) {}
    fn fault<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, _: SessionId, _: Fault) {}
    fn shard_timer<D: Driver>(&mut self, _: &mut Context<'_, D, Self>) {}
    fn command<D: Driver>(&mut self, _: &mut Context<'_, D, Self>, (): ()) {}
}

/// A shard, and a host in the same network that is its peer.
struct Simulated {
    net: SimNet,
    shard: Shard<SimDriver, Echo>,
    peer: SimDriver,
    connection: ConnectionId,
    completions: Vec<Completion>,
    batch: Option<TxBatch>,
    received: usize,
}

impl Simulated {
    fn new() -> Simulated {
        let net = SimNet::new(SimConfig::default());
        let host = |address: &str| {
            let address = address.parse().expect("an address");
            SimDriver::new(&net, address, SimHostConfig::default())
        };
        let (driver, mut peer) = (host("10.0.0.1"), host("10.0.0.2"));
        let mut shard = Shard::new(driver, Echo, ShardConfig::default());
        let listener = net.bind("10.0.0.1:102".parse().expect("an address")).expect("nobody else does");
        let to = listener.address();
        shard.listen(listener, 0, ListenerConfig::default()).expect("it listens");
        let connection = peer.connect(to, &ConnectOptions::default()).expect("there is room");
        let (completions, batch) = (Vec::new(), None);
        Simulated { net, shard, peer, connection, completions, batch, received: 0 }
    }

    /// Goes on until `holds`.
    fn until(&mut self, holds: impl Fn(&Simulated) -> bool) {
        while !holds(self) {
            let before = self.shard.tally().completions;
            counted_turn(&mut self.shard);
            self.peer.wait(Some(Duration::ZERO), &mut self.completions).expect("the simulator does not fail");
            let worked = !self.completions.is_empty() || self.shard.tally().completions != before;
            for completion in self.completions.drain(..) {
                match completion {
                    Completion::Connected(_) => self.batch = Some(TxBatch::new()),
                    Completion::Sent(_, mut batch) => {
                        batch.clear();
                        self.batch = Some(batch);
                    }
                    Completion::Received(_, octets) => self.received += octets.len(),
                    other => panic!("{other:?}"),
                }
            }
            if !worked {
                let due = self.shard.next_deadline().filter(|at| *at <= self.net.now());
                self.net.advance_to(due.or(self.net.next_event()).expect("something is under way"));
            }
        }
    }

    /// Sends, and waits for as many octets as an answer to it has, or any.
    fn exchange(&mut self, octets: &[u8], answer_octets: usize) {
        self.until(|own| own.batch.is_some());
        let mut batch = self.batch.take().expect("it is there");
        batch.put_header(octets);
        self.received = 0;
        self.peer.send(self.connection, batch);
        self.until(|own| own.received >= answer_octets);
    }
}

/// A turn of the shard: what of the scenario is counted.
#[inline(never)]
fn counted_turn(shard: &mut Shard<SimDriver, Echo>) {
    shard.turn(Some(Duration::ZERO)).expect("the simulator does not fail");
}

fn shard_echo(operations: u64) {
    let exchange = Exchange::echo(64);
    let mut simulated = Simulated::new();
    for step in &exchange.opening {
        simulated.exchange(step, 1);
    }
    for _ in 0..operations {
        simulated.exchange(&exchange.request, exchange.answer_octets);
        assert_eq!(simulated.received, exchange.answer_octets, "the echo is whole and nothing more");
    }
}
