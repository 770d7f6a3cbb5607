//! Tests of the simulator itself; the driver suite holds it to the contract.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::buf::TxBatch;
use crate::driver::{Close, Completion, ConnectOptions, ConnectionId, Driver};

/// What a host saw of one connection.
#[derive(Debug, Default)]
struct Seen {
    sent: Vec<u8>,
    received: Vec<u8>,
    sending: bool,
    eof: bool,
    failed: Option<ErrorKind>,
    closed: bool,
}

/// What a host does on its connections.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Closes after the peer.
    Waits,
    /// Sends back what it receives, and closes after the peer.
    Echoes,
    /// Sends numbered octets, `total` in all and `batch` at once, and closes when as many have come back.
    Numbers { total: usize, batch: usize },
}

struct Host {
    driver: SimDriver,
    role: Role,
    seen: BTreeMap<(u32, u32), Seen>,
    completions: Vec<Completion>,
}

fn key(id: ConnectionId) -> (u32, u32) {
    (id.index, id.generation)
}

fn batch_of(octets: &[u8]) -> TxBatch {
    let mut batch = TxBatch::new();
    batch.put_header(octets);
    batch
}

fn host(net: &SimNet, address: &str) -> Host {
    let driver = SimDriver::new(net, address.parse().unwrap(), SimHostConfig::default());
    Host { driver, role: Role::Waits, seen: BTreeMap::new(), completions: Vec::new() }
}

impl Host {
    fn send(&mut self, id: ConnectionId, octets: &[u8]) {
        let seen = self.seen.get_mut(&key(id)).unwrap();
        seen.sent.extend_from_slice(octets);
        seen.sending = true;
        self.driver.send(id, batch_of(octets));
    }

    /// Sends what is due: an echo, or the next numbered octets; closes when it is through.
    fn go_on(&mut self, id: ConnectionId) {
        let seen = self.seen.get_mut(&key(id)).unwrap();
        if seen.sending || seen.closed || seen.failed.is_some() {
            return;
        }
        let at = seen.sent.len();
        let (next, through) = match self.role {
            Role::Waits => (Vec::new(), seen.eof),
            Role::Echoes => (seen.received[at..].to_vec(), seen.eof),
            Role::Numbers { total, batch } => {
                let next = (at..total.min(at + batch)).map(|index| (index % 251) as u8).collect();
                (next, seen.eof || seen.received.len() == total)
            }
        };
        if !next.is_empty() {
            self.send(id, &next);
        } else if through {
            self.driver.close(id, Close::Graceful);
        }
    }

    /// One turn; true if there was anything to do.
    fn turn(&mut self) -> bool {
        let mut completions = std::mem::take(&mut self.completions);
        self.driver.wait(Some(Duration::ZERO), &mut completions).unwrap();
        let busy = !completions.is_empty();
        for completion in completions.drain(..) {
            let id = match completion {
                Completion::Accepted { connection: id, .. } | Completion::Connected(id) => {
                    self.seen.entry(key(id)).or_default();
                    id
                }
                Completion::Received(id, octets) => {
                    self.seen.get_mut(&key(id)).unwrap().received.extend_from_slice(&octets);
                    id
                }
                Completion::Sent(id, _) => {
                    self.seen.get_mut(&key(id)).unwrap().sending = false;
                    id
                }
                Completion::Eof(id) => {
                    self.seen.get_mut(&key(id)).unwrap().eof = true;
                    id
                }
                Completion::Failed(id, error) => {
                    self.seen.entry(key(id)).or_default().failed = Some(error.kind());
                    self.driver.close(id, Close::Graceful);
                    continue;
                }
                Completion::Closed(id) => {
                    let seen = self.seen.entry(key(id)).or_default();
                    assert!(!std::mem::replace(&mut seen.closed, true), "closed twice");
                    continue;
                }
                Completion::AcceptFailed(..) | Completion::Woken => continue,
            };
            self.go_on(id);
        }
        self.completions = completions;
        busy
    }
}

/// Goes round until nothing can happen any more; the number of rounds.
fn run(net: &SimNet, hosts: &mut [Host]) -> usize {
    for round in 0..1_000_000 {
        let busy = hosts.iter_mut().fold(false, |busy, host| host.turn() | busy);
        if !busy {
            let Some(next) = net.next_event() else { return round };
            net.advance_to(next);
        }
    }
    panic!("it never ends: {:?}", net.fault_counts());
}

/// An echoing host, a host with eight connections to it, and their network, run to the end.
fn echo_world(seed: u64, faults: SimFaults, window_octets: usize) -> (SimNet, [Host; 2]) {
    let net = SimNet::new(SimConfig { seed, faults, window_octets });
    net.start_capture();
    let mut hosts = [host(&net, "10.0.0.1"), host(&net, "10.0.0.2")];
    hosts[0].role = Role::Echoes;
    hosts[1].role = Role::Numbers { total: 20_000, batch: 3_000 };
    let listener = net.bind("10.0.0.1:102".parse().unwrap()).unwrap();
    let address = listener.address();
    hosts[0].driver.listen(listener).unwrap();
    for _ in 0..8 {
        hosts[1].driver.connect(address, &ConnectOptions::default()).unwrap();
    }
    run(&net, &mut hosts);
    (net, hosts)
}

#[test]
fn without_faults_everything_is_echoed_and_nothing_is_left() {
    let (net, hosts) = echo_world(1, SimFaults::NONE, 64 << 10);
    assert_eq!(net.open_sockets(), 0);
    assert_eq!(net.fault_counts(), SimFaultCounts::default());
    for seen in hosts[1].seen.values() {
        assert_eq!((seen.received.len(), seen.failed, seen.closed), (20_000, None, true));
        assert_eq!(seen.received, seen.sent);
    }
    assert_eq!(hosts[1].seen.len(), 8);
}

#[test]
fn on_a_rough_network_everything_is_echoed_too() {
    let mut counts = SimFaultCounts::default();
    for seed in 0..40 {
        let (net, hosts) = echo_world(seed, SimFaults::ROUGH, 5_000);
        assert_eq!(net.open_sockets(), 0, "seed {seed}");
        for seen in hosts[1].seen.values() {
            assert_eq!(seen.received.len(), 20_000, "seed {seed}");
            assert_eq!(seen.received, seen.sent, "seed {seed}");
            assert!(seen.closed, "seed {seed}");
        }
        let own = net.fault_counts();
        counts.stalls += own.stalls;
        counts.short_reads += own.short_reads;
        counts.short_writes += own.short_writes;
        counts.buffers_exhausted += own.buffers_exhausted;
        counts.accepts_failed += own.accepts_failed;
        counts.overflows += own.overflows;
        assert_eq!((own.resets, own.eofs, own.connects_refused, own.connect_timeouts), (0, 0, 0, 0));
    }
    let happened = [
        counts.stalls,
        counts.short_reads,
        counts.short_writes,
        counts.buffers_exhausted,
        counts.accepts_failed,
        counts.overflows,
    ];
    assert!(happened.iter().all(|&count| count > 0), "{counts:?}");
}

#[test]
fn on_a_hostile_network_every_connection_ends_and_octets_keep_their_order() {
    let mut counts = SimFaultCounts::default();
    let mut kinds = BTreeMap::new();
    for seed in 0..150 {
        let (net, hosts) = echo_world(seed, SimFaults::HOSTILE, 5_000);
        assert_eq!(net.open_sockets(), 0, "seed {seed}");
        for seen in hosts.iter().flat_map(|host| host.seen.values()) {
            assert!(seen.closed && !seen.sending, "seed {seed}: {:?}", (seen.failed, seen.eof));
            if let Some(kind) = seen.failed {
                *kinds.entry(format!("{kind:?}")).or_insert(0) += 1;
            }
        }
        for seen in hosts[1].seen.values() {
            assert!(seen.sent.starts_with(&seen.received), "seed {seed}");
        }
        let own = net.fault_counts();
        counts.resets += own.resets;
        counts.eofs += own.eofs;
        counts.connects_refused += own.connects_refused;
        counts.connect_timeouts += own.connect_timeouts;
    }
    let happened = [counts.resets, counts.eofs, counts.connects_refused, counts.connect_timeouts];
    assert!(happened.iter().all(|&count| count > 0), "{counts:?}");
    let expected = ["ConnectionRefused", "ConnectionReset", "TimedOut"];
    assert!(kinds.keys().eq(expected.iter()), "{kinds:?}");
}

#[test]
fn a_seed_reproduces_a_run() {
    let runs = [5, 5, 6].map(|seed| {
        let (net, _) = echo_world(seed, SimFaults::HOSTILE, 5_000);
        (net.digest(), net.now(), net.fault_counts(), net.captured())
    });
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0].0, runs[2].0);
}

#[test]
fn a_capture_has_what_was_sent_both_ways() {
    let (net, hosts) = echo_world(3, SimFaults::ROUGH, 5_000);
    let flows = net.captured();
    assert_eq!(flows.len(), 16);
    let octets = &hosts[1].seen.values().next().unwrap().sent;
    for flow in &flows {
        assert_eq!(flow.octets, *octets);
        assert!(flows.iter().any(|other| (other.from, other.to) == (flow.to, flow.from)));
    }
    let short = SimFlow { octets: (0..18).collect(), ..flows[0].clone() };
    assert_eq!(short.to_hex(), "000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n000010 10 11\n");
}

/// Two hosts with a connection from the second to the first: both ids.
fn pair(faults: SimFaults, window_octets: usize) -> (SimNet, [Host; 2], [ConnectionId; 2]) {
    let net = SimNet::new(SimConfig { seed: 9, faults, window_octets });
    let mut hosts = [host(&net, "10.0.0.1"), host(&net, "10.0.0.2")];
    let listener = net.bind("10.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.address();
    hosts[0].driver.listen(listener).unwrap();
    let near = hosts[1].driver.connect(address, &ConnectOptions::default()).unwrap();
    run(&net, &mut hosts);
    let (&(index, generation), _) = hosts[0].seen.first_key_value().unwrap();
    (net, hosts, [ConnectionId { index, generation }, near])
}

#[test]
fn a_window_bounds_what_is_under_way() {
    let (net, mut hosts, [far, near]) = pair(SimFaults::NONE, 1_000);
    hosts[0].driver.pause(far);
    hosts[1].send(near, &[1; 2_500]);
    run(&net, &mut hosts);
    assert!(hosts[1].seen[&key(near)].sending);
    assert_eq!(hosts[0].seen[&key(far)].received.len(), 0);
    hosts[0].driver.resume(far);
    run(&net, &mut hosts);
    assert!(!hosts[1].seen[&key(near)].sending);
    assert_eq!(hosts[0].seen[&key(far)].received.len(), 2_500);
}

#[test]
fn nothing_arrives_before_its_time() {
    let delay = Duration::from_millis(7);
    let faults = SimFaults { delay_min: delay, delay_max: delay, ..SimFaults::NONE };
    let (net, mut hosts, [far, near]) = pair(faults, 64 << 10);
    let start = net.now();
    hosts[1].send(near, b"later");
    net.advance_to(start + delay - Duration::from_nanos(1));
    hosts[0].turn();
    assert!(hosts[0].seen[&key(far)].received.is_empty());
    net.advance_to(start + delay);
    hosts[0].turn();
    assert_eq!(hosts[0].seen[&key(far)].received, b"later");
    net.advance_to(start);
    assert_eq!(net.now(), start + delay, "time does not go back");
}

#[test]
fn a_host_that_dies_ends_its_connections() {
    for unread in [false, true] {
        let (net, mut hosts, [far, near]) = pair(SimFaults::NONE, 64 << 10);
        if unread {
            hosts[0].driver.pause(far);
            hosts[1].send(near, b"never read");
            run(&net, &mut hosts);
        }
        let [dying, survivor] = hosts;
        drop(dying);
        let mut left = [survivor];
        run(&net, &mut left);
        let seen = &left[0].seen[&key(near)];
        assert_eq!((seen.eof, seen.failed.is_some(), seen.closed), (!unread, unread, true));
        assert_eq!(net.open_sockets(), 0);
        // Its listener is gone with it.
        let to: SocketAddr = "10.0.0.1:10000".parse().unwrap();
        let again = left[0].driver.connect(to, &ConnectOptions::default()).unwrap();
        run(&net, &mut left);
        assert_eq!(left[0].seen[&key(again)].failed, Some(ErrorKind::ConnectionRefused));
    }
}

#[test]
fn an_unanswered_connect_fails_in_its_time_or_is_closed_before() {
    let faults = SimFaults { connect_timeout_ppm: 1_000_000, ..SimFaults::NONE };
    let net = SimNet::new(SimConfig { faults, ..SimConfig::default() });
    let mut hosts = [host(&net, "10.0.0.1")];
    let to = "10.0.0.2:102".parse().unwrap();
    let patient = hosts[0].driver.connect(to, &ConnectOptions::default()).unwrap();
    let impatient = hosts[0].driver.connect(to, &ConnectOptions::default()).unwrap();
    hosts[0].driver.close(impatient, Close::Graceful);
    run(&net, &mut hosts);
    assert_eq!(net.now(), faults.connect_timeout);
    assert_eq!(hosts[0].seen[&key(patient)].failed, Some(ErrorKind::TimedOut));
    assert_eq!(hosts[0].seen[&key(impatient)].failed, None);
    assert!(hosts[0].seen.values().all(|seen| seen.closed));
    assert_eq!(net.fault_counts().connect_timeouts, 2);
}

#[test]
fn listeners_of_one_address_share_its_connections() {
    let net = SimNet::new(SimConfig::default());
    let mut hosts = [host(&net, "10.0.0.1"), host(&net, "10.0.0.1"), host(&net, "10.0.0.2")];
    let address: SocketAddr = "10.0.0.1:102".parse().unwrap();
    for host in &mut hosts[..2] {
        let listener = net.bind(address).unwrap();
        host.driver.listen(listener).unwrap();
    }
    for _ in 0..100 {
        hosts[2].driver.connect(address, &ConnectOptions::default()).unwrap();
    }
    run(&net, &mut hosts);
    let [first, second] = [hosts[0].seen.len(), hosts[1].seen.len()];
    assert_eq!(first + second, 100);
    assert!(first > 20 && second > 20, "{first} and {second}");
}

#[test]
fn a_full_backlog_delays_and_a_closed_listener_resets_it() {
    let net = SimNet::new(SimConfig::default());
    let mut hosts = [host(&net, "10.0.0.1"), host(&net, "10.0.0.2")];
    let listener = net.bind("10.0.0.1:102".parse().unwrap()).unwrap();
    for _ in 0..1_100 {
        hosts[1].driver.connect(listener.address(), &ConnectOptions::default()).unwrap();
    }
    for _ in 0..10_000 {
        hosts[1].turn();
        net.advance_to(net.next_event().unwrap().min(Duration::from_millis(1500)));
    }
    assert!(net.fault_counts().backlogs_full > 0);
    assert_eq!(hosts[1].seen.len(), 1024);
    hosts[0].driver.listen(listener).unwrap();
    run(&net, &mut hosts);
    assert_eq!(hosts[0].seen.len(), 1_100);
    let unused = net.bind("10.0.0.1:103".parse().unwrap()).unwrap();
    let id = hosts[1].driver.connect(unused.address(), &ConnectOptions::default()).unwrap();
    run(&net, &mut hosts);
    assert_eq!(hosts[1].seen[&key(id)].failed, None, "it waits in the backlog");
    drop(unused);
    run(&net, &mut hosts);
    assert_eq!(hosts[1].seen[&key(id)].failed, Some(ErrorKind::ConnectionReset));
}

/// A host that resumes has something to read at once, and says so until it has looked.
#[test]
fn a_host_that_looks_first_takes_nothing_from_the_others() {
    let net = SimNet::new(SimConfig::default());
    let mut hosts = [host(&net, "10.0.0.1"), host(&net, "10.0.0.2"), host(&net, "10.0.0.3")];
    let listener = net.bind("10.0.0.1:102".parse().unwrap()).unwrap();
    let near = hosts[1].driver.connect(listener.address(), &ConnectOptions::default()).unwrap();
    hosts[0].driver.listen(listener).unwrap();
    run(&net, &mut hosts);
    let &(index, generation) = hosts[0].seen.keys().next().unwrap();
    let far = ConnectionId { index, generation };
    hosts[0].driver.pause(far);
    hosts[1].send(near, b"waits");
    run(&net, &mut hosts);
    assert_eq!(hosts[0].seen[&key(far)].received, b"");
    hosts[0].driver.resume(far);
    hosts[2].turn();
    assert_eq!(net.next_event(), Some(net.now()));
    run(&net, &mut hosts);
    assert_eq!(hosts[0].seen[&key(far)].received, b"waits");
    hosts[0].driver.pause(far);
    hosts[1].send(near, b"for ever");
    run(&net, &mut hosts);
    hosts[0].driver.resume(far);
    // Nobody waits for a host that is gone: this ends.
    let [gone, near, other] = hosts;
    drop(gone);
    run(&net, &mut [near, other]);
}
