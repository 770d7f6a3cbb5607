//! Connections opened and closed again and again, against our own echo and against peers that fail.
#![allow(clippy::unwrap_used)] // A test.

#[allow(dead_code, reason = "shared with the tests of operations, which use more of it")]
mod responder;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use colloquy_bench::pump::{CyclePlan, Exchange, Observer, PumpError, cycle};
use responder::{Habit, Responder};

fn plan(to: SocketAddr, exchange: Option<Exchange>) -> CyclePlan {
    CyclePlan {
        at_once: 8,
        warm_up: Duration::from_millis(20),
        measured: Duration::from_millis(200),
        ..CyclePlan::new(vec![to], exchange)
    }
}

/// Echoes the first octets of a connection; `refuses` tells by its number which one it closes instead.
struct Server {
    address: SocketAddr,
    answered: Arc<AtomicU64>,
    peers: Arc<Mutex<BTreeSet<IpAddr>>>,
}

impl Server {
    fn start(refuses: fn(usize) -> bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            answered: Arc::default(),
            peers: Arc::default(),
        };
        let (answered, peers) = (Arc::clone(&server.answered), Arc::clone(&server.peers));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(mut stream) = stream else { continue };
                let mut octets = [0; 64];
                let Ok(count @ 1..) = stream.read(&mut octets) else { continue };
                if refuses(number) {
                    continue;
                }
                peers.lock().unwrap().extend(stream.peer_addr().map(|peer| peer.ip()));
                answered.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(&octets[..count]);
                // Until the reset.
                let _ = stream.read(&mut octets);
            }
        });
        server
    }
}

/// Counts what the server has done between the edges.
struct Between<'a>(&'a AtomicU64, u64, u64);

impl Observer for Between<'_> {
    fn begins(&mut self) {
        self.1 = self.0.load(Ordering::SeqCst);
    }

    fn ends(&mut self) {
        self.2 = self.0.load(Ordering::SeqCst);
    }
}

#[test]
fn as_many_cycles_are_counted_as_the_server_saw() {
    let server = Server::start(|_| false);
    let sources = [[127, 0, 0, 7], [127, 0, 0, 8]].map(IpAddr::from).to_vec();
    let plan =
        CyclePlan { at_once: 2, sources: sources.clone(), ..plan(server.address, Some(Exchange::touch())) };
    let mut between = Between(&server.answered, 0, 0);
    let report = cycle(&plan, &mut between).unwrap();
    let seen = between.2 - between.1;
    // Those under way at an edge may count on one side alone.
    assert!(report.cycles > 0 && report.cycles.abs_diff(seen) <= 2, "{} of {seen}", report.cycles);
    assert_eq!((report.failed, report.fault), (0, None));
    assert!(report.response.len() <= report.cycles && report.response.len() + 2 >= report.cycles);
    assert_eq!(server.peers.lock().unwrap().iter().copied().collect::<Vec<_>>(), sources);
}

#[test]
fn sessions_are_opened_and_closed_with_and_without_a_release() {
    let responder = Responder::start(Habit::Good);
    for release in [false, true] {
        let plan = CyclePlan { release, ..plan(responder.address, Some(Exchange::echo(1))) };
        let report = cycle(&plan, &mut ()).unwrap();
        assert!(report.cycles > 0 && report.failed == 0, "{:?}", report.fault);
        assert!(report.measured >= plan.measured && report.cpu > Duration::ZERO);
    }
    responder.stop();
}

#[test]
fn a_connect_alone_is_a_cycle_too() {
    let responder = Responder::start(Habit::Good);
    let report = cycle(&plan(responder.address, None), &mut ()).unwrap();
    assert!(report.cycles > 0 && report.failed == 0, "{:?}", report.fault);
    responder.stop();
}

#[test]
fn cycles_that_fail_are_counted_and_the_others_go_on() {
    let server = Server::start(|number| number % 3 == 1);
    let plan = CyclePlan { at_once: 1, ..plan(server.address, Some(Exchange::touch())) };
    let report = cycle(&plan, &mut ()).unwrap();
    assert!(report.cycles > 0 && report.failed > 0, "{} and {}", report.cycles, report.failed);
    // Two of three succeed.
    assert!(report.cycles.abs_diff(2 * report.failed) <= 2, "{} and {}", report.cycles, report.failed);
    assert!(report.fault.unwrap().contains("request: the peer closed the connection"));
}

#[test]
fn cycles_that_all_fail_say_why() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = cycle(&plan(unused, None), &mut ()).err().unwrap();
    assert!(matches!(&error, PumpError::Opening(_)), "{error}");
    assert!(error.to_string().starts_with(&format!("{unused}: TCP connect: Connection refused")), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = CyclePlan {
        cycle_timeout: Duration::from_millis(50),
        at_once: 1,
        measured: Duration::from_secs(5),
        ..plan(silent.local_addr().unwrap(), Some(Exchange::echo(1)))
    };
    let error = cycle(&plan, &mut ()).err().unwrap();
    assert!(error.to_string().ends_with("CR: no CC within 50 ms; so far came nothing"), "{error}");
    let no_release = CyclePlan { release: true, ..plan.clone() };
    assert!(cycle(&CyclePlan { exchange: None, ..no_release }, &mut ()).is_err());
}
